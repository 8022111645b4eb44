"""Witnesses and cosignatures in both databases: what is stored, what counts, what cannot change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from guiderail.attest.keys import Keyring
from guiderail.ledger.standing import standing
from guiderail.ledger.witnesses import (
    LastAnswer,
    Witness,
    add_witness,
    bad_cosignatures,
    keep_answer,
    keep_cosignature,
    last_answers,
    last_size,
    latest_cosigned_note,
    newest_witnessed,
    remove_witness,
    require,
    setting,
)
from guiderail.store.database import Store
from guiderail_verify.cosignature import WitnessKey, cosign, cosignatures
from guiderail_verify.note import split_note
from tests.postgres import server

from .conftest import NOW, Workspace

PRIVATE = tuple(Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in range(1, 4))
KEYS = tuple(
    WitnessKey(f"audit.example/w{n}", private.public_key().public_bytes_raw())
    for n, private in enumerate(PRIVATE, start=1)
)


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    with server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    """A ledger of five sealed entries, with three witnesses."""
    keyring = Keyring.open(tmp_path)
    if request.param == "sqlite":
        with Store.open(tmp_path) as store:
            yield filled(Workspace(tmp_path, store, keyring))
        return
    address = make_url(request.getfixturevalue("postgresql"))
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS witnessed"))
        connection.execute(text("CREATE DATABASE witnessed"))
    url = address.set(database="witnessed").render_as_string(hide_password=False)
    with Store.open_url(url) as store:
        yield filled(Workspace(tmp_path, store, keyring))
    with engine.connect() as connection:
        connection.execute(text("DROP DATABASE witnessed"))
    engine.dispose()


def filled(ledger: Workspace) -> Workspace:
    ledger.fill(5)
    ledger.seal()
    with ledger.store.transaction() as tx:
        for key in KEYS:
            add_witness(tx, Witness(key, "http://127.0.0.1:1"), NOW)
    return ledger


def cosigned(ledger: Workspace, *which: int, seconds: int = 0) -> None:
    """These witnesses cosign the newest checkpoint, so many seconds after the time of the tests."""
    with ledger.store.transaction() as tx:
        note = latest_cosigned_note(tx)
        assert note is not None
        head, _ = split_note(note)
        for number in which:
            name, time = KEYS[number].name, int(NOW.timestamp()) + seconds
            line = cosign(PRIVATE[number], name, head, time)
            (made,) = cosignatures(head + "\n" + line, KEYS)
            keep_cosignature(tx, int(head.split("\n")[1]), made, NOW)


def test_the_newest_good_cosignature_of_each_witness_stands_below_the_note(
    ledger: Workspace,
) -> None:
    cosigned(ledger, 0, 1, seconds=1)
    cosigned(ledger, 0, seconds=9)
    with ledger.store.read() as snapshot:
        note = latest_cosigned_note(snapshot)
        assert note is not None
        found = cosignatures(note, KEYS)
        assert list(bad_cosignatures(snapshot)) == []
        assert last_size(snapshot, KEYS[0], 5) == 5
        assert last_size(snapshot, KEYS[0], 4) == 0
    since = int(NOW.timestamp())
    assert [(one.key, one.time - since) for one in found] == [(KEYS[0], 9), (KEYS[1], 1)]
    assert ledger.verify().ok


def test_a_quorum_under_an_older_checkpoint_counts_for_that_one(ledger: Workspace) -> None:
    cosigned(ledger, 0, 1)
    ledger.fill(2)
    ledger.seal()
    cosigned(ledger, 2, seconds=5)
    with ledger.store.read() as snapshot:
        seen = newest_witnessed(snapshot, setting(snapshot), NOW + timedelta(minutes=1))
        assert seen is not None
        assert (seen.size, seen.at) == (5, NOW.replace(microsecond=0))
        assert standing(snapshot, NOW).warnings == ()
        (warning,) = standing(snapshot, NOW + timedelta(hours=25)).warnings
    assert "the 2 entries since then" in warning


def test_a_removed_witness_no_longer_counts(ledger: Workspace) -> None:
    cosigned(ledger, 0, 1)
    with ledger.store.transaction() as tx:
        keep_answer(tx, LastAnswer(KEYS[0].name, 5, "cosigned", "It cosigned.", NOW))
        remove_witness(tx, KEYS[0].name)
        require(tx, 2, 24)
        assert newest_witnessed(tx, setting(tx), NOW + timedelta(days=1)) is None
        assert last_answers(tx) == {}
        require(tx, 1, 24)
        assert newest_witnessed(tx, setting(tx), NOW + timedelta(days=1)) is not None


def test_a_quorum_from_the_future_does_not_count(ledger: Workspace) -> None:
    cosigned(ledger, 0, 1, seconds=3600)
    with ledger.store.read() as snapshot:
        assert newest_witnessed(snapshot, setting(snapshot), NOW) is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log_cosignature SET line = 'x'", "DELETE FROM log_cosignature",
        "UPDATE log_timestamp SET url = 'x'", "DELETE FROM log_timestamp",
    ],
)  # fmt: skip
def test_what_came_from_outside_is_not_changed(ledger: Workspace, statement: str) -> None:
    cosigned(ledger, 0)
    with ledger.store.transaction() as tx:
        tx.execute(
            text(
                "INSERT INTO log_timestamp (size, url, response, received_at) "
                "VALUES (5, 'u', :reply, 't')"
            ),
            {"reply": b"reply"},
        )
    with (
        pytest.raises(DBAPIError, match="append-only"),
        ledger.store.transaction() as tx,
    ):
        tx.execute(text(statement))
