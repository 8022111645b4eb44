"""Open the database and run transactions.

SQLite by default: write-ahead log, `synchronous=FULL`, foreign keys on, every writing transaction
begins with `BEGIN IMMEDIATE`. PostgreSQL for several replicas, with the same behaviour: one
writing transaction at a time, held by an advisory lock, and repeatable reads.

The context managers are the whole contract: leaving `transaction()` without an error means that
the change is durable. How many transactions share one flush to disk is not visible from outside;
`group_commit` says how they do.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from guiderail.core.errors import ConflictError, InputError
from guiderail.store.group_commit import GroupCommit
from guiderail.store.migrate import ensure_schema
from guiderail.store.transaction import Snapshot, Transaction, first_line

DATABASE_FILE = "guiderail.db"
BUSY_SECONDS = 30
"""How long a writer waits for another process before it gives up."""

_ASK_AGAIN_SECONDS = 0.001

_WRITER_LOCK = 7_102_206_962_110_141
"""The PostgreSQL advisory lock that a writing transaction holds."""

_FULL_STATES = frozenset({"53100", "58030"})
"""PostgreSQL: disk full, input/output error."""

_QUERY_ONLY = "guiderail_query_only"
"""What `PRAGMA query_only` says on a connection to SQLite, beside the connection."""

_BUSY_STATES = frozenset({"40001", "40P01", "55P03"})
"""PostgreSQL: serialization failure, deadlock detected, lock not available."""


class Store:
    """The database of one workspace. Safe to share between threads; open one per process."""

    __slots__ = ("_engine", "_writers")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writers = GroupCommit(engine)

    @classmethod
    def open(cls, home: Path) -> Store:
        """Open `home/guiderail.db`; create the folder and the database where they are missing.

        Raises InputError where that is impossible or the file is not such a database.
        """
        path = home / DATABASE_FILE
        try:
            home.mkdir(parents=True, exist_ok=True)
            _create_private(path)
        except OSError as error:
            raise InputError(
                f"The workspace {home} cannot be used: {error.strerror}.",
                advice="Choose a folder that you can write to, with GUIDERAIL_HOME.",
                code="store/unusable-home",
            ) from error
        return cls._start(URL.create("sqlite", database=str(path)))

    @classmethod
    def open_url(cls, url: str) -> Store:
        """Open the database at `url`, for example `postgresql+psycopg://host/name`.

        Raises InputError for another kind of database, a missing driver or no connection.
        """
        try:
            parsed = make_url(url)
        except ArgumentError as error:
            raise _unsupported("The database address cannot be read.") from error
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise _unsupported(f"{parsed.drivername!r} is not a supported database.")
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        return cls._start(parsed)

    @classmethod
    def _start(cls, url: URL) -> Store:
        store = cls(_make_engine(url))
        try:
            # A look that takes no lock first: opening a current database must not wait.
            with store.read() as snapshot:
                current = ensure_schema(snapshot, write=False)
            if not current:
                with store.transaction() as tx:
                    ensure_schema(tx, write=True)
        except (DBAPIError, sqlite3.Error) as error:
            store.close()
            raise InputError(
                f"The database {url.render_as_string(hide_password=True)} cannot be opened: "
                f"{first_line(error)}",
                advice="Check that it is a Guiderail database and that it can be reached.",
                code="store/cannot-open",
            ) from error
        except BaseException:
            store.close()
            raise
        return store

    @contextmanager
    def transaction(self, *, alone: bool = False) -> Iterator[Transaction]:
        """One writing transaction: commits on a clean exit, rolls back on any error.

        alone: begin on what is durable, for a block that tells somebody outside the database what
        it read; other blocks may begin on what a block before them wrote and share its commit.
        Raises ConflictError `store/busy` where the database stays locked by another writer, and
        `store/failed-transaction` where a statement failed and its error was swallowed, or where
        the commit that it shared failed; InputError `store/cannot-write` where the disk is full or
        fails. Nothing is kept in any of these cases.
        """
        with _named_troubles(), self._writers.transaction(alone=alone) as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[Snapshot]:
        """One consistent view; writing in it is an error of the database."""
        with self._engine.connect() as connection:
            connection = connection.execution_options(**_read_options(connection))
            with connection.begin():
                snapshot = Snapshot(connection)
                try:
                    yield snapshot
                finally:
                    snapshot.close()

    @property
    def address(self) -> str:
        """Where another process opens the same database, with the password: not for people."""
        return self._engine.url.render_as_string(hide_password=False)

    @contextmanager
    def driver_connection(self) -> Iterator[object]:
        """The driver's own connection, outside any transaction, while no thread here writes.

        For what a database refuses inside a transaction; see `store.scrub`.
        """
        with self._writers.idle():
            connection = self._engine.raw_connection()
            connection.info.pop(_QUERY_ONLY, None)
            try:
                yield connection.driver_connection
            finally:
                connection.close()

    def close(self) -> None:
        """Close every connection. The store can not be used afterwards."""
        self._engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _make_engine(url: URL) -> Engine:
    sqlite = url.get_backend_name() == "sqlite"
    try:
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS} if sqlite else {})
    except ImportError as error:
        raise InputError(
            f"The driver for {url.drivername!r} is not installed.",
            advice="Install it with: pip install 'guiderail[postgres]'.",
            code="store/driver-missing",
        ) from error
    if sqlite:
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "begin", _begin_postgresql)
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver must not begin transactions on its own: a deferred BEGIN loses concurrent writes.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")


def _begin_sqlite(connection: Connection) -> None:
    reads = bool(connection.get_execution_options().get("guiderail_read"))
    # Setting it makes SQLite compile every statement again, even where it was set before.
    if connection.info.get(_QUERY_ONLY) is not reads:
        connection.info.pop(_QUERY_ONLY, None)
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reads else 'OFF'}")
        connection.info[_QUERY_ONLY] = reads
    if reads:
        connection.exec_driver_sql("BEGIN")
    else:
        _wait_for_other_processes(connection)


def _wait_for_other_processes(connection: Connection) -> None:
    """Ask often for the right to write: SQLite itself asks ever less often the longer it waits.

    So whoever waited long would wait longest, while others take turns.
    """
    driver: Any = connection.connection.driver_connection
    until = time.monotonic() + BUSY_SECONDS
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        while time.monotonic() < until:
            try:
                driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    break
                time.sleep(_ASK_AGAIN_SECONDS)
            else:
                return
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        driver.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")


def _begin_postgresql(connection: Connection) -> None:
    if not connection.get_execution_options().get("guiderail_read"):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")


def _read_options(connection: Connection) -> dict[str, Any]:
    if connection.dialect.name == "sqlite":
        return {"guiderail_read": True}
    return {
        "guiderail_read": True,
        "isolation_level": "REPEATABLE READ",
        "postgresql_readonly": True,
    }


@contextmanager
def _named_troubles() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        state = getattr(error.orig, "sqlstate", None)
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or state in _BUSY_STATES:
            raise ConflictError(
                f"Another process kept the database locked for {BUSY_SECONDS} seconds.",
                advice="Try again when the other command has finished.",
                code="store/busy",
            ) from error
        if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR) or state in _FULL_STATES:
            raise InputError(
                f"Nothing was changed: the database cannot be written ({first_line(error)}).",
                advice="Make room on its disk, then repeat the command.",
                code="store/cannot-write",
            ) from error
        raise


def _create_private(path: Path) -> None:
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _unsupported(what: str) -> InputError:
    return InputError(
        what,
        advice="Use postgresql+psycopg://host/name or sqlite:////absolute/path.",
        code="store/unsupported",
    )
