"""Submit a release: open its case, or deploy it right away when it is green."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from guiderail.change.measure_release import release_facts, report_facts
from guiderail.core.errors import ConflictError, RefusedError
from guiderail.core.scales import Outcome, Track
from guiderail.facts.fact import FactSet
from guiderail.facts.standing import Standing
from guiderail.manifest.load import load_release
from guiderail.manifest.release import Release
from guiderail.policy.decision import Decision
from guiderail.render.check_json import decision_document
from guiderail.review import cases
from guiderail.review.cases import Case
from guiderail.review.contributors import contributors
from guiderail.review.dossier import Dossier
from guiderail.review.states import BEFORE_TRAFFIC, ENDS, State
from guiderail.service.answer_rows import carried_answers
from guiderail.service.answers import answers_to_json, with_answers
from guiderail.service.attach import record_facts
from guiderail.service.check import Progress, evaluate
from guiderail.service.facts_statement import Vouched, measured_by_the_platform, with_vouched
from guiderail.service.journal import PLATFORM, case_subject, record
from guiderail.service.own_evidence import gate_results, keep_reports
from guiderail.service.own_facts import with_own_facts
from guiderail.service.permits import issue_permit
from guiderail.service.policy_in_force import recorded_pack
from guiderail.service.records import (
    keep_release,
    record_release,
    refresh_snapshot,
    standing,
    store_pack,
    workload_row,
)
from guiderail.service.registers import transaction
from guiderail.service.signers import Signer, counting
from guiderail.service.snapshot import facts_to_json, release_folder
from guiderail.service.take_back import take_back_permits
from guiderail.service.vouching import open_given
from guiderail.service.workspace import Workspace
from guiderail.store.transaction import Snapshot, Transaction

DEPLOYABLE: Final = ("model",)
"""Kinds of workload that a target of this version can run."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """The opened case and what was decided. `replaced` are older cases that became void by it."""

    case: Case
    release: Release
    facts: FactSet
    decision: Decision
    compared_with: str | None
    replaced: tuple[str, ...]


def submit(
    directory: Path,
    workspace: Workspace,
    *,
    progress: Progress | None = None,
    facts: Path | None = None,
    token: Path | None = None,
) -> Submitted:
    """Measure the release against what the store knows, decide, and open its case.

    facts: a statement of what a trusted runner measured or a system of record states about this
    very release; token: of the CI that vouches for it, where no registered key signed it.
    Raises RefusedError when a gate fails and is not waived, the use is prohibited or no target runs
    the kind (nothing is opened), ConflictError when this very release already has an open case. An
    open prohibited-use screen is asked in the case.
    """
    now = workspace.clock()
    actor = workspace.actor
    release = load_release(directory)
    _refuse_without_target(release)
    keep_release(workspace, release)
    name = release.manifest.served_as
    with workspace.store.read() as snapshot:
        pack = recorded_pack(snapshot, workspace, release.manifest.kind, now)
        _refuse_twice(snapshot, release)
        known = standing(snapshot, workspace, name, now)
        carried = carried_answers(snapshot, name, now)
        registered = counting(snapshot, now)
    said = _vouched(facts, token, registered, release, now)
    measured = _measured(workspace, release, known, now, progress)
    if load_release(directory).digest != release.digest:
        raise ConflictError(
            "a file of the release changed while it was being measured",
            code="release/changed",
            advice="Let the build finish, then submit again.",
        )
    taken: tuple[str, ...] = ()
    if said is not None:
        workspace.blobs.put_bytes(said[1])
        merged = with_vouched(measured, said[0], known, now)
        measured, taken = merged.facts, merged.taken
    own = with_own_facts(measured, release, pack)
    filled = with_answers(own, carried, release, known)
    decision = evaluate(release, filled, now, pack)
    if decision.outcome is Outcome.BLOCKED and not _only_screen_is_open(decision):
        raise _blocked(decision)
    people = contributors(directory, workspace.register) | {actor.person}
    dossier = Dossier(
        release.digest,
        facts_to_json(filled),
        answers_to_json(carried),
        tuple(sorted(people)),
        decision.policy.digest,
        decision_document(decision),
    )
    production = known.production.digest if known.production else None
    with transaction(workspace) as tx:
        _refuse_twice(tx, release)
        if _production(tx, name) != production:
            raise ConflictError(
                f"another release of {name} went into production while this one was measured",
                code="submit/baseline-moved",
                advice="Submit again: it is then compared with what runs now.",
            )
        if recorded_pack(tx, workspace, release.manifest.kind, now).digest != pack.digest:
            raise ConflictError(
                "the policy changed while the release was measured",
                code="submit/policy-changed",
                advice="Submit again: it is then decided under the policy of today.",
            )
        record_release(tx, release, now)
        store_pack(tx, pack)
        replaced = _void_older(tx, name, release, now)
        case = _open(tx, workspace, release, dossier, decision, now)
        if said is not None and facts is not None:
            record_facts(tx, workspace, case, said[0], taken, facts.name)
    if case.state is State.APPROVED:
        case = issue_permit(workspace, case.id)
    refresh_snapshot(workspace, name)
    return Submitted(case, release, filled, decision, production, replaced)


def _vouched(
    facts: Path | None,
    token: Path | None,
    registered: Sequence[Signer],
    release: Release,
    now: datetime,
) -> tuple[Vouched, bytes] | None:
    """What somebody registered vouches for, and its bytes; None where no statement was given."""
    if facts is None:
        return None
    return open_given(facts, token, registered, release.digest, now)


def _measured(
    workspace: Workspace,
    release: Release,
    known: Standing,
    now: datetime,
    progress: Progress | None,
) -> FactSet:
    """Facts as this machine measures them.

    On the author's machine they are measured, from a cache where nothing changed. The platform
    measures its own copy of the release, without a cache, and that is verified; reports of scanners
    and tests are not in that copy: they are somebody's word until a runner vouches for them.
    """
    if not workspace.is_platform:
        cache = workspace.cache / "facts"
        return release_facts(release, known, now, cache=cache, progress=progress)
    copy = load_release(release_folder(workspace.releases, release.digest))
    facts = measured_by_the_platform(release_facts(copy, known, now, progress=progress))
    return {**facts, **report_facts(release, known, now)}


def opening_state(decision: Decision) -> State:
    """Where a case stands after deciding: green needs nobody, open questions come first."""
    if decision.track is Track.GREEN and decision.outcome is Outcome.GO:
        return State.APPROVED
    return State.NEEDS_ANSWERS if decision.unanswered else State.IN_REVIEW


def _open(
    tx: Transaction,
    workspace: Workspace,
    release: Release,
    dossier: Dossier,
    decision: Decision,
    now: datetime,
) -> Case:
    state = opening_state(decision)
    case_id, number = cases.next_id(tx)
    case = Case(
        id=case_id,
        workload=release.manifest.served_as,
        kind=release.manifest.kind,
        release_digest=release.digest,
        dossier_digest=dossier.digest,
        state=state,
        submitter=workspace.actor.person,
        track=decision.track.value,
        tier=decision.tier.value,
        source_dir=str(release.root.absolute()),
        created_at=now,
        updated_at=now,
    )
    cases.open_case(tx, case, number, dossier)
    record(
        tx,
        "case.submitted",
        case_subject(case),
        workspace.actor,
        now,
        {
            "case": case.id,
            "version": release.manifest.version,
            "dossier": case.dossier_digest,
            "tier": case.tier,
            "track": case.track,
            "owner": release.manifest.owner,
            "reviewers": [need.role for need in decision.reviewers],
        },
        outcome=state.value,
        policy=decision.policy.digest,
        evidence=[
            *keep_reports(workspace, release),
            gate_results(workspace, case, dossier.decision, now),
        ],
        notify=[need.role for need in decision.reviewers],
    )
    return case


def _refuse_without_target(release: Release) -> None:
    kind = release.manifest.kind
    if kind not in DEPLOYABLE:
        raise RefusedError(
            f"a release of kind {kind} cannot be submitted: no target of this version can run it",
            code="submit/no-target",
            advice="`guiderail check` says what its review would ask; it works for every kind.",
        )


def _refuse_twice(tx: Snapshot, release: Release) -> None:
    for case in cases.list_cases(tx, workload=release.manifest.served_as):
        if case.release_digest == release.digest and case.state in BEFORE_TRAFFIC | {
            State.ROLLING,
            State.PAUSED,
            State.LIVE,
        }:
            raise ConflictError(
                f"this release already has a case: {case.id} is {case.state}",
                code="submit/already",
                advice=f"See `guiderail status {case.id}`; change something to submit anew.",
            )


def _void_older(tx: Transaction, name: str, release: Release, now: datetime) -> tuple[str, ...]:
    """An open case of an older version is void: what was approved is no longer what is proposed."""
    voided = []
    for case in cases.list_cases(tx, workload=name):
        if case.state in BEFORE_TRAFFIC:
            cases.move(tx, case, State.VOID, "case.void", now)
            take_back_permits(tx, case, PLATFORM, "a newer release took its place", now)
            record(
                tx,
                "case.void",
                case_subject(case),
                PLATFORM,
                now,
                {"case": case.id, "reason": f"replaced by release {release.digest}"},
                outcome=State.VOID.value,
            )
            voided.append(case.id)
        elif case.state not in ENDS | {State.LIVE, State.RETIRED, State.ROLLED_BACK}:
            raise ConflictError(
                f"{case.id} of {name} is {case.state}",
                code="submit/rolling",
                advice=f"Finish or abort that rollout first: `guiderail rollout status {name}`.",
            )
    return tuple(voided)


def _production(tx: Snapshot, name: str) -> str | None:
    row = workload_row(tx, name)
    return row["production_digest"] if row else None


def _only_screen_is_open(decision: Decision) -> bool:
    """Nothing blocks but a question of the interview: whether the use is prohibited."""
    failing = any(gate.enforced and gate.verdict == "fail" for gate in decision.gates)
    return not failing and "use.prohibited" in decision.unanswered


def _blocked(decision: Decision) -> RefusedError:
    failing = [gate for gate in decision.gates if gate.enforced and gate.verdict == "fail"]
    what = "; ".join(f"{gate.id}: {gate.sentence}" for gate in failing)
    if not failing:
        what = "; ".join(reason.sentence for reason in decision.tier_reasons)
    return RefusedError(
        f"blocked. {what}",
        code="submit/blocked",
        advice="Run `guiderail check` to see each message with its fix and who may waive it.",
    )
