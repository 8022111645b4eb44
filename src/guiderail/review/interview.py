"""The interview: the questions of a pack for one kind of workload, by number."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from guiderail.facts.fact_type import FactType
from guiderail.policy.pack import Pack
from guiderail_verify.judge import holds


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to choose; `typed` is what a person types for it."""

    typed: str
    label: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question about one fact. choices is empty where a number or text is asked for.

    context: the answer tells reviewers more and decides nothing. ask: the role that can know.
    shows: names of facts that are told with the question.
    """

    id: str
    number: int
    fact: str
    type: FactType
    text: str
    why: str
    good: str
    help: str
    owner: str
    ask: str
    context: bool
    shows: tuple[str, ...]
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Computed:
    """A number of the interview that is shown and never asked."""

    id: str
    number: int
    text: str
    shows: tuple[str, ...]


def questions_for(
    pack: Pack, kind: str, day: str, facts: Collection[str] | None = None
) -> tuple[Question, ...]:
    """The questions in force on that day, one for each fact; only about `facts` where given."""
    rows = sorted(pack.tree["questions"], key=lambda row: (row["number"], row["id"]))
    found: dict[str, Question] = {}
    for row in rows:
        fact = row["fact"]
        if fact in found or not holds(row, kind, day) or (facts is not None and fact not in facts):
            continue
        kind_of_fact = pack.vocabulary.named(fact)
        if kind_of_fact is not None:
            found[fact] = _question(row["id"], kind_of_fact, row["context"], pack)
    return tuple(found.values())


def computed_for(pack: Pack, kind: str) -> tuple[Computed, ...]:
    """What the interview shows instead of asking."""
    return tuple(
        Computed(name, texts["number"], texts["title"], tuple(texts["shows"]))
        for name, texts in pack.texts["parts"].items()
        if texts["section"] == "question" and texts["fact"] is None and kind in texts["kinds"]
    )


def _question(question_id: str, kind: FactType, context: bool, pack: Pack) -> Question:
    text = pack.texts["parts"][question_id]
    return Question(
        id=question_id,
        number=text["number"],
        fact=kind.name,
        type=kind,
        text=text["title"],
        why=text["why"],
        good=text["good"],
        help=text.get("help") or "",
        owner=text["owner"],
        ask=text["ask"],
        context=context,
        shows=tuple(text["shows"]),
        choices=tuple(
            Choice(_typed(choice["value"]), choice["label"]) for choice in text.get("choices") or ()
        ),
    )


def _typed(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
