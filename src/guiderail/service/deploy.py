"""Deploy a permitted case step by step, or take the next step of a rollout.

Each step first commits what should run, with its ledger event, and then tells the target. A process
that dies in between is picked up by calling the same command again.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert, update

from guiderail.core.errors import ConflictError, GuiderailError, RefusedError
from guiderail.core.scales import Track
from guiderail.core.time import to_text
from guiderail.ledger.events import EventName, Evidence
from guiderail.manifest.load import load_release
from guiderail.review import cases
from guiderail.review.authz import Action as Permission
from guiderail.review.cases import Case
from guiderail.review.states import State
from guiderail.rollout.steps import Action, Position, RolloutState, act, plan_steps, transition
from guiderail.service.authorise import authorise_case
from guiderail.service.gate import gate
from guiderail.service.journal import case_subject, record
from guiderail.service.own_evidence import rollout_ended
from guiderail.service.permits import complete_proofs, issue_permit, permit_of_release
from guiderail.service.records import refresh_snapshot, set_workload, workload_row
from guiderail.service.registers import transaction
from guiderail.service.snapshot import release_folder
from guiderail.service.take_back import take_back_permits
from guiderail.service.traffic import (
    RolloutRow,
    active_rollout,
    apply,
    reconcile,
    served_isolation,
    target,
    under_way,
)
from guiderail.service.unchanged import void_if_changed
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.transaction import Transaction

Told = Callable[["Step"], None]
Sleep = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Step:
    """Where a rollout stands after a step: percent of traffic on the new version."""

    case: str
    workload: str
    permit: str
    number: int
    of: int
    percent: int
    state: str
    url: str | None


def deploy(
    workspace: Workspace,
    case_id: str,
    *,
    one_step: bool = False,
    told: Told = lambda _: None,
    sleep: Sleep = time.sleep,
) -> Step:
    """Start the rollout of a permitted case, or go on with one that was interrupted.

    one_step: stop after the first step; `advance` takes the next one.
    told: called after every step. Raises RefusedError without a permit, when the files changed
    after approval, or when the target refuses; what ran before then still runs.
    """
    with workspace.store.read() as snapshot:
        case = cases.load(snapshot, case_id)
    authorise_case(workspace, Permission.DEPLOY, case)
    if case.state is State.APPROVED:
        case = issue_permit(workspace, case_id)
    if case.state is State.PERMITTED:
        void_if_changed(workspace, case_id)
        _refuse_without_permit(workspace, case)
        _start(workspace, case)
    elif case.state is not State.ROLLING:
        reconcile(workspace, case.workload)
        raise _not_deployable(case)
    step = _serve(workspace, case_id)
    told(step)
    while not one_step and step.state == RolloutState.ROLLING:
        step = advance(workspace, case.workload, sleep=sleep)
        told(step)
    return step


def advance(
    workspace: Workspace,
    workload: str,
    *,
    sleep: Sleep = time.sleep,
) -> Step:
    """Take the next step after the hold time; the last one makes the release live.

    A paused rollout goes on at the step where it stood. A version whose breaker tripped is aborted
    instead, and ConflictError says so.
    """
    row = _running(workspace, workload)
    with workspace.store.read() as snapshot:
        case = cases.load(snapshot, row.case or "")
    authorise_case(workspace, Permission.DEPLOY, case)
    if row.position.state is RolloutState.PAUSED:
        _move(workspace, row, Action.RESUME)
        return _serve(workspace, case.id)
    release = load_release(release_folder(workspace.releases, case.release_digest))
    sleep(release.manifest.rollout.hold_seconds)
    _abort_if_tripped(workspace, row)
    if not row.position.is_last_step:
        _move(workspace, row, Action.ADVANCE)
        return _serve(workspace, case.id)
    _finish(workspace, row)
    return _serve(workspace, case.id)


def pause(workspace: Workspace, workload: str) -> Step:
    """Hold the rollout at its step until somebody advances or aborts it."""
    row = _running(workspace, workload)
    with workspace.store.read() as snapshot:
        case = cases.load(snapshot, row.case or "")
    authorise_case(workspace, Permission.DEPLOY, case)
    _move(workspace, row, Action.PAUSE)
    return _serve(workspace, case.id)


def abort(workspace: Workspace, workload: str, reason: str) -> Step:
    """Take all traffic from the new version; what ran before serves everybody again."""
    row = _running(workspace, workload)
    with workspace.store.read() as snapshot:
        case = cases.load(snapshot, row.case or "")
    authorise_case(workspace, Permission.DEPLOY, case)
    _abort(workspace, row, reason)
    return _serve(workspace, case.id)


def _refuse_without_permit(workspace: Workspace, case: Case) -> None:
    """Ask what the target would ask, before anything is written down."""
    complete_proofs(workspace)
    answer = gate(workspace, Path(case.source_dir), case.release_digest)
    if not answer["allowed"]:
        raise RefusedError(
            answer["reason"],
            code="deploy/permit",
            advice="Submit the release again; a permit can only be used until its last start.",
        )


def _start(workspace: Workspace, case: Case) -> None:
    now = workspace.clock()
    release = load_release(release_folder(workspace.releases, case.release_digest))
    with transaction(workspace) as tx:
        if (other := active_rollout(tx, case.workload)) is not None:
            raise under_way(other)
        row = workload_row(tx, case.workload)
        production = row["production_digest"] if row else None
        position = plan_steps(release.manifest.rollout.steps, first_release=production is None)
        moved = cases.move(tx, case, State.ROLLING, "rollout.started", now)
        rollout_id = f"rollout-{secrets.token_hex(6)}"
        tx.execute(
            insert(tables.rollout).values(
                id=rollout_id,
                case_id=case.id,
                workload=case.workload,
                kind="deploy",
                from_digest=production,
                to_digest=case.release_digest,
                state=position.state.value,
                step=position.step,
                steps=",".join(str(percent) for percent in position.steps),
                started_at=to_text(now),
                updated_at=to_text(now),
            )
        )
        record(
            tx,
            "rollout.started",
            case_subject(moved),
            workspace.actor,
            now,
            {
                "case": case.id,
                "rollout": rollout_id,
                "from_digest": production,
                "to_digest": case.release_digest,
                "steps": list(position.steps),
            },
            outcome=position.state.value,
            notify=release.manifest.rollback.downstream if release.manifest.rollback else (),
        )


def _serve(workspace: Workspace, case_id: str) -> Step:
    """Apply what the store says and describe it. A refusal aborts the rollout."""
    with workspace.store.read() as snapshot:
        case = cases.load(snapshot, case_id)
        rollout = active_rollout(snapshot, case.workload)
        permit = permit_of_release(snapshot, case.workload, case.release_digest)
    try:
        apply(workspace, case.workload)
    except RefusedError as refusal:
        if rollout is None:
            raise
        _abort(workspace, rollout, f"the target refused it: {refusal.what}")
        apply(workspace, case.workload)
        raise
    refresh_snapshot(workspace, case.workload)
    position = rollout.position if rollout else None
    return Step(
        case=case.id,
        workload=case.workload,
        permit=permit.id if permit else "",
        number=position.step + 1 if position else 0,
        of=len(position.steps) if position else 0,
        percent=position.percent if position else (100 if case.state is State.LIVE else 0),
        state=case.state.value,
        url=target(workspace).gateway_status().url,
    )


def _move(workspace: Workspace, row: RolloutRow, action: Action) -> None:
    """One step of the rollout's own table, mirrored in the case where its state changes."""
    isolation = served_isolation(workspace, row.workload, row.to_digest)
    now = workspace.clock()
    step = transition(row.position, action)
    event = _EVENTS[step.event]
    position = act(row.position, action)
    with transaction(workspace) as tx:
        case = cases.load(tx, row.case or "")
        _write_position(tx, row, replace(row, position=position), now)
        if step.before is not step.after:
            case = cases.move(tx, case, State(step.after.value), event, now)
        record(
            tx,
            event,
            case_subject(case),
            workspace.actor,
            now,
            {**_step_payload(row, position, event), "isolation": isolation},
            outcome=position.state.value,
        )


