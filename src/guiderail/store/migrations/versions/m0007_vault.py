"""What people wrote is encrypted; people can be erased, and entries whose time is over removed.

Revision: 0007
"""

from __future__ import annotations

import json
import secrets
from typing import Any

import sqlalchemy as sa
from alembic import op

from guiderail.core.digest import canonical_json
from guiderail.store.columns import column_bytes
from guiderail.store.transaction import Transaction
from guiderail.store.vault_key import (
    KEY_BYTES,
    MasterKey,
    create_master,
    encrypt,
    read_master,
    vault_folder,
    words_place,
)

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

WORDS = frozenset({"reason", "conditions", "note", "impersonated_by"})
"""Fields of details that were personal when this step was written."""

_BATCH = 500


def upgrade() -> None:
    _create_vault()
    _create_retention()
    op.add_column("dossier", sa.Column("left_digest", sa.Text(), nullable=True))
    connection = op.get_bind()
    changed = _encrypt_words(connection)
    changed |= _strip_notifications(connection)
    connection.execute(
        sa.text("INSERT INTO vault_state (id, identity, scrub_due) VALUES (1, :identity, :due)"),
        {"identity": secrets.token_hex(16), "due": changed},
    )
    if connection.dialect.name == "sqlite":
        _protect_sqlite()
    else:
        _protect_postgresql()


def downgrade() -> None:
    raise NotImplementedError("the ledger is never taken down: restore a backup instead")


def _create_vault() -> None:
    op.create_table(
        "person_key",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.Column("master", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_key")),
        sa.UniqueConstraint("pseudonym", "master", name=op.f("uq_person_key_pseudonym_master")),
    )
    op.create_table(
        "vault_words",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_vault_words")),
        sa.ForeignKeyConstraint(["key_id"], ["person_key.id"], name=op.f("fk_vault_words_key_id")),
    )
    op.create_index(op.f("ix_vault_words_key_id"), "vault_words", ["key_id"], unique=False)
    op.create_table(
        "vault_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("scrub_due", sa.Boolean(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_vault_state_single_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vault_state")),
    )
    op.create_table(
        "erased_person",
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("pseudonym", name=op.f("pk_erased_person")),
    )
    op.create_table(
        "erasure_request",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("requester", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_erasure_request")),
    )


def _create_retention() -> None:
    op.create_table(
        "pruned_entry",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("by_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_pruned_entry")),
    )
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.Text(), nullable=False),
        sa.Column("released_at", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('case', 'workload', 'person', 'everything')", name=op.f("ck_legal_hold_kind")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_hold")),
        sa.UniqueConstraint("number", name=op.f("uq_legal_hold_number")),
    )


# --- What was in clear --------------------------------------------------------------------------


class _Keys:
    """The data keys, made as they are needed; without words, no master key is needed either."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._master: MasterKey | None = None
        self._made: dict[str, tuple[str, bytes]] = {}

    def of(self, pseudonym: str) -> tuple[str, bytes]:
        """Id and data key of a person."""
        if pseudonym not in self._made:
            if self._master is None:
                folder = vault_folder(Transaction(self._connection))
                self._master = read_master(folder) or create_master(folder)
            key_id, key = secrets.token_hex(8), secrets.token_bytes(KEY_BYTES)
            self._connection.execute(
                sa.text(
                    "INSERT INTO person_key (id, pseudonym, master, wrapped) "
                    "VALUES (:id, :pseudonym, :master, :wrapped)"
                ),
                {
                    "id": key_id,
                    "pseudonym": pseudonym,
                    "master": self._master.id,
                    "wrapped": self._master.wrap(
                        key, key_id, pseudonym, entropy=secrets.token_bytes
                    ),
                },
            )
            self._made[pseudonym] = key_id, key
        return self._made[pseudonym]


def _encrypt_words(connection: sa.Connection) -> bool:
    """Move what people wrote, with the salt of its commitment, under the key of each person."""
    keys, after, changed = _Keys(connection), -1, False
    rows = sa.text(
        "SELECT v.seq, v.salt, v.value, e.body FROM vault_salt v JOIN log_entry e ON e.seq = v.seq "
        "WHERE v.seq > :after AND v.field = 'payload' ORDER BY v.seq LIMIT :count"
    )
    while found := connection.execute(rows, {"after": after, "count": _BATCH}).all():
        after = int(found[-1].seq)
        for row in found:
            changed |= _encrypt_row(connection, keys, row)
    return changed


def _encrypt_row(connection: sa.Connection, keys: _Keys, row: Any) -> bool:
    try:
        payload = json.loads(column_bytes(row.value))
        actor = json.loads(column_bytes(row.body))["actor"]
        words = {name: payload.pop(name) for name in sorted(WORDS & payload.keys())}
    except (ValueError, TypeError, LookupError, AttributeError):
        return False  # not written by Guiderail: `ledger verify` says so, then as now
    if not any(words.values()):
        return False
    key_id, key = keys.of(actor)
    clear = column_bytes(row.salt) + canonical_json(words)
    place = words_place(row.seq, actor)
    connection.execute(
        sa.text("INSERT INTO vault_words (seq, key_id, sealed) VALUES (:seq, :key_id, :sealed)"),
        {
            "seq": row.seq,
            "key_id": key_id,
            "sealed": encrypt(key, clear, place, entropy=secrets.token_bytes),
        },
    )
    connection.execute(
        sa.text("UPDATE vault_salt SET salt = :salt, value = :value WHERE seq = :seq"),
        {"seq": row.seq, "salt": b"", "value": canonical_json(payload)},
    )
    return True


def _strip_notifications(connection: sa.Connection) -> bool:
    """Notifications no longer repeat what people wrote: it is in the ledger's vault."""
    changed = False
    for row in connection.execute(sa.text("SELECT id, body FROM outbox")).all():
        try:
            body = json.loads(row.body)
            kept = {name: value for name, value in body.items() if name not in WORDS}
        except (ValueError, AttributeError):
            continue
        if kept != body:
            changed = True
            connection.execute(
                sa.text("UPDATE outbox SET body = :body WHERE id = :id"),
                {"id": row.id, "body": json.dumps(kept)},
            )
    return changed


# --- The guard of the entries -------------------------------------------------------------------


def _protect_sqlite() -> None:
    op.execute("DROP TRIGGER log_entry_no_update")
    op.execute(
        "CREATE TRIGGER log_entry_no_update BEFORE UPDATE ON log_entry "
        "WHEN NOT (NEW.seq = OLD.seq AND NEW.leaf_hash = OLD.leaf_hash AND NEW.body = x'' "
        "AND EXISTS (SELECT 1 FROM pruned_entry WHERE seq = OLD.seq)) "
        "BEGIN SELECT RAISE(ABORT, 'log_entry is append-only'); END"
    )


def _protect_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION guiderail_only_pruning() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF NEW.seq = OLD.seq AND NEW.leaf_hash = OLD.leaf_hash "
        "AND length(NEW.body) = 0 "
        "AND EXISTS (SELECT 1 FROM pruned_entry WHERE seq = OLD.seq) THEN RETURN NEW; END IF; "
        "RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    op.execute("DROP TRIGGER log_entry_no_change ON log_entry")
    op.execute(
        "CREATE TRIGGER log_entry_no_change BEFORE DELETE OR TRUNCATE ON log_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION guiderail_append_only()"
    )
    op.execute(
        "CREATE TRIGGER log_entry_only_pruning BEFORE UPDATE ON log_entry "
        "FOR EACH ROW EXECUTE FUNCTION guiderail_only_pruning()"
    )
