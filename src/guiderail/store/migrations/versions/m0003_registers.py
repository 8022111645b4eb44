"""Registers: which version of people, features, ceilings and columns was recorded last.

Revision: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "register_version",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("register", "source", "digest", "at")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_version")),
    )
    op.create_index(
        op.f("ix_register_version_register"), "register_version", ["register"], unique=False
    )
    op.create_table(
        "register_salt",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_register_salt")),
    )


def downgrade() -> None:
    raise NotImplementedError("the ledger is never taken down: restore a backup instead")
