"""What to do when a private key may be in other hands: end it at once, and sign again what is ours.

From then on a signature by that key counts only for what the ledger recorded before the moment
since which it may have been stolen; a checkpoint by it counts for nothing, as a thief signs logs of
any size. What the workspace itself signed with it since then is found and signed again by
`reissue`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import insert, select, update

from guiderail.attest.key_versions import signing_now
from guiderail.attest.keys import read_trusted
from guiderail.attest.permit import envelope_digest, sign_permit
from guiderail.core.digest import Digest
from guiderail.core.errors import ConflictError, InputError
from guiderail.core.time import to_text
from guiderail.ledger.events import Evidence
from guiderail.ledger.key_versions import refuse_changed_keys
from guiderail.review import cases
from guiderail.service.journal import case_subject, record
from guiderail.service.key_changes import ROLES, Change, changing, commit, fresh_keys
from guiderail.service.permit_states import revoked_permits
from guiderail.service.permits import complete_proofs, entry_of
from guiderail.service.policy_activate import activate
from guiderail.service.policy_in_force import activation_rows, stored_pack, write_in_force
from guiderail.service.traffic import apply
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.columns import column_bytes
from guiderail.store.transaction import Snapshot, Transaction
from guiderail_verify.activation import Activation, open_activation
from guiderail_verify.dsse import open_envelope
from guiderail_verify.errors import VerifyError
from guiderail_verify.permit import VERIFICATION_RESULT, Permit, parse_permit
from guiderail_verify.trusted_keys import EndedKey, Role, TrustedKeys


@dataclass(frozen=True, slots=True)
class Affected:
    """What the workspace signed with a key that no longer counts for it.

    permits: (permit, number of its entry) of those that are in force.
    activations: of the policy, the newest of each pack and kind.
    """

    permits: tuple[tuple[Permit, int], ...]
    activations: tuple[Activation, ...]


def declare_compromised(
    workspace: Workspace,
    roles: Sequence[Role],
    since: datetime,
    reason: str,
    *,
    key: str | None = None,
    uri: str | None = None,
) -> TrustedKeys:
    """End the keys of these roles, with new ones in their place; `affected` says what they signed.

    since: the earliest moment at which somebody else may have had them.
    key: the beginning of one key's id; then only this one ends, which may be retired already.
    Raises InputError for a moment to come and for a key that is not there.
    """
    if since > workspace.clock():
        raise InputError(
            "The key cannot have been compromised in the future.",
            advice="Give the earliest moment at which somebody else may have had it.",
            code="keys/since",
        )
    if not reason.strip():
        raise InputError(
            "There is no reason.",
            advice="Say in a sentence what happened; auditors read it.",
            code="keys/no-reason",
        )
    keyring = workspace.keyring
    with changing(workspace, keyring) as folder:
        ending = _ending(keyring.trusted, roles, key)
        gone = {(one.role, one.id) for one in ending}
        left = [one for one in signing_now(keyring.trusted) if (one[0], one[1]) not in gone]
        missing = [role for role in ROLES if role not in {key[0] for key in left}]
        fresh = fresh_keys(workspace, folder, missing, uri)
        with workspace.store.read() as snapshot:
            first = _first_entry_since(snapshot, since)

        def change(tx: Transaction, size: int) -> Change:
            until = size if first is None else first
            ended = [_end(one, until, size) for one in ending]
            if any(one.role == "checkpoint" for one in ended):
                _forget_proofs(tx)
            payload = {
                "old": [one.id for one in ended],
                "new": [one.id for one in fresh],
                "since": to_text(since),
                "reason": reason,
                "until": until,
            }
            return Change("key.compromised", sorted({one.role for one in ended}), ended, payload)

        keys = commit(workspace, keyring, fresh, change)
    complete_proofs(workspace)
    return keys


def affected_document(found: Affected) -> dict[str, list[dict[str, str]]]:
    """As JSON."""
    return {
        "permits": [
            {
                "id": permit.id,
                "case": permit.case,
                "workload": permit.workload,
                "digest": permit.digest,
                "environment": permit.environment,
            }
            for permit, _ in found.permits
        ],
        "policies": [
            {"pack": one.pack, "version": one.version, "kind": one.kind, "digest": one.digest}
            for one in found.activations
        ],
    }


def affected(workspace: Workspace) -> Affected:
    """What has to be signed again before the targets accept it."""
    keys = read_trusted(workspace.home)
    with workspace.store.read() as snapshot:
        return Affected(_permits(snapshot, keys), _activations(snapshot, keys))


def reissue(workspace: Workspace, permits: Sequence[str] | None = None) -> Affected:
    """Sign again, with the new key, what `affected` gives; or only these permits.

    A permit gets a new id and keeps everything else, the latest time to start too; the old one is
    revoked. Look at each case first: what a thief recorded with access to this workspace looks the
    same. Raises InputError `permit/not-affected` for a permit that is not among them.
    """
    found = affected(workspace)
    names = {permit.id for permit, _ in found.permits}
    unknown = [name for name in permits or () if name not in names]
    if unknown:
        raise InputError(
            f"{', '.join(unknown)} needs no new signature.",
            advice="guiderail permit reissue without a permit lists those that do.",
            code="permit/not-affected",
        )
    chosen = [one for one in found.permits if permits is None or one[0].id in permits]
    made = []
    for permit, _ in chosen:
        with workspace.store.transaction() as tx:
            made.append((_reissue(tx, workspace, permit), 0))
    activations = found.activations if permits is None else ()
    together = {(one.digest, one.effective_at, one.change): one for one in activations}
    for activation in together.values():
        with workspace.store.transaction() as tx:
            activate(
                tx,
                workspace,
                stored_pack(workspace, activation),
                workspace.actor,
                effective_at=activation.effective_at,
                change=activation.change,
                replaces={activation.kind: activation.replaces},
            )
    with workspace.store.read() as snapshot:
        write_in_force(snapshot, workspace)
    complete_proofs(workspace)
    return Affected(tuple(made), activations)


def serve_again(workspace: Workspace) -> list[str]:
    """Hand new permits and proofs to the local target, for every workload that it serves."""
    with workspace.store.read() as snapshot:
        table = tables.rollout
        names = sorted({str(row[0]) for row in snapshot.execute(select(table.c.workload))})
    for name in names:
        apply(workspace, name)
    return names


def _ending(keys: TrustedKeys, roles: Sequence[Role], prefix: str | None) -> list[EndedKey]:
    """The keys that end, those that sign now with limits that are filled in later."""
    known = [EndedKey(*key, until=0, ended_at=-1, why="compromised") for key in signing_now(keys)]
    if prefix is None:
        return [key for key in known if key.role in roles]
    known += [replace(key, why="compromised") for key in keys.ended]
    found = [key for key in known if key.id.startswith(prefix)]
    if len(found) != 1:
        raise InputError(
            f"{len(found)} keys have an id that begins with {prefix!r}.",
            advice="guiderail keys show lists every key with its id.",
            code="keys/no-such-key",
        )
    return found


def _end(key: EndedKey, until: int, size: int) -> EndedKey:
    ended_at = size if key.ended_at < 0 else key.ended_at
    limit = 0 if key.role == "checkpoint" else min(until, ended_at)
    return replace(key, until=limit, ended_at=ended_at)


def _forget_proofs(tx: Transaction) -> None:
    """Proofs lead to checkpoints by the old key; they are made again under the new one.

    One whose entry was removed when its time was over cannot be made again and stays as it is.
    """
    table = tables.permit
    for id_, case, envelope in tx.execute(
        select(table.c.id, table.c.case_id, table.c.envelope)
    ).all():
        try:
            entry_of(tx, case, column_bytes(envelope))
        except ConflictError:
            continue
        tx.execute(update(table).where(table.c.id == id_).values(proof=None))


def _first_entry_since(snapshot: Snapshot, since: datetime) -> int | None:
    """The first entry that is not certainly older, by the clocks that wrote them.

    Clocks may go backwards, so all are looked at. Of one that was removed when its time was over
    the moment is not known: it counts as late as the next one that is known.
    """
    moment = to_text(since)
    table = tables.log_entry
    statement = select(table.c.seq, table.c.body).order_by(table.c.seq)
    unknown: int | None = None
    for seq, stored in snapshot.execute(statement.execution_options(yield_per=1000)):
        body = column_bytes(stored)
        if not body:
            unknown = seq if unknown is None else unknown
        elif json.loads(body)["at"] >= moment:
            return int(seq) if unknown is None else unknown
        else:
            unknown = None
    return unknown


def _permits(snapshot: Snapshot, keys: TrustedKeys) -> tuple[tuple[Permit, int], ...]:
    table, revoked = tables.permit, revoked_permits(snapshot)
    rows = snapshot.execute(select(table.c.id, table.c.case_id, table.c.envelope))
    found = []
    for id_, case, stored in rows.all():
        envelope = column_bytes(stored)
        if id_ in revoked:
            continue
        try:
            entry = entry_of(snapshot, case, envelope)
            opened = open_envelope(envelope, keys.every_permit_key)
        except (ConflictError, VerifyError):
            continue  # its record was removed when its time was over, or it never was a permit
        if not any(keys.counts(key, entry) for key in opened.key_ids):
            found.append((parse_permit(opened.payload), entry))
    return tuple(found)


def _activations(snapshot: Snapshot, keys: TrustedKeys) -> tuple[Activation, ...]:
    newest: dict[tuple[str, str, datetime], tuple[bool, Activation]] = {}
    for _, envelope, entry in activation_rows(snapshot):
        if entry is None:
            continue  # nobody recorded it: it decided nothing
        try:
            opened = open_envelope(envelope, keys.every_permit_key)
            activation = open_activation(envelope, keys.every_permit_key)
        except VerifyError:
            continue  # no key of ours ever signed it
        counts = any(keys.counts(key, entry) for key in opened.key_ids)
        place = (activation.kind, activation.digest, activation.effective_at)
        newest[place] = (counts, activation)
    return tuple(activation for counts, activation in newest.values() if not counts)


def _reissue(tx: Transaction, workspace: Workspace, old: Permit) -> Permit:
    now, table = workspace.clock(), tables.permit
    case = cases.load(tx, old.case)
    still = tx.execute(
        update(table)
        .where(table.c.id == old.id)
        .where(table.c.revoked_at.is_(None))
        .values(revoked_at=to_text(now))
    )
    if still.rowcount != 1:
        raise ConflictError(
            f"{old.id} was taken back meanwhile.",
            advice="Run the command again.",
            code="permit/revoked",
        )
    refuse_changed_keys(tx, workspace.keyring.trusted)
    permit = replace(
        old,
        id=f"permit-{secrets.token_hex(8)}",
        issued_at=now,
        start_until=max(now, old.start_until),
    )
    envelope = sign_permit(permit, workspace.keyring)
    tx.execute(
        insert(table).values(
            id=permit.id,
            case_id=case.id,
            workload=permit.workload,
            release_digest=permit.digest,
            environment=permit.environment,
            envelope=envelope,
            proof=None,
            issued_at=to_text(now),
            expires_at=to_text(permit.start_until),
        )
    )
    about = {"case": case.id, "environment": permit.environment}
    record(
        tx,
        "permit.revoked",
        case_subject(case),
        workspace.actor,
        now,
        {**about, "permit": old.id, "reason": f"its key was compromised; {permit.id} replaces it"},
        outcome="revoked",
    )
    record(
        tx,
        "permit.issued",
        case_subject(case),
        workspace.actor,
        now,
        {
            **about,
            "permit": permit.id,
            "replaces": old.id,
            "highest_share": format(permit.highest_share.normalize(), "f"),
            "start_until": to_text(permit.start_until),
            "dossier": permit.dossier,
        },
        outcome="permitted",
        policy=permit.policy,
        evidence=[Evidence("permit", VERIFICATION_RESULT, Digest(envelope_digest(envelope)))],
    )
    return permit
