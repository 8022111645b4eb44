"""The signed state of permits: issue it when something was taken back, and hand it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, select

from guiderail.core.time import to_text
from guiderail.store import tables
from guiderail.store.columns import column_bytes
from guiderail.store.transaction import Snapshot, Transaction
from guiderail_verify.errors import VerifyError
from guiderail_verify.permit_state import STATE_TYPE, PermitState, open_state
from guiderail_verify.trusted_keys import TrustedKeys

if TYPE_CHECKING:
    from securesystemslib.signer import Signer  # type: ignore[attr-defined]

    from guiderail.service.workspace import Workspace

VALID_FOR: Final = timedelta(days=7)
"""How long a target that requires a state may start something new under it."""


def revoked_permits(tx: Snapshot) -> frozenset[str]:
    """Ids of every permit that was taken back, as a target has to know them."""
    table = tables.permit
    rows = tx.execute(select(table.c.id).where(table.c.revoked_at.is_not(None)))
    return frozenset(row[0] for row in rows)


def issue_state(
    tx: Transaction,
    keys: TrustedKeys,
    signers: Mapping[str, Signer],
    now: datetime,
    valid_for: timedelta = VALID_FOR,
) -> bytes:
    """Sign the state as it is in this transaction, under the next version; gives the envelope."""
    from guiderail.attest.envelope import sign_envelope

    last = _newest(tx)
    version = 1 if last is None else last[0] + 1
    size = int(tx.execute(select(tables.log_head.c.size)).scalar_one())
    state = PermitState(
        origin=keys.origin,
        environment=None,
        version=version,
        log_size=size,
        revoked=revoked_permits(tx),
        ended=keys.ended,
        issued_at=now,
        valid_until=now + valid_for,
    )
    envelope = sign_envelope(state.to_payload(), STATE_TYPE, signers)
    tx.execute(
        insert(tables.permit_state).values(
            version=version, envelope=envelope, issued_at=to_text(now)
        )
    )
    return envelope


def current_state(
    workspace: Workspace,
    environment: str,
    *,
    on_demand: bool = False,
    valid_for: timedelta | None = None,
) -> bytes | None:
    """The newest state, issued anew where it no longer says everything or half its time is over.

    on_demand: also where nothing was ever taken back; else None is given then, and no key is asked
    for. valid_for: issue a new one that lasts so long. Safe to repeat: a revocation whose state was
    not issued gets it now.
    """
    from guiderail.attest.keys import read_trusted

    now, keys = workspace.clock(), read_trusted(workspace.home)
    with workspace.store.read() as snapshot:
        held, revoked = _newest(snapshot), revoked_permits(snapshot)
    if held is None and not revoked and not keys.ended and not on_demand:
        return None
    fresh = valid_for is not None
    if not fresh and held is not None and _says_all(held[1], keys, environment, revoked, now):
        return held[1]
    keyring = workspace.keyring
    with workspace.store.transaction() as tx:
        from guiderail.ledger.key_versions import refuse_changed_keys

        refuse_changed_keys(tx, keyring.trusted)
        return issue_state(tx, keyring.trusted, keyring.permit_signers, now, valid_for or VALID_FOR)


def _says_all(
    envelope: bytes, keys: TrustedKeys, environment: str, revoked: frozenset[str], now: datetime
) -> bool:
    try:
        state = open_state(envelope, keys, environment=environment)
    except VerifyError:
        return False
    same = replace(state, revoked=revoked, ended=keys.ended) == state
    return same and now < state.issued_at + (state.valid_until - state.issued_at) / 2


def _newest(tx: Snapshot) -> tuple[int, bytes] | None:
    table = tables.permit_state
    statement = select(table.c.version, table.c.envelope).order_by(table.c.version.desc()).limit(1)
    row = tx.execute(statement).first()
    return None if row is None else (int(row[0]), column_bytes(row[1]))
