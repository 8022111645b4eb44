"""Answer the questions of a case: what only the owner can know."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from guiderail.core.errors import ConflictError, InputError
from guiderail.core.scales import Track
from guiderail.facts.catalogue import BY_NAME
from guiderail.facts.fact import Value, to_json
from guiderail.review import cases
from guiderail.review.authz import Action, Matter
from guiderail.review.cases import Case
from guiderail.review.interview import Question, questions_for
from guiderail.review.states import State
from guiderail.service.answer_rows import case_answers
from guiderail.service.answers import Answer
from guiderail.service.authorise import authorise
from guiderail.service.journal import case_subject, record
from guiderail.service.permits import issue_permit
from guiderail.service.policy_in_force import recorded_pack
from guiderail.service.records import refresh_snapshot
from guiderail.service.redecide import redecide
from guiderail.service.unchanged import void_if_changed
from guiderail.service.workspace import Workspace


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question that the case still asks, with the answer given so far."""

    question: Question
    given: Value | None


def open_questions(workspace: Workspace, case_id: str) -> tuple[OpenQuestion, ...]:
    """The questions of a case, in the order of the interview."""
    with workspace.store.read() as snapshot:
        case = cases.load(snapshot, case_id)
        dossier = cases.load_dossier(snapshot, case.dossier_digest)
        given = case_answers(snapshot, case_id)
        pack = recorded_pack(snapshot, workspace, case.kind, workspace.clock())
    asked = questions_for(pack, dossier.decision["unanswered"])
    return tuple(
        OpenQuestion(item, given[item.fact].value if item.fact in given else None) for item in asked
    )


def answer(workspace: Workspace, case_id: str, values: Mapping[str, Value]) -> Case:
    """Keep the answers, decide again and send the case on its way.

    An answer may be corrected to a riskier value. Any other correction is refused and nothing is
    kept: it takes a second person, so the value is written into the manifest and submitted. "I
    don't know" is no value: the fact stays unknown and counts as the worst it could be.
    """
    now = workspace.clock()
    void_if_changed(workspace, case_id)
    with workspace.store.transaction() as tx:
        case = cases.load(tx, case_id)
        if case.state not in (State.NEEDS_ANSWERS, State.IN_REVIEW):
            raise ConflictError(
                f"{case.id} is {case.state}; its questions are closed",
                code="answer/state",
                advice=f"`guiderail status {case.id}` says what happens next.",
            )
        dossier = cases.load_dossier(tx, case.dossier_digest)
        authorise(
            workspace,
            Action.ANSWER,
            Matter(
                case.id,
                case.kind,
                Track(case.track),
                case.submitter,
                frozenset(dossier.contributors),
            ),
        )
        given = case_answers(tx, case.id)
        _refuse_unasked(case, (*dossier.decision["unanswered"], *given), values)
        _refuse_lighter(given, values)
        stored = {name: to_json(value) for name, value in values.items()}
        cases.put_answers(tx, case.id, stored, workspace.actor.person, now)
        case = redecide(tx, workspace, case, now, "case.answered")
        record(
            tx,
            "case.answered",
            case_subject(case),
            workspace.actor,
            now,
            {"case": case.id, "answers": sorted(values), "dossier": case.dossier_digest},
            outcome=case.state.value,
        )
    if case.state is State.APPROVED:
        case = issue_permit(workspace, case.id)
    refresh_snapshot(workspace, case.workload)
    return case


def _refuse_lighter(given: Mapping[str, Answer], values: Mapping[str, Value]) -> None:
    """What somebody said in this case may only be corrected to something riskier."""
    for name, value in values.items():
        if name in given and not _riskier(name, value, given[name].value):
            raise ConflictError(
                f"{name} was answered with {to_json(given[name].value)}; only a riskier answer "
                "may take its place",
                code="answer/lighter",
                advice="Write the value into guiderail.yaml and submit again, so that a second "
                "person sees the correction.",
            )


def _riskier(name: str, value: Value, before: Value) -> bool:
    """Equal counts as riskier. A fact without a direction of risk has no riskier value."""
    kind = BY_NAME[name]
    if value == before:
        return True
    if kind.risk_direction == "none":
        return False
    scale = kind.values or (False, True)
    if value not in scale or before not in scale:
        return False
    higher = scale.index(value) > scale.index(before)
    return higher if kind.risk_direction == "up" else not higher


def _refuse_unasked(case: Case, asked: Sequence[str], values: Mapping[str, Value]) -> None:
    for name in values:
        if name not in asked:
            raise InputError(
                f"{case.id} does not ask for {name!r}",
                code="answer/unasked",
                advice=f"It asks for: {', '.join(asked) or 'nothing more'}.",
            )


def read_value(workspace: Workspace, case_id: str, text: str) -> tuple[str, Value]:
    """`FACT=VALUE` as an answer. Raises InputError for another form or a value that is none."""
    name, separator, written = text.partition("=")
    name = name.strip()
    if not separator:
        raise InputError(
            f"{text!r} is not of the form FACT=VALUE",
            code="answer/form",
            advice="For example --set use.reversible=true.",
        )
    with workspace.store.read() as snapshot:
        case = cases.load(snapshot, case_id)
        dossier = cases.load_dossier(snapshot, case.dossier_digest)
        given = case_answers(snapshot, case_id)
    _refuse_unasked(case, (*dossier.decision["unanswered"], *given), {name: ""})
    value = parse_answer(name, written.strip())
    if value is None:
        raise InputError(
            f"{written.strip()!r} is no answer to {name}",
            code="answer/value",
            advice=f"Choose one of: {', '.join(choices(name))}.",
        )
    return name, value


_YES, _NO = ("yes", "true", "y"), ("no", "false", "n")


def parse_answer(fact: str, text: str) -> Value | None:
    """What a person typed as a value of the fact's type; None when it is none.

    Numbers have a point and no unit. A number that is not finite is none.
    """
    kind = BY_NAME[fact]
    lowered = text.lower()
    if kind.type == "bool":
        return True if lowered in _YES else False if lowered in _NO else None
    if kind.type == "enum":
        return lowered if lowered in kind.values else None
    if kind.type in ("integer", "number"):
        try:
            number = int(text) if kind.type == "integer" else float(text)
        except ValueError:
            return None
        return number if math.isfinite(number) else None
    return text if kind.type == "text" and text else None


def choices(fact: str) -> tuple[str, ...]:
    """What may be typed, in words."""
    kind = BY_NAME[fact]
    if kind.type == "bool":
        return ("yes", "no")
    if kind.type == "enum":
        return kind.values
    return (f"a {kind.type}" + (f" in {kind.unit}" if kind.unit else ""),)
