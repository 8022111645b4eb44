"""One file of a pack to its part of the compiled tree, its texts and its problems."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from guiderail.core.digest import decimal_string
from guiderail.core.errors import InputError
from guiderail.facts.fact import Value
from guiderail.policy.check_types import Tree, compile_text
from guiderail.policy.examples import SOURCE, example_values, stored_values
from guiderail.policy.lookalikes import first_foreign, instead, what_stands
from guiderail.policy.pack_files import (
    AdviceFile,
    Case,
    FactFile,
    GateFile,
    Level,
    PackFile,
    Page,
    QuestionFile,
    RuleFile,
)
from guiderail.policy.pack_reader import Source
from guiderail.policy.parse import ExpressionError
from guiderail.policy.problem import Problem
from guiderail.policy.templates import placeholders, unusable
from guiderail.policy.vocabulary import COMPUTED, Vocabulary, did_you_mean
from guiderail_verify.evaluate import fact_names
from guiderail_verify.judge import TIERS, TRACKS

NOTHING: Final[Tree] = {"bool": False}
_NOT_YET: Final = {"tiers": tuple(COMPUTED), "tracks": ("lighter.design",)}
"""Computed facts that come only after the rules of a section have decided."""

_LIMIT: Final = re.compile(r"\{limit\.([a-z][a-z0-9_]*)\}")

YamlPath = tuple[str | int, ...]


@dataclass(slots=True)
class PartCompiler:
    """Compiles one file; collects its texts and problems."""

    source: Source
    pack: PackFile
    section: str
    vocabulary: Vocabulary
    problems: list[Problem]
    texts: dict[str, Any] = field(default_factory=dict)

    def trees(self) -> list[Any]:
        """What the file adds to the deciding tree; fills `texts` and `problems` on the way."""
        part = self.source.part
        trees: list[Any] = []
        if not isinstance(part, FactFile) and part.until and part.until <= part.since:
            self.problem(f"It ends on {part.until} and begins on {part.since}: it never holds.",
                         "`until` is the first day on which it does not hold any more.",
                         "until")  # fmt: skip
        match part:
            case RuleFile():
                trees = _rule(self, part)
            case GateFile():
                trees = _gate(self, part)
            case AdviceFile():
                trees = _advice(self, part)
            case QuestionFile():
                trees = _question(self, part)
        self.texts = {key: self._filled(value) for key, value in self.texts.items()}
        return trees

    def _filled(self, texts: Any) -> Any:
        """Texts with `{limit.NAME}` as its number. A limit that is not there is a problem."""
        if isinstance(texts, str):
            return _LIMIT.sub(self._limit, texts)
        if isinstance(texts, dict):
            # Conditions of wordings are expressions: they are compiled already.
            return {
                key: value if key == "when" else self._filled(value) for key, value in texts.items()
            }
        return [self._filled(item) for item in texts] if isinstance(texts, list) else texts

    def _limit(self, found: re.Match[str]) -> str:
        value = self.pack.limits.get(found[1])
        if value is None:
            hint = did_you_mean(found[1], self.pack.limits)
            self.problem(f"There is no limit {found[1]}.", hint or "Name it under `limits`.", "id")
            return found[0]
        return decimal_string(value)

    def formula(self, text: str | None, *path: str | int) -> Tree | None:
        """The compiled expression; an unusable one is a problem and counts as never true."""
        if text is None:
            return None
        try:
            tree = compile_text(text, self.vocabulary, self.pack.limits)
        except ExpressionError as error:
            self.problems.extend(
                Problem(self.source.document.inside(path, mistake.at), mistake.message,
                        mistake.hint)
                for mistake in error.mistakes
            )  # fmt: skip
            return dict(NOTHING)
        for name in _NOT_YET.get(self.section, ()):
            if path[-1] == "when" and "sentence" not in path and name in fact_names(tree):
                place = self.source.document.inside(path, text.find(name))
                self.problems.append(
                    Problem(place, f"{name} is not known yet where this rule decides.",
                            "Ask for the facts behind it.")
                )  # fmt: skip
        return tree

    def wording(self, wording: str | Sequence[Case] | None, *path: str | int) -> list[Any]:
        """Cases with compiled conditions; the placeholders of each text are checked."""
        if wording is None:
            return []
        if isinstance(wording, str):
            self._check_placeholders(wording, path)
            return [{"when": None, "says": wording}]
        cases: list[Any] = []
        for index, case in enumerate(wording):
            self._check_placeholders(case.says, (*path, index, "says"))
            when = self.formula(case.when, *path, index, "when")
            cases.append({"when": when, "says": case.says})
        return cases

    def _check_placeholders(self, text: str, path: YamlPath) -> None:
        for placeholder in placeholders(text):
            if placeholder.startswith("limit."):
                continue
            at, place = first_foreign(placeholder), self.source.document.find(path, placeholder)
            if at is not None and place.column is not None:
                sign = placeholder[at]
                place = replace(place, column=place.column + at)
                self.problems.append(Problem(place, what_stands(sign), instead(sign)))
                continue
            reason = unusable(placeholder, self.vocabulary)
            if reason:
                message = f"{{{placeholder}}} cannot be filled in."
                self.problems.append(Problem(place, message, reason))

    def problem(self, message: str, hint: str, *path: str | int) -> None:
        place = self.source.document.value_place(path)
        self.problems.append(Problem(place, message, hint))

    def kinds(self, kinds: Sequence[str]) -> list[str]:
        return list(kinds or self.pack.kinds)


def _rule(compiler: PartCompiler, rule: RuleFile) -> list[Any]:
    single = rule.when is not None and rule.raises_to is not None and rule.sentence is not None
    if single == bool(rule.levels):
        compiler.problem("A rule has one condition, or levels, and not both.",
                         "Write raises_to, when and sentence at the top, or levels.")  # fmt: skip
        return []
    levels = rule.levels
    prefixes: list[YamlPath] = [("levels", index) for index in range(len(levels))]
    if rule.when is not None and rule.raises_to is not None and rule.sentence is not None:
        levels = (Level(raises_to=rule.raises_to, when=rule.when, sentence=rule.sentence,
                        worst=rule.worst, adds_reviewers=rule.adds_reviewers),)  # fmt: skip
        prefixes = [()]
    scale = TIERS if compiler.section == "tiers" else TRACKS
    for level, prefix in zip(levels, prefixes, strict=True):
        if level.raises_to not in scale:
            compiler.problem(f"{level.raises_to} is none of the {compiler.section}.",
                             f"Choices: {', '.join(scale)}.", *prefix, "raises_to")  # fmt: skip
    shared = {
        "id": rule.id,
        "kinds": compiler.kinds(rule.kinds),
        "since": rule.since,
        "until": rule.until,
        "counts": rule.counts,
        "blocks": rule.blocks,
        "adds_on": rule.adds_on,
        "by": rule.by,
    }
    compiler.texts |= _common_texts(rule.title, rule.owner, rule.since, rule.until, rule.page) | {
        "section": "rule",
        "because": rule.because,
        "to_lighten": rule.to_lighten,
        "where": rule.where,
        "levels": [
            {
                "sentence": compiler.wording(level.sentence, *prefix, "sentence"),
                "worst": level.worst,
            }
            for level, prefix in zip(levels, prefixes, strict=True)
        ],
    }
    return [
        shared
        | {
            "level": index,
            "raises_to": level.raises_to,
            "when": compiler.formula(level.when, *prefix, "when"),
            "adds_reviewers": list(level.adds_reviewers),
        }
        for index, (level, prefix) in enumerate(zip(levels, prefixes, strict=True))
    ]


def _gate(compiler: PartCompiler, gate: GateFile) -> list[Any]:
    says, do = gate.sentences, gate.do
    compiler.texts |= _common_texts(gate.title, gate.owner, gate.since, gate.until, gate.page) | {
        "section": "gate",
        "where": gate.where,
        "waivable_by": list(gate.waivable_by),
        "sentences": {
            "pass": compiler.wording(says.passes, "sentences", "pass"),
            "fail": compiler.wording(says.fails, "sentences", "fail"),
            "insufficient": compiler.wording(says.insufficient, "sentences", "insufficient"),
            "not_applicable": compiler.wording(says.not_applicable, "sentences", "not_applicable"),
        },
        "do": {
            "fail": compiler.wording(do.fails, "do", "fail"),
            "insufficient": compiler.wording(do.insufficient, "do", "insufficient"),
        },
        "examples": _examples(compiler, gate),
    }
    for name in gate.may_be_absent:
        if compiler.vocabulary.named(name) is None:
            compiler.problem(f"There is no fact {name}.", compiler.vocabulary.nearest(name),
                             "may_be_absent")  # fmt: skip
    return [
        {
            "id": gate.id,
            "owner": gate.owner,
            "since": gate.since,
            "until": gate.until,
            "kinds": {
                kind: {"from_tier": gate.from_tier_for.get(kind, gate.from_tier), "effect": effect}
                for kind, effect in gate.kinds.items()
            },
            "applies_when": compiler.formula(gate.applies_when, "applies_when"),
            "pass_when": compiler.formula(gate.pass_when, "pass_when"),
            "fail_when": compiler.formula(gate.fail_when, "fail_when"),
            "may_be_absent": list(gate.may_be_absent),
            "waivable_by": list(gate.waivable_by),
            **({"minimum_known_by": gate.minimum_known_by} if gate.minimum_known_by else {}),
        }
    ]


def _examples(compiler: PartCompiler, gate: GateFile) -> list[Any]:
    """Examples with typed facts. A fact that does not exist is left to `policy check`."""
    texts: list[Any] = []
    for index, example in enumerate(gate.examples):
        values: dict[str, Value] = {}
        for name, written in example.facts.items():
            try:
                values |= example_values({name: written}, compiler.vocabulary, Path(SOURCE))
            except InputError as error:
                compiler.problem(error.what, error.advice, "examples", index, "facts", name)
        texts.append({"name": example.name, "verdict": example.verdict,
                      "facts": stored_values(values)})  # fmt: skip
    return texts


def _advice(compiler: PartCompiler, advice: AdviceFile) -> list[Any]:
    common = _common_texts(advice.title, advice.owner, advice.since, advice.until, advice.page)
    compiler.texts |= common | {
        "section": "advice",
        "where": advice.where,
        "sentence": compiler.wording(advice.sentence, "sentence"),
        "fix": advice.fix,
    }
    return [
        {
            "id": advice.id,
            "kinds": compiler.kinds(advice.kinds),
            "since": advice.since,
            "until": advice.until,
            "when": compiler.formula(advice.when, "when"),
        }
    ]


def _question(compiler: PartCompiler, question: QuestionFile) -> list[Any]:
    for path, fact in _facts_of(question):
        if compiler.vocabulary.named(fact) is None:
            compiler.problem(f"There is no fact {fact}.", compiler.vocabulary.nearest(fact), *path)
    if question.fact is None and not question.shows:
        compiler.problem("The question asks for no fact and shows none.",
                         "Write `fact:`, or `shows:` where the platform computes the answer.",
                         "id")  # fmt: skip
    compiler.texts |= {
        "section": "question",
        "title": question.question,
        "owner": question.owner,
        "since": question.since,
        "until": question.until,
        "number": question.number,
        "fact": question.fact,
        "shows": list(question.shows),
        "kinds": compiler.kinds(question.kinds),
        "ask": question.ask or question.owner,
        "why": question.why,
        "good": question.good,
        "help": question.help,
        "choices": [choice.model_dump() for choice in question.choices],
    }
    if question.fact is None:
        return []
    return [
        {
            "id": question.id,
            "number": question.number,
            "kinds": compiler.kinds(question.kinds),
            "since": question.since,
            "until": question.until,
            "fact": question.fact,
            "skip_when": compiler.formula(question.skip_when, "skip_when"),
        }
    ]


def _facts_of(question: QuestionFile) -> list[tuple[YamlPath, str]]:
    asked = [(("fact",), question.fact)] if question.fact is not None else []
    return [*asked, *((("shows", index), fact) for index, fact in enumerate(question.shows))]


def _common_texts(
    title: str, owner: str, since: str, until: str | None, page: Page
) -> dict[str, Any]:
    return {
        "title": title,
        "owner": owner,
        "since": since,
        "until": until,
        "page": page.model_dump(mode="json"),
    }
