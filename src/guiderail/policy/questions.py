"""Which questions decide and which only tell reviewers more: computed from who reads their facts.

A question whose fact no tier rule, track rule or gate reads is context. It holds up no case, and
its answer, often a free text, can make nothing lighter because nothing reads it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from guiderail.policy.pack_files import QuestionFile
from guiderail.policy.pack_reader import Source
from guiderail.policy.problem import Problem
from guiderail.policy.vocabulary import Vocabulary
from guiderail_verify.evaluate import fact_names

DECIDING: Final = ("tiers", "tracks", "gates")


def mark_context(
    tree: Mapping[str, Any], sources: Sequence[Source], vocabulary: Vocabulary
) -> list[Problem]:
    """Write into each compiled question whether it is context.

    A free text that people answer and a rule, a gate or the skip rule of a question reads is a
    problem: any word would then switch the rule off.
    """
    places = {source.part.id: source.document.value_place(("fact",)) for source in sources
              if isinstance(source.part, QuestionFile)}  # fmt: skip
    problems = []
    for question in tree["questions"]:
        readers = list(_readers(question, tree, vocabulary))
        question["context"] = not any(decides for _, decides in readers)
        fact = vocabulary.named(question["fact"])
        if fact is not None and fact.type == "text" and readers:
            problems.append(
                Problem(places[question["id"]],
                        f"{fact.name} is answered in own words, and {readers[0][0]} decides by it.",
                        "Ask with choices, or let no rule read it.")
            )  # fmt: skip
    return problems


def _readers(
    question: Mapping[str, Any], tree: Mapping[str, Any], vocabulary: Vocabulary
) -> Iterator[tuple[str, bool]]:
    """Ids of what reads the fact of a question, and whether that decides (a skip rule does not)."""
    for section in (*DECIDING, "questions"):
        for part in tree[section]:
            read = part["skip_when"] if section == "questions" else part
            names = {vocabulary.base_name(name) for name in fact_names(read)}
            if question["fact"] in names and _meet(part["kinds"], question["kinds"]):
                yield part["id"], section in DECIDING


def _meet(kinds: Collection[str], others: Collection[str]) -> bool:
    """Do two parts hold for one kind of workload? None means every kind."""
    return not kinds or not others or not set(kinds).isdisjoint(others)
