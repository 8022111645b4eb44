"""`guiderail policy check`: everything that must hold before a pack may decide anything.

Loading finds unusable files, types and names. On top of that each example of a gate must give its
verdict, each page must be complete, and each mapping to a clause must be up to date.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from guiderail.core.errors import InputError
from guiderail.facts.fact import FactSet
from guiderail.policy.examples import SOURCE
from guiderail.policy.facts_file import given_fact
from guiderail.policy.layers import layered
from guiderail.policy.mappings import mapping_problems
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
from guiderail.policy.pack_lint import lint
from guiderail.policy.pack_reader import PackPart, PackSources, Reading, Source, read_directory
from guiderail.policy.problem import Problem
from guiderail.policy.readings import readings_of
from guiderail.policy.vocabulary import Vocabulary, did_you_mean

MOST_FACTS: Final = 3
"""How many facts one number of the interview may ask for; a longer one is filled in carelessly."""

_LIMIT: Final = re.compile(r"limit\.([a-z][a-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class CheckedPack:
    """pack is None where it cannot be compiled at all.

    reading: the files behind it. parts: how many hold, by section, those of extended packs
    included. examples and mappings: how many examples were tried, once per kind, and how many
    clauses were looked at.
    """

    pack: Pack | None
    problems: tuple[Problem, ...]
    reading: Reading
    parts: Mapping[str, int] = field(default_factory=dict)
    examples: int = 0
    mappings: int = 0


def check_pack_directory(directory: Path, *, today: date) -> CheckedPack:
    """Check a pack and every pack that it extends."""
    reading = read_directory(directory)
    built = build(reading)
    if built.problems:
        return CheckedPack(None, tuple(built.problems), reading)
    pack = make_pack(built.tree, built.texts)
    layers = layered(reading.packs, [])
    holding = {id(source) for parts in layers.sections.values() for source in parts}
    counted = [source.part for parts in layers.sections.values() for source in parts]
    problems: list[Problem] = []
    for index, sources in enumerate(reading.packs):
        moved = frozenset(
            name for upper in reading.packs[index + 1 :] for name in upper.pack.limits
        )
        for parts in sources.sections.values():
            for source in parts:
                if id(source) in holding:
                    problems.extend(_part_problems(source, sources.pack, pack, today, moved))
    problems.extend(_too_many_questions(reading.packs, pack))
    problems.extend(lint(reading.packs, layers, pack))
    return CheckedPack(
        pack,
        tuple(problems),
        reading,
        {name: len(parts) for name, parts in layers.sections.items() if parts},
        sum(len(part.examples) * len(example_kinds(part, pack)) for part in counted
            if isinstance(part, GateFile)),
        sum(len(_mappings(part)) for part in counted),
    )  # fmt: skip


def _mappings(part: PackPart) -> tuple[Reference, ...]:
    match part:
        case ControlFile():
            return part.mappings
        case RuleFile() | GateFile() | AdviceFile():
            return part.page.refs
    return ()


def example_facts(example: Example, vocabulary: Vocabulary) -> FactSet:
    """The facts of an example, as attested ones; what it leaves out is unknown.

    Raises InputError for a name or a value that no fact has.
    """
    return {
        name: given_fact(name, list(value) if isinstance(value, tuple) else value, Path(SOURCE),
                         vocabulary)
        for name, value in example.facts.items()
    }  # fmt: skip


def example_kinds(gate: GateFile, pack: Pack) -> tuple[str, ...]:
    """The kinds for which the examples of a gate are tried: its own that the pack decides about."""
    return tuple(kind for kind in gate.kinds if kind in pack.kinds)


def example_verdict(gate: GateFile, example: Example, pack: Pack, kind: str | None = None) -> str:
    """What the gate says about the facts of one of its examples, for one of its kinds."""
    tried = kind or example_kinds(gate, pack)[0]
    day = max(str(pack.tree["effective_from"]), gate.since)
    book = pack.rulebook(tried, datetime.fromisoformat(day).replace(tzinfo=UTC))
    readings = readings_of(example_facts(example, pack.vocabulary), pack.tree["facts"])
    judged = book.judge(readings.values, readings.known_by)
    return next(one.verdict for one in judged.gates if one.gate.id == gate.id)


def _part_problems(
    source: Source, file: PackFile, pack: Pack, today: date, moved: frozenset[str]
) -> Iterator[Problem]:
    """moved: limits that an extending pack sets anew; the examples were written for the others."""
    part, days = source.part, file.reverify_after_days
    if isinstance(part, GateFile):
        yield from _gate_problems(source, part, pack, tried=not moved & _limits_in(part))
    if isinstance(part, QuestionFile):
        yield from _choice_problems(source, part, pack)
    where = ("mappings",) if isinstance(part, ControlFile) else ("page", "refs")
    yield from mapping_problems(source, _mappings(part), where, days, today)


def _limits_in(gate: GateFile) -> frozenset[str]:
    """Names of the limits that the conditions of a gate compare with."""
    conditions = (gate.applies_when, gate.pass_when, gate.fail_when)
    return frozenset(name for text in conditions if text for name in _LIMIT.findall(text))


def _gate_problems(source: Source, gate: GateFile, pack: Pack, *, tried: bool) -> Iterator[Problem]:
    for index, example in enumerate(gate.examples):
        wrong = list(_strange_facts(source, index, example, pack.vocabulary))
        yield from wrong
        if wrong or not tried or not _comes_into_force(gate, pack):
            continue
        for kind in example_kinds(gate, pack):
            verdict = example_verdict(gate, example, pack, kind)
            if verdict != example.verdict:
                yield _problem(source, ("examples", index, "verdict"),
                               f"For kind {kind} the example {example.name} gives {verdict}, not "
                               f"{example.verdict}.",
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


def _comes_into_force(gate: GateFile, pack: Pack) -> bool:
    return gate.until is None or gate.until > str(pack.tree["effective_from"])


def _strange_facts(
    source: Source, index: int, example: Example, vocabulary: Vocabulary
) -> Iterator[Problem]:
    for name, value in example.facts.items():
        one = example.model_copy(update={"facts": {name: value}})
        try:
            example_facts(one, vocabulary)
        except InputError as error:
            yield _problem(source, ("examples", index, "facts", name), error.what, error.advice)


def _choice_problems(source: Source, question: QuestionFile, pack: Pack) -> Iterator[Problem]:
    if question.ask is not None and question.ask not in pack.texts["roles"]:
        hint = did_you_mean(question.ask, pack.texts["roles"])
        yield _problem(source, ("ask",), f"There is no role {question.ask}.",
                       hint or "Name it under `roles` in pack.yaml.")  # fmt: skip
    kind = pack.vocabulary.named(question.fact) if question.fact is not None else None
    if kind is None:
        return
    wanted: tuple[object, ...] = (True, False) if kind.type == "bool" else kind.values
    given = [choice.value for choice in question.choices]
    if wanted and sorted(map(str, given)) != sorted(map(str, wanted)):
        yield _problem(source, ("choices",), f"The choices are not the values of {kind.name}.",
                       f"Offer each of: {', '.join(map(str, wanted))}.")  # fmt: skip


def _too_many_questions(packs: Sequence[PackSources], pack: Pack) -> Iterator[Problem]:
    """The schema ends the numbers at 26; here, that no number hides many questions."""
    asked = Counter(
        (row["number"], kind) for row in pack.tree["questions"] for kind in row["kinds"]
    )
    for (number, kind), facts in sorted(asked.items()):
        if facts > MOST_FACTS:
            yield Problem(
                packs[-1].document.place(),
                f"Number {number} of the interview asks a {kind} for {facts} facts.",
                f"Ask for at most {MOST_FACTS}: read the rest from artefacts.",
            )


def _problem(source: Source, path: tuple[str | int, ...], message: str, hint: str) -> Problem:
    return Problem(source.document.value_place(path), message, hint)
