"""Cases in the store, with their dossiers and reviews, and their way from state to state."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import RowMapping, func, insert, select, update

from guiderail.core.digest import Digest
from guiderail.core.errors import ConflictError, InputError
from guiderail.core.time import from_text, to_text
from guiderail.review.dossier import Dossier
from guiderail.review.required import Review, ReviewVerdict
from guiderail.review.states import State, transition
from guiderail.store import tables
from guiderail.store.transaction import Snapshot, Transaction


@dataclass(frozen=True, slots=True)
class Case:
    """One release request. `source_dir` is where it was submitted from."""

    id: str
    workload: str
    kind: str
    release_digest: Digest
    dossier_digest: Digest
    state: State
    submitter: str
    track: str
    tier: str
    source_dir: str
    created_at: datetime
    updated_at: datetime


def next_id(tx: Snapshot) -> tuple[str, int]:
    """The next free case id (`case-0001`, counting up) and its number."""
    number = (tx.execute(select(func.max(tables.case_record.c.number))).scalar() or 0) + 1
    return f"case-{number:04d}", number


def open_case(tx: Transaction, case: Case, number: int, dossier: Dossier) -> None:
    """Insert a case with its first dossier. The state must be one that a draft can become."""
    tx.execute(
        insert(tables.case_record).values(
            id=case.id,
            number=number,
            workload=case.workload,
            kind=case.kind,
            release_digest=case.release_digest,
            dossier_digest=case.dossier_digest,
            state=case.state.value,
            submitter=case.submitter,
            track=case.track,
            tier=case.tier,
            source_dir=case.source_dir,
            created_at=to_text(case.created_at),
            updated_at=to_text(case.updated_at),
        )
    )
    add_dossier(tx, case.id, dossier, case.created_at)


def add_dossier(tx: Transaction, case_id: str, dossier: Dossier, at: datetime) -> None:
    """Store a dossier; one that is already there is left as it is."""
    known = tx.execute(
        select(tables.dossier.c.digest).where(tables.dossier.c.digest == dossier.digest)
    ).first()
    if known is None:
        tx.execute(
            insert(tables.dossier).values(
                case_id=case_id, created_at=to_text(at), **dossier.columns()
            )
        )


def load(tx: Snapshot, case_id: str) -> Case:
    """Raises InputError `case/unknown` for an id that does not exist."""
    row = (
        tx.execute(select(tables.case_record).where(tables.case_record.c.id == case_id))
        .mappings()
        .first()
    )
    if row is None:
        raise InputError(
            f"there is no case {case_id!r}",
            code="case/unknown",
            advice="`guiderail status` lists the cases of this workspace.",
        )
    return _case(row)


def list_cases(tx: Snapshot, *, workload: str | None = None) -> list[Case]:
    """All cases, newest first."""
    query = select(tables.case_record).order_by(tables.case_record.c.number.desc())
    if workload is not None:
        query = query.where(tables.case_record.c.workload == workload)
    return [_case(row) for row in tx.execute(query).mappings()]


def case_of_release(tx: Snapshot, workload: str, digest: str) -> Case | None:
    """The newest case that put this release into production or once did."""
    ran = (State.LIVE, State.RETIRED, State.ROLLED_BACK, State.ROLLING, State.PAUSED)
    return next(
        (
            case
            for case in list_cases(tx, workload=workload)
            if case.release_digest == digest and case.state in ran
        ),
        None,
    )


def load_dossier(tx: Snapshot, digest: str) -> Dossier:
    """Raises IntegrityError `integrity/dossier` where the row does not give this digest."""
    return Dossier.from_columns(_dossier_row(tx, digest))


def decided_at(tx: Snapshot, digest: str) -> datetime:
    """When the dossier was made: the moment whose rules its decision followed."""
    return from_text(_dossier_row(tx, digest)["created_at"])


def _dossier_row(tx: Snapshot, digest: str) -> RowMapping:
    return (
        tx.execute(select(tables.dossier).where(tables.dossier.c.digest == digest)).mappings().one()
    )


def move(tx: Transaction, case: Case, end: State, event: str, now: datetime) -> Case:
    """Take one step of the transition table.

    Raises ConflictError when the table has no such step or somebody else moved the case meanwhile.
    """
    step = transition(case.id, case.state, end, event)
    changed = tx.execute(
        update(tables.case_record)
        .where(tables.case_record.c.id == case.id)
        .where(tables.case_record.c.state == step.start.value)
        .values(state=step.end.value, updated_at=to_text(now))
    )
    if changed.rowcount != 1:
        raise ConflictError(
            f"{case.id} changed while you were working on it",
            code="case/changed",
            advice=f"Look at it again with `guiderail status {case.id}`.",
        )
    return load(tx, case.id)


def replace_dossier(tx: Transaction, case: Case, dossier: Dossier, now: datetime) -> Case:
    """Show the reviewers a new dossier; approvals of the old one no longer count."""
    add_dossier(tx, case.id, dossier, now)
    tx.execute(
        update(tables.case_record)
        .where(tables.case_record.c.id == case.id)
        .values(
            dossier_digest=dossier.digest,
            track=dossier.decision["track"]["value"],
            tier=dossier.decision["tier"]["value"],
            updated_at=to_text(now),
        )
    )
    return load(tx, case.id)


def add_review(tx: Transaction, review: Review) -> None:
    tx.execute(
        insert(tables.review).values(
            case_id=review.case,
            dossier_digest=review.dossier_digest,
            person=review.person,
            role=review.role,
            verdict=review.verdict,
            reason=review.reason,
            conditions=json.dumps(list(review.conditions)),
            accepted_gates=json.dumps(list(review.accepted)),
            at=to_text(review.at),
        )
    )


def reviews(tx: Snapshot, case_id: str) -> list[Review]:
    """Every review of a case, oldest first."""
    rows = tx.execute(
        select(tables.review).where(tables.review.c.case_id == case_id).order_by(tables.review.c.id)
    ).mappings()
    return [
        Review(
            case=row["case_id"],
            dossier_digest=row["dossier_digest"],
            person=row["person"],
            role=row["role"],
            verdict=cast(ReviewVerdict, row["verdict"]),
            reason=row["reason"] or "",
            conditions=tuple(json.loads(row["conditions"])),
            accepted=tuple(json.loads(row["accepted_gates"])),
            at=from_text(row["at"]),
        )
        for row in rows
    ]


def put_answers(
    tx: Transaction, case_id: str, answers: Mapping[str, Any], person: str, now: datetime
) -> None:
    """Keep answers (fact name -> stored value) as the last word on each fact."""
    from guiderail.core.digest import canonical_json

    for fact, value in answers.items():
        tx.execute(
            tables.answer.delete()
            .where(tables.answer.c.case_id == case_id)
            .where(tables.answer.c.fact == fact)
        )
        tx.execute(
            insert(tables.answer).values(
                case_id=case_id,
                fact=fact,
                value=canonical_json(value),
                person=person,
                at=to_text(now),
            )
        )


def _case(row: RowMapping) -> Case:
    return Case(
        id=row["id"],
        workload=row["workload"],
        kind=row["kind"],
        release_digest=Digest(row["release_digest"]),
        dossier_digest=Digest(row["dossier_digest"]),
        state=State(row["state"]),
        submitter=row["submitter"],
        track=row["track"],
        tier=row["tier"],
        source_dir=row["source_dir"],
        created_at=from_text(row["created_at"]),
        updated_at=from_text(row["updated_at"]),
    )
