"""What the rest of the product holds while it reads or writes.

A function that must write takes a `Transaction`; one that only reads takes a `Snapshot` and
accepts both. Neither can be made from a bare connection, and neither outlives its `with` block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.exc import DBAPIError

from guiderail.core.errors import ConflictError
from guiderail.store.prepared import Prepared

Params = Mapping[str, Any] | Sequence[Mapping[str, Any]]


class Snapshot:
    """One consistent view of the database."""

    __slots__ = ("_connection", "_doomed")

    def __init__(self, connection: Connection) -> None:
        self._connection: Connection | None = connection
        self._doomed: BaseException | None = None

    def execute(
        self, statement: Executable, params: Params | None = None
    ) -> CursorResult[*tuple[Any, ...]]:
        """Run one statement, or the same one for every mapping in a sequence.

        Raises SQLAlchemy's errors unchanged. Whatever it raises also dooms the transaction: it
        can only be rolled back afterwards, on every database alike.
        """
        connection = self._open()
        try:
            result = connection.execute(statement, params)
        except BaseException as error:
            self.doom(error)
            raise
        if not isinstance(result, CursorResult):
            raise TypeError("a statement gives a cursor result")
        return result

    def run(self, prepared: Prepared, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run a prepared statement once; all its rows. Errors as those of `execute`."""
        connection = self._open()
        sql, values = prepared.for_driver(connection.dialect, params)
        try:
            with closing(connection.connection.cursor()) as cursor:
                cursor.execute(sql, values)
                return list(cursor.fetchall()) if cursor.description else []
        except BaseException as error:
            told = _as_database_error(connection, sql, error)
            self.doom(told)
            if told is error:
                raise
            raise told from error

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._open().dialect.name

    @property
    def connection(self) -> Connection:
        """The driver's side of it, for migrations only."""
        return self._open()

    @property
    def doomed(self) -> BaseException | None:
        """The failure after which this transaction must not commit, or None."""
        return self._doomed

    def doom(self, error: BaseException) -> None:
        """Make sure that nothing of this transaction is kept, even if `error` is caught."""
        if self._doomed is None:
            self._doomed = error

    def refuse_doomed(self) -> None:
        """Raises ConflictError `store/failed-transaction` after a failure that was swallowed."""
        if self._doomed is not None:
            raise ConflictError(
                "A step of the change failed, so nothing of it was kept: "
                f"{first_line(self._doomed)}",
                advice="Repeat the command; report it if it fails again.",
                code="store/failed-transaction",
            ) from self._doomed

    def close(self) -> None:
        """Called at the end of the `with` block; every later use raises RuntimeError."""
        self._connection = None

    def _open(self) -> Connection:
        if self._connection is None:
            raise RuntimeError("this transaction has ended")
        return self._connection


class Transaction(Snapshot):
    """A view that may also write. Everything in it commits together or not at all."""

    __slots__ = ()


def first_line(error: BaseException) -> str:
    """What the driver said, on one line."""
    original = getattr(error, "orig", None) or error
    return (str(original).strip() or type(original).__name__).splitlines()[0]


def _as_database_error(connection: Connection, sql: str, error: BaseException) -> BaseException:
    """SQLAlchemy's error for one of the driver, as `execute` would have raised it."""
    driver = connection.dialect.loaded_dbapi
    if not isinstance(error, driver.Error):
        return error
    return DBAPIError.instance(sql, None, error, driver.Error, dialect=connection.dialect)
