"""What people write is encrypted, bound to its place, and gone for good once it is erased."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text, update

from guiderail.attest.keys import Keyring
from guiderail.core.errors import ConflictError, InputError, IntegrityError
from guiderail.ledger.append import append
from guiderail.ledger.proof import prove_entry
from guiderail.ledger.prune import remove_entries
from guiderail.ledger.read import entries
from guiderail.ledger.seal import seal
from guiderail.ledger.verify import verify
from guiderail.store.database import Store
from guiderail.store.scrub import scrub, scrub_due
from guiderail.store.tables import log_entry
from guiderail.store.vault_folder import FOLDER_VARIABLE
from guiderail.store.vault_key import create_master
from guiderail_verify.canonical import canonical_json
from guiderail_verify.commitments import commitment
from tests.postgres import server

from .conftest import NOW, Workspace, open_workspace, submitted
from .test_verify import damage
from .words import SECRET, erase, reviewed


def reasons(workspace: Workspace) -> list[object]:
    with workspace.store.read() as snapshot:
        return [(entry.payload or {}).get("reason") for entry in entries(snapshot)]


def files_with(home: Path, wanted: bytes) -> list[str]:
    return sorted(
        path.name for path in home.rglob("*") if path.is_file() and wanted in path.read_bytes()
    )


def test_words_are_read_back_and_stand_nowhere_in_clear(workspace: Workspace) -> None:
    workspace.append(reviewed())
    assert reasons(workspace) == [SECRET]
    assert workspace.verify().ok
    assert files_with(workspace.home, SECRET.encode()) == []


def test_an_entry_without_words_needs_no_key(workspace: Workspace) -> None:
    workspace.append(submitted())
    workspace.append(reviewed(reason=""))
    assert not (workspace.home / "vault").exists()
    assert reasons(workspace) == [None, ""]


def test_the_master_key_is_private_and_not_in_the_database(workspace: Workspace) -> None:
    workspace.append(reviewed())
    path = workspace.home / "vault" / "master.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    secret = bytes.fromhex(path.read_text())
    assert files_with(workspace.home, secret) == []


def test_a_master_key_that_others_can_read_is_refused(workspace: Workspace) -> None:
    workspace.append(reviewed())
    (workspace.home / "vault" / "master.key").chmod(0o640)
    with pytest.raises(InputError) as caught:
        workspace.append(reviewed())
    assert caught.value.code == "vault/open-to-others"


def test_words_copied_to_another_entry_do_not_open_there(workspace: Workspace) -> None:
    workspace.append(reviewed())
    workspace.append(reviewed(reason="Something else"))
    damage(
        workspace,
        "UPDATE vault_words SET sealed = (SELECT sealed FROM vault_words WHERE seq = 0) "
        "WHERE seq = 1",
    )
    assert workspace.codes() == {"ledger/words-changed"}
    with pytest.raises(IntegrityError), workspace.store.read() as snapshot:
        entries(snapshot)


def test_words_copied_to_another_person_do_not_open_there(workspace: Workspace) -> None:
    workspace.append(reviewed("ann"))
    workspace.append(reviewed("bob"))
    damage(
        workspace,
        "UPDATE vault_words SET key_id = (SELECT key_id FROM vault_words WHERE seq = 1) "
        "WHERE seq = 0",
    )
    assert workspace.codes() == {"ledger/words-changed"}


def test_a_wrapped_key_copied_to_another_person_does_not_open(workspace: Workspace) -> None:
    workspace.append(reviewed("ann"))
    workspace.append(reviewed("bob"))
    damage(
        workspace,
        "UPDATE person_key SET wrapped = (SELECT wrapped FROM person_key ORDER BY id LIMIT 1)",
    )
    assert workspace.codes() == {"ledger/words-changed"}


def test_a_flipped_bit_in_words_is_found(workspace: Workspace) -> None:
    workspace.append(reviewed())

    def flip(raw: sqlite3.Connection) -> None:
        [sealed] = raw.execute("SELECT sealed FROM vault_words").fetchone()
        changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
        raw.execute("UPDATE vault_words SET sealed = ?", (changed,))

    damage(workspace, flip)
    assert workspace.codes() == {"ledger/words-changed"}


def test_the_rest_of_an_entry_is_proven_after_its_words_are_erased(workspace: Workspace) -> None:
    workspace.append(reviewed())
    workspace.append(reviewed("bob", "Fine."))
    erase(workspace.store, "ann")
    workspace.seal()
    report = workspace.verify()
    assert (report.ok, report.erased, report.removed) == (True, 1, 0)
    assert reasons(workspace) == [None, "Fine.", None]
    with workspace.store.read() as snapshot:
        first = entries(snapshot)[0]
    assert (first.person, (first.payload or {})["verdict"]) == ("(erased person)", "approve")
    damage(workspace, "UPDATE vault_salt SET value = replace(value, 'approve', 'decline')")
    assert workspace.codes() == {"ledger/payload-changed"}


def test_words_that_are_gone_without_an_erasure_are_a_problem(workspace: Workspace) -> None:
    workspace.append(reviewed())
    workspace.append(reviewed("bob"))
    erase(workspace.store, "bob")
    damage(workspace, "DELETE FROM vault_words")
    assert workspace.codes() == {"ledger/words-missing"}


def test_an_earlier_erasure_does_not_cover_later_words(workspace: Workspace) -> None:
    """Somebody with the same id later is somebody else: another pseudonym, another key."""
    workspace.append(reviewed())
    first = erase(workspace.store, "ann")
    workspace.append(reviewed())
    assert erase(workspace.store, "ann") != first
    assert workspace.verify().erased == 2


def test_erased_words_are_nowhere_in_the_files(workspace: Workspace) -> None:
    for _ in range(30):
        workspace.append(reviewed())
    old = workspace.database.read_bytes()
    [sealed] = (
        sqlite3.connect(workspace.database)
        .execute("SELECT sealed FROM vault_words WHERE seq = 7")
        .fetchone()
    )
    [wrapped] = (
        sqlite3.connect(workspace.database).execute("SELECT wrapped FROM person_key").fetchone()
    )
    erase(workspace.store, "ann")
    assert scrub_due(workspace.store)
    assert scrub(workspace.store)
    assert not scrub_due(workspace.store)
    for gone in (SECRET.encode(), sealed, wrapped):
        assert files_with(workspace.home, gone) == []
    assert len(old) > 0
    assert workspace.verify().erased == 30


def test_a_reader_delays_the_overwriting_and_it_is_said(workspace: Workspace) -> None:
    workspace.append(reviewed())
    erase(workspace.store, "ann")
    raw = sqlite3.connect(workspace.database, isolation_level=None)
    raw.execute("BEGIN")
    raw.execute("SELECT * FROM vault_state").fetchall()
    with workspace.store.driver_connection() as connection:
        assert isinstance(connection, sqlite3.Connection)
        connection.execute("PRAGMA busy_timeout = 10")
    with pytest.raises(ConflictError) as caught:
        scrub(workspace.store)
    assert caught.value.code == "store/not-scrubbed"
    assert scrub_due(workspace.store)
    raw.close()
    assert scrub(workspace.store)


def test_a_commitment_cannot_be_guessed_without_its_salt(workspace: Workspace) -> None:
    """The words are one of ten; with the salt of the rest, with none, nothing gives them away."""
    body = json.loads(workspace.append(reviewed(reason="no 7")).body)
    with sqlite3.connect(workspace.database) as raw:
        [salt] = raw.execute("SELECT salt FROM vault_salt").fetchone()
    guesses = [canonical_json({"conditions": [], "reason": f"no {n}"}) for n in range(10)]
    known = {commitment(key, one) for key in (salt, b"", bytes(32)) for one in guesses}
    known |= {hashlib.sha256(one).hexdigest() for one in guesses}
    assert body["payload"]["words"] not in known


def test_a_lost_master_key_loses_words_and_nothing_else(workspace: Workspace) -> None:
    workspace.append(reviewed())
    workspace.append(submitted())
    workspace.seal()
    (workspace.home / "vault" / "master.key").unlink()
    report = workspace.verify()
    assert [problem.code for problem in report.problems] == ["ledger/words-unreadable"]
    assert "1 entries cannot be read" in report.problems[0].sentence
    assert reasons(workspace) == ["(cannot be read)", None]
    with pytest.raises(IntegrityError) as caught:
        workspace.append(reviewed())
    assert caught.value.code == "vault/key-lost"
    workspace.append(submitted())
    create_master(workspace.home / "vault")
    workspace.append(reviewed(reason="Written later"))
    assert reasons(workspace) == ["(cannot be read)", None, None, "Written later"]
    assert workspace.codes() == {"ledger/words-unreadable"}
    erase(workspace.store, "ann")
    assert workspace.verify().ok


# --- Removing entries ---------------------------------------------------------------------------


def remove(workspace: Workspace, *removed: int) -> None:
    from guiderail.core.subject import Actor, Subject
    from guiderail.ledger.events import Event
    from guiderail_verify.gone import runs_of

    payload = {"entries": len(removed), "runs": runs_of(removed), "classes": {}}
    event = Event("records.pruned", Subject("log", "log"), Actor("dora"), NOW, payload)
    with workspace.store.transaction() as tx:
        remove_entries(tx, removed, append(tx, event).seq)


def test_removed_entries_leave_tree_and_proofs_good(workspace: Workspace) -> None:
    workspace.fill(9)
    workspace.append(reviewed())
    workspace.seal()
    remove(workspace, 2, 3, 9)
    workspace.seal()
    report = workspace.verify()
    assert (report.ok, report.removed, report.erased, report.size) == (True, 3, 0, 11)
    assert prove_entry(workspace.store, 4)
    with pytest.raises(ConflictError) as caught:
        prove_entry(workspace.store, 3)
    assert caught.value.code == "ledger/removed"
    with workspace.store.read() as snapshot:
        shown = entries(snapshot)[3]
    assert shown.removed
    assert "entry 10 says so" in shown.sentence


def test_a_body_that_is_gone_without_a_record_is_a_problem(workspace: Workspace) -> None:
    workspace.fill(9)
    workspace.seal()
    remove(workspace, 2)
    damage(
        workspace,
        "UPDATE log_entry SET body = x'' WHERE seq = 5",
        "DELETE FROM vault_salt WHERE seq = 5",
    )
    assert workspace.codes() == {"ledger/body-missing"}


def test_a_removed_entry_with_another_hash_is_a_problem(workspace: Workspace) -> None:
    workspace.fill(9)
    workspace.seal()
    remove(workspace, 2)
    damage(workspace, "UPDATE log_entry SET leaf_hash = zeroblob(32) WHERE seq = 2")
    assert "ledger/other-root" in workspace.codes()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log_entry SET body = x'' WHERE seq = 1",
        "UPDATE log_entry SET body = x'7b7d' WHERE seq = 2",
        "UPDATE log_entry SET leaf_hash = zeroblob(32) WHERE seq = 2",
        "UPDATE log_entry SET body = x'', seq = 99 WHERE seq = 2",
        "UPDATE log_entry SET body = x'', leaf_hash = x'' WHERE seq = 2",
        "DELETE FROM log_entry WHERE seq = 2",
    ],
)
def test_the_guard_lets_only_listed_bodies_become_empty(url: str, statement: str) -> None:
    with Store.open_url(url) as store:
        with store.transaction() as tx:
            for _ in range(4):
                append(tx, submitted())
        with store.transaction() as tx:
            tx.execute(text("INSERT INTO pruned_entry (seq, by_seq) VALUES (2, 3)"))
        if store_dialect(store) == "postgresql":
            statement = statement.replace("zeroblob(32)", "'\\x00'").replace("x'7b7d'", "'{}'")
            statement = statement.replace("x''", "''")
        with pytest.raises(Exception, match="append-only"), store.transaction() as tx:
            tx.execute(text(statement))
        with store.transaction() as tx:
            tx.execute(update(log_entry).where(log_entry.c.seq == 2).values(body=b""))


def store_dialect(store: Store) -> str:
    with store.read() as snapshot:
        return snapshot.dialect


# --- Both databases -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    with server() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def url(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'guiderail.db'}"
        return
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "vault"))
    address = make_url(request.getfixturevalue("postgresql"))
    name = f"guiderail_{uuid.uuid4().hex[:12]}"
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield address.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


def test_erasing_and_removing_work_on_both_databases(url: str, tmp_path: Path) -> None:
    keyring = Keyring.open(tmp_path)
    with Store.open_url(url) as store:
        workspace = Workspace(tmp_path, store, keyring)
        workspace.append(reviewed())
        workspace.append(reviewed("bob", "Fine."))
        workspace.fill(4)
        seal(store, keyring, NOW)
        erase(store, "ann")
        remove(workspace, 3, 4)
        assert scrub(store) is (store_dialect(store) == "sqlite")
        seal(store, keyring, NOW)
        report = verify(store, keyring.trusted)
        assert (report.problems, report.erased, report.removed) == ((), 1, 2)
        assert reasons(workspace)[:2] == [None, "Fine."]


def test_without_a_folder_postgresql_keeps_no_words(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    with Store.open_url(url) as store:
        workspace = Workspace(tmp_path, store, Keyring.open(tmp_path))
        if store_dialect(store) == "sqlite":
            workspace.append(reviewed())
            return
        with pytest.raises(InputError) as caught:
            workspace.append(reviewed())
        assert caught.value.code == "vault/no-folder"


def test_the_master_key_is_made_once(tmp_path: Path) -> None:
    made = {create_master(tmp_path / "vault").id for _ in range(3)}
    assert len(made) == 1
    assert sorted(os.listdir(tmp_path / "vault")) == ["master.key"]


def test_another_vault_opens_nothing(tmp_path: Path, workspace: Workspace) -> None:
    workspace.append(reviewed())
    workspace.store.close()
    other = open_workspace(tmp_path / "other")
    other.append(reviewed())
    key = (other.home / "vault" / "master.key").read_bytes()
    other.store.close()
    (workspace.home / "vault" / "master.key").write_bytes(key)
    again = open_workspace(workspace.home)
    assert again.codes() == {"ledger/words-unreadable"}
    again.store.close()


def test_numbers_of_entries_become_runs() -> None:
    from guiderail_verify.gone import read_runs, runs_of

    for chosen in itertools.chain.from_iterable(
        itertools.combinations(range(7), count) for count in range(8)
    ):
        runs = read_runs(runs_of(chosen))
        assert [n for first, last in runs for n in range(first, last + 1)] == list(chosen)
