"""A database of an earlier schema: what people wrote in it is encrypted and still proven."""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from guiderail.attest.keys import Keyring
from guiderail.core.subject import Actor, Subject
from guiderail.ledger.append import append
from guiderail.ledger.events import Event
from guiderail.ledger.read import entries
from guiderail.ledger.verify import verify
from guiderail.store.database import DATABASE_FILE, Store
from guiderail.store.migrate import SCRIPTS
from guiderail.store.scrub import scrub, scrub_due
from guiderail_verify.canonical import canonical_json
from guiderail_verify.tree import leaf_hash
from tests.ledger.conftest import NOW
from tests.ledger.words import erase

SECRET = "Because the branch manager insisted"


def old_database(home: Path) -> None:
    """As revision 0002 left it, with three entries of version 1 by two people."""
    home.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{home / DATABASE_FILE}")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(SCRIPTS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        for seq, (person, payload) in enumerate(
            (
                ("ann", {"case": "case-1", "reason": SECRET}),
                ("bob", {"case": "case-1", "reason": "Mine."}),
                ("ann", {"case": "case-1"}),
            )
        ):
            insert_entry(connection, seq, person, payload)
        connection.execute(text("UPDATE log_head SET size = 3"))
        connection.execute(
            text("INSERT INTO subject_counter (kind, name, next_no) VALUES ('model', 'm', 4)")
        )
        connection.execute(
            text("INSERT INTO outbox (topic, body, created_at) VALUES ('a', :body, 'x')"),
            {"body": json.dumps({"to": "bob", "reason": SECRET, "case": "case-1"})},
        )
    engine.dispose()


def insert_entry(connection: object, seq: int, person: str, payload: dict[str, str]) -> None:
    salt, clear = bytes([seq]) * 32, canonical_json(payload)
    value = hmac.new(salt, clear, hashlib.sha256).hexdigest()
    body = canonical_json(
        {
            "v": 1, "seq": seq, "at": "2026-01-01T00:00:00.000000Z", "type": "case.withdrawn",
            "subject": {"kind": "model", "name": "m", "digest": None}, "subject_no": seq + 1,
            "actor": f"p-{person}", "outcome": "done", "policy": None, "evidence": [],
            "payload": {"alg": "hmac-sha256", "value": value},
        }
    )  # fmt: skip
    for statement, row in (
        (
            "INSERT INTO log_entry (seq, body, leaf_hash) VALUES (:seq, :body, :leaf)",
            {"seq": seq, "body": body, "leaf": leaf_hash(body)},
        ),
        (
            "INSERT INTO log_index (seq, type, subject_kind, subject_name, subject_no, case_id) "
            "VALUES (:seq, 'case.withdrawn', 'model', 'm', :number, 'case-1')",
            {"seq": seq, "number": seq + 1},
        ),
        (
            "INSERT INTO vault_salt (seq, field, salt, value) VALUES (:seq, 'payload', :salt, :v)",
            {"seq": seq, "salt": salt, "v": clear},
        ),
        (
            "INSERT INTO person_pseudonym (person, pseudonym) VALUES (:person, :name) "
            "ON CONFLICT DO NOTHING",
            {"person": person, "name": f"p-{person}"},
        ),
    ):
        connection.execute(text(statement), row)  # type: ignore[attr-defined]


def problems(home: Path, store: Store) -> list[str]:
    return [one.sentence for one in verify(store, Keyring.open(home).trusted).problems]


def test_old_words_are_encrypted_and_still_proven(tmp_path: Path) -> None:
    old_database(tmp_path)
    assert SECRET.encode() in (tmp_path / DATABASE_FILE).read_bytes()
    with Store.open(tmp_path) as store:
        assert problems(tmp_path, store) == []
        with store.read() as snapshot:
            told = [(entry.payload or {}).get("reason") for entry in entries(snapshot)]
        assert told == [SECRET, "Mine.", None]
        assert scrub_due(store)
        assert scrub(store)
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(SECRET.encode() in path.read_bytes() for path in left)


def test_an_erasure_leaves_old_entries_provable_by_their_new_commitment(tmp_path: Path) -> None:
    old_database(tmp_path)
    with Store.open(tmp_path) as store:
        erase(store, "ann")
        report = verify(store, Keyring.open(tmp_path).trusted)
        assert (report.problems, report.erased) == ((), 1)
        with store.transaction() as tx:
            append(tx, Event("case.withdrawn", Subject("model", "m"), Actor("bob"), NOW,
                             {"case": "case-2", "reason": "New."}))  # fmt: skip
        assert problems(tmp_path, store) == []
    with sqlite3.connect(tmp_path / DATABASE_FILE) as raw:
        raw.execute("UPDATE vault_salt SET value = replace(value, 'case-1', 'case-7')"
                    " WHERE seq = 0")  # fmt: skip
    raw.close()
    with Store.open(tmp_path) as store:
        assert any("details of entry 0" in one for one in problems(tmp_path, store))


def test_a_log_without_words_gets_no_master_key(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    assert not (tmp_path / "vault").exists()
