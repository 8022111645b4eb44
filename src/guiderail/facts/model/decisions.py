"""From scores to decisions: what the model would decide for each row, and the score of "yes"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from guiderail.measure.scored_rows import as_texts
from guiderail.measure.unmeasurable import NotMeasurable
from guiderail.sandbox.score import Scores

if TYPE_CHECKING:
    from numpy.typing import NDArray


def positive_class(scores: Scores, declared: str | None) -> str | NotMeasurable:
    """The class that counts as positive: the declared one, else the second of two."""
    if len(scores.classes) != 2:
        return NotMeasurable(f"the model has {len(scores.classes)} classes, two are needed")
    if declared is None:
        return scores.classes[1]
    wanted = str(as_texts(np.array([declared], dtype=object))[0])
    if wanted not in scores.classes:
        known = " and ".join(f'"{name}"' for name in scores.classes)
        return NotMeasurable(f'the positive class "{declared}" is none of the model\'s ({known})')
    return wanted


def positive_scores(scores: Scores, declared: str | None) -> NDArray[np.float64] | NotMeasurable:
    """The score of the positive class, one per row; may hold NaN."""
    positive = positive_class(scores, declared)
    if isinstance(positive, NotMeasurable):
        return positive
    if scores.scores is None:
        return NotMeasurable("the model gives classes and no scores")
    if positive == scores.classes[1]:
        return scores.scores
    return 1.0 - scores.scores if scores.meaning == "probability" else -scores.scores


def decisions(
    scores: Scores, threshold: float | None, declared: str | None
) -> NDArray[Any] | NotMeasurable:
    """The decision for each row as text: by threshold where there is one, else the model's class.

    Scores that are NaN or infinite decide nothing: NotMeasurable.
    """
    if not scores.classes:
        return NotMeasurable("the model gives numbers and decides nothing")
    if threshold is None:
        broken = _not_finite(scores.probabilities)
        if broken:
            return NotMeasurable(f"{broken} scores are not finite numbers")
        return as_texts(np.asarray(scores.predictions, dtype=object))
    positive = positive_class(scores, declared)
    if isinstance(positive, NotMeasurable):
        return positive
    values = positive_scores(scores, declared)
    if isinstance(values, NotMeasurable):
        return values
    broken = _not_finite(values)
    if broken:
        return NotMeasurable(f"{broken} scores are not finite numbers")
    negative = next(name for name in scores.classes if name != positive)
    return np.where(values >= threshold, positive, negative).astype(object)


def _not_finite(values: NDArray[np.float64] | None) -> int:
    return 0 if values is None else int((~np.isfinite(values)).sum())
