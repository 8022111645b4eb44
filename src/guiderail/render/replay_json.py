"""Replays as JSON, with the keys of the command-line contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from guiderail.policy.pack import Pack
from guiderail.policy.replay import Moved, Replay, state
from guiderail.render.diff_json import weight_document


def replay_document(
    pack: Pack,
    since: str | None,
    result: Replay,
    moved: Sequence[tuple[Moved, str]],
    hours: Mapping[str, float],
    skipped: int,
) -> dict[str, Any]:
    """The whole answer of `guiderail policy replay PACK --format json`. Hours are of people."""
    cases = [_moved(one, reason) for one, reason in moved]
    return {
        "pack": asdict(pack.ref),
        "since": since,
        "n": result.n,
        "changed": len(moved),
        "by_transition": result.by_transition,
        "other_tier": result.other_tier,
        "other_reviewers": result.other_reviewers,
        "reviewer_hours_delta": round(result.hours_after - result.hours_before, 2),
        "reviewer_hours": {
            "before": round(result.hours_before, 2),
            "after": round(result.hours_after, 2),
            "per_reviewer": dict(hours),
        },
        "incidents": {
            "n": result.incidents,
            "heavier": [row["case"] for row in cases if row["incident"] and row["heavier"]],
            "lighter": [row["case"] for row in cases if row["incident"] and not row["heavier"]],
        },
        "not_replayable": len(result.not_replayable),
        "not_replayable_cases": [
            {"case": one.decided.case, "reason": one.reason} for one in result.not_replayable
        ],
        "other_kinds": skipped,
        "deviating": list(result.deviating),
        "cases": cases,
    }


def _moved(moved: Moved, reason: str) -> dict[str, Any]:
    return {
        "case": moved.decided.case,
        "workload": moved.decided.workload,
        "version": moved.decided.version,
        "decided": moved.decided.day,
        "from": state(moved.old),
        "to": state(moved.new),
        "heavier": moved.heavier,
        "because": reason,
        "only_old": list(moved.only_old),
        "only_new": list(moved.only_new),
        "incident": moved.decided.incident,
        "old": weight_document(moved.old),
        "new": weight_document(moved.new),
    }
