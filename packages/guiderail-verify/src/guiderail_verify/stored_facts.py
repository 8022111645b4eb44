"""Facts as they are stored with a decision, read into what rules compare.

A stored fact is `{"value": ..., "known_by": ..., ...}`. Numbers are decimal strings, an interval
has a value and two bounds, unknown is `{"unknown": "reason"}`. A value of another type than the
pack says is unknown: never zero, never false.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from guiderail_verify.evaluate import UNKNOWN, Value
from guiderail_verify.judge import KNOWN_BY, typed_value

RANKS: Final = {name: rank for rank, name in enumerate(KNOWN_BY)}
_INTEGER: Final = {"type": "integer"}
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
        return nothing if value is UNKNOWN else Reading({name: value}, RANKS[row["known_by"]])

    return read


def interval_bounds(value: str, low: str, high: str) -> tuple[float, float, float]:
    """A stored interval as numbers: value, low, high. Raises ValueError for anything else."""
    point, least, most = float(value), float(low), float(high)
    if not _SMALLEST < least <= point <= most < _LARGEST:
        raise ValueError("not an interval")
    return point, least, most


def interval_reader(name: str) -> ReadFact:
    """How an interval fact is read: under its own name, and its bounds as `.low` and `.high`."""
    names = (name, f"{name}.low", f"{name}.high")
    nothing = Reading(dict.fromkeys(names, UNKNOWN), None)

    def read(row: Mapping[str, Any]) -> Reading:
        value = row["value"]
        if value.__class__ is not dict or value.get("low") is None:
            return nothing
        bounds = interval_bounds(value["value"], value["low"], value["high"])
        return Reading(dict(zip(names, bounds, strict=True)), RANKS[row["known_by"]])

    return read


def read_facts(
    stored: Mapping[str, Mapping[str, Any]], types: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, Value], dict[str, int]]:
    """Every fact of a pack as `judge` wants them: values by name, and how each known one is known.

    types: `facts` of the compiled pack. What was not stored is unknown; what the pack does not name
    is left out. Raises ValueError, TypeError or KeyError for facts that no decision stored.
    """
    values: dict[str, Value] = {}
    known_by: dict[str, int] = {}
    for name, kind in types.items():
        read = interval_reader(name) if kind["type"] == "interval" else fact_reader(name, kind)
        reading = read(stored.get(name, _NOT_STORED))
        values |= reading.values
        if reading.known_by is not None:
            known_by[name] = reading.known_by
    return values, known_by


_NOT_STORED: Final[Mapping[str, Any]] = {"value": {"unknown": "not recorded"}}


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
    return typed_value(_number(value), _INTEGER)


def _members(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else UNKNOWN
