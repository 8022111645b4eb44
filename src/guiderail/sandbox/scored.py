"""What a model says about the rows of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Meaning = Literal["probability", "margin", "number", "none"]
"""What a score says: probability or margin of the second class, a predicted number, or nothing."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores of some rows, in their order.

    classes: the classes as texts, `probabilities` has one column for each; empty for a regression.
    scores: for two classes the score of the *second*, for a regression the number, else None.
    predictions: the class the model itself takes, as text (empty for a regression).
    """

    classes: tuple[str, ...]
    meaning: Meaning
    scores: NDArray[np.float64] | None
    probabilities: NDArray[np.float64] | None
    predictions: tuple[str, ...]


def label_text(value: object) -> str:
    """A label as text; a whole number loses its `.0`, so 1, 1.0 and "1" are the same label."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
