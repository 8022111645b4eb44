"""Population stability index with its interval, and what it says beside a limit.

PSI is the sum of (q - p) ln(q / p) over bins. It is never below 0, so bins of two samples of one
population show some: about (bins - 1)(1/n + 1/m). Around no change it is distributed as chi-square
with bins - 1 degrees of freedom times (1/n + 1/m) (Yurdakul and Naranjo 2020), otherwise as its
noncentral form, whose variance is that of no change plus that of the change (delta method). The
decision looks at the size of the change beside the limit and never at a p-value: with enough rows
every change is significant.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from guiderail.measure.intervals import Z95

Verdict = Literal["moved", "steady", "insufficient", "not measured"]
LIMIT = 0.25
"""Where no other limit is named; a common reading of the index (Siddiqi 2006) calls 0.1 small."""

Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Psi:
    """value: in natural units, half a row added to every bin. low, high: of the population's index.

    The value holds the noise that two samples always show; low and high do not, so that with few
    rows and many bins the value can lie above both.
    """

    value: float
    low: float
    high: float


def population_stability(old: Counts, new: Counts) -> Psi:
    """From rows per bin, bins that are empty on both sides left out beforehand."""
    bins = len(old)
    p = (old + 0.5) / (old.sum() + 0.5 * bins)
    q = (new + 0.5) / (new.sum() + 0.5 * bins)
    value = float(np.sum((q - p) * np.log(q / p)))
    noise = float(1 / old.sum() + 1 / new.sum())
    by_p, by_q = 1 - q / p - np.log(q / p), 1 - p / q + np.log(q / p)
    moved = _variance(p, by_p) / float(old.sum()) + _variance(q, by_q) / float(new.sum())
    spread = math.sqrt(moved + 2 * (bins - 1) * noise**2)
    middle = max(0.0, value - (bins - 1) * noise)
    return Psi(value, max(0.0, middle - Z95 * spread), middle + Z95 * spread)


def verdict(index: Psi, limit: float) -> Verdict:
    """moved where the whole interval reaches the limit, steady where none of it does."""
    if index.low >= limit:
        return "moved"
    return "steady" if index.high < limit else "insufficient"


def _variance(share: Counts, slope: Counts) -> float:
    return max(0.0, float(np.sum(share * slope**2) - np.sum(share * slope) ** 2))
