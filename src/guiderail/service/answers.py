"""Answers of people as facts: what only the owner can know, with name and date.

An answer fills in what is unknown. It never replaces a value that was measured or declared, so it
cannot make anything lighter than the measured facts allow.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, select

from guiderail.core.digest import Digest
from guiderail.core.scales import KnownBy
from guiderail.core.time import from_text
from guiderail.facts.fact import Fact, FactSet, Value, from_json, known, to_json
from guiderail.facts.standing import Standing
from guiderail.facts.use.profile import use_profile_digest
from guiderail.manifest.release import Release
from guiderail.store import tables
from guiderail.store.transaction import Snapshot

HOLDS = timedelta(days=180)
"""An answer is asked again after this time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person said about one fact, in which case."""

    fact: str
    value: Value
    person: str
    at: datetime
    case: str


def carried_answers(tx: Snapshot, workload: str, now: datetime) -> dict[str, Answer]:
    """The newest answer to each fact from earlier cases of the workload, while it holds."""
    rows = tx.execute(
        select(tables.answer)
        .join(tables.case_record, tables.case_record.c.id == tables.answer.c.case_id)
        .where(tables.case_record.c.workload == workload)
        .order_by(tables.answer.c.at)
    ).mappings()
    found = (_answer(row) for row in rows)
    return {answer.fact: answer for answer in found if now - answer.at <= HOLDS}


def case_answers(tx: Snapshot, case_id: str) -> dict[str, Answer]:
    """The answers given in one case."""
    rows = tx.execute(select(tables.answer).where(tables.answer.c.case_id == case_id)).mappings()
    return {row["fact"]: _answer(row) for row in rows}


def with_answers(
    facts: FactSet, answers: Mapping[str, Answer], release: Release, standing: Standing
) -> dict[str, Fact]:
    """Facts with every unknown filled in that a person answered.

    Whether risk confirmed the use profile is looked up again, because the answers belong to it.
    """
    filled = dict(facts)
    used = {
        name: answer
        for name, answer in answers.items()
        if name in filled and filled[name].is_unknown
    }
    for name, answer in used.items():
        source = f"answered by {answer.person} in {answer.case} on {answer.at.date()}"
        filled[name] = known(name, answer.value, source, KnownBy.DECLARED)
    confirmed = profile_of(release, used) in standing.confirmed_profiles
    source = "the workspace's confirmations"
    filled["use.confirmed"] = known("use.confirmed", confirmed, source, KnownBy.ATTESTED)
    return filled


def profile_of(release: Release, answers: Mapping[str, Answer]) -> Digest:
    """Digest of the use profile: what the manifest declares and what people answered beyond it."""
    return use_profile_digest(
        release, {name: to_json(answer.value) for name, answer in sorted(answers.items())}
    )


def answers_to_json(answers: Mapping[str, Answer]) -> dict[str, Any]:
    """Answers as they stand in the dossier."""
    return {
        name: {"value": to_json(answer.value), "person": answer.person, "case": answer.case}
        for name, answer in sorted(answers.items())
    }


def _answer(row: RowMapping) -> Answer:
    return Answer(
        row["fact"],
        from_json(json.loads(row["value"])),
        row["person"],
        from_text(row["at"]),
        row["case_id"],
    )
