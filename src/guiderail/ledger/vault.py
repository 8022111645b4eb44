"""What people wrote: encrypted beside the ledger, under a key of each person.

The words of an entry and the salt of their commitment are one ciphertext. Destroying the wrapped
key of a person destroys both, and nobody can try out what was written.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import bindparam, func, insert, select

from guiderail.core.errors import GuiderailError, IntegrityError
from guiderail.store.columns import column_bytes
from guiderail.store.tables import person_key, vault_words
from guiderail.store.transaction import Snapshot, Transaction
from guiderail.store.vault_key import (
    KEY_BYTES,
    MASTER_FILE,
    Entropy,
    MasterKey,
    create_master,
    decrypt,
    encrypt,
    read_master,
    vault_folder,
    words_place,
)

SALT_BYTES = 32

_FIND_KEY = select(person_key.c.id, person_key.c.wrapped).where(
    person_key.c.pseudonym == bindparam("of_pseudonym"),
    person_key.c.master == bindparam("of_master"),
)
_INSERT_KEY = insert(person_key)
_INSERT_WORDS = insert(vault_words)


@dataclass(frozen=True, slots=True)
class DataKey:
    """The key of one person, unwrapped. Never kept longer than a transaction."""

    id: str
    pseudonym: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody wrote in an entry, as canonical JSON, and the salt of its commitment."""

    salt: bytes
    clear: bytes


def data_keys(
    tx: Transaction, pseudonyms: Mapping[str, str], *, entropy: Entropy = secrets.token_bytes
) -> dict[str, DataKey]:
    """The data key of each person (person -> pseudonym), by person; new ones where there is none.

    Raises InputError or IntegrityError where the master key cannot be used or was lost: what
    people write is never kept in clear.
    """
    if not pseudonyms:
        return {}
    master = _master(tx, entropy)
    return {
        person: _data_key(tx, master, pseudonym, entropy)
        for person, pseudonym in sorted(pseudonyms.items())
    }


def keep_words(
    tx: Transaction, seq: int, key: DataKey, words: Words, *, entropy: Entropy = secrets.token_bytes
) -> None:
    """Encrypt what somebody wrote in entry `seq`."""
    place = words_place(seq, key.pseudonym)
    sealed = encrypt(key.secret, words.salt + words.clear, place, entropy=entropy)
    tx.execute(_INSERT_WORDS, {"seq": seq, "key_id": key.id, "sealed": sealed})


class Reader:
    """Opens what people wrote, for the length of one snapshot. Keys are unwrapped once each."""

    __slots__ = ("_keys", "_master", "_snapshot", "why_not")

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._keys: dict[str, DataKey | None] = {}
        self.why_not: str | None = None
        """Why words could not be opened, once one could not: the master key is gone."""
        self._master: MasterKey | GuiderailError | None = None

    def open(self, seq: int, key_id: str, sealed: bytes) -> Words | None:
        """None where the key to them is lost (see `why_not`).

        Raises IntegrityError `vault/altered` where they were changed or belong to another entry.
        """
        key = self._key(key_id)
        if key is None:
            return None
        content = decrypt(key.secret, sealed, words_place(seq, key.pseudonym))
        return Words(content[:SALT_BYTES], content[SALT_BYTES:])

    def _key(self, key_id: str) -> DataKey | None:
        if key_id not in self._keys:
            self._keys[key_id] = self._unwrapped(key_id)
        return self._keys[key_id]

    def _unwrapped(self, key_id: str) -> DataKey | None:
        row = self._snapshot.execute(
            select(person_key.c.pseudonym, person_key.c.master, person_key.c.wrapped).where(
                person_key.c.id == key_id
            )
        ).first()
        if row is None:
            raise IntegrityError(
                f"The key {key_id} of somebody's words is missing.",
                code="vault/key-missing",
                advice="Run guiderail ledger verify, and restore the database from a backup.",
            )
        if self._master is None:
            self._master = self._found()
        if isinstance(self._master, GuiderailError):
            self.why_not = self._master.what
            return None
        if self._master.id != row.master:
            self.why_not = (
                f"they were encrypted under the master key {row.master}, and the vault has "
                f"{self._master.id}"
            )
            return None
        secret = self._master.unwrap(column_bytes(row.wrapped), key_id, row.pseudonym)
        return DataKey(key_id, str(row.pseudonym), secret)

    def _found(self) -> MasterKey | GuiderailError:
        try:
            folder = vault_folder(self._snapshot)
            return read_master(folder) or _lost(folder)
        except GuiderailError as error:
            return error


def _master(tx: Transaction, entropy: Entropy) -> MasterKey:
    folder = vault_folder(tx)
    found = read_master(folder)
    if found is not None:
        return found
    if tx.execute(select(func.count()).select_from(person_key)).scalar_one():
        raise _lost(folder)
    return create_master(folder, entropy=entropy)


def _lost(folder: Path) -> IntegrityError:
    return IntegrityError(
        f"The master key {folder / MASTER_FILE} is missing.",
        code="vault/key-lost",
        advice="Restore it from where you keep a copy. Without it, what people wrote so far is "
        "lost; the ledger and its proofs are not. `guiderail ledger new-vault-key` goes on "
        "without.",
    )


def _data_key(tx: Transaction, master: MasterKey, pseudonym: str, entropy: Entropy) -> DataKey:
    found = tx.execute(_FIND_KEY, {"of_pseudonym": pseudonym, "of_master": master.id}).first()
    if found is not None:
        secret = master.unwrap(column_bytes(found.wrapped), found.id, pseudonym)
        return DataKey(str(found.id), pseudonym, secret)
    key_id, secret = entropy(8).hex(), entropy(KEY_BYTES)
    wrapped = master.wrap(secret, key_id, pseudonym, entropy=entropy)
    row = {"id": key_id, "pseudonym": pseudonym, "master": master.id, "wrapped": wrapped}
    tx.execute(_INSERT_KEY, row)
    return DataKey(key_id, pseudonym, secret)
