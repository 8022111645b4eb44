"""Every table of the database.

Times are RFC 3339 text with microseconds in UTC. Columns that hold signed or hashed bytes are
`LargeBinary` and are stored verbatim: a database never re-serialises them. Columns that hold JSON
for people only are `Text`. Digests are `sha256:` and 64 hexadecimal digits.

Names avoid SQL keywords, so that no database needs quoting.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# --- Releases and cases -------------------------------------------------------------------------

workload = Table(
    "workload",
    metadata,
    Column("name", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("production_digest", Text),
    Column("previous_digest", Text),
    Column("reviewed_digest", Text),
    Column("full_review_digest", Text),
    Column("first_digest", Text),
    Column("created_at", Text, nullable=False),
)

release_record = Table(
    "release_record",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("workload", Text, ForeignKey("workload.name"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("manifest", LargeBinary, nullable=False),  # canonical JSON
    Column("artefacts", LargeBinary, nullable=False),  # canonical JSON: name -> digest
    Column("created_at", Text, nullable=False),
    Index(None, "workload"),
)

case_record = Table(
    "case_record",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("workload", Text, ForeignKey("workload.name"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("release_digest", Text, nullable=False),
    Column("dossier_digest", Text),
    Column("state", Text, nullable=False),
    Column("submitter", Text, nullable=False),
    Column("track", Text),
    Column("tier", Text),
    Column("source_dir", Text),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    UniqueConstraint("number"),
    Index(None, "workload"),
    Index(None, "state"),
)

dossier = Table(
    "dossier",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("case_id", Text, ForeignKey("case_record.id"), nullable=False),
    Column("release_digest", Text, nullable=False),
    Column("facts", LargeBinary, nullable=False),  # canonical JSON
    Column("answers", LargeBinary, nullable=False),  # canonical JSON
    Column("pack_digest", Text, nullable=False),
    Column("decision", LargeBinary, nullable=False),  # canonical JSON
    Column("created_at", Text, nullable=False),
    Column("left_digest", Text),  # what it gives since names in it were erased
    Index(None, "case_id"),
)

answer = Table(
    "answer",
    metadata,
    Column("case_id", Text, ForeignKey("case_record.id"), primary_key=True),
    Column("fact", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),  # canonical JSON of the fact value
    Column("person", Text, nullable=False),
    Column("at", Text, nullable=False),
)

review = Table(
    "review",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("case_id", Text, ForeignKey("case_record.id"), nullable=False),
    Column("dossier_digest", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("reason", Text),
    Column("conditions", Text, nullable=False, server_default="[]"),  # JSON list of text
    Column("accepted_gates", Text, nullable=False, server_default="[]"),  # JSON list of gate ids
    Column("at", Text, nullable=False),
    Index(None, "case_id"),
)

# --- Permits and rollouts -----------------------------------------------------------------------

permit = Table(
    "permit",
    metadata,
    Column("id", Text, primary_key=True),
    Column("case_id", Text, ForeignKey("case_record.id"), nullable=False),
    Column("workload", Text, ForeignKey("workload.name"), nullable=False),
    Column("release_digest", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("envelope", LargeBinary, nullable=False),  # signed DSSE envelope
    Column("proof", Text),  # `.tlog-proof`; null until the ledger is sealed
    Column("issued_at", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
    Column("revoked_at", Text),
    Index(None, "workload"),
    Index(None, "case_id"),
)

rollout = Table(
    "rollout",
    metadata,
    Column("id", Text, primary_key=True),
    Column("case_id", Text, ForeignKey("case_record.id")),
    Column("workload", Text, ForeignKey("workload.name"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("from_digest", Text),
    Column("to_digest", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("step", Integer, nullable=False, server_default="0"),
    Column("steps", Text, nullable=False),  # JSON
    Column("started_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    CheckConstraint("kind IN ('deploy', 'rollback')", name="kind"),
    Index(None, "workload"),
)

rehearsal = Table(
    "rehearsal",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("workload", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("from_digest", Text, nullable=False),
    Column("to_digest", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Index(None, "workload"),
)

watch_signal = Table(
    "watch_signal",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("workload", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("opened_at", Text, nullable=False),
    Column("deadline", Text),
    Column("closed_at", Text),
    Index(None, "workload"),
)

# --- What people confirmed, and the packs that decided ------------------------------------------

data_approval = Table(
    "data_approval",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("person", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("until", Text),
    Index(None, "source"),
)

confirmed_profile = Table(
    "confirmed_profile",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("workload", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("at", Text, nullable=False),
)

pack = Table(
    "pack",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("texts_digest", Text, nullable=False),
    Column("compiled", LargeBinary, nullable=False),  # canonical JSON
)

# --- Changes of the policy ----------------------------------------------------------------------

policy_change = Table(
    "policy_change",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("pack", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("texts_digest", Text, nullable=False),
    Column("compiled", Text, nullable=False),  # digest of the blob with the compiled pack
    Column("kinds", Text, nullable=False),  # JSON list
    Column("replaces", Text, nullable=False),  # JSON: kind -> digest
    Column("effective_on", Text, nullable=False),  # a day
    Column("author", Text, nullable=False),
    Column("contributors", Text, nullable=False),  # JSON list of person ids
    Column("reason", Text, nullable=False),
    Column("needs", Text, nullable=False),  # JSON: role -> parts
    Column("evidence", Text, nullable=False),  # JSON
    Column("state", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    UniqueConstraint("number"),
    Index(None, "state"),
)

policy_vote = Table(
    "policy_vote",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("change_id", Text, ForeignKey("policy_change.id"), nullable=False),
    Column("person", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Text, nullable=False),
    Index(None, "change_id"),
)

policy_activation = Table(
    "policy_activation",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("effective_at", Text, nullable=False),
    Column("change_id", Text, ForeignKey("policy_change.id")),
    Column("envelope", LargeBinary, nullable=False),  # signed DSSE envelope
    Index(None, "change_id"),
)

# --- The registers of the workspace ---------------------------------------------------------------

register_version = Table(
    "register_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("register", Text, nullable=False),  # people, features, ceilings or columns
    Column("source", Text, nullable=False),  # digest of what its file said
    Column("digest", Text, nullable=False),  # digest of the blob with the recorded register
    Column("at", Text, nullable=False),
    Index(None, "register"),
)
"""Which version of a register the ledger recorded last; derived from `register.changed`."""
permit_state = Table(
    "permit_state",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("envelope", LargeBinary, nullable=False),  # signed DSSE envelope
    Column("issued_at", Text, nullable=False),
)
"""What targets are told about permits that were taken back; the newest version counts."""
# --- Evidence and who may vouch for it ----------------------------------------------------------

signer = Table(
    "signer",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("trust", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("material", Text, nullable=False),  # PEM, or JSON of issuer, audience, claims and keys
    Column("person", Text, nullable=False),
    Column("added_at", Text, nullable=False),
    Column("until", Text),
    Column("removed_at", Text),
    CheckConstraint("method IN ('key', 'token')", name="method"),
    CheckConstraint("trust IN ('evidence', 'runner', 'system-of-record')", name="trust"),
    Index(None, "name"),
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("digest", Text, nullable=False),  # of the stored bytes
    Column("subject_digest", Text, nullable=False),
    Column("predicate_type", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("workload", Text, nullable=False),
    Column("case_id", Text),
    Column("known_by", Text, nullable=False),
    Column("signer", Text),
    Column("seq", BigInteger, ForeignKey("log_entry.seq"), nullable=False),
    Column("at", Text, nullable=False),
    Index(None, "subject_digest", "predicate_type"),
    Index(None, "case_id"),
    Index(None, "digest"),
)
"""Finds evidence by what it is about. Derived from the entries of the ledger."""

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("topic", Text, nullable=False),
    Column("body", Text, nullable=False),  # JSON
    Column("created_at", Text, nullable=False),
    Column("sent_at", Text),
)

# --- The ledger ---------------------------------------------------------------------------------

log_head = Table(
    "log_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="single_row"),
)
"""One row: the number of entries. Whoever updates it last before commit decides the order."""

log_entry = Table(
    "log_entry",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),  # canonical JSON, verbatim
    Column("leaf_hash", LargeBinary, nullable=False),
)
"""`seq` counts from 0 and is the index of the leaf in the Merkle tree."""

log_node = Table(
    "log_node",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
)
"""Complete inner nodes, level 1 and up; level 0 is `log_entry.leaf_hash`. Derivable."""

log_checkpoint = Table(
    "log_checkpoint",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),  # C2SP signed note, verbatim
    Column("sealed_at", Text, nullable=False),
)

key_version = Table(
    "key_version",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("envelope", LargeBinary, nullable=False),  # signed DSSE envelope
    Column("at", Text, nullable=False),
)
"""The chain of the log's public keys, version 1 first, without gaps."""

