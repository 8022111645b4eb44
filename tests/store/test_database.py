"""Transactions on a real SQLite file: all or nothing, one writer, no silent surprises."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from guiderail.core.errors import ConflictError, InputError
from guiderail.store import database
from guiderail.store.database import Store
from guiderail.store.tables import log_entry, outbox, release_record, workload
from guiderail.store.transaction import Snapshot, Transaction

NOW = "2026-11-23T09:30:00.000000Z"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as store:
        yield store


def add_message(tx: Transaction, topic: str) -> None:
    tx.execute(insert(outbox), {"topic": topic, "body": "{}", "created_at": NOW})


def topics(store: Store) -> list[str]:
    with store.read() as snapshot:
        return [row.topic for row in snapshot.execute(select(outbox).order_by(outbox.c.id))]


def test_a_clean_exit_keeps_everything(store: Store) -> None:
    with store.transaction() as tx:
        add_message(tx, "a")
        add_message(tx, "b")
    assert topics(store) == ["a", "b"]


def test_an_error_keeps_nothing(store: Store) -> None:
    def fail_half_way() -> None:
        with store.transaction() as tx:
            add_message(tx, "a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert topics(store) == []


def test_a_swallowed_statement_error_keeps_nothing_either(store: Store) -> None:
    def go_on_after_an_error() -> None:
        with store.transaction() as tx:
            add_message(tx, "a")
            with pytest.raises(OperationalError):
                tx.execute(text("INSERT INTO no_such_table VALUES (1)"))
            add_message(tx, "b")

    with pytest.raises(ConflictError) as caught:
        go_on_after_an_error()
    assert caught.value.code == "store/failed-transaction"
    assert topics(store) == []


def test_a_transaction_ends_with_its_block(store: Store) -> None:
    with store.transaction() as tx:
        add_message(tx, "a")
    with pytest.raises(RuntimeError, match="has ended"):
        add_message(tx, "b")
    with store.read() as snapshot:
        pass
    with pytest.raises(RuntimeError, match="has ended"):
        snapshot.execute(select(outbox))
    assert topics(store) == ["a"]


def test_transactions_do_not_nest(store: Store) -> None:
    with (
        store.transaction(),
        pytest.raises(RuntimeError, match="do not nest"),
        store.transaction(),
    ):
        pass
    with store.transaction() as tx:
        add_message(tx, "after")
    assert topics(store) == ["after"]


def test_reading_cannot_write(store: Store) -> None:
    with pytest.raises(OperationalError, match="readonly"), store.read() as snapshot:
        snapshot.execute(insert(outbox), {"topic": "a", "body": "{}", "created_at": NOW})
    with store.transaction() as tx:
        add_message(tx, "the connection writes again afterwards")
    assert len(topics(store)) == 1


def test_a_reader_sees_one_moment_while_others_write(store: Store) -> None:
    count = select(func.count()).select_from(outbox)
    with store.read() as snapshot:
        before = snapshot.execute(count).scalar_one()
        writer = threading.Thread(target=_write_one, args=(store,))
        writer.start()
        writer.join()
        assert snapshot.execute(count).scalar_one() == before == 0
    assert topics(store) == ["from a thread"]


def _write_one(store: Store) -> None:
    with store.transaction() as tx:
        add_message(tx, "from a thread")


def test_a_writer_may_be_handed_to_whoever_only_reads(store: Store) -> None:
    def count(snapshot: Snapshot) -> int:
        found: int = snapshot.execute(select(func.count()).select_from(outbox)).scalar_one()
        return found

    with store.transaction() as tx:
        add_message(tx, "a")
        assert count(tx) == 1


def test_threads_lose_no_update(store: Store) -> None:
    """Read, then write: what a deferred BEGIN would lose."""
    with store.transaction() as tx:
        tx.execute(insert(outbox), {"topic": "n", "body": "0", "created_at": NOW})
    threads = [threading.Thread(target=_count_up, args=(store, 20)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as snapshot:
        assert snapshot.execute(select(outbox.c.body)).scalar_one() == "160"


def _count_up(store: Store, times: int) -> None:
    for _ in range(times):
        with store.transaction() as tx:
            body = tx.execute(select(outbox.c.body)).scalar_one()
            tx.execute(update(outbox).values(body=str(int(body) + 1)))


def test_the_promises_about_durability_are_set(store: Store) -> None:
    with store.transaction() as tx:
        assert tx.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        assert tx.execute(text("PRAGMA synchronous")).scalar_one() == 2  # FULL
        assert tx.execute(text("PRAGMA foreign_keys")).scalar_one() == 1
        assert tx.execute(text("PRAGMA busy_timeout")).scalar_one() == 30_000


def test_a_release_needs_its_workload(store: Store) -> None:
    row = {
        "digest": "sha256:" + "0" * 64,
        "workload": "nobody",
        "kind": "model",
        "version": "1",
        "manifest": b"{}",
        "artefacts": b"{}",
        "created_at": NOW,
    }
    with pytest.raises(IntegrityError), store.transaction() as tx:
        tx.execute(insert(release_record), row)


def test_signed_bytes_come_back_verbatim(store: Store) -> None:
    manifest = b'{"z": 1,  "a": "\xc3\xa9"}\r\n\x00'
    with store.transaction() as tx:
        tx.execute(insert(workload), {"name": "credit", "kind": "model", "created_at": NOW})
        tx.execute(
            insert(release_record),
            {
                "digest": "d",
                "workload": "credit",
                "kind": "model",
                "version": "1",
                "manifest": manifest,
                "artefacts": b"{}",
                "created_at": NOW,
            },
        )
    with store.read() as snapshot:
        assert snapshot.execute(select(release_record.c.manifest)).scalar_one() == manifest


@pytest.mark.parametrize("statement", ["UPDATE log_entry SET body = 'x'", "DELETE FROM log_entry"])
def test_the_database_itself_refuses_to_change_the_ledger(store: Store, statement: str) -> None:
    with store.transaction() as tx:
        tx.execute(insert(log_entry), {"seq": 0, "body": b"a", "leaf_hash": b"b"})
    with pytest.raises(IntegrityError, match="append-only"), store.transaction() as tx:
        tx.execute(text(statement))


def test_a_locked_database_is_a_conflict_and_not_a_traceback(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0)
    other = sqlite3.connect(tmp_path / database.DATABASE_FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with (
        Store.open(tmp_path) as impatient,
        pytest.raises(ConflictError) as caught,
        impatient.transaction(),
    ):
        pass
    other.close()
    assert caught.value.code == "store/busy"


def test_only_the_owner_can_read_the_file(store: Store, tmp_path: Path) -> None:
    assert (tmp_path / database.DATABASE_FILE).stat().st_mode & 0o077 == 0


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / database.DATABASE_FILE).write_text("a letter to my aunt, quite long\n" * 200)
    with pytest.raises(InputError) as caught:
        Store.open(tmp_path)
    assert caught.value.code == "store/cannot-open"


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("")
    with pytest.raises(InputError) as caught:
        Store.open(home)
    assert caught.value.code == "store/unusable-home"


@pytest.mark.parametrize("url", ["mysql://host/name", "no address", "oracle://x"])
def test_another_kind_of_database_is_refused(url: str) -> None:
    with pytest.raises(InputError) as caught:
        Store.open_url(url)
    assert caught.value.code == "store/unsupported"


def test_a_missing_driver_is_said_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(InputError) as caught:
        Store.open_url("postgresql://127.0.0.1/guiderail")
    assert caught.value.code == "store/driver-missing"
    assert "guiderail[postgres]" in caught.value.advice


def test_several_processes_may_open_a_new_workspace_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from guiderail.store.database import Store; "
        "Store.open(Path(sys.argv[1])).close()"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    errors = [process.communicate()[1] for process in started]
    assert [process.returncode for process in started] == [0] * 4, errors
    with Store.open(tmp_path) as store:
        assert topics(store) == []


def test_opening_a_current_database_does_not_load_alembic(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    code = (
        "import sys; from pathlib import Path; from guiderail.store.database import Store; "
        "Store.open(Path(sys.argv[1])).close(); print('alembic' in sys.modules)"
    )
    out = subprocess.check_output([sys.executable, "-c", code, str(tmp_path)], text=True)
    assert out.strip() == "False"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may do all")
def test_a_home_without_permission_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    with pytest.raises(InputError) as caught:
        Store.open(home)
    assert caught.value.code == "store/unusable-home"
