"""What flipped decisions are worth: the sum and the mean of a value column, by direction.

The value is an amount of at least 0 in any one unit, usually money. Intervals are 95 % percentile
bootstrap over all rows, flipped or not: a resample holds another number of flips, and the sum
says how large it could as well have been.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from guiderail.core.interval import Interval
from guiderail.measure.intervals import around
from guiderail.measure.resampling import MOST_UNITS, REPLICATES
from guiderail.measure.scored_rows import as_texts, count_missing
from guiderail.measure.unmeasurable import NotMeasurable

FEWEST_FLIPS = 10
"""With fewer flips in a direction the sum is exact and the intervals are left out."""


@dataclass(frozen=True, slots=True)
class FlipValue:
    """One direction, or all flips together under the name "all".

    total, mean: in the unit of the column, with their interval; None below FEWEST_FLIPS, where
    only the figures of these very rows are known.
    """

    direction: str
    flips: int
    total: float
    mean: float
    total_interval: Interval | None
    mean_interval: Interval | None


def flip_values(
    old: ArrayLike, new: ArrayLike, value: ArrayLike, rows: int, *, seed: int = 0
) -> tuple[FlipValue, ...] | NotMeasurable:
    """Sum and mean of the value among flips, by direction and over all of them.

    old, new, value: the flipped rows; others may be among them and are left out.
    rows: how many rows were decided. A value that is missing, infinite, negative or no number in a
    flipped row is NotMeasurable.
    """
    first, second = as_texts(np.asarray(old)), as_texts(np.asarray(new))
    flipped = np.asarray(first != second, dtype=bool)
    values = np.asarray(value)[flipped]
    problem = _problem(values)
    if problem is not None:
        return problem
    amounts = values.astype(np.float64)
    pairs = zip(first[flipped].tolist(), second[flipped].tolist(), strict=True)
    names = np.array([f"{one} -> {other}" for one, other in pairs], dtype=str)
    found = [_of_direction("all", amounts, rows, seed)] if len(amounts) else []
    distinct, counts = np.unique(names, return_counts=True)
    for place in np.lexsort((distinct, -counts)).tolist():
        name = str(distinct[place])
        found.append(_of_direction(name, amounts[names == name], rows, seed))
    return tuple(found)


def _problem(values: NDArray[np.generic]) -> NotMeasurable | None:
    if values.size == 0:
        return None
    absent = count_missing(values)
    if absent:
        return NotMeasurable(f"the value is missing in {absent} of {values.size} flipped rows")
    if values.dtype.kind not in "iuf":
        return NotMeasurable("the value is not a number in every flipped row")
    numbers = values.astype(np.float64)
    if np.isinf(numbers).any():
        return NotMeasurable("the value is infinite in some flipped rows")
    if (numbers < 0).any():
        return NotMeasurable(
            f"the value is negative in {int((numbers < 0).sum())} of {values.size} flipped rows; "
            "amounts that cancel out would hide what is at stake"
        )
    return None


def _of_direction(name: str, amounts: NDArray[np.float64], rows: int, seed: int) -> FlipValue:
    total, mean = float(amounts.sum()), float(amounts.mean())
    if len(amounts) < FEWEST_FLIPS:
        return FlipValue(name, len(amounts), total, mean, None, None)
    random = np.random.default_rng(seed)
    size = min(rows, MOST_UNITS)
    # Rows are put into equally likely bundles; most hold no flip. Bundles are then drawn.
    bundle = (
        random.permutation(rows)[: len(amounts)]
        if rows <= MOST_UNITS
        else random.integers(0, size, len(amounts))
    )
    units = np.column_stack(
        [
            np.bincount(bundle, weights=amounts, minlength=size),
            np.bincount(bundle, minlength=size).astype(np.float64),
        ]
    )
    units = units[units[:, 1] > 0]
    drawn = np.empty((REPLICATES, 2))
    for i, taken in enumerate(random.binomial(size, len(units) / size, REPLICATES).tolist()):
        times = np.bincount(random.integers(0, len(units), taken), minlength=len(units))
        drawn[i] = times @ units
    low, high = np.quantile(drawn[:, 0], [0.025, 0.975])
    filled = drawn[drawn[:, 1] > 0]
    below, above = np.quantile(filled[:, 0] / filled[:, 1], [0.025, 0.975])
    return FlipValue(
        name,
        len(amounts),
        total,
        mean,
        around(total, float(low), float(high)),
        around(mean, float(below), float(above)),
    )
