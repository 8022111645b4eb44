"""Answer the questions of a case: what only the owner can know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from guiderail.core.errors import ConflictError, InputError
from guiderail.core.scales import Track
from guiderail.facts.fact import Value, to_json
from guiderail.review import cases
from guiderail.review.authz import Action, Matter
from guiderail.review.cases import Case
from guiderail.review.dossier import Dossier
from guiderail.review.interview import Question, questions_for
from guiderail.review.states import State
from guiderail.service.answer_rows import case_answers
from guiderail.service.answer_values import choices, parse_answer, riskier
from guiderail.service.answers import Answer
from guiderail.service.authorise import authorise
from guiderail.service.interview import refuse_closed
from guiderail.service.journal import case_subject, record
from guiderail.service.permits import issue_permit
from guiderail.service.policy_in_force import recorded_pack
from guiderail.service.records import refresh_snapshot
from guiderail.service.redecide import redecide
from guiderail.service.registers import transaction
from guiderail.service.unchanged import void_if_changed
from guiderail.service.workspace import Workspace
from guiderail.store.transaction import Snapshot


def answer(workspace: Workspace, case_id: str, values: Mapping[str, Value]) -> Case:
    """Keep the answers, decide again and send the case on its way.

    An answer may be corrected to a riskier value. Any other correction is refused and nothing is
    kept: it takes a second person, so the value is written into the manifest and submitted. "I
    don't know" is no value: the fact stays unknown, counts as the worst it could be, and the role
    that can know is told. What only tells reviewers more may be corrected freely.
    """
    now = workspace.clock()
    void_if_changed(workspace, case_id)
    with transaction(workspace) as tx:
        case = cases.load(tx, case_id)
        refuse_closed(case)
        dossier = cases.load_dossier(tx, case.dossier_digest)
        pack = recorded_pack(tx, workspace, case.kind, now)
        asked = {one.fact: one for one in questions_for(pack, case.kind, now.date().isoformat())}
        authorise(
            workspace,
            Action.ANSWER,
            Matter(
                case.id,
                case.kind,
                Track(case.track),
                case.submitter,
                frozenset(dossier.contributors),
                can_know=_can_know(asked, values),
            ),
        )
        given = case_answers(tx, case.id)
        _refuse_unasked(case, _askable(dossier, given), values)
        _refuse_lighter(given, values, asked)
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
            notify=_who_can_know(tx, case, asked),
        )
    if case.state is State.APPROVED:
        case = issue_permit(workspace, case.id)
    refresh_snapshot(workspace, case.workload)
    return case


def _askable(dossier: Dossier, given: Mapping[str, Answer]) -> tuple[str, ...]:
    """Facts that the case asks for, or that somebody answered in it."""
    decision = dossier.decision
    return (*decision["unanswered"], *decision.get("optional", ()), *given)


def _can_know(asked: Mapping[str, Question], values: Mapping[str, Value]) -> frozenset[str]:
    """Roles that can know every one of the answers."""
    roles = [{asked[name].ask} for name in values if name in asked]
    return frozenset(set.intersection(*roles)) if roles else frozenset()


def _who_can_know(tx: Snapshot, case: Case, asked: Mapping[str, Question]) -> list[str]:
    """Roles to be told of what the case still does not know and would have to."""
    dossier = cases.load_dossier(tx, case.dossier_digest)
    return sorted({asked[name].ask for name in dossier.decision["unanswered"] if name in asked})


def _refuse_lighter(
    given: Mapping[str, Answer], values: Mapping[str, Value], asked: Mapping[str, Question]
) -> None:
    """What somebody said in this case may only be corrected to something riskier.

    What decides nothing may be corrected freely.
    """
    for name, value in values.items():
        question = asked.get(name)
        if name not in given or (question is not None and question.context):
            continue
        if question is None or not riskier(question.type, value, given[name].value):
            raise ConflictError(
                f"{name} was answered with {to_json(given[name].value)}; only a riskier answer "
                "may take its place",
                code="answer/lighter",
                advice="Write the value into guiderail.yaml and submit again, so that a second "
                "person sees the correction.",
            )


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
        pack = recorded_pack(snapshot, workspace, case.kind, workspace.clock())
    _refuse_unasked(case, _askable(dossier, given), {name: ""})
    kind = pack.vocabulary.named(name)
    value = parse_answer(kind, written) if kind is not None else None
    if value is None:
        raise InputError(
            f"{written.strip()!r} is no answer to {name}",
            code="answer/value",
            advice=f"Choose one of: {', '.join(choices(kind or name))}.",
        )
    return name, value
