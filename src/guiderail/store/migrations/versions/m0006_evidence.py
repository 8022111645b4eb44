"""Evidence by what it is about, and the registry of those who may vouch for it.

Revision: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_SIGNER = ("name", "trust", "method", "material", "person", "added_at")
_EVIDENCE = ("digest", "subject_digest", "predicate_type", "name", "workload")


def upgrade() -> None:
    op.create_table(
        "signer",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _SIGNER),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("until", "removed_at")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signer")),
        sa.CheckConstraint("method IN ('key', 'token')", name=op.f("ck_signer_method")),
        sa.CheckConstraint(
            "trust IN ('evidence', 'runner', 'system-of-record')", name=op.f("ck_signer_trust")
        ),
    )
    op.create_index(op.f("ix_signer_name"), "signer", ["name"], unique=False)
    op.create_table(
        "evidence",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _EVIDENCE),
        sa.Column("case_id", sa.Text(), nullable=True),
        sa.Column("known_by", sa.Text(), nullable=False),
        sa.Column("signer", sa.Text(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
        sa.ForeignKeyConstraint(["seq"], ["log_entry.seq"], name=op.f("fk_evidence_seq")),
    )
    for name, columns in (
        ("ix_evidence_subject_digest_predicate_type", ["subject_digest", "predicate_type"]),
        ("ix_evidence_case_id", ["case_id"]),
        ("ix_evidence_digest", ["digest"]),
    ):
        op.create_index(op.f(name), "evidence", columns, unique=False)


def downgrade() -> None:
    raise NotImplementedError("the ledger is never taken down: restore a backup instead")
