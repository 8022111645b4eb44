"""Review: approve, ask for changes, reject, or confirm a use profile, each bound to a dossier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from guiderail.core.errors import ConflictError, InputError
from guiderail.core.scales import Track
from guiderail.core.time import to_text
from guiderail.manifest.load import load_release
from guiderail.manifest.schema import ModelManifest, PipelineManifest
from guiderail.people.register import Person
from guiderail.review import cases
from guiderail.review.authz import Action, Matter, decide
from guiderail.review.cases import Case
from guiderail.review.dossier import Dossier
from guiderail.review.required import (
    Review,
    ReviewVerdict,
    Waiting,
    valid_approvals,
    waiting_for,
)
from guiderail.review.states import State
from guiderail.service.authorise import authorise
from guiderail.service.journal import case_subject, record
from guiderail.service.own_evidence import review_given
from guiderail.service.permits import issue_permit, refuse_blocked
from guiderail.service.records import refresh_snapshot
from guiderail.service.redecide import confirm_profile, redecide
from guiderail.service.registers import transaction
from guiderail.service.shown import last_shown
from guiderail.service.snapshot import release_folder
from guiderail.service.unchanged import void_if_changed
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.transaction import Snapshot, Transaction

DATA_APPROVAL_HOLDS = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The case after a review, and who is still waited for."""

    case: Case
    review: Review | None
    waiting: tuple[Waiting, ...]


def matter_of(
    case: Case, dossier: Dossier, approvals: dict[str, Review], role: str | None
) -> Matter:
    """What `authz` needs to know about a case."""
    return Matter(
        case=case.id,
        kind=case.kind,
        track=Track(case.track),
        submitter=case.submitter,
        contributors=frozenset(dossier.contributors),
        decided=frozenset(review.person for review in approvals.values()),
        role=role,
        needed_roles=tuple(name for name, _ in dossier.needed_roles if name not in approvals),
    )


def waiting(tx: Snapshot, workspace: Workspace, case: Case, now: datetime) -> tuple[Waiting, ...]:
    """The roles a case in review waits for, each with the people who could take it today."""
    if case.state is not State.IN_REVIEW:
        return ()
    dossier = cases.load_dossier(tx, case.dossier_digest)
    register = workspace.register
    given = valid_approvals(cases.reviews(tx, case.id), case.dossier_digest, register, case.kind)
    may_take = {
        role: tuple(
            person.id
            for person in register.in_role(role)
            if decide(
                Action.DECIDE,
                person,
                matter_of(case, dossier, given, role),
                register,
                now.date(),
            ).allowed
        )
        for role, _ in dossier.needed_roles
    }
    return waiting_for(dossier.needed_roles, given, may_take)


def give_review(
    workspace: Workspace,
    case_id: str,
    verdict: ReviewVerdict,
    *,
    role: str | None = None,
    reason: str = "",
    conditions: Sequence[str] = (),
    findings: Sequence[str] = (),
    shown: str | None = None,
) -> Reviewed:
    """One person's decision in one role.

    role: needed only where the person could decide in several roles.
    reason: what the reviewer says; needed to reject, to ask for changes and to accept a gate.
    findings: ids of gates or rules that a request for changes is about (at least one).
    shown: digest of the dossier that the reviewer saw, by default the one that `review show`
        showed them last; refused when it is no longer the case's.
    """
    now = workspace.clock()
    person = workspace.person
    void_if_changed(workspace, case_id)
    with transaction(workspace) as tx:
        case = cases.load(tx, case_id)
        if case.state is not State.IN_REVIEW:
            raise _not_in_review(case)
        shown = shown or last_shown(workspace, case.id)
        if shown is not None and shown != case.dossier_digest:
            raise ConflictError(
                f"{case.id} changed after you looked at it",
                code="review/stale",
                advice=f"Read it again with `guiderail review show {case.id}`, then decide.",
            )
        dossier = cases.load_dossier(tx, case.dossier_digest)
        given = valid_approvals(
            cases.reviews(tx, case.id), case.dossier_digest, workspace.register, case.kind
        )
        role = role or _only_role(case, dossier, given, person)
        authorise(workspace, Action.DECIDE, matter_of(case, dossier, given, role))
        if verdict == "approve":
            refuse_blocked(case, dossier)
        review = _review(case, dossier, person, role, verdict, reason, conditions, findings, now)
        cases.add_review(tx, review)
        case = _after(tx, workspace, case, dossier, review, now)
        record(
            tx,
            "review.given",
            case_subject(case),
            workspace.actor,
            now,
            _payload(case, review, findings),
            outcome=verdict,
            policy=dossier.pack_digest,
            evidence=[review_given(workspace, case, review)],
            notify=[case.submitter],
        )
        if verdict == "approve":
            _keep_what_the_role_decides(tx, workspace, case, dossier, review, now)
    if case.state is State.APPROVED:
        case = issue_permit(workspace, case.id)
    refresh_snapshot(workspace, case.workload)
    with workspace.store.read() as snapshot:
        return Reviewed(case, review, waiting(snapshot, workspace, case, now))


