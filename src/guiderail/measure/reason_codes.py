"""Reasons for single refusals: the inputs that spoke against a person, strongest first.

At most four (more are not likely to help: official comment 9(b)(2)-1 to 12 CFR 1002.9), never an
input that is protected or stands in for what is. Where such an input would be a reason, it is
counted and not told, because leaving it out silently would hide what the model does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guiderail.measure.attribution_agreement import TOP, Explained, reasons_against

Direction = str
"""`high` or `low`: the value lies above or below the usual one; `value` where it has no order."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One input that speaks for a refusal. weight: what it adds, in the scale of the score.

    clear: False where the weight is under two of its standard errors, so that chance may put
    another input in its place.
    """

    input: str
    weight: float
    direction: Direction
    clear: bool


@dataclass(frozen=True, slots=True)
class CaseReasons:
    """place: of the row among the explained ones. hidden: protected inputs left out."""

    place: int
    reasons: tuple[Reason, ...]
    hidden: tuple[str, ...]


def reason_codes(
    explained: Explained,
    directions: Mapping[str, NDArray[np.str_]],
    *,
    errors: NDArray[np.float64] | None = None,
    protected: Collection[str] = (),
) -> tuple[CaseReasons, ...]:
    """Reasons of every refused row; nothing where nobody is refused.

    directions: input -> `high`, `low` or `value` for each explained row.
    """
    if explained.adverse is None:
        return ()
    rows = np.flatnonzero(explained.adverse)
    listed = reasons_against(explained.values[rows], explained.against, len(explained.names))
    found = []
    for row, places in zip(rows.tolist(), listed, strict=True):
        names = [explained.names[place] for place in places]
        told = [place for place in places if explained.names[place] not in protected][:TOP]
        last = places.index(told[-1]) if len(told) == TOP else len(places)
        found.append(
            CaseReasons(
                row,
                tuple(_reason(explained, directions, errors, row, place) for place in told),
                tuple(name for name in names[: last + 1] if name in protected),
            )
        )
    return tuple(found)


def _reason(
    explained: Explained,
    directions: Mapping[str, NDArray[np.str_]],
    errors: NDArray[np.float64] | None,
    row: int,
    place: int,
) -> Reason:
    name = explained.names[place]
    weight = float(explained.values[row, place])
    clear = errors is None or abs(weight) >= 2 * float(errors[row, place])
    direction = str(directions[name][row]) if name in directions else "value"
    return Reason(name, weight, direction, clear)


def directions_of(values: NDArray[np.generic], rows: NDArray[np.int64]) -> NDArray[np.str_]:
    """Where each explained row's value lies against the median of the column."""
    if values.dtype.kind not in "iuf":
        return np.full(len(rows), "value")
    numbers = values.astype(np.float64)
    present = numbers[np.isfinite(numbers)]
    if not len(present):
        return np.full(len(rows), "value")
    middle = float(np.median(present))
    own = numbers[rows]
    return np.where(np.isnan(own), "value", np.where(own >= middle, "high", "low"))
