"""Changes of the policy: what was proposed, who decided, what is in force from when.

Revision: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_CHANGE = (
    "pack", "version", "digest", "texts_digest", "compiled", "kinds", "replaces", "effective_on",
    "author", "contributors", "reason", "needs", "evidence", "state", "created_at", "updated_at",
)  # fmt: skip
_VOTE = ("person", "role", "verdict", "reason", "at")


def upgrade() -> None:
    op.create_table(
        "policy_change",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _CHANGE),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_change")),
        sa.UniqueConstraint("number", name=op.f("uq_policy_change_number")),
    )
    op.create_index(op.f("ix_policy_change_state"), "policy_change", ["state"], unique=False)
    op.create_table(
        "policy_vote",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("change_id", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _VOTE),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_vote")),
        sa.ForeignKeyConstraint(
            ["change_id"], ["policy_change.id"], name=op.f("fk_policy_vote_change_id")
        ),
    )
    op.create_index(op.f("ix_policy_vote_change_id"), "policy_vote", ["change_id"], unique=False)
    op.create_table(
        "policy_activation",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("effective_at", sa.Text(), nullable=False),
        sa.Column("change_id", sa.Text(), nullable=True),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_activation")),
        sa.ForeignKeyConstraint(
            ["change_id"], ["policy_change.id"], name=op.f("fk_policy_activation_change_id")
        ),
    )
    op.create_index(
        op.f("ix_policy_activation_change_id"), "policy_activation", ["change_id"], unique=False
    )


def downgrade() -> None:
    raise NotImplementedError("the ledger is never taken down: restore a backup instead")
