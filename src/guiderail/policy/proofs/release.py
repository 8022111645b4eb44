"""A release as the engines make it up: some known facts, and which of them are weakly known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from guiderail.core.interval import Interval
from guiderail_verify.evaluate import UNKNOWN, UnknownType
from guiderail_verify.evaluate import Value as Reading
from guiderail_verify.judge import KNOWN_BY, Judgement, Rulebook

Types = Mapping[str, Mapping[str, Any]]
"""The types of facts as a compiled pack states them, by name."""

Value = bool | int | float | str | tuple[str, ...] | Interval
OTHER: Final = "′"
"""Marks the second of two values of one fact: `use.exposure′` beside `use.exposure`."""


def plain(symbol: str) -> str:
    """The fact behind a symbol."""
    return symbol.removesuffix(OTHER)


@dataclass(frozen=True, slots=True)
class Release:
    """Facts with a value; every other fact is unknown. weak: known less well than wanted."""

    facts: Mapping[str, Value]
    weak: frozenset[str] = field(default=frozenset())

    def known_by(self, least: Mapping[str, int]) -> dict[str, int]:
        """The rank at which each fact is known: attested, or just below what the pack wants."""
        return {
            name: least[name] - 1 if name in self.weak and least.get(name, 0) else len(KNOWN_BY) - 1
            for name in self.facts
        }


def readings(release: Release, types: Types) -> dict[str, Reading]:
    """The values under the names by which rules find them, for every fact of the pack."""
    values: dict[str, Reading] = {}
    for name, kind in types.items():
        value: Value | UnknownType = release.facts.get(name, UNKNOWN)
        if isinstance(value, Interval):
            values[name] = value.value
            values[f"{name}.low"], values[f"{name}.high"] = value.low, value.high
            continue
        values[name] = value
        if kind["type"] == "interval":
            values[f"{name}.low"] = values[f"{name}.high"] = UNKNOWN
    return values


def least_known_by(book: Rulebook) -> dict[str, int]:
    """For each fact that a decision may rest on, the rank at which it must be known."""
    return {name: least for facts in book.minimum for name, least in facts if least}


def judge(book: Rulebook, release: Release, types: Types) -> Judgement:
    """The decision of the real evaluator."""
    return book.judge(readings(release, types), release.known_by(least_known_by(book)))
