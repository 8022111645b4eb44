"""`guiderail policy check`: everything that must hold before a pack may decide anything.

Loading finds unusable files, types and names. On top of that each example of a gate must give its
verdict, each page must be complete, and each clause that a page names must have been looked up
again within `reverify_after_days`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from guiderail.facts.fact import FactSet
from guiderail.policy.examples import SOURCE, example_values, facts_of_values
from guiderail.policy.pack import Pack, make_pack
from guiderail.policy.pack_builder import build
from guiderail.policy.pack_files import (
    AdviceFile,
    ControlFile,
    Example,
    GateFile,
    PackFile,
    QuestionFile,
    Reference,
    RuleFile,
)
from guiderail.policy.pack_reader import PackSources, Reading, Source, read_directory
from guiderail.policy.problem import Problem
from guiderail.policy.readings import readings_of
from guiderail.policy.vocabulary import Vocabulary

MOST_QUESTIONS: Final = 26
"""An interview longer than this is filled in carelessly."""


@dataclass(frozen=True, slots=True)
class CheckedPack:
    """pack is None where it cannot be compiled at all. reading: the files behind it."""

    pack: Pack | None
    problems: tuple[Problem, ...]
    reading: Reading


def check_pack_directory(directory: Path, *, today: date) -> CheckedPack:
    """Check a pack and every pack that it extends."""
    reading = read_directory(directory)
    built = build(reading)
    if built.problems:
        return CheckedPack(None, tuple(built.problems), reading)
    pack = make_pack(built.tree, built.texts)
    problems: list[Problem] = []
    for sources in reading.packs:
        for parts in sources.sections.values():
            for source in parts:
                problems.extend(_part_problems(source, sources.pack, pack, today))
        problems.extend(_too_many_questions(sources))
    return CheckedPack(pack, tuple(problems), reading)


def example_facts(example: Example, vocabulary: Vocabulary) -> FactSet:
    """The facts of an example, as attested ones; what it leaves out is unknown."""
    return facts_of_values(example_values(example.facts, vocabulary, Path(SOURCE)))


def example_verdict(gate: GateFile, example: Example, pack: Pack) -> str:
    """What the gate says about the facts of one of its examples."""
    kind = next(kind for kind in gate.kinds if kind in pack.kinds)
    day = max(str(pack.tree["effective_from"]), gate.since)
    book = pack.rulebook(kind, datetime.fromisoformat(day).replace(tzinfo=UTC))
    readings = readings_of(example_facts(example, pack.vocabulary), pack.tree["facts"])
    judged = book.judge(readings.values, readings.known_by)
    return next(one.verdict for one in judged.gates if one.gate.id == gate.id)


def _part_problems(source: Source, file: PackFile, pack: Pack, today: date) -> Iterator[Problem]:
    part = source.part
    if isinstance(part, GateFile):
        yield from _gate_problems(source, part, pack)
    if isinstance(part, ControlFile):
        yield from _stale_references(source, part.mappings, ("mappings",), file, today)
    elif isinstance(part, RuleFile | GateFile | AdviceFile):
        yield from _stale_references(source, part.page.refs, ("page", "refs"), file, today)
    elif isinstance(part, QuestionFile):
        yield from _choice_problems(source, part, pack)


def _gate_problems(source: Source, gate: GateFile, pack: Pack) -> Iterator[Problem]:
    for index, example in enumerate(gate.examples):
        path = ("examples", index, "facts")
        strangers = [name for name in example.facts if pack.vocabulary.named(name) is None]
        for name in strangers:
            yield _problem(
                source, (*path, name), f"There is no fact {name}.", pack.vocabulary.nearest(name)
            )
        if strangers or not set(gate.kinds) & set(pack.kinds):
            continue
        verdict = example_verdict(gate, example, pack)
        if verdict != example.verdict:
            yield _problem(source, ("examples", index, "verdict"),
                           f"The example {example.name} gives {verdict}, not {example.verdict}.",
                           "Correct the example or the conditions of the gate.")  # fmt: skip
    shown = {example.verdict for example in gate.examples}
    wanted = {"pass", "insufficient"} | ({"fail"} if gate.fail_when else set())
    for missing in sorted(wanted - shown):
        yield _problem(source, ("examples",), f"No example shows the verdict {missing}.",
                       "Add one: facts and the verdict they give.")  # fmt: skip
    for key, text in (("matters_to", gate.page.matters_to), ("evidence", gate.page.evidence),
                      ("waiver", gate.page.waiver)):  # fmt: skip
        if text is None:
            yield _problem(source, ("page",), f"The page of a gate says {key}.", f"Add `{key}:`.")
    if gate.fail_when and (gate.sentences.fails is None or gate.do.fails is None):
        yield _problem(source, ("fail_when",), "The gate can fail and has no words for it.",
                       "Write sentences.fail and do.fail.")  # fmt: skip
    if gate.applies_when and gate.sentences.not_applicable is None:
        yield _problem(source, ("applies_when",), "The gate has no words for not applying.",
                       "Write sentences.not_applicable.")  # fmt: skip


def _stale_references(
    source: Source,
    references: Sequence[Reference],
    where: tuple[str, ...],
    file: PackFile,
    today: date,
) -> Iterator[Problem]:
    oldest = today - timedelta(days=file.reverify_after_days)
    for index, reference in enumerate(references):
        path: tuple[str | int, ...] = (*where, index)
        if reference.verified and reference.verified_on is None:
            yield _problem(source, path, f"{reference.clause} says verified but not when.",
                           "Write verified_on, or verified: false.")  # fmt: skip
        elif reference.verified_on is not None and reference.verified_on < oldest.isoformat():
            yield _problem(source, (*path, "verified_on"),
                           f"{reference.clause} was last looked up on {reference.verified_on}.",
                           "Read the source again, then write the new date.")  # fmt: skip
        if reference.valid_to is not None and reference.valid_to < today.isoformat():
            yield _problem(source, (*path, "valid_to"),
                           f"{reference.clause} ended on {reference.valid_to}.",
                           "Replace it by what holds now, or remove it.")  # fmt: skip


def _choice_problems(source: Source, question: QuestionFile, pack: Pack) -> Iterator[Problem]:
    kind = pack.vocabulary.named(question.fact)
    if kind is None:
        return
    wanted: tuple[object, ...] = (True, False) if kind.type == "bool" else kind.values
    given = [choice.value for choice in question.choices]
    if wanted and sorted(map(str, given)) != sorted(map(str, wanted)):
        yield _problem(source, ("choices",), f"The choices are not the values of {kind.name}.",
                       f"Offer each of: {', '.join(map(str, wanted))}.")  # fmt: skip


def _too_many_questions(sources: PackSources) -> Iterator[Problem]:
    if len(sources.sections["questions"]) > MOST_QUESTIONS:
        yield Problem(sources.document.place(), f"There are more than {MOST_QUESTIONS} questions.",
                      "Read the answers from artefacts, or drop a question.")  # fmt: skip


def _problem(source: Source, path: tuple[str | int, ...], message: str, hint: str) -> Problem:
    return Problem(source.document.value_place(path), message, hint)
