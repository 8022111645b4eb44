"""Cases, reviews, permits and rollouts as JSON documents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from guiderail.core.time import to_text
from guiderail.review.cases import Case
from guiderail.review.dossier import Dossier
from guiderail.review.required import Review, Waiting
from guiderail.rollout.plan import RollbackPlan


def case_line(case: Case, version: str, waiting_for: Iterable[str]) -> dict[str, Any]:
    """One case in a list, with the keys `case, state, waiting_for`."""
    return {
        "case": case.id,
        "state": case.state.value,
        "waiting_for": list(waiting_for),
        "workload": case.workload,
        "version": version,
        "kind": case.kind,
        "track": case.track,
        "tier": case.tier,
        "submitter": case.submitter,
        "created_at": to_text(case.created_at),
        "release_digest": case.release_digest,
        "dossier_digest": case.dossier_digest,
    }


def waiting_document(waiting: Iterable[Waiting]) -> list[dict[str, Any]]:
    return [
        {"role": item.role, "because": list(item.because), "people": list(item.people)}
        for item in waiting
    ]


def review_document(review: Review, dossier_digest: str) -> dict[str, Any]:
    """`counts` is False for a review of an earlier dossier."""
    return {
        "person": review.person,
        "role": review.role,
        "verdict": review.verdict,
        "reason": review.reason,
        "conditions": list(review.conditions),
        "accepted": list(review.accepted),
        "at": to_text(review.at),
        "dossier_digest": review.dossier_digest,
        "counts": review.dossier_digest == dossier_digest,
    }


def dossier_document(dossier: Dossier) -> dict[str, Any]:
    return {
        "facts": dict(dossier.facts),
        "contributors": list(dossier.contributors),
        "decision": dict(dossier.decision),
    }


def plan_document(plan: RollbackPlan, to_version: str | None) -> dict[str, Any]:
    return {
        "workload": plan.workload,
        "from": plan.from_digest,
        "to": plan.to_digest,
        "to_version": to_version,
        "allowed": plan.allowed,
        "contract": plan.contract.sentence,
        "sentences": list(plan.sentences),
        "directions": dict(plan.directions),
        "groups": [{"group": row.group, "n": row.n, "flips": row.flips} for row in plan.groups],
        "teams": list(plan.tell),
    }
