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


def readings_of(facts: FactSet, types: Mapping[str, Mapping[str, Any]]) -> Readings:
    """Read every fact that a pack names. What is missing or of another type is unknown."""
    values: dict[str, Value] = {}
    known_by: dict[str, int] = {}
    shown: dict[str, Fact] = dict(facts)
    for name, kind in types.items():
        fact = facts.get(name)
        if fact is None:
            fact = unknown(name, NOT_GIVEN, "")
        elif not isinstance(fact.value, Unknown) and not _store(fact, kind, values):
            fact = unknown(name, _mistyped(fact, kind), fact.source)
        shown[name] = fact
        if isinstance(fact.value, Unknown):
            values[name] = UNKNOWN
            if kind["type"] == "interval":
                values[f"{name}.low"] = values[f"{name}.high"] = UNKNOWN
        else:
            known_by[name] = _RANKS[fact.known_by]
    return Readings(values, known_by, shown)


def _store(fact: Fact, kind: Mapping[str, Any], values: dict[str, Value]) -> bool:
    """Put a known value where rules find it; False when it is not of the fact's type."""
    value = fact.value
    if kind["type"] == "interval":
        if not isinstance(value, Interval):
            return False
        values[fact.name] = value.value
        values[f"{fact.name}.low"] = value.low
        values[f"{fact.name}.high"] = value.high
        return True
    typed = typed_value(value, kind)
    values[fact.name] = typed
    return typed is not UNKNOWN


def _mistyped(fact: Fact, kind: Mapping[str, Any]) -> str:
    values = ", ".join(kind["values"])
    wanted = f"one of {values}" if values else f"of type {kind['type']}"
    return f"the recorded value is not {wanted}"
