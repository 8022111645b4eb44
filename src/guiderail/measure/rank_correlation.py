"""How strongly two columns of numbers rise together: Spearman's rank correlation, with an interval.

The correlation of ranks, ties sharing the mean of theirs (Spearman 1904). It needs no ranges, so it
sees a tendency over all ages that limits between ranges may hide, and it misses what rises and
falls again, which ranges show: the two belong beside each other.

The 95 % interval is that of Fisher's z with the variance (1 + r^2 / 2) / (n - 3) of Bonett and
Wright (2000), Sample size requirements for estimating Pearson, Kendall and Spearman correlations,
Psychometrika 65, 23-28. At r = 1 and r = -1, where z is infinite, the inner bound is that of the
nearest value that n ranks without ties can have.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from guiderail.core.interval import Interval
from guiderail.measure.unmeasurable import NotMeasurable

FEWEST_ROWS = 20
_Z = 1.959963984540054

Floats = NDArray[np.float64]


def rank_correlation(
    first: ArrayLike, second: ArrayLike, counts: ArrayLike | None = None
) -> Interval | NotMeasurable:
    """Spearman's correlation, -1 to 1, over the rows in which both are finite.

    counts: how many rows each entry stands for. Raises ValueError for columns of other lengths.
    """
    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    weights = np.ones(len(x)) if counts is None else np.asarray(counts, dtype=np.float64)
    if not len(x) == len(y) == len(weights):
        raise ValueError(f"{len(x)}, {len(y)} and {len(weights)} entries")
    kept = np.isfinite(x) & np.isfinite(y) & (weights > 0)
    x, y, weights = x[kept], y[kept], weights[kept]
    n = float(weights.sum())
    if n < FEWEST_ROWS:
        return NotMeasurable(f"only {n:.0f} rows have both values, {FEWEST_ROWS} are needed")
    for values in (x, y):
        if values.min() == values.max():
            return NotMeasurable("one of the two has the same value in every row")
    r = _pearson(_midranks(x, weights), _midranks(y, weights), weights)
    low, high = _bounds(r, n)
    return Interval(r, low, high)


def rows_with_both(first: ArrayLike, second: ArrayLike, counts: ArrayLike | None = None) -> int:
    """How many rows `rank_correlation` counts."""
    kept = np.isfinite(np.asarray(first, float)) & np.isfinite(np.asarray(second, float))
    return int(kept.sum() if counts is None else np.asarray(counts)[kept].sum())


def _midranks(values: Floats, weights: Floats) -> Floats:
    """Ranks from 1 on among all rows, equal values sharing the mean of theirs."""
    _, place = np.unique(values, return_inverse=True)
    held = np.bincount(place, weights=weights)
    return np.asarray((np.cumsum(held) - (held - 1) / 2)[place])


def _pearson(x: Floats, y: Floats, weights: Floats) -> float:
    whole = weights.sum()
    x, y = x - weights @ x / whole, y - weights @ y / whole
    found = (weights @ (x * y)) / math.sqrt((weights @ x**2) * (weights @ y**2))
    return min(1.0, max(-1.0, float(found)))


def _bounds(r: float, n: float) -> tuple[float, float]:
    nearest = 1 - 12 / (n * (n * n - 1))
    inner = min(nearest, max(-nearest, r))
    half = _Z * math.sqrt((1 + inner**2 / 2) / (n - 3))
    low, high = math.tanh(math.atanh(inner) - half), math.tanh(math.atanh(inner) + half)
    return min(r, low), max(r, high)
