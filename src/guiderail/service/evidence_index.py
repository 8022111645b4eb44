"""Finding evidence by what it is about: a case, the digest of a release or artefact, a type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select

from guiderail.core.subject import Subject
from guiderail.ledger.events import Evidence
from guiderail.store import tables
from guiderail.store.transaction import Snapshot, Transaction


@dataclass(frozen=True, slots=True)
class Kept:
    """One piece of evidence about one subject. digest: of its stored bytes. seq: of its entry."""

    digest: str
    subject_digest: str
    predicate_type: str
    name: str
    workload: str
    case: str | None
    known_by: str
    signer: str | None
    seq: int
    at: str


def index(
    tx: Transaction,
    seq: int,
    at: str,
    subject: Subject,
    case: object,
    evidence: Sequence[Evidence],
) -> None:
    """Enter what an entry binds, once for each subject that it is about."""
    rows = [
        {
            "digest": one.digest,
            "subject_digest": about,
            "predicate_type": one.predicate_type,
            "name": one.name,
            "workload": subject.name,
            "case_id": case if isinstance(case, str) else None,
            "known_by": one.known_by,
            "signer": one.signer,
            "seq": seq,
            "at": at,
        }
        for one in evidence
        for about in (one.about or ((subject.digest,) if subject.digest else ()))
    ]
    if rows:
        tx.execute(insert(tables.evidence), rows)


def find(
    tx: Snapshot,
    *,
    case: str | None = None,
    subject: str | None = None,
    predicate_type: str | None = None,
    digest: str | None = None,
) -> list[Kept]:
    """Evidence that fits everything that is given, oldest first."""
    table = tables.evidence
    query = select(table).order_by(table.c.id)
    for column, value in (
        (table.c.case_id, case),
        (table.c.subject_digest, subject),
        (table.c.predicate_type, predicate_type),
        (table.c.digest, digest),
    ):
        if value is not None:
            query = query.where(column == value)
    return [
        Kept(
            digest=row["digest"],
            subject_digest=row["subject_digest"],
            predicate_type=row["predicate_type"],
            name=row["name"],
            workload=row["workload"],
            case=row["case_id"],
            known_by=row["known_by"],
            signer=row["signer"],
            seq=int(row["seq"]),
            at=row["at"],
        )
        for row in tx.execute(query).mappings()
    ]
