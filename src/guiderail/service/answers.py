"""Answers of people as facts: what only the owner can know, with name and date.

An answer fills in what is unknown, or takes the place of an earlier answer. It never replaces a
value that was measured or declared, so it cannot make anything lighter than the measured facts
allow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from guiderail.core.digest import Digest
from guiderail.core.scales import KnownBy
from guiderail.core.time import from_text, to_text
from guiderail.facts.catalogue.interview import only_tells
from guiderail.facts.fact import Fact, FactSet, Value, from_json, known, to_json
from guiderail.facts.standing import Standing
from guiderail.facts.use.profile import use_profile_digest
from guiderail.manifest.release import Release

SAID_BY = "answered by"
"""How the source of an answered fact begins; no place in a manifest begins like this."""

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


def still_hold(answers: Mapping[str, Answer], now: datetime) -> dict[str, Answer]:
    """The answers that need not be confirmed again yet; the 180th day still counts."""
    return {name: answer for name, answer in answers.items() if now - answer.at <= HOLDS}


def with_answers(
    facts: FactSet, answers: Mapping[str, Answer], release: Release, standing: Standing
) -> dict[str, Fact]:
    """Facts with every unknown filled in that a person answered; newer answers replace older ones.

    Whether risk confirmed the use profile is looked up again, because the answers belong to it.
    """
    filled = dict(facts)
    used = {
        name: answer
        for name, answer in answers.items()
        if name in filled and (filled[name].is_unknown or is_answer(filled[name]))
    }
    for name, answer in used.items():
        source = f"{SAID_BY} {answer.person} in {answer.case} on {answer.at.date()}"
        filled[name] = known(name, answer.value, source, KnownBy.DECLARED)
    confirmed = profile_of(release, used) in standing.confirmed_profiles
    source = "the workspace's confirmations"
    filled["use.confirmed"] = known("use.confirmed", confirmed, source, KnownBy.ATTESTED)
    return filled


def is_answer(fact: Fact) -> bool:
    """Was the value said by a person in a case, and not read or measured?"""
    return fact.known_by is KnownBy.DECLARED and fact.source.startswith(SAID_BY)


def profile_of(release: Release, answers: Mapping[str, Answer]) -> Digest:
    """Digest of the use profile: what the manifest declares and what people answered beyond it.

    What only tells reviewers more is no part of it: telling more must not undo a confirmation.
    """
    deciding = {name: to_json(answer.value) for name, answer in sorted(answers.items())
                if not only_tells(name)}  # fmt: skip
    return use_profile_digest(release, deciding)


def answers_to_json(answers: Mapping[str, Answer]) -> dict[str, Any]:
    """Answers as they stand in the dossier."""
    return {
        name: {"value": to_json(answer.value), "person": answer.person, "case": answer.case}
        for name, answer in sorted(answers.items())
    }


def answers_to_snapshot(answers: Mapping[str, Answer]) -> list[dict[str, Any]]:
    """Answers as they stand in the baseline snapshot."""
    return [
        {
            "fact": answer.fact,
            "value": to_json(answer.value),
            "person": answer.person,
            "at": to_text(answer.at),
            "case": answer.case,
        }
        for _, answer in sorted(answers.items())
    ]


def answers_from_snapshot(rows: Sequence[Mapping[str, Any]]) -> dict[str, Answer]:
    """The inverse of `answers_to_snapshot`."""
    return {
        row["fact"]: Answer(
            row["fact"], from_json(row["value"]), row["person"], from_text(row["at"]), row["case"]
        )
        for row in rows
    }
