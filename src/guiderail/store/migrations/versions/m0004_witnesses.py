"""Outside memory: witnesses, their cosignatures, and timestamps of checkpoints.

Revision: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

APPEND_ONLY = ("log_cosignature", "log_timestamp")


def upgrade() -> None:
    _create_witnesses()
    _create_signatures()
    for table in APPEND_ONLY:
        _protect(table)


def downgrade() -> None:
    raise NotImplementedError("the ledger is never taken down: restore a backup instead")


def _create_witnesses() -> None:
    op.create_table(
        "witness",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("name", "verifier_key", "url", "added_at")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_witness")),
        sa.UniqueConstraint("verifier_key", name=op.f("uq_witness_verifier_key")),
    )
    op.create_table(
        "witness_rule",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("quorum", sa.Integer(), nullable=True),
        sa.Column("within_hours", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_witness_rule")),
        sa.CheckConstraint("id = 1", name=op.f("ck_witness_rule_single_row")),
    )
    op.create_table(
        "witness_answer",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("outcome", "sentence", "asked_at")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_witness_answer")),
    )


def _create_signatures() -> None:
    op.create_table(
        "log_cosignature",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("verifier_key", "line", "received_at")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_cosignature")),
        sa.ForeignKeyConstraint(
            ["size"], ["log_checkpoint.size"], name=op.f("fk_log_cosignature_size_log_checkpoint")
        ),
    )
    op.create_index(
        op.f("ix_log_cosignature_verifier_key_size"), "log_cosignature", ["verifier_key", "size"]
    )
    op.create_table(
        "log_timestamp",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_timestamp")),
        sa.ForeignKeyConstraint(
            ["size"], ["log_checkpoint.size"], name=op.f("fk_log_timestamp_size_log_checkpoint")
        ),
    )
    op.create_index(op.f("ix_log_timestamp_size"), "log_timestamp", ["size"])


def _protect(table: str) -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION guiderail_append_only()"
        )
        return
    for verb in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
