"""Facts as they are stored with a decision, read straight into what rules compare.

The same values as `readings_of(facts_from_json(stored), types)` gives, without the objects in
between: replays read a hundred thousand decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from guiderail_verify.evaluate import UNKNOWN, Value
from guiderail_verify.judge import KNOWN_BY

_RANKS: Final = {name: rank for rank, name in enumerate(KNOWN_BY)}
_SMALLEST, _LARGEST = float("-inf"), float("inf")

_ABSENT: Final[Mapping[str, Any]] = {"value": None}
_MOST_READ: Final = 4096
"""Numbers whose values are kept, as they are written."""

Convert = Callable[[Any], Any]
"""A stored value to what rules compare; UNKNOWN where it is unknown or of another type."""


class Reader:
    """Reads stored facts for one pack. types: the fact types of the pack."""

    def __init__(self, types: Mapping[str, Mapping[str, Any]]) -> None:
        named = {name: kind["type"] for name, kind in types.items()}
        self._bools = tuple(name for name, kind in named.items() if kind == "bool")
        self._numbers = tuple(
            (name, kind == "integer")
            for name, kind in named.items()
            if kind in ("integer", "number")
        )
        self._intervals = tuple(
            (name, f"{name}.low", f"{name}.high")
            for name, kind in named.items()
            if kind == "interval"
        )
        self._others = tuple(
            (name, converter(types[name]))
            for name, kind in named.items()
            if kind not in ("bool", "integer", "number", "interval")
        )
        self._read: dict[Any, Any] = {}

    def read(self, facts: Mapping[str, Any]) -> tuple[dict[str, Value], dict[str, int]]:
        """Values by name and how each known one is known. What is missing is unknown.

        Raises ValueError, TypeError or KeyError for facts that no decision would have stored.
        """
        values: dict[str, Value] = {}
        known_by: dict[str, int] = {}
        row_of, rank_of = facts.get, _RANKS.__getitem__
        for name in self._bools:
            row = row_of(name, _ABSENT)
            value = row["value"]
            if value is True or value is False:
                values[name], known_by[name] = value, rank_of(row["known_by"])
            else:
                values[name] = UNKNOWN
        for name, whole in self._numbers:
            row = row_of(name, _ABSENT)
            value = self._number(row["value"])
            if value is UNKNOWN or (whole and value.__class__ is not int):
                values[name] = UNKNOWN
            else:
                values[name], known_by[name] = value, rank_of(row["known_by"])
        for name, convert in self._others:
            row = row_of(name, _ABSENT)
            value = values[name] = convert(row["value"])
            if value is not UNKNOWN:
                known_by[name] = rank_of(row["known_by"])
        self._read_intervals(facts, values, known_by)
        return values, known_by

    def _number(self, value: Any) -> Any:
        """A stored number; those that are written alike are converted once."""
        if value.__class__ is not dict:
            return UNKNOWN
        text = value.get("number")
        known = self._read.get(text)
        if known is None:
            known = _number(value)
            if len(self._read) < _MOST_READ:
                self._read[text] = known
        return known

    def _read_intervals(
        self, facts: Mapping[str, Any], values: dict[str, Value], known_by: dict[str, int]
    ) -> None:
        for name, low, high in self._intervals:
            row = facts.get(name)
            value = None if row is None else row["value"]
            if row is None or value.__class__ is not dict or "low" not in value:
                values[name] = values[low] = values[high] = UNKNOWN
                continue
            point, least, most = float(value["value"]), float(value["low"]), float(value["high"])
            if not _SMALLEST < least <= point <= most < _LARGEST:
                raise ValueError(f"{name} is not an interval")
            values[name], values[low], values[high] = point, least, most
            known_by[name] = _RANKS[row["known_by"]]


def converter(kind: Mapping[str, Any]) -> Convert:
    """How a stored value of a fact type that is no interval is read."""
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
