"""The chain of keys in the database, on both kinds: what it must say, and what it cannot lose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from guiderail.core.digest import Digest
from guiderail.core.errors import ConflictError, IntegrityError
from guiderail.core.subject import Actor, Subject
from guiderail.ledger.append import append
from guiderail.ledger.events import Event, Evidence
from guiderail.ledger.key_versions import (
    check_chain,
    refuse_changed_keys,
    store_version,
    stored_chain,
)
from guiderail.store.database import Store
from guiderail_verify.key_chain import KEYS_TYPE, KeyVersion
from guiderail_verify.trusted_keys import TrustedKeys
from tests.ledger.conftest import NOW
from tests.verify.key_office import KeyOffice


@dataclass(frozen=True, slots=True)
class Place:
    store: Store
    office: KeyOffice

    def record(self, version: KeyVersion, *, told: bool = True) -> None:
        """Store a version with its event, or without."""
        digest = Digest(f"sha256:{version.digest}")
        with self.store.transaction() as tx:
            store_version(tx, version)
            if told:
                about = {"version": version.keys.version, "roles": "permit", "new": []}
                evidence = (Evidence("keys", KEYS_TYPE, digest),)
                subject = Subject("log", self.office.origin)
                append(
                    tx,
                    Event("key.rotated", subject, Actor("ann"), NOW, about, evidence=evidence),
                )

    def complaints(self, keys: TrustedKeys) -> list[str]:
        found: list[str] = []
        with self.store.read() as snapshot:
            check_chain(snapshot, keys, lambda _, sentence: found.append(sentence))
        return found


@pytest.fixture
def place(url: str) -> Iterator[Place]:
    office = KeyOffice()
    office.rotate("permit")
    store = Store.open_url(url)
    yield Place(store, office)
    store.close()


def test_a_chain_that_was_recorded_holds_and_comes_back_verbatim(place: Place) -> None:
    for version in place.office.versions:
        place.record(version)
    assert place.complaints(place.office.keys) == []
    with place.store.read() as snapshot:
        assert stored_chain(snapshot) == place.office.chain
        refuse_changed_keys(snapshot, place.office.keys)


def test_what_does_not_hold_is_said(place: Place) -> None:
    first, second = place.office.versions
    assert place.complaints(second.keys) == ["The chain of keys is missing from the database."]
    place.record(first)
    (sentence,) = place.complaints(second.keys)
    assert "ends with version 1" in sentence
    place.record(second, told=False)
    assert place.complaints(second.keys) == [
        "No entry of the ledger records version 2 of the keys."
    ]


def test_keys_that_are_not_the_newest_sign_nothing(place: Place) -> None:
    first, second = place.office.versions
    place.record(first)
    with place.store.read() as snapshot, pytest.raises(IntegrityError) as rolled_back:
        refuse_changed_keys(snapshot, second.keys)
    assert rolled_back.value.code == "keys/rolled-back"
    place.record(second)
    with place.store.read() as snapshot, pytest.raises(ConflictError) as changed:
        refuse_changed_keys(snapshot, first.keys)
    assert changed.value.code == "keys/changed"


@pytest.mark.parametrize("statement", ["DELETE FROM key_version", "UPDATE key_version SET at = ''"])
def test_the_database_refuses_to_change_a_version(place: Place, statement: str) -> None:
    place.record(place.office.versions[0])
    with pytest.raises(DBAPIError, match="append-only"), place.store.transaction() as tx:
        tx.execute(text(statement))
