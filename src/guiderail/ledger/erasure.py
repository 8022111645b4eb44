"""Erase a person from the vault: keys, words and salts. The ledger's own bytes stay as they are."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update

from guiderail.core.time import to_text
from guiderail.ledger.append import PAYLOAD_FIELD
from guiderail.store.columns import column_bytes
from guiderail.store.scrub import mark_scrub
from guiderail.store.tables import (
    erased_person,
    log_entry,
    person_key,
    person_pseudonym,
    vault_salt,
    vault_state,
    vault_words,
)
from guiderail.store.transaction import Snapshot, Transaction
from guiderail_verify.commitments import commitment

SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class ErasedWords:
    """entries: how many lost their words. restated: entry of version 1 -> new commitment."""

    entries: int
    restated: dict[str, str]


def pseudonym_of(snapshot: Snapshot, person: str) -> str | None:
    """None for somebody whom the ledger does not know, or no longer."""
    table = person_pseudonym.c
    found = snapshot.execute(select(table.pseudonym).where(table.person == person))
    return None if (row := found.first()) is None else str(row[0])


def person_behind(snapshot: Snapshot, pseudonym: str) -> str | None:
    """None where nobody is known by it, or no longer."""
    table = person_pseudonym.c
    found = snapshot.execute(select(table.person).where(table.pseudonym == pseudonym))
    return None if (row := found.first()) is None else str(row[0])


def is_erased(snapshot: Snapshot, pseudonym: str) -> bool:
    table = erased_person.c
    found = snapshot.execute(select(table.seq).where(table.pseudonym == pseudonym))
    return found.first() is not None


def identity(snapshot: Snapshot) -> str:
    """What every copy of this database has in common."""
    return str(snapshot.execute(select(vault_state.c.identity)).scalar_one())


def count_words(snapshot: Snapshot, pseudonym: str) -> int:
    """In how many entries this person wrote something."""
    statement = (
        select(func.count())
        .select_from(vault_words.join(person_key, person_key.c.id == vault_words.c.key_id))
        .where(person_key.c.pseudonym == pseudonym)
    )
    return int(snapshot.execute(statement).scalar_one())


def know_as(tx: Transaction, person: str, pseudonym: str) -> None:
    """Give somebody the pseudonym that they had before a backup was restored."""
    if pseudonym_of(tx, person) is None:
        tx.execute(insert(person_pseudonym), {"person": person, "pseudonym": pseudonym})


def erase_words(tx: Transaction, pseudonym: str) -> ErasedWords:
    """Destroy the keys of a person, what they wrote and the salts.

    What is left of an entry of version 1 is committed to anew: its one commitment was over the
    words too, and can never be checked again.
    """
    keys = select(person_key.c.id).where(person_key.c.pseudonym == pseudonym)
    rows = tx.execute(
        select(vault_words.c.seq, log_entry.c.body, vault_salt.c.value)
        .join(log_entry, log_entry.c.seq == vault_words.c.seq)
        .join(vault_salt, vault_salt.c.seq == vault_words.c.seq)
        .where(vault_words.c.key_id.in_(keys), vault_salt.c.field == PAYLOAD_FIELD)
        .order_by(vault_words.c.seq)
    ).all()
    restated = {}
    for seq, body, value in rows:
        if json.loads(column_bytes(body)).get("v") == 1:
            salt = secrets.token_bytes(SALT_BYTES)
            restated[str(seq)] = commitment(salt, column_bytes(value))
            tx.execute(
                update(vault_salt)
                .where(vault_salt.c.seq == seq, vault_salt.c.field == PAYLOAD_FIELD)
                .values(salt=salt)
            )
    tx.execute(delete(vault_words).where(vault_words.c.key_id.in_(keys)))
    tx.execute(delete(person_key).where(person_key.c.pseudonym == pseudonym))
    return ErasedWords(len(rows), restated)


def forget(tx: Transaction, pseudonym: str, seq: int, now: datetime) -> None:
    """Take the name off the pseudonym; entry `seq` says that the person was erased."""
    tx.execute(delete(person_pseudonym).where(person_pseudonym.c.pseudonym == pseudonym))
    tx.execute(insert(erased_person), {"pseudonym": pseudonym, "seq": seq, "at": to_text(now)})
    mark_scrub(tx)
