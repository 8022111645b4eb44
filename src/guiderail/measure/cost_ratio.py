"""How much processor time a model takes, relative to a calibration kernel, and how that changed.

Times on a shared machine have heavy tails: the median of the rounds is taken, with the interval
that its order statistics give. That interval assumes nothing about the shape of the noise, only
that rounds are alike (Hahn and Meeker, Statistical Intervals, section 5.2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from guiderail.core.interval import Interval
from guiderail.measure.unmeasurable import NotMeasurable

CONFIDENCE = 0.95
FEWEST_ROUNDS = 6
"""With fewer rounds not even smallest and largest value enclose the median with 95 %."""

Verdict = Literal["rise", "no rise", "insufficient"]


def median_interval(
    values: Sequence[float], *, confidence: float = CONFIDENCE
) -> Interval | NotMeasurable:
    """The median with a distribution-free interval of at least this confidence."""
    count = len(values)
    if any(not math.isfinite(value) for value in values):
        return NotMeasurable("a measured time is not a finite number")
    fewest = math.ceil(1 - math.log2(1 - confidence))
    if count < fewest:
        return NotMeasurable(f"{count} rounds are too few for an interval; {fewest} are not")
    ordered = sorted(values)
    middle = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
    rank = _lower_rank(count, confidence)
    return Interval(middle, ordered[rank - 1], ordered[count - rank])


def _lower_rank(count: int, confidence: float) -> int:
    """The largest r for which the r-th smallest and r-th largest value enclose the median."""
    below, rank = 0.0, 0
    while True:
        below += math.comb(count, rank) / 2**count  # P(fewer than rank + 1 values lie below it)
        if 1 - 2 * below < confidence:
            return rank
        rank += 1


def cpu_ratio(seconds: Sequence[float], kernel: Sequence[float]) -> Interval | NotMeasurable:
    """Processor time for 1,000 predictions in runs of the kernel, round by round."""
    return median_interval([mine / its for mine, its in zip(seconds, kernel, strict=True)])


def change_percent(new: Sequence[float], old: Sequence[float]) -> Interval | NotMeasurable:
    """How much more the new version takes than the old one, in percent; paired by round."""
    return median_interval([100 * (mine / its - 1) for mine, its in zip(new, old, strict=True)])


def spike(change: Interval, limit: float) -> Verdict:
    """Whether a change lies above a limit in percent, does not, or cannot be told yet."""
    if change.low > limit:
        return "rise"
    return "no rise" if change.high <= limit else "insufficient"
