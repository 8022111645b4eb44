"""Where things stand: workloads, cases, who is waited for, what the gateway serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, select

from guiderail.ledger.read import entries
from guiderail.review import cases
from guiderail.review.cases import Case
from guiderail.review.dossier import Dossier
from guiderail.review.required import Review, Waiting
from guiderail.review.states import State
from guiderail.rollout.status import GatewayStatus
from guiderail.service.answer_rows import case_answers
from guiderail.service.answers import Answer
from guiderail.service.evidence_list import evidence_of_case
from guiderail.service.interview import Interview, interview_of
from guiderail.service.permits import StoredPermit, permit_of_release
from guiderail.service.records import refresh_snapshot, version_of
from guiderail.service.review import waiting
from guiderail.service.traffic import RolloutRow, active_rollout, target
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.transaction import Snapshot


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case in a list. `waiting` is empty when nobody is waited for."""

    case: Case
    version: str
    waiting: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event in words."""

    seq: int
    at: str
    type: str
    sentence: str


@dataclass(frozen=True, slots=True)
class CaseView:
    """Everything about one case."""

    case: Case
    version: str
    dossier: Dossier
    answers: Mapping[str, Answer]
    reviews: tuple[Review, ...]
    waiting: tuple[Waiting, ...]
    permit: StoredPermit | None
    rollout: RolloutRow | None
    events: tuple[EventLine, ...]
    interview: Interview
    evidence: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class WorkloadLine:
    """One workload: what is in production by version, and the rollout under way."""

    name: str
    kind: str
    production: str | None
    production_version: str | None
    previous_version: str | None
    rollout: RolloutRow | None


def list_cases(workspace: Workspace, *, waiting_only: bool = False) -> list[CaseLine]:
    """All cases, newest first; `waiting_only` keeps those in which a person is waited for."""
    now = workspace.clock()
    with workspace.store.read() as snapshot:
        lines = [
            CaseLine(
                case,
                version_of(snapshot, case.release_digest),
                waiting(snapshot, workspace, case, now),
            )
            for case in cases.list_cases(snapshot)
        ]
    return [line for line in lines if line.waiting] if waiting_only else lines


def list_workloads(workspace: Workspace) -> list[WorkloadLine]:
    """All workloads by name; their baseline snapshots are written again on the way."""
    with workspace.store.read() as snapshot:
        rows = snapshot.execute(select(tables.workload).order_by(tables.workload.c.name))
        lines = [_workload(snapshot, row) for row in rows.mappings().all()]
    for line in lines:
        refresh_snapshot(workspace, line.name)
    return lines


def show_case(workspace: Workspace, case_id: str) -> CaseView:
    """Raises InputError for an id that does not exist."""
    now = workspace.clock()
    with workspace.store.read() as snapshot:
        case = cases.load(snapshot, case_id)
        permit = permit_of_release(snapshot, case.workload, case.release_digest)
        rollout = active_rollout(snapshot, case.workload)
        dossier = cases.load_dossier(snapshot, case.dossier_digest)
        return CaseView(
            case=case,
            version=version_of(snapshot, case.release_digest),
            dossier=dossier,
            answers=case_answers(snapshot, case_id),
            reviews=tuple(cases.reviews(snapshot, case_id)),
            waiting=waiting(snapshot, workspace, case, now),
            permit=permit if permit and permit.case == case.id else None,
            rollout=rollout if rollout and rollout.case == case.id else None,
            events=tuple(
                EventLine(entry.seq, entry.at, entry.type, entry.sentence)
                for entry in entries(snapshot, case=case_id)
            ),
            interview=interview_of(snapshot, workspace, case, dossier),
            evidence=tuple(evidence_of_case(snapshot, case_id)),
        )


def waiting_words(
    view_state: State, waited: tuple[Waiting, ...], submitter: str
) -> tuple[str, ...]:
    """Who is waited for in any state: roles in review, else whoever has the next step."""
    if waited:
        return tuple(item.role for item in waited)
    return _NEXT.get(view_state, lambda _: ())(submitter)


_NEXT = {
    State.NEEDS_ANSWERS: lambda submitter: (submitter,),
    State.CHANGES_REQUESTED: lambda submitter: (submitter,),
    State.APPROVED: lambda submitter: (submitter,),
    State.PERMITTED: lambda submitter: (submitter,),
    State.PAUSED: lambda submitter: (submitter,),
    State.ROLLING: lambda submitter: (submitter,),
}


def gateway(workspace: Workspace) -> GatewayStatus:
    """What the local target says about itself."""
    return target(workspace).gateway_status()


def stop_gateway(workspace: Workspace) -> bool:
    """Stop the local target and its model servers; True when it was running."""
    return target(workspace).stop_gateway()


def start_gateway(workspace: Workspace) -> GatewayStatus:
    """Start the local target; it serves what it served last, after checking every permit."""
    return target(workspace).start_gateway()


def _workload(snapshot: Snapshot, row: RowMapping) -> WorkloadLine:
    production, previous = row["production_digest"], row["previous_digest"]
    return WorkloadLine(
        row["name"],
        row["kind"],
        production,
        version_of(snapshot, production) if production else None,
        version_of(snapshot, previous) if previous else None,
        active_rollout(snapshot, row["name"]),
    )
