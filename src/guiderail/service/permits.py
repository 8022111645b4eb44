"""Issue the signed permit of an approved case, and prove that the ledger recorded it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import RowMapping, insert, select, update

from guiderail.attest.permit import envelope_digest, sign_permit
from guiderail.core.digest import Digest
from guiderail.core.errors import ConflictError, RefusedError
from guiderail.core.time import to_text
from guiderail.ledger.events import Evidence
from guiderail.ledger.key_versions import refuse_changed_keys
from guiderail.ledger.proof import prove_entry
from guiderail.review import cases
from guiderail.review.cases import Case
from guiderail.review.dossier import Dossier
from guiderail.review.required import valid_approvals
from guiderail.review.states import State
from guiderail.service.journal import case_subject, record
from guiderail.service.redecide import refuse_other_decision
from guiderail.service.registers import transaction
from guiderail.service.sealing import seal_and_ask
from guiderail.service.unchanged import void_if_changed
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.columns import column_bytes
from guiderail.store.transaction import Snapshot, Transaction
from guiderail_verify.permit import VERIFICATION_RESULT, Permit

ENVIRONMENT = "production"
START_WITHIN = timedelta(days=14)
"""How long after the permit its rollout may begin."""


@dataclass(frozen=True, slots=True)
class StoredPermit:
    """A permit as it is handed to a target: the signed bytes and the proof of their record."""

    id: str
    case: str
    workload: str
    release_digest: str
    envelope: bytes
    proof: str
    revoked: bool


def issue_permit(workspace: Workspace, case_id: str) -> Case:
    """Sign the go for an approved case. Safe to repeat: a permit that exists is completed.

    Raises RefusedError when the case is not fully and validly approved or its files changed,
    ConflictError when the policy changed since, IntegrityError when what is stored contradicts
    itself.
    """
    void_if_changed(workspace, case_id)
    now = workspace.clock()
    with transaction(workspace) as tx:
        case = cases.load(tx, case_id)
        if case.state is State.APPROVED:
            dossier = cases.load_dossier(tx, case.dossier_digest)
            _refuse_unapproved(tx, workspace, case, dossier)
            case = _issue(tx, workspace, case, dossier, now)
    complete_proofs(workspace)
    return case


def complete_proofs(workspace: Workspace) -> None:
    """Seal the ledger and prove every permit that has no proof yet."""
    with workspace.store.read() as snapshot:
        missing = [
            (row.id, row.case_id, column_bytes(row.envelope))
            for row in snapshot.execute(
                select(tables.permit.c.id, tables.permit.c.case_id, tables.permit.c.envelope).where(
                    tables.permit.c.proof.is_(None)
                )
            )
        ]
    if not missing:
        return
    seal_and_ask(workspace)
    for permit_id, case_id, envelope in missing:
        with workspace.store.read() as snapshot:
            entry = entry_of(snapshot, case_id, envelope)
        proof = prove_entry(workspace.store, entry)
        with workspace.store.transaction() as tx:
            tx.execute(
                update(tables.permit).where(tables.permit.c.id == permit_id).values(proof=proof)
            )


def permit_of_release(tx: Snapshot, workload: str, digest: str) -> StoredPermit | None:
    """The newest permit of a release that was not taken back, or the newest that was."""
    rows = (
        tx.execute(
            select(tables.permit)
            .where(tables.permit.c.workload == workload)
            .where(tables.permit.c.release_digest == digest)
            .order_by(tables.permit.c.revoked_at.is_not(None), tables.permit.c.issued_at.desc())
        )
        .mappings()
        .first()
    )
    return _stored(rows) if rows else None


def _issue(
    tx: Transaction, workspace: Workspace, case: Case, dossier: Dossier, now: datetime
) -> Case:
    conditions = [
        condition
        for review in cases.reviews(tx, case.id)
        if review.verdict == "approve" and review.dossier_digest == case.dossier_digest
        for condition in review.conditions
    ]
    permit = Permit(
        id=f"permit-{secrets.token_hex(8)}",
        case=case.id,
        kind=case.kind,
        workload=case.workload,
        digest=case.release_digest,
        environment=ENVIRONMENT,
        highest_share=Decimal(1),
        conditions=tuple(conditions),
        issued_at=now,
        start_until=now + START_WITHIN,
        dossier=case.dossier_digest,
        policy=dossier.pack_digest,
    )
    refuse_changed_keys(tx, workspace.keyring.trusted)
    envelope = sign_permit(permit, workspace.keyring)
    tx.execute(
        insert(tables.permit).values(
            id=permit.id,
            case_id=case.id,
            workload=case.workload,
            release_digest=case.release_digest,
            environment=permit.environment,
            envelope=envelope,
            proof=None,
            issued_at=to_text(permit.issued_at),
            expires_at=to_text(permit.start_until),
        )
    )
    case = cases.move(tx, case, State.PERMITTED, "permit.issued", now)
    record(
        tx,
        "permit.issued",
        case_subject(case),
        workspace.actor,
        now,
        {
            "case": case.id,
            "permit": permit.id,
            "environment": permit.environment,
            "highest_share": "1",
            "start_until": to_text(permit.start_until),
            "dossier": case.dossier_digest,
        },
        outcome=State.PERMITTED.value,
        policy=dossier.pack_digest,
        evidence=[Evidence("permit", VERIFICATION_RESULT, Digest(envelope_digest(envelope)))],
        notify=[case.submitter],
    )
    return case


def _refuse_unapproved(tx: Snapshot, workspace: Workspace, case: Case, dossier: Dossier) -> None:
    """At the moment of the permit, decide and count approvals again; the state is not believed."""
    refuse_other_decision(tx, workspace, case, dossier)
    refuse_blocked(case, dossier)
    own = {case.submitter, *dossier.contributors}
    by_others = [review for review in cases.reviews(tx, case.id) if review.person not in own]
    given = valid_approvals(by_others, case.dossier_digest, workspace.register, case.kind)
    missing = [role for role, _ in dossier.needed_roles if role not in given]
    if missing:
        raise RefusedError(
            f"{case.id} has no valid approval by: {', '.join(missing)}",
            code="permit/approvals",
            advice=f"`guiderail status {case.id}` names who could give it.",
        )
    accepted = {gate for review in given.values() for gate in review.accepted}
    open_gates = [
        gate["id"]
        for gate in dossier.decision["gates"]
        if gate["enforced"] and gate["verdict"] == "insufficient" and gate["id"] not in accepted
    ]
    if open_gates:
        raise RefusedError(
            f"{case.id} has gates that nobody accepted: {', '.join(open_gates)}",
            code="permit/gates",
            advice="Bring the evidence and submit again, or ask the gate's owner to accept it.",
        )


def refuse_blocked(case: Case, dossier: Dossier) -> None:
    """A failing gate, a prohibited use or an unanswered screen stops the case whoever approves."""
    failing = [
        gate["id"]
        for gate in dossier.decision["gates"]
        if gate["enforced"] and gate["verdict"] == "fail"
    ]
    screened = isinstance(dossier.facts["use.prohibited"]["value"], bool)
    if failing or (screened and dossier.decision["outcome"] == "blocked"):
        raise RefusedError(
            f"{case.id} is blocked by {', '.join(failing) or 'a prohibited use'}",
            code="permit/blocked",
            advice="Fix it and submit the changed release.",
        )
    if dossier.facts["use.prohibited"]["value"] is not False:
        raise RefusedError(
            f"{case.id}: nobody has answered whether the use is prohibited",
            code="permit/screen",
            advice=f"Answer it with `guiderail answer {case.id}`; no approval replaces it.",
        )


def entry_of(tx: Snapshot, case_id: str, envelope: bytes) -> int:
    """The entry of the ledger that recorded this very permit. Raises ConflictError without one."""
    sha256 = envelope_digest(envelope).removeprefix("sha256:").encode()
    rows = tx.execute(
        select(tables.log_index.c.seq, tables.log_entry.c.body)
        .join(tables.log_entry, tables.log_entry.c.seq == tables.log_index.c.seq)
        .where(tables.log_index.c.case_id == case_id)
        .where(tables.log_index.c.type == "permit.issued")
        .order_by(tables.log_index.c.seq.desc())
    )
    for seq, body in rows:
        if sha256 in column_bytes(body):
            return int(seq)
    raise ConflictError(
        f"the ledger has no record of a permit for {case_id}",
        code="permit/no-record",
        advice="Run `guiderail ledger verify`; nothing starts without a recorded permit.",
    )


def _stored(row: RowMapping) -> StoredPermit:
    return StoredPermit(
        id=row["id"],
        case=row["case_id"],
        workload=row["workload"],
        release_digest=row["release_digest"],
        envelope=row["envelope"],
        proof=row["proof"] or "",
        revoked=row["revoked_at"] is not None,
    )
