"""Facts as the rules see them: typed values by name, intervals under three names, or unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, FactSet, Unknown, unknown
from guiderail_verify.evaluate import UNKNOWN, Value
from guiderail_verify.judge import typed_value

_RANKS = {level: level.rank for level in KnownBy}
NOT_GIVEN = "nothing has measured or answered it"
_USUAL: Final = {"bool": bool, "integer": int, "text": str, "interval": Interval}
"""Types whose values are known by their class alone."""


class _NoClass:
    """What no value is."""


@dataclass(frozen=True, slots=True)
class Readings:
    """values: what rules compare. known_by: rank of each known fact. facts: what is quoted."""

    values: dict[str, Value]
    known_by: dict[str, int]
    facts: Mapping[str, Fact]


class Reader:
    """Reads the facts that one pack names; what depends on the pack alone is prepared once."""

    def __init__(self, types: Mapping[str, Mapping[str, Any]]) -> None:
        self._types = types
        self._nothing = {name: unknown(name, NOT_GIVEN, "") for name in types}
        self._blank: dict[str, Value] = {}
        for name, kind in types.items():
            self._blank |= _unknown(name, kind)
        self._usual: dict[str, Any] = {name: _usual(kind) for name, kind in types.items()}
        self._bounds = {
            name: (f"{name}.low", f"{name}.high")
            for name, kind in types.items()
            if kind["type"] == "interval"
        }

    def read(self, facts: FactSet) -> Readings:
        """What is missing or of another type than the pack says is unknown."""
        values = dict(self._blank)
        known_by: dict[str, int] = {}
        shown: dict[str, Fact] = {**self._nothing, **facts}
        usual_of = self._usual.get
        for name, fact in facts.items():
            usual: Any = usual_of(name)
            if usual is None:
                continue
            value: Any = fact.value
            if value.__class__ is not usual:
                if isinstance(value, Unknown):
                    continue
                read = self._read(name, value)
                if read is UNKNOWN:
                    shown[name] = unknown(name, _mistyped(self._types[name]), fact.source)
                    continue
                values[name] = read
            elif usual is Interval:
                low, high = self._bounds[name]
                values[name], values[low], values[high] = value.value, value.low, value.high
            else:
                values[name] = value
            known_by[name] = _RANKS[fact.known_by]
        return Readings(values, known_by, shown)

    def _read(self, name: str, value: object) -> Value:
        """A value that is not accepted for its class alone."""
        kind = self._types[name]
        return UNKNOWN if kind["type"] == "interval" else typed_value(value, kind)


def readings_of(facts: FactSet, types: Mapping[str, Mapping[str, Any]]) -> Readings:
    """Read every fact that a pack names, once; `Reader` is quicker for many releases."""
    return Reader(types).read(facts)


def _unknown(name: str, kind: Mapping[str, Any]) -> dict[str, Value]:
    if kind["type"] != "interval":
        return {name: UNKNOWN}
    return {name: UNKNOWN, f"{name}.low": UNKNOWN, f"{name}.high": UNKNOWN}


def _usual(kind: Mapping[str, Any]) -> type:
    """The class of which every value is a value of the type; of most types there is none."""
    return _USUAL.get(kind["type"], _NoClass)


def _mistyped(kind: Mapping[str, Any]) -> str:
    values = ", ".join(kind["values"])
    wanted = f"one of {values}" if values else f"of type {kind['type']}"
    return f"the recorded value is not {wanted}"
