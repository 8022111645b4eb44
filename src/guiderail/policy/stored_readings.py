"""One fact as it is stored with a decision, read straight into what rules compare.

The same values as `readings_of(facts_from_json(stored), types)` gives, without the objects in
between: replays read millions of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from guiderail_verify.evaluate import UNKNOWN, Value
from guiderail_verify.judge import KNOWN_BY

_RANKS: Final = {name: rank for rank, name in enumerate(KNOWN_BY)}
UNKNOWN_RANK: Final = len(KNOWN_BY)
"""The rank of what is unknown: no policy asks for better evidence of it."""

_SMALLEST, _LARGEST = float("-inf"), float("inf")


class Reading(NamedTuple):
    """values: what rules compare, an interval under three names. known_by: None where unknown."""

    values: Mapping[str, Value]
    known_by: int | None


ReadFact = Callable[[Mapping[str, Any]], Reading]
"""Reads a stored fact. Raises ValueError, TypeError or KeyError where no decision stored it so."""


def fact_reader(name: str, kind: Mapping[str, Any]) -> ReadFact:
    """How a fact that is no interval is read. kind: its type, as the pack has it."""
    nothing = Reading({name: UNKNOWN}, None)
    convert = _converter(kind)

    def read(row: Mapping[str, Any]) -> Reading:
        value = convert(row["value"])
        return nothing if value is UNKNOWN else Reading({name: value}, _RANKS[row["known_by"]])

    return read


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


def interval_reading(fact: StoredIntervalFact | None) -> IntervalReading:
    """A stored interval; None: it was not recorded.

    Raises ValueError or KeyError where no decision stored it so.
    """
    value = None if fact is None else fact.value
    if fact is None or not isinstance(value, StoredInterval) or value.low is None:
        return _NO_INTERVAL
    point, least, most = float(value.value), float(value.low), float(value.high)
    if not _SMALLEST < least <= point <= most < _LARGEST:
        raise ValueError("not an interval")
    return point, least, most, _RANKS[fact.known_by]


def _converter(kind: Mapping[str, Any]) -> Callable[[Any], Any]:
    """A stored value to what rules compare; UNKNOWN where it is unknown or of another type."""
    match kind["type"]:
        case "bool":
            return lambda value: value if value is True or value is False else UNKNOWN
        case "integer":
            return _whole
        case "number":
            return _number
        case "enum":
            members = {member: member for member in kind["values"]}
            return lambda value: members.get(value, UNKNOWN) if isinstance(value, str) else UNKNOWN
        case "text":
            return lambda value: value if isinstance(value, str) else UNKNOWN
        case "set":
            return _members
    return lambda value: UNKNOWN


def _number(value: Any) -> Any:
    """A number is `{"number": "3.5"}`; one without a point was an integer."""
    if value.__class__ is not dict:
        return UNKNOWN
    text = value.get("number")
    if text is None:
        return UNKNOWN
    if "." not in text and "e" not in text and "E" not in text:
        return int(text)
    number = float(text)
    return number if _SMALLEST < number < _LARGEST else UNKNOWN


def _whole(value: Any) -> Any:
    number = _number(value)
    return number if number.__class__ is int else UNKNOWN


def _members(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else UNKNOWN
