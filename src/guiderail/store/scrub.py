"""Overwrite what was erased: a deleted row stays in freed pages and in the write-ahead log."""

from __future__ import annotations

import sqlite3

from sqlalchemy import select, update

from guiderail.core.errors import ConflictError
from guiderail.store.database import Store
from guiderail.store.tables import vault_state
from guiderail.store.transaction import Transaction


def mark_scrub(tx: Transaction) -> None:
    """Something was erased in this transaction: `scrub` has work once it is committed."""
    tx.execute(update(vault_state).values(scrub_due=True))


def scrub_due(store: Store) -> bool:
    with store.read() as snapshot:
        return bool(snapshot.execute(select(vault_state.c.scrub_due)).scalar_one_or_none())


def scrub(store: Store) -> bool:
    """Rewrite a SQLite file without its freed pages and empty its log; False: not this database.

    Of PostgreSQL nothing is rewritten from here: old row versions, write-ahead log and replicas are
    the operator's. Safe to repeat; a process that is killed leaves the mark, so the next one
    repeats it. Raises ConflictError `store/not-scrubbed` while another process reads.
    """
    with store.driver_connection() as connection:
        if isinstance(connection, sqlite3.Connection):
            _rewrite(connection)
    with store.transaction() as tx:
        tx.execute(update(vault_state).values(scrub_due=False))
        rewritten = tx.dialect == "sqlite"
    if rewritten:
        with store.driver_connection() as connection:
            if isinstance(connection, sqlite3.Connection):
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return rewritten


def _rewrite(connection: sqlite3.Connection) -> None:
    try:
        connection.execute("PRAGMA query_only = OFF")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("VACUUM")
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError as error:
        raise _busy(str(error)) from error
    if busy:
        raise _busy("another process is reading")


def _busy(why: str) -> ConflictError:
    return ConflictError(
        f"What was erased may still be in freed pages of the database file: {why}.",
        advice="Nothing reads it any more. Stop other processes and run guiderail status, which "
        "overwrites it.",
        code="store/not-scrubbed",
    )
