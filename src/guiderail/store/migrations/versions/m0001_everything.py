"""Everything: releases, cases, permits, rollouts, the ledger and its vault.

Revision: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("log_entry", "log_checkpoint")


def upgrade() -> None:
    _create_releases()
    _create_cases()
    _create_answers_and_reviews()
    _create_permits_and_rollouts()
    _create_rehearsals_and_signals()
    _create_confirmations_and_packs()
    _create_ledger()
    _create_ledger_index()
    _create_vault()
    op.execute("INSERT INTO log_head (id, size) VALUES (1, 0)")
    if op.get_bind().dialect.name == "sqlite":
        _protect_sqlite()
    else:
        _protect_postgresql()


def downgrade() -> None:
    raise NotImplementedError("the ledger is never taken down: restore a backup instead")


def _protect_sqlite() -> None:
    for table in APPEND_ONLY:
        for verb in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _protect_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION guiderail_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION guiderail_append_only()"
        )


def _create_releases() -> None:
    op.create_table(
        "workload",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("production_digest", sa.Text(), nullable=True),
        sa.Column("previous_digest", sa.Text(), nullable=True),
        sa.Column("reviewed_digest", sa.Text(), nullable=True),
        sa.Column("full_review_digest", sa.Text(), nullable=True),
        sa.Column("first_digest", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_workload")),
    )
    op.create_table(
        "release_record",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("workload", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
        sa.Column("artefacts", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workload"], ["workload.name"], name=op.f("fk_release_record_workload")
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_release_record")),
    )
    op.create_index(
        op.f("ix_release_record_workload"), "release_record", ["workload"], unique=False
    )


def _create_cases() -> None:
    op.create_table(
        "case_record",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("workload", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("release_digest", sa.Text(), nullable=False),
        sa.Column("dossier_digest", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("submitter", sa.Text(), nullable=False),
        sa.Column("track", sa.Text(), nullable=True),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column("source_dir", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workload"], ["workload.name"], name=op.f("fk_case_record_workload")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_record")),
        sa.UniqueConstraint("number", name=op.f("uq_case_record_number")),
    )
    op.create_index(op.f("ix_case_record_state"), "case_record", ["state"], unique=False)
    op.create_index(op.f("ix_case_record_workload"), "case_record", ["workload"], unique=False)
    op.create_table(
        "dossier",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("release_digest", sa.Text(), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.Column("answers", sa.LargeBinary(), nullable=False),
        sa.Column("pack_digest", sa.Text(), nullable=False),
        sa.Column("decision", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_record.id"], name=op.f("fk_dossier_case_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_dossier")),
    )
    op.create_index(op.f("ix_dossier_case_id"), "dossier", ["case_id"], unique=False)


def _create_answers_and_reviews() -> None:
    op.create_table(
        "answer",
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_record.id"], name=op.f("fk_answer_case_id")),
        sa.PrimaryKeyConstraint("case_id", "fact", name=op.f("pk_answer")),
    )
    op.create_table(
        "review",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("dossier_digest", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("conditions", sa.Text(), server_default="[]", nullable=False),
        sa.Column("accepted_gates", sa.Text(), server_default="[]", nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_record.id"], name=op.f("fk_review_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
    )
    op.create_index(op.f("ix_review_case_id"), "review", ["case_id"], unique=False)


def _create_permits_and_rollouts() -> None:
    op.create_table(
        "permit",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("workload", sa.Text(), nullable=False),
        sa.Column("release_digest", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=True),
        sa.Column("issued_at", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Text(), nullable=False),
        sa.Column("revoked_at", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case_record.id"], name=op.f("fk_permit_case_id")),
        sa.ForeignKeyConstraint(["workload"], ["workload.name"], name=op.f("fk_permit_workload")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_permit")),
    )
    op.create_index(op.f("ix_permit_case_id"), "permit", ["case_id"], unique=False)
    op.create_index(op.f("ix_permit_workload"), "permit", ["workload"], unique=False)
    op.create_table(
        "rollout",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=True),
        sa.Column("workload", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("from_digest", sa.Text(), nullable=True),
        sa.Column("to_digest", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("step", sa.Integer(), server_default="0", nullable=False),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('deploy', 'rollback')", name=op.f("ck_rollout_kind")),
        sa.ForeignKeyConstraint(["case_id"], ["case_record.id"], name=op.f("fk_rollout_case_id")),
        sa.ForeignKeyConstraint(["workload"], ["workload.name"], name=op.f("fk_rollout_workload")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollout")),
    )
    op.create_index(op.f("ix_rollout_workload"), "rollout", ["workload"], unique=False)


def _create_rehearsals_and_signals() -> None:
    op.create_table(
        "rehearsal",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("workload", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("from_digest", sa.Text(), nullable=False),
        sa.Column("to_digest", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rehearsal")),
    )
    op.create_index(op.f("ix_rehearsal_workload"), "rehearsal", ["workload"], unique=False)
    op.create_table(
        "watch_signal",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("workload", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.Text(), nullable=False),
        sa.Column("deadline", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch_signal")),
    )
    op.create_index(op.f("ix_watch_signal_workload"), "watch_signal", ["workload"], unique=False)


def _create_confirmations_and_packs() -> None:
    op.create_table(
        "data_approval",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("until", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_approval")),
    )
    op.create_index(op.f("ix_data_approval_source"), "data_approval", ["source"], unique=False)
    op.create_table(
        "confirmed_profile",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("workload", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_confirmed_profile")),
    )
    op.create_table(
        "pack",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("texts_digest", sa.Text(), nullable=False),
        sa.Column("compiled", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_pack")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )


def _create_ledger() -> None:
    op.create_table(
        "log_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_log_head_single_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_head")),
    )
    op.create_table(
        "log_entry",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_log_entry")),
    )
    op.create_table(
        "log_node",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "position", name=op.f("pk_log_node")),
    )
    op.create_table(
        "log_checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("sealed_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_log_checkpoint")),
    )


def _create_ledger_index() -> None:
    op.create_table(
        "log_index",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_name", sa.Text(), nullable=False),
        sa.Column("subject_no", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["seq"], ["log_entry.seq"], name=op.f("fk_log_index_seq")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_log_index")),
        sa.UniqueConstraint(
            "subject_kind",
            "subject_name",
            "subject_no",
            name=op.f("uq_log_index_subject_kind_subject_name_subject_no"),
        ),
    )
    op.create_index(op.f("ix_log_index_case_id"), "log_index", ["case_id"], unique=False)
    op.create_table(
        "subject_counter",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next_no", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name=op.f("pk_subject_counter")),
    )


def _create_vault() -> None:
    op.create_table(
        "person_pseudonym",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_person_pseudonym")),
        sa.UniqueConstraint("pseudonym", name=op.f("uq_person_pseudonym_pseudonym")),
    )
    op.create_table(
        "vault_salt",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", "field", name=op.f("pk_vault_salt")),
    )
