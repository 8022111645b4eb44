"""Answers in the store: those of a case, and those that earlier cases carry forward."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import RowMapping, or_, select

from guiderail.core.time import from_text
from guiderail.facts.catalogue.interview import ABOUT_THE_USE
from guiderail.facts.fact import from_json
from guiderail.review.states import State
from guiderail.service.answers import Answer, still_hold
from guiderail.store import tables
from guiderail.store.transaction import Snapshot

CARRIED = ("use.", ABOUT_THE_USE)
"""How the names of facts begin whose answers hold for later releases of the workload."""

CONVINCED_NOBODY = (State.REJECTED, State.WITHDRAWN)


def carried_answers(tx: Snapshot, workload: str, now: datetime) -> dict[str, Answer]:
    """The newest answer about the use from earlier cases of the workload, while it holds.

    Answers of rejected and withdrawn cases do not count: they convinced nobody. Answers about data,
    an experiment or one release belong to the release they were given for, and are asked again.
    """
    rows = tx.execute(
        select(tables.answer)
        .join(tables.case_record, tables.case_record.c.id == tables.answer.c.case_id)
        .where(tables.case_record.c.workload == workload)
        .where(tables.case_record.c.state.not_in([state.value for state in CONVINCED_NOBODY]))
        .where(or_(*(tables.answer.c.fact.startswith(name, autoescape=True) for name in CARRIED)))
        .order_by(tables.answer.c.at)
    ).mappings()
    return still_hold({row["fact"]: _answer(row) for row in rows}, now)


def case_answers(tx: Snapshot, case_id: str) -> dict[str, Answer]:
    """The answers given in one case."""
    rows = tx.execute(select(tables.answer).where(tables.answer.c.case_id == case_id)).mappings()
    return {row["fact"]: _answer(row) for row in rows}


def _answer(row: RowMapping) -> Answer:
    return Answer(
        row["fact"],
        from_json(json.loads(row["value"])),
        row["person"],
        from_text(row["at"]),
        row["case_id"],
    )
