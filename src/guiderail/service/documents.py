"""Answers of use cases as JSON documents, the same for the command line and every other face."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from guiderail.core.time import to_text
from guiderail.facts.fact import to_json
from guiderail.ledger.standing import standing
from guiderail.render.case_json import (
    case_line,
    dossier_document,
    plan_document,
    review_document,
    waiting_document,
)
from guiderail.rollout.plan import RollbackPlan
from guiderail.rollout.status import status_to_json
from guiderail.service import status
from guiderail.service.deploy import Step
from guiderail.service.interview import Interview
from guiderail.service.permits import ENVIRONMENT
from guiderail.service.records import version_of
from guiderail.service.status import CaseView
from guiderail.service.traffic import OFF, RolloutRow
from guiderail.service.witnesses import standing_document
from guiderail.service.workspace import Workspace


def case_document(workspace: Workspace, case_id: str) -> dict[str, Any]:
    """The document of `guiderail case show`."""
    return view_document(status.show_case(workspace, case_id))


def view_document(view: CaseView) -> dict[str, Any]:
    case = view.case
    waiting_for = status.waiting_words(case.state, view.waiting, case.submitter)
    return {
        **case_line(case, view.version, waiting_for),
        "waiting": waiting_document(view.waiting),
        **dossier_document(view.dossier),
        "answers": {
            name: {
                "value": to_json(answer.value),
                "person": answer.person,
                "at": to_text(answer.at),
            }
            for name, answer in view.answers.items()
        },
        "interview": interview_document(view.interview),
        "reviews": [review_document(review, case.dossier_digest) for review in view.reviews],
        "permit": {
            "id": view.permit.id,
            "environment": ENVIRONMENT,
            "release_digest": view.permit.release_digest,
            "revoked": view.permit.revoked,
        }
        if view.permit
        else None,
        "rollout": rollout_document(view.rollout) if view.rollout else None,
        "evidence": list(view.evidence),
        "events": [
            {"seq": event.seq, "at": event.at, "type": event.type, "sentence": event.sentence}
            for event in view.events
        ],
    }


def interview_document(interview: Interview) -> dict[str, Any]:
    """What is still asked, of whom it can be learnt, what is known, and what changed."""
    return {
        "open": [
            {
                "number": item.question.number,
                "question": item.question.text,
                "fact": item.question.fact,
                "ask": item.question.ask,
                "decides": not item.question.context,
            }
            for item in (*interview.needed, *interview.offered)
        ],
        "known": [
            {
                "number": item.question.number,
                "question": item.question.text,
                "decides": not item.question.context,
                "answered": item.answered,
                **asdict(item.answer),
            }
            for item in interview.told
        ],
        "changed": [asdict(item) for item in interview.changed],
    }


def status_document(workspace: Workspace) -> dict[str, Any]:
    """Every workload and every case."""
    return {
        "workloads": [
            {
                "workload": line.name,
                "kind": line.kind,
                "production": line.production,
                "production_version": line.production_version,
                "previous_version": line.previous_version,
                "rollout": rollout_document(line.rollout) if line.rollout else None,
            }
            for line in status.list_workloads(workspace)
        ],
        "cases": case_lines(workspace),
        "ledger": ledger_document(workspace),
    }


def ledger_document(workspace: Workspace) -> dict[str, Any]:
    """How far somebody outside could notice that the ledger was rewritten."""
    with workspace.store.read() as snapshot:
        return standing_document(standing(snapshot, workspace.clock()))


def case_lines(workspace: Workspace, *, waiting_only: bool = False) -> list[dict[str, Any]]:
    return [
        case_line(
            line.case,
            line.version,
            status.waiting_words(line.case.state, line.waiting, line.case.submitter),
        )
        for line in status.list_cases(workspace, waiting_only=waiting_only)
    ]


def rollout_document(row: RolloutRow) -> dict[str, Any]:
    """A rollout or rollback under way."""
    return {
        "rollout": row.id,
        "case": row.case,
        "workload": row.workload,
        "kind": row.kind,
        "from": row.from_digest,
        "to": row.to_digest,
        "state": row.position.state.value,
        "percent": row.position.percent,
        "steps": list(row.position.steps),
    }


def step_document(step: Step) -> dict[str, Any]:
    """Where a rollout stands after a step."""
    return {
        "case": step.case,
        "workload": step.workload,
        "permit": step.permit,
        "step": step.number,
        "of": step.of,
        "percent": step.percent,
        "state": step.state,
        "url": step.url,
    }


def rollback_document(workspace: Workspace, plan: RollbackPlan) -> dict[str, Any]:
    with workspace.store.read() as snapshot:
        version = "off" if plan.to_digest == OFF else version_of(snapshot, plan.to_digest)
    return plan_document(plan, version)


def gateway_document(workspace: Workspace) -> dict[str, Any]:
    """What the local gateway says about itself."""
    found = status.gateway(workspace)
    return {**status_to_json(found), "url": found.url}