_EVENTS: dict[str, EventName] = {
    "rollout.step": "rollout.step",
    "rollout.paused": "rollout.paused",
}
"""What a step between start and end is called in the ledger."""


def _step_payload(row: RolloutRow, position: Position, event: EventName) -> dict[str, object]:
    payload: dict[str, object] = {
        "case": row.case,
        "rollout": row.id,
        "step": position.step + 1,
        "share": position.percent,
    }
    return {**payload, "reason": "held by a person"} if event == "rollout.paused" else payload


def _finish(workspace: Workspace, row: RolloutRow) -> None:
    isolation = served_isolation(workspace, row.workload, row.to_digest)
    now = workspace.clock()
    with transaction(workspace) as tx:
        case = cases.load(tx, row.case or "")
        _write_position(tx, row, replace(row, position=act(row.position, Action.FINISH)), now)
        case = cases.move(tx, case, State.LIVE, "rollout.finished", now)
        if row.from_digest is not None:
            before = cases.case_of_release(tx, row.workload, row.from_digest)
            if before is not None and before.state is State.LIVE and before.id != case.id:
                cases.move(tx, before, State.RETIRED, "rollout.finished", now)
        _point_baselines(tx, case, row)
        record(
            tx,
            "rollout.finished",
            case_subject(case),
            workspace.actor,
            now,
            {
                "case": case.id,
                "rollout": row.id,
                "from_digest": row.from_digest,
                "to_digest": row.to_digest,
                "isolation": isolation,
            },
            outcome=State.LIVE.value,
            evidence=[_ended(workspace, case, row, State.LIVE, now)],
        )


