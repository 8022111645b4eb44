"""Deciding a case again when something about its release became known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from guiderail.core.errors import ConflictError, IntegrityError, Place
from guiderail.core.time import to_text
from guiderail.facts.fact import FactSet
from guiderail.facts.standing import Standing
from guiderail.manifest.load import FILE_NAME, load_release
from guiderail.policy.decide import decide
from guiderail.render.check_json import decision_document
from guiderail.review import cases
from guiderail.review.cases import Case
from guiderail.review.dossier import Dossier
from guiderail.review.states import State
from guiderail.service.answer_rows import carried_answers, case_answers
from guiderail.service.answers import answers_to_json, profile_of, with_answers
from guiderail.service.check import evaluate
from guiderail.service.journal import case_subject, record
from guiderail.service.own_evidence import gate_results
from guiderail.service.own_facts import with_own_facts
from guiderail.service.policy_in_force import recorded_pack
from guiderail.service.records import standing, store_pack
from guiderail.service.snapshot import facts_from_json, facts_to_json, release_folder
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.transaction import Snapshot, Transaction

Learn = Callable[[FactSet, Standing], FactSet]


def redecide(
    tx: Transaction,
    workspace: Workspace,
    case: Case,
    now: datetime,
    event: str,
    learn: Learn | None = None,
) -> Case:
    """Fill in the answers of the case, decide again, and move it on where that settles it.

    learn: gives the facts with what else became known about them, such as who vouches for them.
    event: what became known, as the ledger calls it. A case that turns green is approved; one
    that was answered, or has no open question, goes to review; any other stays, with a new dossier.
    Whoever answered has worked on the release from then on, and cannot approve it.
    """
    release = load_release(release_folder(workspace.releases, case.release_digest))
    before = cases.load_dossier(tx, case.dossier_digest)
    known = standing(tx, workspace, case.workload, now)
    said = case_answers(tx, case.id)
    answers = {**carried_answers(tx, case.workload, now), **said}
    pack = recorded_pack(tx, workspace, case.kind, now)
    store_pack(tx, pack)
    recorded: FactSet = facts_from_json(before.facts)
    own = with_own_facts(learn(recorded, known) if learn else recorded, release, pack)
    facts = with_answers(own, answers, release, known)
    decision = evaluate(release, facts, now, pack)
    dossier = Dossier(
        before.release_digest,
        facts_to_json(facts),
        answers_to_json(answers),
        tuple(sorted({*before.contributors, *(one.person for one in said.values())})),
        decision.policy.digest,
        decision_document(decision),
    )
    case = cases.replace_dossier(tx, case, dossier, now)
    green = decision.track == "green" and decision.outcome == "go"
    asked = case.state is State.NEEDS_ANSWERS and decision.unanswered and event != "case.answered"
    end = State.APPROVED if green else State.NEEDS_ANSWERS if asked else State.IN_REVIEW
    if case.state is not end:
        case = cases.move(tx, case, end, event, now)
    record(
        tx,
        "case.decided",
        case_subject(case),
        workspace.actor,
        now,
        {
            "case": case.id,
            "dossier": dossier.digest,
            "tier": decision.tier.value,
            "track": decision.track.value,
            "outcome": decision.outcome.value,
            "reviewers": [need.role for need in decision.reviewers],
        },
        outcome=case.state.value,
        policy=decision.policy.digest,
        evidence=[gate_results(workspace, case, dossier.decision, now)],
        notify=[need.role for need in decision.reviewers],
    )
    return case


def refuse_other_decision(tx: Snapshot, workspace: Workspace, case: Case, dossier: Dossier) -> None:
    """The stored decision is made again from the stored facts, not believed.

    Raises ConflictError when the pack that decided is not the one in force any more, and
    IntegrityError when the pack says something else about the facts than what is stored.
    """
    if dossier.erased:
        raise ConflictError(
            f"names in the dossier of {case.id} were erased since it was decided",
            code="permit/erased",
            advice="Submit the release again.",
        )
    pack = recorded_pack(tx, workspace, case.kind, workspace.clock())
    if pack.digest != dossier.pack_digest:
        raise ConflictError(
            f"the policy changed since {case.id} was decided",
            code="permit/policy-changed",
            advice="Submit the release again: it is then decided under the policy of today.",
        )
    decision = decide(
        pack,
        facts_from_json(dossier.facts),
        kind=case.kind,
        at=cases.decided_at(tx, case.dossier_digest),
        place=lambda _: Place(FILE_NAME),
    )
    if _binding(decision_document(decision)) != _binding(dossier.decision):
        raise IntegrityError(
            f"the decision that is stored for {case.id} is not what its facts give",
            code="integrity/decision",
            advice="Run `guiderail ledger verify`, then restore the workspace from a backup.",
        )


def _binding(document: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a decision that say who must approve what."""
    return {
        "outcome": document["outcome"],
        "tier": document["tier"]["value"],
        "track": document["track"]["value"],
        "reviewers": document["reviewers"],
        "gates": {
            gate["id"]: (gate["verdict"], gate["owner"])
            for gate in document["gates"]
            if gate["enforced"]
        },
    }


def confirm_profile(tx: Transaction, workspace: Workspace, case: Case, now: datetime) -> None:
    """Record that risk confirmed the use profile of the case, once per profile."""
    release = load_release(release_folder(workspace.releases, case.release_digest))
    given = {**carried_answers(tx, case.workload, now), **case_answers(tx, case.id)}
    dossier = cases.load_dossier(tx, case.dossier_digest)
    digest = profile_of(release, {name: given[name] for name in dossier.answers if name in given})
    table = tables.confirmed_profile
    if tx.execute(select(table.c.digest).where(table.c.digest == digest)).first() is not None:
        return
    tx.execute(
        insert(table).values(
            digest=digest, workload=case.workload, person=workspace.actor.person, at=to_text(now)
        )
    )
    record(
        tx,
        "profile.confirmed",
        case_subject(case),
        workspace.actor,
        now,
        {"case": case.id, "profile": digest},
        outcome="confirmed",
    )
