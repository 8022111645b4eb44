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
from guiderail.ledger.events import sentence
from guiderail.store.columns import column_bytes
from guiderail.store.tables import log_entry, log_index, person_pseudonym, vault_salt
from guiderail.store.transaction import Snapshot

PERSON_GONE = "(erased person)"


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as people see it.

    seq counts from 0 over the log, subject_no from 1 within the subject. at: RFC 3339.
    person: the actor's name from the vault. payload: None where it was erased.
    policy: pack digest. evidence: name -> `sha256:` digest.
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
        select(log_entry.c.seq, log_entry.c.body, vault_salt.c.value)
        .join(log_index, log_index.c.seq == log_entry.c.seq)
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
    people = _people(snapshot)
    return [_entry(row, people) for row in rows]


def _people(snapshot: Snapshot) -> dict[str, str]:
    statement = select(person_pseudonym.c.pseudonym, person_pseudonym.c.person)
    return {str(pseudonym): str(person) for pseudonym, person in snapshot.execute(statement)}


def _entry(row: Row[*tuple[Any, ...]], people: Mapping[str, str]) -> Entry:
    try:
        body = json.loads(column_bytes(row.body))
        payload = None if row.value is None else json.loads(column_bytes(row.value))
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
