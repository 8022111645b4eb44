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


_ONLY_PRUNING = (
    "CREATE TRIGGER log_entry_no_update BEFORE UPDATE ON log_entry "
    "WHEN NOT (NEW.seq = OLD.seq AND NEW.leaf_hash = OLD.leaf_hash AND NEW.body = x'' "
    "AND EXISTS (SELECT 1 FROM pruned_entry WHERE seq = OLD.seq)) "
    "BEGIN SELECT RAISE(ABORT, 'log_entry is append-only'); END"
)
"""The body of an entry may become empty, once it is listed as removed; nothing else may change."""


def _expected() -> dict[str, str]:
    never = {
        f"{table}_no_{verb}": (
            f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
        for table in (table.name for table in APPEND_ONLY)
        for verb in ("update", "delete")
    }
    return never | {"log_entry_no_update": _ONLY_PRUNING}
