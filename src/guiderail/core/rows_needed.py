"""How many rows settle on which side of a limit a measured value lies.

The half width of an interval from independent rows shrinks with 1 / sqrt(rows) (the central limit
theorem; for example Wasserman, All of Statistics, 2004, section 6.3.2). So a half width w that must
become smaller than the distance d to the limit needs n * (w / d) ** 2 rows, if the value stays.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from guiderail.core.interval import Interval


def rows_to_settle(interval: Interval, n: int, limits: Iterable[float]) -> int | None:
    """Rows at which the interval would no longer cross any limit, if the value stays.

    interval and limits are in the same unit; n: the rows that the interval rests on. Never fewer
    than n + 1. None when no limit is crossed, or when the value lies on one: no number of rows
    settles that.
    """
    needed = 0
    for limit in limits:
        if not interval.low <= limit <= interval.high:
            continue
        distance = abs(interval.value - limit)
        if distance == 0:
            return None
        bound = interval.low if limit < interval.value else interval.high
        ratio = abs(interval.value - bound) / distance
        needed = max(needed, math.floor(n * ratio * ratio) + 1)
    return needed or None
