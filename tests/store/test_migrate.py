"""The migrations and the tables say the same, and a newer schema is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from guiderail.core.errors import InputError
from guiderail.store.database import DATABASE_FILE, Store
from guiderail.store.migrate import REVISION, SCRIPTS
from guiderail.store.tables import APPEND_ONLY, metadata


def test_the_migrations_create_exactly_the_tables_of_the_code(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    engine = create_engine(f"sqlite:///{tmp_path / DATABASE_FILE}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_code_names_the_newest_migration() -> None:
    scripts = ScriptDirectory(str(SCRIPTS))
    assert scripts.get_heads() == [REVISION]


def test_every_append_only_table_is_guarded(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store, store.read() as snapshot:
        names = set(
            snapshot.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
            .scalars()
            .all()
        )
    wanted = {f"{table.name}_no_{verb}" for table in APPEND_ONLY for verb in ("update", "delete")}
    assert names == wanted


def test_the_ledger_starts_empty(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store, store.read() as snapshot:
        assert snapshot.execute(text("SELECT id, size FROM log_head")).all() == [(1, 0)]


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store, store.transaction() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(InputError) as caught:
        Store.open(tmp_path)
    assert caught.value.code == "store/newer-schema"
    assert "9999" in caught.value.what
