"""The interview of one case: what it needs to know, what it would like to know, what it knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from guiderail.core.errors import ConflictError
from guiderail.facts.fact import Fact, FactSet, Value
from guiderail.facts.fact_type import FactType
from guiderail.policy.pack import Pack
from guiderail.policy.words import capitalised, value_words
from guiderail.review import cases
from guiderail.review.cases import Case
from guiderail.review.dossier import Dossier
from guiderail.review.interview import Question, computed_for, questions_for
from guiderail.review.states import State
from guiderail.service.answer_rows import carried_answers, case_answers
from guiderail.service.answers import Answer, is_answer
from guiderail.service.policy_in_force import recorded_pack
from guiderail.service.snapshot import facts_from_json
from guiderail.service.workspace import Workspace
from guiderail.store.transaction import Snapshot


@dataclass(frozen=True, slots=True)
class Shown:
    """A fact in words. days: how long ago it was measured, declared or answered."""

    fact: str
    says: str
    words: str
    source: str
    days: int


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question that the case still asks. shown: what is known already and helps to answer."""

    question: Question
    shown: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A question that needs no answer: a file or an earlier answer gives it."""

    question: Question
    answer: Shown
    answered: bool


@dataclass(frozen=True, slots=True)
class Interview:
    """needed: may change the decision. offered: tell reviewers more, and hold up nothing.

    changed: what is computed and never asked.
    """

    needed: tuple[OpenQuestion, ...]
    offered: tuple[OpenQuestion, ...]
    told: tuple[Told, ...]
    changed: tuple[Shown, ...]


def interview(workspace: Workspace, case_id: str) -> Interview:
    """The interview of a case whose questions are open. Raises ConflictError for another one."""
    with workspace.store.read() as snapshot:
        case = cases.load(snapshot, case_id)
        refuse_closed(case)
        dossier = cases.load_dossier(snapshot, case.dossier_digest)
        return interview_of(snapshot, workspace, case, dossier)


def refuse_closed(case: Case) -> None:
    """Questions are open until a case is approved."""
    if case.state not in (State.NEEDS_ANSWERS, State.IN_REVIEW):
        raise ConflictError(
            f"{case.id} is {case.state}; its questions are closed",
            code="answer/state",
            advice=f"`guiderail status {case.id}` says what happens next.",
        )


def interview_of(tx: Snapshot, workspace: Workspace, case: Case, dossier: Dossier) -> Interview:
    """The interview of a case as its dossier stands."""
    now = workspace.clock()
    pack = recorded_pack(tx, workspace, case.kind, now)
    answers = {**carried_answers(tx, case.workload, now), **case_answers(tx, case.id)}
    facts = _Facts(facts_from_json(dossier.facts), pack, answers, case.created_at, now)
    asked = questions_for(pack, case.kind, now.date().isoformat())
    needed, offered = (dossier.decision.get(key, ()) for key in ("unanswered", "optional"))
    return Interview(
        needed=tuple(facts.open(one) for one in asked if one.fact in needed),
        offered=tuple(facts.open(one) for one in asked if one.fact in offered),
        told=tuple(told for one in asked if (told := facts.told(one)) is not None),
        changed=tuple(
            shown
            for one in computed_for(pack, case.kind)
            for name in one.shows
            if (shown := facts.shown(name)) is not None
        ),
    )


@dataclass(frozen=True, slots=True)
class _Facts:
    """Facts of the dossier with their age. since: when the release was measured."""

    facts: FactSet
    pack: Pack
    answers: Mapping[str, Answer]
    since: datetime
    now: datetime

    def open(self, question: Question) -> OpenQuestion:
        shown = (self.shown(name) for name in question.shows)
        return OpenQuestion(question, tuple(one for one in shown if one is not None))

    def told(self, question: Question) -> Told | None:
        shown = self.shown(question.fact)
        if shown is None:
            return None
        return Told(question, shown, is_answer(self.facts[question.fact]))

    def shown(self, name: str) -> Shown | None:
        fact, kind = self.facts.get(name), self.pack.vocabulary.named(name)
        if fact is None or kind is None or fact.is_unknown:
            return None
        words = value_words(kind, fact.value, _form(kind, fact.value), self.pack.limits(name))
        return Shown(name, capitalised(kind.says), words, fact.source, self._days(name, fact))

    def _days(self, name: str, fact: Fact) -> int:
        answer = self.answers.get(name)
        at = answer.at if answer is not None and is_answer(fact) else self.since
        return max((self.now - at).days, 0)


def _form(kind: FactType, value: Value) -> str:
    """Changes are told with their sign."""
    signed = kind.unit == "%" and kind.risk_direction == "none" and not isinstance(value, str)
    return "+" if signed else ""
