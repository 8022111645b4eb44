"""Several processes at once, and processes that are killed: no fork, no gap, nothing lost.

The same tests run on PostgreSQL (see `tests.postgres`); each makes and drops its own database
there.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from guiderail.attest.keys import Keyring
from guiderail.ledger.seal import seal
from guiderail.ledger.verify import verify
from guiderail.store.database import Store
from guiderail.store.tables import log_entry, log_index, outbox

from .conftest import NOW

WRITER = Path(__file__).with_name("writer.py")


def start_writer(url: str, name: str, count: int, threads: int = 1) -> subprocess.Popen[str]:
    command = [sys.executable, str(WRITER), url, name, str(count), str(threads)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("threads", [1, 6])
def test_processes_that_append_at_once_make_one_log(url: str, tmp_path: Path, threads: int) -> None:
    names, count = ("a", "b", "c", "a"), 30
    writers = [start_writer(url, name, count // threads, threads) for name in names]
    acknowledged = [int(line) for writer in writers for line in writer.communicate()[0].split()]
    assert [writer.returncode for writer in writers] == [0] * len(names)
    total = count * len(names)
    assert sorted(acknowledged) == list(range(total))
    keyring = Keyring.open(tmp_path)
    with Store.open_url(url) as store:
        assert seal(store, keyring, NOW).size == total
        report = verify(store, keyring.trusted)
        assert report.problems == ()
        assert report.size == total
        with store.read() as snapshot:
            last = select(log_index.c.subject_name, func.max(log_index.c.subject_no))
            found = snapshot.execute(last.group_by(log_index.c.subject_name)).all()
            assert sorted(tuple(row) for row in found) == [
                ("a", 2 * count),
                ("b", count),
                ("c", count),
            ]


@pytest.mark.parametrize("threads", [1, 8])
def test_a_killed_writer_leaves_whole_changes_only(url: str, tmp_path: Path, threads: int) -> None:
    keyring = Keyring.open(tmp_path)
    acknowledged = -1
    for round_ in range(6):
        writer = start_writer(url, "credit", 10_000, threads)
        assert writer.stdout is not None
        for _ in range(3 + 7 * round_):
            acknowledged = max(acknowledged, int(writer.stdout.readline()))
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().split("\n")
        acknowledged = max([acknowledged, *(int(line) for line in rest[:-1])])
        writer.wait()
        with Store.open_url(url) as store:
            seal(store, keyring, NOW)
            report = verify(store, keyring.trusted)
            assert report.problems == ()
            assert report.size > acknowledged
            with store.read() as snapshot:
                rows = snapshot.execute(select(func.count()).select_from(outbox)).scalar_one()
                events = snapshot.execute(select(func.count()).select_from(log_entry)).scalar_one()
            assert rows == events == report.size


def test_sealing_while_others_append_never_signs_two_histories(url: str, tmp_path: Path) -> None:
    keyring = Keyring.open(tmp_path)
    with Store.open_url(url) as store:
        writers = [start_writer(url, name, 40) for name in ("a", "b")]
        sizes = []
        while any(writer.poll() is None for writer in writers):
            sizes.append(seal(store, keyring, NOW).size)
        for writer in writers:
            writer.communicate()
        assert sizes == sorted(sizes)
        assert seal(store, keyring, NOW).size == 80
        assert verify(store, keyring.trusted).problems == ()


@pytest.mark.parametrize("statement", ["UPDATE log_entry SET body = body", "DELETE FROM log_entry"])
def test_the_database_refuses_to_change_the_ledger(url: str, statement: str) -> None:
    writer = start_writer(url, "credit", 1)
    writer.communicate()

    def change() -> None:
        with store.transaction() as tx:
            tx.execute(text(statement))

    with Store.open_url(url) as store, pytest.raises(Exception, match="append-only"):
        change()
