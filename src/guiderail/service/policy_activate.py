"""Put a pack into force: store it, sign that it holds from a moment on, and record it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import insert

from guiderail.attest.activation import POLICY_ACTIVATION, sign_activation
from guiderail.core.digest import sha256_digest
from guiderail.core.subject import Actor, Subject
from guiderail.core.time import to_text
from guiderail.ledger.events import Evidence
from guiderail.ledger.key_versions import refuse_changed_keys
from guiderail.policy.pack import Pack, compiled_text
from guiderail.service.journal import record
from guiderail.service.records import store_pack
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.transaction import Transaction
from guiderail_verify.activation import Activation


def activate(
    tx: Transaction,
    workspace: Workspace,
    pack: Pack,
    actor: Actor,
    *,
    effective_at: datetime,
    change: str = "",
    replaces: Mapping[str, str] | None = None,
    notify: Sequence[str] = (),
) -> None:
    """From `effective_at` on the pack decides about the kinds that it names.

    change: id of the approved policy change; empty where a workspace begins.
    replaces: kind -> digest of the pack that it takes the place of.
    """
    refuse_changed_keys(tx, workspace.keyring.trusted)
    store_pack(tx, pack)
    compiled = workspace.blobs.put_bytes(compiled_text(pack).encode("utf-8"))
    before = replaces or {}
    evidence = []
    for kind in pack.kinds:
        activation = Activation(
            kind=kind,
            pack=pack.id,
            version=pack.version,
            digest=pack.digest,
            texts_digest=pack.texts_digest,
            compiled=compiled,
            effective_at=effective_at,
            replaces=before.get(kind, ""),
            change=change,
        )
        envelope = sign_activation(activation, workspace.keyring)
        tx.execute(
            insert(tables.policy_activation).values(
                kind=kind,
                effective_at=to_text(effective_at),
                change_id=change or None,
                envelope=envelope,
            )
        )
        workspace.blobs.put_bytes(envelope)
        evidence.append(Evidence(f"activation-{kind}", POLICY_ACTIVATION, sha256_digest(envelope)))
    record(
        tx,
        "policy.activated",
        Subject("policy", pack.id, pack.digest),
        actor,
        workspace.clock(),
        {
            "pack": pack.id,
            "version": pack.version,
            "digest": pack.digest,
            "texts_digest": pack.texts_digest,
            "kinds": list(pack.kinds),
            "replaces": dict(before),
            "effective_at": to_text(effective_at),
            "change": change,
        },
        outcome="done",
        policy=pack.digest,
        evidence=evidence,
        notify=notify,
    )
