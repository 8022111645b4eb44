"""What a fact is: a known value with its source, or unknown with a reason."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from guiderail.core.digest import decimal_string
from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no value, and this is why. Never zero, never False, never "passed"."""

    reason: str


Value = bool | int | float | str | tuple[str, ...] | Interval | Unknown


@dataclass(frozen=True, slots=True)
class Fact:
    """One typed value about a release.

    name: as in the catalogue.
    source: where the value comes from, in words a submitter understands
        ("model.skops", "data/holdout.csv scored by both versions", "guiderail.yaml:14").
    known_by: declared < measured < verified < attested.
    detail: extra figures for people and pages (rows needed, per-group cells); never decided upon.
    """

    name: str
    value: Value
    source: str
    known_by: KnownBy
    detail: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_unknown(self) -> bool:
        return isinstance(self.value, Unknown)


FactSet = Mapping[str, Fact]


def known(
    name: str,
    value: Value,
    source: str,
    known_by: KnownBy,
    detail: Mapping[str, object] | None = None,
) -> Fact:
    """A fact with a value; a NaN or infinite number becomes unknown here, in one place."""
    if isinstance(value, float) and not math.isfinite(value):
        value = Unknown(f"the measured number is not finite ({value})")
    return Fact(name, value, source, known_by, detail or {})


def unknown(name: str, reason: str, source: str) -> Fact:
    """A fact without a value: how it would be known is `declared`, the weakest."""
    return Fact(name, Unknown(reason), source, KnownBy.DECLARED)


def to_json(value: Value) -> object:
    """The value as it stands in signed bytes: numbers as decimal strings, unknown as an object."""
    match value:
        case bool() | str():
            return value
        case int() | float():
            return {"number": decimal_string(value)}
        case tuple():
            return list(value)
        case Interval(value=point, low=low, high=high):
            return {
                "value": decimal_string(point),
                "low": decimal_string(low),
                "high": decimal_string(high),
            }
        case Unknown(reason=reason):
            return {"unknown": reason}
    raise TypeError(f"not a fact value: {value!r}")


def from_json(data: object) -> Value:
    """The inverse of `to_json`. Integers and floats both come back as float where not integral.

    Raises ValueError for anything that `to_json` would not have written.
    """
    match data:
        case bool() | str():
            return data
        case {"number": str(text)}:
            number = float(text)
            return int(text) if "." not in text and "e" not in text.lower() else number
        case {"unknown": str(reason)}:
            return Unknown(reason)
        case {"value": str(point), "low": str(low), "high": str(high)}:
            return Interval(float(point), float(low), float(high))
        case list() if all(isinstance(item, str) for item in data):
            return tuple(data)
    raise ValueError(f"not a stored fact value: {data!r}")