def _point_baselines(tx: Transaction, case: Case, row: RolloutRow) -> None:
    """The new release is in production; what people reviewed becomes the next baselines."""
    known = workload_row(tx, case.workload)
    values: dict[str, str | None] = {
        "production_digest": case.release_digest,
        "previous_digest": row.from_digest,
    }
    if known is None or known["first_digest"] is None:
        values["first_digest"] = case.release_digest
    if any(review.verdict == "approve" for review in cases.reviews(tx, case.id)):
        values["reviewed_digest"] = case.release_digest
        if case.track == Track.RED.value:
            values["full_review_digest"] = case.release_digest
    set_workload(tx, case.workload, **values)


def _abort(workspace: Workspace, row: RolloutRow, reason: str) -> None:
    now = workspace.clock()
    with transaction(workspace) as tx:
        case = cases.load(tx, row.case or "")
        _write_position(tx, row, replace(row, position=act(row.position, Action.ABORT)), now)
        case = cases.move(tx, case, State.ABORTED, "rollout.aborted", now)
        take_back_permits(tx, case, workspace.actor, "its rollout was aborted", now)
        record(
            tx,
            "rollout.aborted",
            case_subject(case),
            workspace.actor,
            now,
            {"case": case.id, "rollout": row.id, "reason": reason},
            outcome=State.ABORTED.value,
            evidence=[_ended(workspace, case, row, State.ABORTED, now)],
            notify=[case.submitter],
        )


def _ended(
    workspace: Workspace, case: Case, row: RolloutRow, state: State, now: datetime
) -> Evidence:
    digests = row.from_digest, row.to_digest
    return rollout_ended(workspace, case, row.id, state.value, digests, now)


def _abort_if_tripped(workspace: Workspace, row: RolloutRow) -> None:
    """A breaker that tripped in the gateway ends the rollout."""
    seen = target(workspace).observed(row.workload) if _gateway_runs(workspace) else None
    arm = seen.arm(row.to_digest) if seen else None
    if arm is None or arm.tripped is None:
        return
    _abort(workspace, row, arm.tripped)
    apply(workspace, row.workload)
    raise ConflictError(
        f"the rollout of {row.workload} was aborted: {arm.tripped}",
        code="rollout/breaker",
        advice="The version before serves everybody. Mend the release and submit it again.",
    )


def _gateway_runs(workspace: Workspace) -> bool:
    return target(workspace).gateway_status().running


def _write_position(tx: Transaction, before: RolloutRow, after: RolloutRow, now: datetime) -> None:
    changed = tx.execute(
        update(tables.rollout)
        .where(tables.rollout.c.id == before.id)
        .where(tables.rollout.c.state == before.position.state.value)
        .where(tables.rollout.c.step == before.position.step)
        .values(state=after.position.state.value, step=after.position.step, updated_at=to_text(now))
    )
    if changed.rowcount != 1:
        raise ConflictError(
            f"the rollout of {before.workload} changed meanwhile",
            code="rollout/changed",
            advice=f"Look at it with `guiderail rollout status {before.workload}`.",
        )


def _running(workspace: Workspace, workload: str) -> RolloutRow:
    with workspace.store.read() as snapshot:
        row = active_rollout(snapshot, workload)
    if row is not None and row.kind != "deploy":
        raise under_way(row)
    if row is None:
        reconcile(workspace, workload)
        raise ConflictError(
            f"no rollout of {workload} is under way",
            code="rollout/none",
            advice="Start one with `guiderail deploy CASE`.",
        )
    return row


def _not_deployable(case: Case) -> GuiderailError:
    if case.state is State.LIVE:
        return ConflictError(
            f"{case.id} is already live",
            code="deploy/live",
            advice=f"`guiderail rollout status {case.workload}` shows what is served.",
        )
    return RefusedError(
        f"{case.id} has no permit: it is {case.state}",
        code="deploy/no-permit",
        advice=f"`guiderail status {case.id}` says who is waited for.",
    )