def confirm_use(workspace: Workspace, case_id: str) -> Reviewed:
    """A risk officer confirms the declared use; the case is decided again with that known.

    Approvals given before no longer count where the decision rests on other facts now.
    """
    now = workspace.clock()
    void_if_changed(workspace, case_id)
    with transaction(workspace) as tx:
        case = cases.load(tx, case_id)
        if case.state not in (State.NEEDS_ANSWERS, State.IN_REVIEW):
            raise _not_in_review(case)
        dossier = cases.load_dossier(tx, case.dossier_digest)
        authorise(workspace, Action.CONFIRM_USE, matter_of(case, dossier, {}, "risk-officer"))
        confirm_profile(tx, workspace, case, now)
        case = redecide(tx, workspace, case, now, "profile.confirmed")
    if case.state is State.APPROVED:
        case = issue_permit(workspace, case.id)
    refresh_snapshot(workspace, case.workload)
    with workspace.store.read() as snapshot:
        return Reviewed(case, None, waiting(snapshot, workspace, case, now))


def _only_role(case: Case, dossier: Dossier, given: dict[str, Review], person: Person) -> str:
    waited = [name for name, _ in dossier.needed_roles if name not in given]
    mine = [name for name in waited if name in person.roles]
    if len(mine) > 1:
        raise InputError(
            f"you could decide on {case.id} as {' or '.join(mine)}",
            code="review/which-role",
            advice=f"Say which with --role, for example --role {mine[0]}.",
        )
    return mine[0] if mine else (person.roles[0] if person.roles else "")


def _review(
    case: Case,
    dossier: Dossier,
    person: Person,
    role: str,
    verdict: ReviewVerdict,
    reason: str,
    conditions: Sequence[str],
    findings: Sequence[str],
    now: datetime,
) -> Review:
    accepted = dossier.insufficient_gates(role) if verdict == "approve" else ()
    if verdict != "approve" and not reason.strip():
        raise InputError(
            f"to {verdict.replace('-', ' ')} needs a reason",
            code="review/reason",
            advice='Say what the submitter should know: --reason "..."',
        )
    if accepted and not reason.strip():
        raise InputError(
            f"approving accepts {', '.join(accepted)} without enough evidence",
            code="review/reason",
            advice='Say why that is acceptable: --reason "..."',
        )
    if verdict == "request-changes":
        _refuse_unknown_findings(dossier, findings)
    return Review(
        case=case.id,
        dossier_digest=case.dossier_digest,
        person=person.id,
        role=role,
        verdict=verdict,
        reason=reason.strip(),
        conditions=tuple(conditions),
        accepted=accepted,
        at=now,
    )


def _refuse_unknown_findings(dossier: Dossier, findings: Sequence[str]) -> None:
    known = {finding["rule"] for finding in dossier.decision["findings"]}
    known |= {gate["id"] for gate in dossier.decision["gates"]}
    known |= {reason["rule"] for reason in dossier.decision["track"]["reasons"]}
    wrong = [finding for finding in findings if finding not in known]
    if not findings or wrong:
        what = f"{wrong[0]!r} is not a finding of this case" if wrong else "no finding is named"
        raise InputError(
            what,
            code="review/finding",
            advice=f"Name at least one with --finding; this case has: {', '.join(sorted(known))}.",
        )


def _after(
    tx: Transaction,
    workspace: Workspace,
    case: Case,
    dossier: Dossier,
    review: Review,
    now: datetime,
) -> Case:
    if review.verdict == "reject":
        return cases.move(tx, case, State.REJECTED, "review.given", now)
    if review.verdict == "request-changes":
        return cases.move(tx, case, State.CHANGES_REQUESTED, "review.given", now)
    given = valid_approvals(
        cases.reviews(tx, case.id), case.dossier_digest, workspace.register, case.kind
    )
    if all(role in given for role, _ in dossier.needed_roles):
        return cases.move(tx, case, State.APPROVED, "review.given", now)
    return case


def _payload(case: Case, review: Review, findings: Sequence[str]) -> dict[str, Any]:
    return {
        "case": case.id,
        "dossier": review.dossier_digest,
        "role": review.role,
        "verdict": review.verdict,
        "reason": review.reason,
        "conditions": list(review.conditions),
        "accepted_gates": list(review.accepted),
        "findings": list(findings),
    }


def _keep_what_the_role_decides(
    tx: Transaction,
    workspace: Workspace,
    case: Case,
    dossier: Dossier,
    review: Review,
    now: datetime,
) -> None:
    """A risk officer's approval confirms the use profile, a data steward's approves the data."""
    if review.role == "risk-officer":
        confirm_profile(tx, workspace, case, now)
    if review.role == "data-steward" and "personal-data" in review.accepted:
        _approve_data(tx, workspace, case, review, now)


def _approve_data(
    tx: Transaction, workspace: Workspace, case: Case, review: Review, now: datetime
) -> None:
    manifest = load_release(release_folder(workspace.releases, case.release_digest)).manifest
    if isinstance(manifest, ModelManifest):
        names = [source.name for source in manifest.training]
    elif isinstance(manifest, PipelineManifest):
        names = [source.name for source in manifest.sources]
    else:
        return
    until = to_text(now + DATA_APPROVAL_HOLDS)
    for name in names:
        tx.execute(
            insert(tables.data_approval).values(
                source=name,
                purpose=manifest.purpose,
                granted=True,
                person=review.person,
                at=to_text(now),
                until=until,
            )
        )
        record(
            tx,
            "data.approved",
            case_subject(case),
            workspace.actor,
            now,
            {
                "case": case.id,
                "source": name,
                "purpose": manifest.purpose,
                "reason": review.reason,
                "until": until,
            },
            outcome="approved",
        )


def _not_in_review(case: Case) -> ConflictError:
    return ConflictError(
        f"{case.id} is {case.state}, not in review",
        code="review/state",
        advice=f"`guiderail status {case.id}` says what happens next.",
    )
