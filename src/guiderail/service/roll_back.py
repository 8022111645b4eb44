"""Go back: to the version before, to any release that once had a permit, or to nothing.

The plan (contract, flips, teams) comes first and moves nothing. Going back needs no new review.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, insert

from guiderail.change.going_back import GOING_BACK
from guiderail.change.measure_release import release_facts
from guiderail.core.digest import Digest, decimal_string, short
from guiderail.core.errors import ConflictError, InputError, RefusedError
from guiderail.core.interval import Interval
from guiderail.core.time import to_text
from guiderail.facts.cache import FactCache
from guiderail.facts.collect import run_providers
from guiderail.facts.fact import Unknown
from guiderail.facts.provider import Inputs
from guiderail.facts.standing import Baseline, Standing
from guiderail.ledger.events import Evidence
from guiderail.review import cases
from guiderail.review.authz import Action
from guiderail.review.cases import Case
from guiderail.review.states import State
from guiderail.rollout.plan import ContractCheck, GroupFlips, RollbackPlan, plan_rollback
from guiderail.rollout.steps import RolloutState
from guiderail.service.authorise import authorise_case
from guiderail.service.journal import case_subject, record
from guiderail.service.own_evidence import rollout_ended
from guiderail.service.permits import permit_of_release
from guiderail.service.records import (
    recorded_facts,
    refresh_snapshot,
    set_workload,
    version_of,
    workload_row,
)
from guiderail.service.registers import transaction
from guiderail.service.snapshot import load_baseline
from guiderail.service.traffic import (
    OFF,
    active_rollout,
    apply,
    end_rollback,
    reconcile,
    served_isolation,
    under_way,
)
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.transaction import Snapshot, Transaction


@dataclass(frozen=True, slots=True)
class RolledBack:
    """What was done, and how long it took from the decision to the served answer, in seconds."""

    workload: str
    plan: RollbackPlan
    to_version: str
    seconds: float


def plan(workspace: Workspace, workload: str, to: str | None = None) -> RollbackPlan:
    """What going back would mean, measured now. Nothing moves.

    Where there is nothing to go back to, the target is first told again what it should serve: a
    command may have died before it did.

    Raises InputError for an unknown workload, ConflictError when there is nothing to go back to,
    RefusedError for a release that never had a permit or whose permit was taken back.
    """
    try:
        with workspace.store.read() as snapshot:
            current, wanted = _ends(snapshot, workload, to)
            facts_now = recorded_facts(snapshot, current) if current else {}
    except ConflictError:
        reconcile(workspace, workload)
        raise
    running = (
        load_baseline(workspace.releases, Digest(current), facts_now, None) if current else None
    )
    if wanted == OFF:
        return plan_rollback(
            workload,
            from_digest=current,
            to_digest=OFF,
            contract=ContractCheck(True, (), (), "Nothing is served, so no contract can break."),
            flips=Unknown("nobody is answered any more"),
            tell=_teams(running),
        )
    goal = load_baseline(workspace.releases, Digest(wanted), {}, None)
    facts = release_facts(
        goal.release,
        Standing(production=running, reviewed=running, full_review=running),
        workspace.clock(),
        cache=workspace.cache / "facts",
        progress=None,
    )
    flips = facts["change.flips"]
    return plan_rollback(
        workload,
        from_digest=current,
        to_digest=wanted,
        contract=_contract(workspace, goal, running),
        flips=flips.value
        if isinstance(flips.value, Interval | Unknown)
        else Unknown("the measured share is not an interval"),
        directions=_counts(flips.detail.get("directions")),
        groups=_groups(flips.detail.get("groups")),
        tell=_teams(running or goal),
    )


def _teams(baseline: Baseline | None) -> tuple[str, ...]:
    rollback = baseline.release.manifest.rollback if baseline else None
    return rollback.downstream if rollback else ()


def roll_back(workspace: Workspace, workload: str, to: str | None = None) -> RolledBack:
    """Go back now. Safe to repeat after a crash: a rollback under way is finished.

    Raises RefusedError when the version to go back to does not fit what serving offers or the
    target refuses it, ConflictError when somebody else moved the traffic meanwhile.
    """
    proposal = plan(workspace, workload, to)
    if not proposal.allowed:
        raise RefusedError(
            f"{workload} cannot go back: {proposal.contract.sentence}",
            code="rollback/contract",
            advice="Choose another release with --to, or switch it off with --to off.",
        )
    started = time.monotonic()
    with transaction(workspace) as tx:
        authorise_case(workspace, Action.DEPLOY, _case_that_acts(tx, proposal))
        rollback = _begin(tx, workspace, proposal, workspace.clock())
    try:
        apply(workspace, workload)
    except RefusedError as refusal:
        _give_up(workspace, proposal, rollback, f"the target refused it: {refusal.what}")
        raise
    isolation = (
        served_isolation(workspace, workload, proposal.to_digest)
        if proposal.to_digest != OFF
        else None
    )
    with transaction(workspace) as tx:
        seconds = time.monotonic() - started
        _end(tx, workspace, proposal, rollback, seconds, isolation, workspace.clock())
    apply(workspace, workload)
    refresh_snapshot(workspace, workload)
    with workspace.store.read() as snapshot:
        version = OFF if proposal.to_digest == OFF else version_of(snapshot, proposal.to_digest)
    return RolledBack(workload, proposal, version, time.monotonic() - started)


def record_rehearsal(
    tx: Transaction, workload: str, proposal: RollbackPlan, seconds: float, now: datetime
) -> None:
    """A real rollback counts as a rehearsal that passed."""
    tx.execute(
        insert(tables.rehearsal).values(
            workload=workload,
            at=to_text(now),
            seconds=seconds,
            from_digest=proposal.from_digest,
            to_digest=proposal.to_digest,
            outcome="passed",
        )
    )


def _ends(tx: Snapshot, workload: str, to: str | None) -> tuple[str | None, str]:
    row = workload_row(tx, workload)
    if row is None:
        raise InputError(
            f"there is no workload {workload!r}",
            code="workload/unknown",
            advice="`guiderail status` lists the workloads of this workspace.",
        )
    rollout = active_rollout(tx, workload)
    if rollout is not None and rollout.kind == "rollback":
        return row["production_digest"], rollout.to_digest
    if rollout is not None:
        raise ConflictError(
            f"a rollout of {workload} is under way",
            code="rollback/rolling",
            advice=f"Take the new version out with `guiderail rollout abort {workload}`.",
        )
    if to is None:
        _refuse_going_forward(tx, row)
    wanted = to or row["previous_digest"]
    if wanted is None:
        raise ConflictError(
            f"{workload} has no earlier release",
            code="rollback/first",
            advice=f"Switch it off with `guiderail rollback {workload} --to off`.",
        )
    if wanted != OFF:
        wanted = _permitted(tx, workload, wanted)
    if wanted == (row["production_digest"] or OFF):
        raise ConflictError(
            f"{workload} already serves {'nothing' if wanted == OFF else short(wanted)}",
            code="rollback/already",
            advice="`guiderail status` lists the releases to choose from.",
        )
    return row["production_digest"], wanted


def _refuse_going_forward(tx: Snapshot, row: RowMapping) -> None:
    """After a rollback, the release before is the one that was left: returning is a choice."""
    previous = row["previous_digest"]
    case = cases.case_of_release(tx, row["name"], previous) if previous else None
    if case is not None and case.state is State.ROLLED_BACK:
        version = version_of(tx, previous)
        raise ConflictError(
            f"{row['name']} already went back from {version}",
            code="rollback/already",
            advice=f"To serve {version} again, say so: --to {version}.",
        )


def _permitted(tx: Snapshot, workload: str, wanted: str) -> str:
    """The full digest of a release (also by its version) that may be restored."""
    releases = tx.execute(
        tables.release_record.select().where(tables.release_record.c.workload == workload)
    ).mappings()
    digests = [
        row["digest"]
        for row in releases
        if wanted in (row["digest"], row["version"])
        or row["digest"].removeprefix("sha256:").startswith(wanted.removeprefix("sha256:"))
    ]
    permits = [permit for d in digests if (permit := permit_of_release(tx, workload, d))]
    usable = {permit.release_digest for permit in permits if not permit.revoked}
    ran = [digest for digest in usable if cases.case_of_release(tx, workload, digest)]
    if len(ran) != 1:
        raise RefusedError(
            f"{wanted!r} does not name exactly one release of {workload} that ran under a permit",
            code="rollback/target",
            advice="Give the full digest; `guiderail status` lists the releases.",
        )
    return ran[0]


def _contract(workspace: Workspace, goal: Baseline, running: Baseline | None) -> ContractCheck:
    """What the version asks for, against what serving offers to the one that runs now."""
    inputs = Inputs(
        (running or goal).release,
        Standing(production=goal),
        workspace.clock(),
        FactCache(workspace.cache / "facts"),
        {},
    )
    fits = run_providers([GOING_BACK], inputs)["rollback.compatible"]
    if isinstance(fits.value, Unknown):
        return ContractCheck(None, (), (), f"The contract is unknown: {fits.value.reason}.")
    if fits.value is True:
        return ContractCheck(True, (), (), "Serving offers everything that the version asks for.")
    broken = fits.detail.get("features")
    names = tuple(map(str, broken)) if isinstance(broken, list | tuple) else ()
    return ContractCheck(
        False, names, (), f"Serving no longer offers what the version asks for: {', '.join(names)}."
    )


def _counts(detail: object) -> dict[str, int]:
    if not isinstance(detail, Mapping):
        return {}
    return {str(name): int(count) for name, count in detail.items()}


def _groups(detail: object) -> tuple[GroupFlips, ...]:
    rows: list[Any] = list(detail) if isinstance(detail, list | tuple) else []
    return tuple(GroupFlips(str(row["group"]), int(row["n"]), int(row["flips"])) for row in rows)


def _case(tx: Snapshot, workload: str, digest: str) -> Case:
    case = cases.case_of_release(tx, workload, digest)
    if case is None:
        raise ConflictError(
            f"no case brought {digest} of {workload} into production",
            code="rollback/no-case",
            advice="Run `guiderail ledger verify`.",
        )
    return case


def _begin(tx: Transaction, workspace: Workspace, proposal: RollbackPlan, now: datetime) -> str:
    """Write down what is about to happen, and give its id; the same rollback under way is kept.

    Raises ConflictError when the traffic moved, or began to, since the plan was made.
    """
    ends = ("rollback", proposal.from_digest, proposal.to_digest)
    other = active_rollout(tx, proposal.workload)
    if other is not None and (other.kind, other.from_digest, other.to_digest) != ends:
        raise under_way(other)
    row = workload_row(tx, proposal.workload)
    if row is None or row["production_digest"] != proposal.from_digest:
        raise ConflictError(
            f"the traffic of {proposal.workload} moved since the way back was planned",
            code="rollback/moved",
            advice=f"See `guiderail rollout status {proposal.workload}`, then go back again.",
        )
    if other is not None:
        return other.id
    case = _case_that_acts(tx, proposal)
    rollback = f"rollback-{secrets.token_hex(6)}"
    tx.execute(
        insert(tables.rollout).values(
            id=rollback,
            case_id=case.id,
            workload=proposal.workload,
            kind="rollback",
            from_digest=proposal.from_digest,
            to_digest=proposal.to_digest,
            state=RolloutState.ROLLING.value,
            step=0,
            steps="100",
            started_at=to_text(now),
            updated_at=to_text(now),
        )
    )
    record(
        tx,
        "rollback.started",
        case_subject(case),
        workspace.actor,
        now,
        {
            "case": case.id,
            "rollout": rollback,
            "from_digest": proposal.from_digest,
            "to_digest": proposal.to_digest,
            "contract": proposal.contract.sentence,
            "teams": list(proposal.tell),
        },
        outcome="rolling",
        notify=proposal.tell,
    )
    return rollback


def _give_up(workspace: Workspace, proposal: RollbackPlan, rollback: str, reason: str) -> None:
    """What the target refuses never ends by repeating; nothing moved, so other moves are free."""
    now = workspace.clock()
    with transaction(workspace) as tx:
        if not end_rollback(tx, rollback, RolloutState.ABORTED, now):
            return
        case = _case_that_acts(tx, proposal)
        record(
            tx,
            "rollout.aborted",
            case_subject(case),
            workspace.actor,
            now,
            {"case": case.id, "rollout": rollback, "reason": reason},
            outcome=RolloutState.ABORTED.value,
            evidence=[_ended(workspace, case, proposal, rollback, "aborted", now)],
        )


def _ended(
    workspace: Workspace,
    case: Case,
    proposal: RollbackPlan,
    rollback: str,
    outcome: str,
    now: datetime,
) -> Evidence:
    digests = proposal.from_digest, proposal.to_digest
    return rollout_ended(workspace, case, rollback, outcome, digests, now)


def _end(
    tx: Transaction,
    workspace: Workspace,
    proposal: RollbackPlan,
    rollback: str,
    seconds: float,
    isolation: Mapping[str, object] | None,
    now: datetime,
) -> None:
    if not end_rollback(tx, rollback, RolloutState.LIVE, now):
        raise ConflictError(
            f"the rollback of {proposal.workload} was finished by somebody else",
            code="rollback/finished",
            advice=f"See `guiderail rollout status {proposal.workload}`.",
        )
    case = _case_that_acts(tx, proposal)
    if proposal.from_digest is not None:
        left = _case(tx, proposal.workload, proposal.from_digest)
        cases.move(tx, left, State.ROLLED_BACK, "rollback.finished", now)
    if proposal.to_digest != OFF:
        restored = _case(tx, proposal.workload, proposal.to_digest)
        cases.move(tx, restored, State.LIVE, "rollback.finished", now)
    set_workload(
        tx,
        proposal.workload,
        production_digest=None if proposal.to_digest == OFF else proposal.to_digest,
        previous_digest=proposal.from_digest,
    )
    if proposal.from_digest is not None:
        record_rehearsal(tx, proposal.workload, proposal, seconds, now)
    record(
        tx,
        "rollback.finished",
        case_subject(case),
        workspace.actor,
        now,
        {
            "case": case.id,
            "rollout": rollback,
            "from_digest": proposal.from_digest,
            "to_digest": proposal.to_digest,
            "seconds": decimal_string(round(seconds, 3)),
            **({"isolation": isolation} if isolation is not None else {}),
        },
        outcome=State.ROLLED_BACK.value,
        evidence=[_ended(workspace, case, proposal, rollback, "rolled-back", now)],
        notify=proposal.tell,
    )


def _case_that_acts(tx: Snapshot, proposal: RollbackPlan) -> Case:
    """The case that is left, or the one that is restored where nothing was served."""
    return _case(tx, proposal.workload, proposal.from_digest or proposal.to_digest)
