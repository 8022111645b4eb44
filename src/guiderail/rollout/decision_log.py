"""Every decision of the gateway, in its own SQLite file, written in batches by one thread."""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

LARGEST_QUEUE = 20_000
LARGEST_BATCH = 1_000
PAUSE_SECONDS = 0.1
RETRY_SECONDS = 0.5

_SCHEMA = """
CREATE TABLE IF NOT EXISTS decision (
  id INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  workload TEXT NOT NULL,
  request TEXT NOT NULL,
  item INTEGER NOT NULL,
  unit TEXT NOT NULL,
  release TEXT,
  decision TEXT,
  score REAL,
  latency_us INTEGER NOT NULL,
  status INTEGER NOT NULL,
  note TEXT
);
CREATE INDEX IF NOT EXISTS decision_by_release ON decision (workload, release);
"""
_INSERT = (
    "INSERT INTO decision (at, workload, request, item, unit, release, decision, score,"
    " latency_us, status, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)

Row = tuple[str, str, str, int, str, str | None, str | None, float | None, int, int, str | None]
"""at (RFC 3339), workload, request id, item of the request, hash of the unit, release digest,
decision, score, latency in microseconds, HTTP status, note (why another version answered)."""


@dataclass(frozen=True, slots=True)
class ArmCount:
    """What one version answered. failed counts statuses from 500 on, refused those of 400 to 499.

    by_decision counts only answers with status 200; elsewhere counts answers given in place of
    another version.
    """

    digest: str
    answered: int
    refused: int
    failed: int
    elsewhere: int
    by_decision: Mapping[str, int]


class Recorder:
    """Takes rows from the event loop and writes them. `put` never blocks.

    A row is on disk about a tenth of a second later; SIGKILL loses what still waits.
    When the disk refuses, rows wait and are written later; when too many wait, the gateway refuses
    requests, because an unrecorded decision must not be made.
    """

    def __init__(self, path: Path, *, lock_seconds: float = 5.0) -> None:
        self._path = path
        self._lock_seconds = lock_seconds
        self._queue: queue.SimpleQueue[Row] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="decision-log", daemon=True)
        self.recorded = 0
        self.problem: str | None = None
        self._unwritten = 0

    def start(self) -> None:
        """Create the file if needed and start writing. Raises sqlite3.Error when it cannot."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(self._connect()) as connection:
            connection.executescript(_SCHEMA)
        self._thread.start()

    @property
    def waiting(self) -> int:
        return self._queue.qsize() + self._unwritten

    @property
    def has_room(self) -> bool:
        """False while so much waits that no further decision should be made."""
        return self._queue.qsize() < LARGEST_QUEUE

    def put(self, row: Row) -> None:
        """Hand over one row."""
        self._queue.put(row)

    def close(self) -> None:
        """Write what waits and end the thread."""
        self._stop.set()
        self._thread.join(timeout=10)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=self._lock_seconds, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        return connection

    def _run(self) -> None:
        connection: sqlite3.Connection | None = None
        while batch := self._next_batch():
            self._unwritten = len(batch)
            while batch:
                try:
                    connection = connection or self._connect()
                    self._write(connection, batch)
                except sqlite3.Error as error:
                    self.problem = f"decisions cannot be written: {error}"
                    _close(connection)
                    connection = None
                    if self._stop.wait(RETRY_SECONDS):
                        return
                    continue
                self.problem = None
                self.recorded += len(batch)
                self._unwritten = 0
                batch = []
            time.sleep(PAUSE_SECONDS)  # lets the next batch gather instead of one commit per row
        _close(connection)

    def _next_batch(self) -> list[Row]:
        """At least one row; empty only when the recorder was told to stop and nothing waits."""
        batch: list[Row] = []
        while not batch:
            try:
                batch.append(self._queue.get(timeout=0.2))
            except queue.Empty:
                if self._stop.is_set():
                    return []
        while len(batch) < LARGEST_BATCH:
            try:
                batch.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return batch

    def _write(self, connection: sqlite3.Connection, batch: Sequence[Row]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(_INSERT, batch)
            connection.execute("COMMIT")
        except sqlite3.Error:
            connection.rollback()
            raise


def _close(connection: sqlite3.Connection | None) -> None:
    if connection is not None:
        connection.close()


def count(path: Path, workload: str, *, since: str = "") -> tuple[ArmCount, ...]:
    """Decisions of one workload by version, from the moment `since` (RFC 3339, UTC) on.

    An empty tuple when nothing was recorded. Answers that no version gave (status 503) are not
    counted for any. Raises sqlite3.Error when the file is not a decision log.
    """
    if not path.exists():
        return ()
    query = (
        "SELECT release, status, decision, note IS NOT NULL, count(*) FROM decision"
        " WHERE workload = ? AND at >= ? AND release IS NOT NULL GROUP BY 1, 2, 3, 4"
    )
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as connection:
        rows = connection.execute(query, (workload, since)).fetchall()
    return tuple(
        _arm_count(digest, [row[1:] for row in rows if row[0] == digest])
        for digest in sorted({row[0] for row in rows})
    )


def _arm_count(digest: str, rows: list[tuple[int, str | None, int, int]]) -> ArmCount:
    by_decision: dict[str, int] = {}
    for status, decision, _, n in rows:
        if status == 200 and decision is not None:
            by_decision[decision] = by_decision.get(decision, 0) + n
    return ArmCount(
        digest=digest,
        answered=sum(n for status, _, _, n in rows if status == 200),
        refused=sum(n for status, _, _, n in rows if 400 <= status < 500),
        failed=sum(n for status, _, _, n in rows if status >= 500),
        elsewhere=sum(n for _, _, noted, n in rows if noted),
        by_decision=dict(sorted(by_decision.items())),
    )
