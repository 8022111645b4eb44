"""The interview: the questions of a pack that a case still asks, in the order of the pack."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from guiderail.policy.pack import Pack


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to choose; `typed` is what a person types for it."""

    typed: str
    label: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question about one fact. choices is empty where a number or text is asked for."""

    id: str
    fact: str
    text: str
    why: str
    good: str
    help: str
    owner: str
    choices: tuple[Choice, ...]


def questions_for(pack: Pack, facts: Collection[str]) -> tuple[Question, ...]:
    """The questions about these facts, one for each, by number."""
    rows = sorted(pack.tree["questions"], key=lambda row: (row["number"], row["id"]))
    found: dict[str, Question] = {}
    for row in rows:
        if row["fact"] in facts and row["fact"] not in found:
            found[row["fact"]] = _question(row["id"], row["fact"], pack)
    return tuple(found.values())


def _question(question_id: str, fact: str, pack: Pack) -> Question:
    text = pack.texts["parts"][question_id]
    return Question(
        id=question_id,
        fact=fact,
        text=text["title"],
        why=text["why"],
        good=text["good"],
        help=text.get("help") or "",
        owner=text["owner"],
        choices=tuple(
            Choice(_typed(choice["value"]), choice["label"]) for choice in text.get("choices") or ()
        ),
    )


def _typed(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
