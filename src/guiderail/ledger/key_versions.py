"""The chain of keys as the database holds it, beside the log that the keys sign."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from sqlalchemy import func, insert, select

from guiderail.core.errors import ConflictError, IntegrityError
from guiderail.store.columns import column_bytes
from guiderail.store.tables import key_version, log_entry, log_index
from guiderail.store.transaction import Snapshot, Transaction
from guiderail_verify.errors import VerifyError
from guiderail_verify.key_chain import KeyVersion, whole_chain
from guiderail_verify.trusted_keys import TrustedKeys

KEY_EVENTS = ("key.created", "key.rotated", "key.retired", "key.compromised")


def stored_chain(snapshot: Snapshot) -> list[bytes]:
    """The envelopes as they were signed, version 1 first; empty before the first change of keys
    in a workspace that is older than the chain.
    """
    table = key_version
    rows = snapshot.execute(select(table.c.envelope).order_by(table.c.version))
    return [column_bytes(envelope) for (envelope,) in rows]


def store_version(tx: Transaction, version: KeyVersion) -> None:
    tx.execute(
        insert(key_version).values(
            version=version.keys.version, envelope=version.envelope, at=version.at
        )
    )


def refuse_changed_keys(snapshot: Snapshot, keys: TrustedKeys) -> None:
    """Nothing is signed with keys that are not those of the newest version.

    Raises ConflictError `keys/changed` where another command changed them meanwhile, and
    IntegrityError `keys/rolled-back` where the database knows less than the files of the keys.
    """
    newest = snapshot.execute(select(func.max(key_version.c.version))).scalar_one()
    if newest is None or newest == keys.version:
        return
    if newest > keys.version:
        raise ConflictError(
            "The keys were changed by another command meanwhile.",
            advice="Repeat the command; it takes the new keys.",
            code="keys/changed",
        )
    raise IntegrityError(
        f"The database knows version {newest} of the keys, the files beside it version "
        f"{keys.version}.",
        advice="The database is an old copy: restore the newest one. Nothing was signed.",
        code="keys/rolled-back",
    )


def check_chain(
    snapshot: Snapshot, keys: TrustedKeys, complain: Callable[[str, str], None]
) -> None:
    """Whether the stored chain leads to `keys`, and the log recorded each of its versions.

    complain: takes (code, sentence).
    """
    chain = stored_chain(snapshot)
    if not chain:
        if keys.version > 1:
            complain("ledger/key-chain", "The chain of keys is missing from the database.")
        return
    try:
        newest = whole_chain(chain)
    except VerifyError as error:
        complain("ledger/key-chain", f"The chain of keys does not hold: {error.reason}")
        return
    if newest.keys.to_json() != keys.to_json():
        complain(
            "ledger/key-chain",
            f"The chain of keys ends with version {newest.keys.version}, and keys/public.json "
            f"(version {keys.version}) says something else.",
        )
    recorded = _recorded(snapshot)
    for number, envelope in enumerate(chain, 1):
        if hashlib.sha256(envelope).hexdigest() not in recorded:
            complain(
                "ledger/key-chain", f"No entry of the ledger records version {number} of the keys."
            )


def _recorded(snapshot: Snapshot) -> set[str]:
    """SHA-256 of everything that an event about keys has as evidence."""
    statement = (
        select(log_entry.c.body)
        .join(log_index, log_index.c.seq == log_entry.c.seq)
        .where(log_index.c.type.in_(KEY_EVENTS))
    )
    found: set[str] = set()
    for (body,) in snapshot.execute(statement):
        try:
            found |= {item["sha256"] for item in json.loads(column_bytes(body))["evidence"]}
        except (ValueError, KeyError, TypeError):
            continue  # such an entry is a problem of its own and proves nothing here
    return found
