"""The ledger for people: who did what, when, in sentences.

What is read here is not verified; `verify` does that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, select

from guiderail.core.errors import IntegrityError
from guiderail.core.subject import Subject
from guiderail.ledger.append import PAYLOAD_FIELD
from guiderail.ledger.events import event_type, sentence
from guiderail.ledger.vault import Reader
from guiderail.store.columns import column_bytes
from guiderail.store.tables import (
    log_entry,
    log_index,
    person_pseudonym,
    pruned_entry,
    vault_salt,
    vault_words,
)
from guiderail.store.transaction import Snapshot

PERSON_GONE = "(erased person)"
UNREADABLE_WORDS = "(cannot be read)"


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as people see it.

    seq counts from 0 over the log, subject_no from 1 within the subject. at: RFC 3339.
    person: the actor's name from the vault. payload: the details, without what somebody wrote where
    they were erased; None where all of them are gone.
    policy: pack digest. evidence: name -> `sha256:` digest.
    removed: the entry's time was over; only type, subject and number are left, and `at` is empty.
    """

    seq: int
    at: str
    type: str
    subject: Subject
    subject_no: int
    person: str
    outcome: str
    policy: str | None
    evidence: Mapping[str, str]
    payload: Mapping[str, object] | None
    sentence: str
    removed: bool = False


def entries(
    snapshot: Snapshot,
    *,
    subject: tuple[str, str] | None = None,
    case: str | None = None,
    type: str | None = None,
    after: int = -1,
    limit: int | None = None,
) -> list[Entry]:
    """Entries in the order of the log, those of a subject (kind, name) or a case, or all.

    after: only entries with a larger seq. Raises IntegrityError for bytes that are not an event.
    """
    statement = (
        select(
            log_entry.c.seq,
            log_entry.c.body,
            vault_salt.c.value,
            vault_words.c.key_id,
            vault_words.c.sealed,
            pruned_entry.c.by_seq,
            log_index.c.type,
            log_index.c.subject_kind,
            log_index.c.subject_name,
            log_index.c.subject_no,
        )
        .join(log_index, log_index.c.seq == log_entry.c.seq)
        .outerjoin(vault_words, vault_words.c.seq == log_entry.c.seq)
        .outerjoin(pruned_entry, pruned_entry.c.seq == log_entry.c.seq)
        .outerjoin(
            vault_salt,
            and_(vault_salt.c.seq == log_entry.c.seq, vault_salt.c.field == PAYLOAD_FIELD),
        )
        .where(log_entry.c.seq > after)
        .order_by(log_entry.c.seq)
        .limit(limit)
    )
    if subject is not None:
        statement = statement.where(
            log_index.c.subject_kind == subject[0], log_index.c.subject_name == subject[1]
        )
    if case is not None:
        statement = statement.where(log_index.c.case_id == case)
    if type is not None:
        statement = statement.where(log_index.c.type == type)
    rows = snapshot.execute(statement).all()
    people, reader = _people(snapshot), Reader(snapshot)
    return [
        _removed(row, people) if row.by_seq is not None else _entry(row, people, reader)
        for row in rows
    ]


def _people(snapshot: Snapshot) -> dict[str, str]:
    statement = select(person_pseudonym.c.pseudonym, person_pseudonym.c.person)
    return {str(pseudonym): str(person) for pseudonym, person in snapshot.execute(statement)}


def _words(row: Row[*tuple[Any, ...]], type_: str, reader: Reader) -> dict[str, object]:
    found = reader.open(int(row.seq), str(row.key_id), column_bytes(row.sealed))
    if found is None:
        return dict.fromkeys(event_type(type_).personal, UNREADABLE_WORDS)
    return dict(json.loads(found.clear))


def _removed(row: Row[*tuple[Any, ...]], people: Mapping[str, str]) -> Entry:
    name = str(row.subject_name)
    if row.subject_kind == "person":
        name = people.get(name, PERSON_GONE)
    return Entry(
        seq=int(row.seq),
        at="",
        type=row.type,
        subject=Subject(row.subject_kind, name),
        subject_no=int(row.subject_no),
        person="",
        outcome="",
        policy=None,
        evidence={},
        payload=None,
        sentence=f"Removed when its time was over ({row.type} of {name}); entry {row.by_seq} says "
        "so.",
        removed=True,
    )


def _entry(row: Row[*tuple[Any, ...]], people: Mapping[str, str], reader: Reader) -> Entry:
    try:
        body = json.loads(column_bytes(row.body))
        payload = None if row.value is None else json.loads(column_bytes(row.value))
        if payload is not None and row.key_id is not None:
            payload |= _words(row, body["type"], reader)
        person = people.get(body["actor"], PERSON_GONE)
        subject = Subject(**body["subject"])
        if subject.kind == "person":
            subject = Subject("person", people.get(subject.name, PERSON_GONE), subject.digest)
        return Entry(
            seq=int(row.seq),
            at=body["at"],
            type=body["type"],
            subject=subject,
            subject_no=body["subject_no"],
            person=person,
            outcome=body["outcome"],
            policy=body["policy"],
            evidence={item["name"]: "sha256:" + item["sha256"] for item in body["evidence"]},
            payload=payload,
            sentence=sentence(body["type"], person, subject.name, payload or {}),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(
            f"Entry {row.seq} of the ledger cannot be read.",
            advice="Run guiderail ledger verify.",
            code="ledger/unreadable-entry",
        ) from error
