"""The triggers that make a table append-only: a second line, which an intruder removes first."""

from __future__ import annotations

from sqlalchemy import text

from guiderail.store.tables import APPEND_ONLY
from guiderail.store.transaction import Snapshot


def missing_triggers(snapshot: Snapshot) -> list[str]:
    """Names of the triggers that are gone or say something else than the migration wrote.

    Only SQLite is looked at: on PostgreSQL, roles and their rights decide who may drop one.
    """
    if snapshot.dialect != "sqlite":
        return []
    rows = snapshot.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
    stored = {row.name: row.sql for row in rows}
    return [name for name, sql in _expected().items() if stored.get(name) != sql]


def _expected() -> dict[str, str]:
    return {
        f"{table}_no_{verb}": (
            f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
        for table in (table.name for table in APPEND_ONLY)
        for verb in ("update", "delete")
    }
