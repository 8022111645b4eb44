"""Interval facts as they are stored with a decision, decoded without the objects in between.

Replays read millions of them. Every other type is read by `guiderail_verify.stored_facts`, with
which an auditor reads them too.
"""

from __future__ import annotations

import math
from typing import Any, Final

import msgspec

from guiderail_verify.judge import KNOWN_BY
from guiderail_verify.stored_facts import RANKS, interval_bounds

UNKNOWN_RANK: Final = len(KNOWN_BY)
"""The rank of what is unknown: no policy asks for better evidence of it."""


class StoredInterval(msgspec.Struct, gc=False):
    """The value of an interval fact. Anything else that has no `low` is unknown."""

    value: str = ""
    low: str | None = None
    high: str = ""


class StoredIntervalFact(msgspec.Struct, gc=False):
    value: StoredInterval | bool | int | float | str | list[Any] | None
    known_by: str = ""


IntervalReading = tuple[float, float, float, int]
"""Value, low, high and the rank of how it is known; NaN and `UNKNOWN_RANK` where it is unknown."""

_NO_INTERVAL: Final = (math.nan, math.nan, math.nan, UNKNOWN_RANK)


def interval_reading(fact: StoredIntervalFact) -> IntervalReading:
    """A stored interval. Raises ValueError or KeyError where no decision stored it so."""
    value = fact.value
    if value.__class__ is not StoredInterval or value.low is None:
        return _NO_INTERVAL
    point, least, most = interval_bounds(value.value, value.low, value.high)
    return point, least, most, RANKS[fact.known_by]
