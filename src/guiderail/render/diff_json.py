"""Differences between two packs as JSON, with the keys of the command-line contract."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from guiderail.core.interval import Interval
from guiderail.policy.diff import Change, Example, PackDiff
from guiderail.policy.diff.regions import COMPUTED, Try
from guiderail.policy.weigh import Weight
from guiderail_verify.evaluate import UnknownType


def diff_document(diff: PackDiff) -> dict[str, Any]:
    """The whole answer of `guiderail policy diff --format json`."""
    return {
        "old": asdict(diff.old),
        "new": asdict(diff.new),
        "kinds": list(diff.kinds),
        "summary": {
            **{direction: diff.count(direction) for direction in ("lighter", "heavier", "other")},
            "wording": sum(change.change == "wording" for change in diff.changes),
            "not_decided": sum(not change.decided for change in diff.changes),
        },
        "changes": [change_document(change) for change in diff.changes],
    }


def change_document(change: Change) -> dict[str, Any]:
    return {
        "part": change.part,
        "section": change.section,
        "change": change.change,
        "direction": change.direction,
        "sentence": change.sentence,
        "old": change.old,
        "new": change.new,
        "example": example_document(change.example) if change.example else None,
        "decided": change.decided,
        "reason": change.reason,
    }


def example_document(example: Example) -> dict[str, Any]:
    """facts: as `guiderail policy eval --facts` reads them, so that anyone can ask again."""
    return {
        "kind": example.kind,
        "at": example.day,
        "differs": list(example.differs),
        "facts": {
            name: _given(value, example.known_by.get(name))
            for name, value in example.facts.items()
            if name not in COMPUTED
        },
        "old": weight_document(example.old),
        "new": weight_document(example.new),
    }


def weight_document(weight: Weight) -> dict[str, Any]:
    return {
        "tier": weight.tier_name,
        "track": weight.track_name,
        "outcome": weight.outcome.value,
        "reviewers": list(weight.roles),
        "gates": dict(weight.gates),
    }


def _given(value: Try, known_by: str | None) -> Any:
    plain: Any = value
    if isinstance(value, UnknownType):
        return "unknown"
    if isinstance(value, Interval):
        plain = {"value": value.value, "low": value.low, "high": value.high}
        return plain if known_by is None else plain | {"known_by": known_by}
    if isinstance(value, tuple):
        plain = list(value)
    return plain if known_by is None else {"known": plain, "known_by": known_by}
