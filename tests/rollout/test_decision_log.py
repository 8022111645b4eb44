"""The decision log: every decision once, in batches, also when the disk refuses for a while."""

import sqlite3
import threading
from contextlib import closing

from releases import eventually

from guiderail.rollout.decision_log import Recorder, count

AT = "2026-11-23T10:00:00.000000Z"


def row(request, release="sha256:a", decision="good", status=200, note=None, item=0, at=AT):
    return (at, "credit", request, item, "00", release, decision, 0.5, 900, status, note)


def test_every_row_from_every_thread_is_written_once(tmp_path):
    path = tmp_path / "decisions.db"
    recorder = Recorder(path)
    recorder.start()

    def put(thread):
        for number in range(1_000):
            recorder.put(row(f"{thread}-{number}"))

    threads = [threading.Thread(target=put, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.close()
    with closing(sqlite3.connect(path)) as connection:
        requests = [name for (name,) in connection.execute("SELECT request FROM decision")]
    assert len(requests) == len(set(requests)) == 4_000 == recorder.recorded
    assert recorder.waiting == 0


def test_a_locked_file_delays_rows_and_loses_none(tmp_path):
    path = tmp_path / "decisions.db"
    recorder = Recorder(path, lock_seconds=0.05)
    recorder.start()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        recorder.put(row("1"))
        eventually(lambda: recorder.problem is not None, "the problem is told")
        assert recorder.waiting == 1
        assert "locked" in recorder.problem
        other.execute("ROLLBACK")
    eventually(lambda: recorder.recorded == 1, "the row is written after all")
    recorder.close()
    assert recorder.problem is None


def test_rows_that_can_never_be_written_are_counted_when_it_ends(tmp_path):
    path = tmp_path / "decisions.db"
    recorder = Recorder(path, lock_seconds=0.05)
    recorder.start()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        recorder.put(row("1"))
        recorder.put(row("2"))
        eventually(lambda: recorder.problem is not None, "the problem is told")
        recorder.close()
    assert recorder.waiting == 2


def test_answers_are_counted_by_version_and_decision(tmp_path):
    path = tmp_path / "decisions.db"
    assert count(path, "credit") == ()
    recorder = Recorder(path)
    recorder.start()
    for made in (
        row("1"),
        row("2", decision="bad"),
        row("3", note="instead of sha256:b"),
        row("4", decision=None, status=422),
        row("5", release="sha256:b", decision=None, status=504),
        row("6", release=None, decision=None, status=503),
        row("7", at="2026-11-23T09:00:00.000000Z"),
    ):
        recorder.put(made)
    recorder.close()
    first, second = count(path, "credit", since="2026-11-23T09:30:00.000000Z")
    assert (first.digest, first.answered, first.refused, first.failed) == ("sha256:a", 3, 1, 0)
    assert first.by_decision == {"bad": 1, "good": 2}
    assert first.elsewhere == 1
    assert (second.digest, second.answered, second.failed) == ("sha256:b", 0, 1)
    assert count(path, "mail-sorting") == ()
