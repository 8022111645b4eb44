"""95 % intervals for shares, their differences and their ratios.

Wilson (1927) for one share, Newcombe (1998, method 10) for the difference of two independent ones,
the log interval of Katz (1978) for their ratio, Bonett and Price (2006, 2012) for paired shares,
Clopper and Pearson (1934) where a bound must hold however small the sample is.
Counts are non-negative, every denominator is at least one; ValueError otherwise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from guiderail.core.interval import Interval

Z95 = 1.959963984540054
"""The 97.5 % point of the standard normal distribution."""


@dataclass(frozen=True, slots=True)
class LogRatio:
    """A ratio with the logarithm that its interval is centred on and that one's standard error."""

    ratio: Interval
    centre: float
    error: float


def around(value: float, low: float, high: float) -> Interval:
    """An interval whose bounds include the point, where rounding or shrinking put it outside."""
    return Interval(value, min(low, value), max(high, value))


def exact_share(count: int, n: int, below: float, above: float) -> Interval:
    """Share `count / n` with exact bounds (Clopper and Pearson 1934).

    below, above: at most so often the true share lies on that side, however large it is.
    """
    if not 0 <= count <= n or n <= 0:
        raise ValueError(f"{count} of {n} is not a share")
    from scipy.special import betaincinv

    low = 0.0 if count == 0 else float(betaincinv(count, n - count + 1, below))
    high = 1.0 if count == n else float(betaincinv(count + 1, n - count, 1 - above))
    return around(count / n, low, high)


@lru_cache(maxsize=2**14)  # groups are compared with the same reference again and again
def wilson(count: float, n: float, z: float = Z95) -> Interval:
    """Share `count / n`, 0 to 1."""
    if not 0 <= count <= n or n <= 0:
        raise ValueError(f"{count} of {n} is not a share")
    share = count / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if count == 0 else max(0.0, middle - half)
    high = 1.0 if count == n else min(1.0, middle + half)
    return around(share, low, high)


def newcombe(count: float, n: float, other: float, m: float) -> Interval:
    """Difference `count / n - other / m` of two independent shares."""
    first, second = wilson(count, n), wilson(other, m)
    delta = first.value - second.value
    low = delta - math.hypot(first.value - first.low, second.high - second.value)
    high = delta + math.hypot(first.high - first.value, second.value - second.low)
    return around(delta, max(-1.0, low), min(1.0, high))


def log_ratio(count: float, n: float, other: float, m: float) -> LogRatio | None:
    """Ratio `(count / n) / (other / m)` of two independent shares.

    None when `other` is 0: the ratio is undefined. Half a row is added to every count where one of
    them is 0 or complete, because the variance would otherwise be infinite or falsely 0.
    """
    if other <= 0:
        return None
    value = (count / n) / (other / m)
    if count in (0, n) or other == m:
        count, n, other, m = count + 0.5, n + 1, other + 0.5, m + 1
    error = math.sqrt(1 / count - 1 / n + 1 / other - 1 / m)
    centre = math.log((count / n) / (other / m))
    low = 0.0 if value == 0 else math.exp(centre - Z95 * error)
    return LogRatio(around(value, low, math.exp(centre + Z95 * error)), centre, error)


def paired_difference(only_first: int, only_second: int, n: int) -> Interval:
    """Difference of two paired shares from the two discordant counts (Bonett and Price 2012)."""
    p12, p21 = (only_first + 1) / (n + 2), (only_second + 1) / (n + 2)
    half = Z95 * math.sqrt((p12 + p21 - (p12 - p21) ** 2) / (n + 2))
    delta = (only_first - only_second) / n
    return around(delta, max(-1.0, p12 - p21 - half), min(1.0, p12 - p21 + half))


def error_ratio(both: int, only_first: int, only_second: int) -> Interval | None:
    """As `paired_ratio`; 1 where neither side has any, None where only the second has none."""
    if both + only_first + only_second == 0:
        return Interval(1.0, 1.0, 1.0)
    return paired_ratio(both, only_first, only_second)


def paired_ratio(both: int, only_first: int, only_second: int) -> Interval | None:
    """Ratio of two paired shares, first to second (Bonett and Price 2006, hybrid Wilson).

    None when the second share is 0.
    """
    first, second = both + only_first, both + only_second
    if second == 0:
        return None
    known = both + only_first + only_second
    a = math.sqrt((only_first + only_second + 2) / ((first + 1) * (second + 1)))
    b = math.sqrt((1 - (first + 1) / (known + 2)) / (first + 1))
    c = math.sqrt((1 - (second + 1) / (known + 2)) / (second + 1))
    z = a / (b + c) * Z95
    top, bottom = wilson(first, known, z), wilson(second, known, z)
    return around(first / second, top.low / bottom.high, top.high / bottom.low)
