"""Alembic's entry point. Runs in the transaction that the store has already opened."""

from __future__ import annotations

from alembic import context

from guiderail.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
