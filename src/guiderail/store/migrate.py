"""Bring a database to the schema of this version.

Looking is one query and imports nothing; Alembic is loaded only where a step is needed.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from guiderail.core.errors import InputError
from guiderail.store.transaction import Snapshot

REVISION = "0007"
"""The newest migration in `store/migrations/versions`."""

SCRIPTS = Path(__file__).parent / "migrations"


def ensure_schema(snapshot: Snapshot, *, write: bool) -> bool:
    """Whether the schema is current; with `write`, make it so in the open transaction.

    Raises InputError for a database that a newer version of Guiderail wrote.
    """
    connection = snapshot.connection
    found = _revision(connection)
    if found == REVISION:
        return True
    if found is not None and not _is_known(found):
        raise InputError(
            f"The database was written by a newer Guiderail (schema {found}, this one knows "
            f"{REVISION}).",
            advice="Update Guiderail, then repeat the command.",
            code="store/newer-schema",
        )
    if write:
        _upgrade(connection)
    return False


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    row = connection.execute(text("SELECT version_num FROM alembic_version")).first()
    return None if row is None else str(row[0])


def _is_known(revision: str) -> bool:
    return any(SCRIPTS.glob(f"versions/m{revision}_*.py"))


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
