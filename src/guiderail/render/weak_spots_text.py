"""Weak spots for a reviewer: slices in which a version is worse, and inputs that moved.

From the stored facts of a dossier, whose numbers stand as decimal strings. A fact that is not known
is said so; nothing here was decided upon.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guiderail.render.lines import Line, heading, paragraph

_SLICES = {
    "performance.worse_slices": "worse than elsewhere",
    "change.worse_slices": "worse than with the version in production",
}
_MOVED = {
    "data.moved_columns": "in the evaluation data than in the training data",
    "change.moved_columns": "in the training data than for the version in production",
}
SHOWN = 5


def weak_spots(facts: Mapping[str, Any]) -> list[Line]:
    """Nothing for workloads that have no such facts."""
    lines: list[Line] = []
    for name, words in _SLICES.items():
        lines += _fact(facts.get(name), f"slices in which the metric is {words}", _slice)
    for name, words in _MOVED.items():
        lines += _fact(facts.get(name), f"inputs that lie otherwise {words}", _column)
    return heading("Weak spots (no rule reads them)") + lines if lines else []


def _fact(fact: Mapping[str, Any] | None, words: str, shown: Any) -> list[Line]:
    if fact is None:
        return []
    value = fact["value"]
    if "unknown" in value:
        return paragraph(f"?  {words}: {value['unknown']}", indent=2, hang=3, style="dim")
    count = int(value["number"])
    lines = paragraph(f"{count}  {words}", indent=2, hang=3)
    for row in shown(fact["detail"])[: min(count, SHOWN)]:
        lines += paragraph(row, indent=5, hang=2)
    return lines


def _slice(detail: Mapping[str, Any]) -> list[str]:
    found = []
    for row in detail["worst"]:
        change = row["change"]
        against = f"{_number(row['rest'])} elsewhere"
        if change is not None:
            low, high = _number(change[1]), _number(change[2])
            against = f"changed by {_number(change[0])} ({low} to {high})"
        found.append(
            f"{row['slice']}: {_number(row['value'])}, {against}, {_number(row['n'])} rows"
        )
    return found


def _column(detail: Mapping[str, Any]) -> list[str]:
    return [
        f"{row['name']}: population stability index {_number(row['psi'])}"
        for row in detail["columns"]
        if row["verdict"] == "moved"
    ]


def _number(value: Any) -> str:
    """A figure of a stored fact: a decimal string under `number`, or a count."""
    plain = float(value["number"]) if isinstance(value, Mapping) else float(value)
    return f"{plain:.0f}" if plain.is_integer() else f"{plain:.3f}"
