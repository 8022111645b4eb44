"""Facts as the rules see them: typed values by name, intervals under three names, or unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, FactSet, Unknown, unknown
from guiderail_verify.evaluate import UNKNOWN, Value
from guiderail_verify.judge import typed_value

_RANKS = {level: level.rank for level in KnownBy}
NOT_GIVEN = "nothing has measured or answered it"


@dataclass(frozen=True, slots=True)
class Readings:
    """values: what rules compare. known_by: rank of each known fact. facts: what is quoted."""

    values: dict[str, Value]
    known_by: dict[str, int]
    facts: Mapping[str, Fact]


class Reader:
    """Reads the facts that one pack names; what nobody gave is prepared once."""

    def __init__(self, types: Mapping[str, Mapping[str, Any]]) -> None:
        self._types = types
        self._nothing = {name: unknown(name, NOT_GIVEN, "") for name in types}
        self._blank: dict[str, Value] = {}
        for name, kind in types.items():
            self._blank |= _unknown(name, kind)

    def read(self, facts: FactSet) -> Readings:
        """What is missing or of another type than the pack says is unknown."""
        values = dict(self._blank)
        known_by: dict[str, int] = {}
        shown: dict[str, Fact] = {**self._nothing, **facts}
        for name, fact in facts.items():
            kind = self._types.get(name)
            if kind is None or isinstance(fact.value, Unknown):
                continue
            if _store(name, fact.value, kind, values):
                known_by[name] = _RANKS[fact.known_by]
            else:
                shown[name] = unknown(name, _mistyped(kind), fact.source)
        return Readings(values, known_by, shown)


def readings_of(facts: FactSet, types: Mapping[str, Mapping[str, Any]]) -> Readings:
    """Read every fact that a pack names, once; `Reader` is quicker for many releases."""
    return Reader(types).read(facts)


def _unknown(name: str, kind: Mapping[str, Any]) -> dict[str, Value]:
    if kind["type"] != "interval":
        return {name: UNKNOWN}
    return {name: UNKNOWN, f"{name}.low": UNKNOWN, f"{name}.high": UNKNOWN}


def _store(name: str, value: object, kind: Mapping[str, Any], values: dict[str, Value]) -> bool:
    """Put a known value where rules find it; False when it is not of the fact's type."""
    if kind["type"] != "interval":
        typed = typed_value(value, kind)
        values[name] = typed
        return typed is not UNKNOWN
    if not isinstance(value, Interval):
        return False
    values[name] = value.value
    values[f"{name}.low"] = value.low
    values[f"{name}.high"] = value.high
    return True


def _mistyped(kind: Mapping[str, Any]) -> str:
    values = ", ".join(kind["values"])
    wanted = f"one of {values}" if values else f"of type {kind['type']}"
    return f"the recorded value is not {wanted}"