log_index = Table(
    "log_index",
    metadata,
    Column("seq", BigInteger, ForeignKey("log_entry.seq"), primary_key=True, autoincrement=False),
    Column("type", Text, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject_name", Text, nullable=False),
    Column("subject_no", BigInteger, nullable=False),
    Column("case_id", Text),
    UniqueConstraint("subject_kind", "subject_name", "subject_no"),
    Index(None, "case_id"),
)
"""Finds the entries of a subject or a case. Derived from the entries; `ledger verify` compares."""

subject_counter = Table(
    "subject_counter",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("next_no", BigInteger, nullable=False),
)
"""The number that the subject's next entry gets; the first entry has number 1."""

# --- Outside memory: witnesses and timestamps of checkpoints ------------------------------------

witness = Table(
    "witness",
    metadata,
    Column("name", Text, primary_key=True),
    Column("verifier_key", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("added_at", Text, nullable=False),
    UniqueConstraint("verifier_key"),
)

witness_rule = Table(
    "witness_rule",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("quorum", Integer),  # NULL: more than half
    Column("within_hours", Integer, nullable=False),
    CheckConstraint("id = 1", name="single_row"),
)
"""At most one row: how many witnesses must have cosigned, and how lately."""

witness_answer = Table(
    "witness_answer",
    metadata,
    Column("name", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),  # of the checkpoint that it was asked about
    Column("outcome", Text, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("asked_at", Text, nullable=False),
)
"""What each witness said when it was last asked."""

log_cosignature = Table(
    "log_cosignature",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("size", BigInteger, ForeignKey("log_checkpoint.size"), nullable=False),
    Column("verifier_key", Text, nullable=False),
    Column("line", Text, nullable=False),  # C2SP signature line, verbatim
    Column("received_at", Text, nullable=False),
    Index(None, "verifier_key", "size"),
)
"""Cosignatures of witnesses under the stored checkpoints, each verified when it came."""

log_timestamp = Table(
    "log_timestamp",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("size", BigInteger, ForeignKey("log_checkpoint.size"), nullable=False),
    Column("url", Text, nullable=False),
    Column("response", LargeBinary, nullable=False),  # RFC 3161 TimeStampResp, verbatim
    Column("received_at", Text, nullable=False),
    Index(None, "size"),
)
"""Time stamps of an outside authority over the bytes of the stored checkpoints."""

# --- The vault: what the ledger must not hold ---------------------------------------------------

person_pseudonym = Table(
    "person_pseudonym",
    metadata,
    Column("person", Text, primary_key=True),
    Column("pseudonym", Text, nullable=False),
    UniqueConstraint("pseudonym"),
)
"""Who stands behind a pseudonym. The row of somebody who was erased is gone."""

vault_salt = Table(
    "vault_salt",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("field", Text, primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("value", LargeBinary, nullable=False),  # canonical JSON in clear
)
"""The details of an entry that stay readable, and the salt of their commitment.

In an entry of version 1 with words the salt is empty: it stands with the words.
"""

person_key = Table(
    "person_key",
    metadata,
    Column("id", Text, primary_key=True),
    Column("pseudonym", Text, nullable=False),
    Column("master", Text, nullable=False),  # id of the master key
    Column("wrapped", LargeBinary, nullable=False),
    UniqueConstraint("pseudonym", "master"),
)
"""The data key of each person, wrapped by a master key that is not in the database."""

vault_words = Table(
    "vault_words",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("key_id", Text, ForeignKey("person_key.id"), nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # encrypted: 32 bytes of salt, canonical JSON
    Index(None, "key_id"),
)
"""What somebody wrote in an entry, under the data key of that person."""

vault_state = Table(
    "vault_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("identity", Text, nullable=False),  # random, the same in every copy of the database
    Column("scrub_due", Boolean, nullable=False),
    CheckConstraint("id = 1", name="single_row"),
)
"""One row. scrub_due: something was erased, and its bytes may still be in freed pages."""

erased_person = Table(
    "erased_person",
    metadata,
    Column("pseudonym", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),  # the entry that says so
    Column("at", Text, nullable=False),
)

erasure_request = Table(
    "erasure_request",
    metadata,
    Column("person", Text, primary_key=True),
    Column("requester", Text, nullable=False),
    Column("at", Text, nullable=False),
)
"""Erasures that a second person still has to carry out. The reason is in the ledger."""

# --- Retention ----------------------------------------------------------------------------------

pruned_entry = Table(
    "pruned_entry",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("by_seq", BigInteger, nullable=False),  # the entry that says so
)
"""Entries whose time was over: the trigger lets only their bodies become empty."""

legal_hold = Table(
    "legal_hold",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("placed_by", Text, nullable=False),
    Column("placed_at", Text, nullable=False),
    Column("released_at", Text),
    UniqueConstraint("number"),
    CheckConstraint("kind IN ('case', 'workload', 'person', 'everything')", name="kind"),
)
"""What must not be erased or removed. name: of the case, workload or person; empty: everything."""

register_salt = Table(
    "register_salt",
    metadata,
    Column("person", Text, primary_key=True),
    Column("salt", LargeBinary, nullable=False),
)
"""The salt under which recorded registers commit to who a person is. Erased with the person."""

APPEND_ONLY = (log_entry, log_checkpoint, log_cosignature, log_timestamp, key_version)
"""Tables whose rows triggers refuse to change or delete: a second line, not the proof."""
