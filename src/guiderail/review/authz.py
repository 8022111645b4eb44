"""Who may do what, in one function that says why.

`decide` returns the rule that allowed or refused and a sentence; callers never guess. Roles are
those of the person on that day, competence must be in date for the kind, and nobody decides on
their own work.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from guiderail.core.scales import Track
from guiderail.people.register import Person, Register
from guiderail_verify.authority import (
    APPROVAL,
    CONFIRMATION,
    DEPLOYERS,
    NO_ADMINISTRATOR,
    POLICY_APPROVAL,
    Claim,
    may_deploy,
    refused_by,
)


class Action(StrEnum):
    SUBMIT = "submit"
    ANSWER = "answer"
    DECIDE = "decide"
    CONFIRM_USE = "confirm-use"
    DECIDE_POLICY = "decide-policy"
    DEPLOY = "deploy"
    WITHDRAW = "withdraw"
    CHOOSE_WITNESSES = "choose-witnesses"
    REVOKE = "revoke"
    ERASE = "erase"
    KEEP_RECORDS = "keep-records"


@dataclass(frozen=True, slots=True)
class Authorisation:
    """The answer: allowed or not, by which rule, and the sentence that tells the person."""

    allowed: bool
    rule: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Matter:
    """What the action is about.

    submitter and contributors are person ids: who submitted, who committed, who ran the training.
    decided: ids of people who have already approved this dossier.
    role: the role in which the person wants to decide. can_know: roles that can know an answer.
    """

    case: str
    kind: str
    track: Track
    submitter: str
    contributors: frozenset[str] = frozenset()
    decided: frozenset[str] = frozenset()
    role: str | None = None
    needed_roles: tuple[str, ...] = field(default=())
    can_know: frozenset[str] = frozenset()


WITNESS_CHOOSERS = ("administrator", "ml-platform-engineer", "data-platform-engineer")
REVOKERS = (*DEPLOYERS, "administrator", "risk-officer", "security")
RECORD_KEEPERS = ("data-steward", "compliance")
"""Roles that answer for what is kept about people, and for how long."""


def decide(
    action: Action, person: Person, matter: Matter, register: Register, on: date
) -> Authorisation:
    """Whether the person may do this on that day."""
    for rule in _RULES[action]:
        refusal = rule(person, matter, register, on)
        if refusal is not None:
            return refusal
    return Authorisation(True, f"{action}/allowed", f"{person.name} may {_WORDS[action]}.")


def _refuse(rule: str, sentence: str) -> Authorisation:
    return Authorisation(False, rule, sentence)


_Rule = Callable[[Person, Matter, Register, date], Authorisation | None]


def _administrator(person: Person, _: Matter, __: date) -> str:
    return f"{person.name} administers the platform; administrators cannot approve."


def _role_not_needed(person: Person, matter: Matter, _: date) -> str:
    wanted = ", ".join(matter.needed_roles) or "nobody"
    held = ", ".join(person.roles) or "no role"
    return f"{matter.case} waits for: {wanted}. {person.name} has: {held}."


def _role_missing(person: Person, matter: Matter, _: date) -> str:
    return f"{person.name} does not have the role {matter.role}."


def _competence(person: Person, matter: Matter, on: date) -> str:
    return (
        f"{person.name} has no training in date as {matter.role} for {matter.kind} releases "
        f"on {on.isoformat()}."
    )


def _own_work(person: Person, matter: Matter, _: date) -> str:
    did = "submitted" if person.id == matter.submitter else "contributed to"
    return f"{person.name} {did} {matter.case}; somebody else has to decide."


def _two_people(person: Person, matter: Matter, _: date) -> str:
    return f"{person.name} has already approved {matter.case}; two approvals are two people."


def _reporting_line(person: Person, matter: Matter, _: date) -> str:
    return (
        f"{person.name} and the submitter of {matter.case} are in one reporting line; a red "
        "release needs somebody independent."
    )


_SENTENCES: dict[str, Callable[[Person, Matter, date], str]] = {
    "administrator": _administrator,
    "own-work": _own_work,
    "role-not-needed": _role_not_needed,
    "role-missing": _role_missing,
    "competence": _competence,
    "two-people": _two_people,
    "reporting-line": _reporting_line,
}
"""How each rule of `guiderail_verify.authority` is told to the person whom it refuses."""


def _deciding(rules: tuple[str, ...]) -> _Rule:
    """The rules that an auditor asks again, said in words."""

    def rule(person: Person, matter: Matter, register: Register, on: date) -> Authorisation | None:
        claim = Claim(
            person=person.id,
            roles=person.roles,
            role=matter.role,
            trained=person.competent(matter.role or "", matter.kind, on) is not None,
            own_work={matter.submitter, *matter.contributors},
            needed=matter.needed_roles,
            decided=matter.decided,
            close=register.same_line(person.id, matter.submitter),
            track=matter.track.value,
        )
        refused = refused_by(claim, rules)
        if refused is None:
            return None
        return _refuse(refused, _SENTENCES[refused](person, matter, on))

    return rule


def _is_submitter(person: Person, matter: Matter, _: Register, __: date) -> Authorisation | None:
    if person.id != matter.submitter and person.id not in matter.contributors:
        return _refuse(
            "not-yours",
            f"{matter.case} was submitted by {matter.submitter}; only they may do this.",
        )
    return None


def _submitted_or_can_know(
    person: Person, matter: Matter, register: Register, on: date
) -> Authorisation | None:
    if not matter.can_know.isdisjoint(person.roles):
        return None
    return _is_submitter(person, matter, register, on)


def _may_deploy(person: Person, matter: Matter, _: Register, __: date) -> Authorisation | None:
    if may_deploy(person.id, person.roles, matter.submitter):
        return None
    return _refuse(
        "deploy-role",
        f"{person.name} neither submitted {matter.case} nor has one of the roles "
        f"{', '.join(DEPLOYERS)}.",
    )


def _may_choose_witnesses(
    person: Person, _: Matter, __: Register, ___: date
) -> Authorisation | None:
    if set(person.roles) & set(WITNESS_CHOOSERS):
        return None
    return _refuse(
        "witness-role",
        f"{person.name} has none of the roles {', '.join(WITNESS_CHOOSERS)}: only they choose who "
        "witnesses the ledger.",
    )


def _may_revoke(person: Person, matter: Matter, _: Register, __: date) -> Authorisation | None:
    if person.id == matter.submitter or set(person.roles) & set(REVOKERS):
        return None
    return _refuse(
        "revoke-role",
        f"{person.name} neither submitted {matter.case} nor has one of the roles "
        f"{', '.join(REVOKERS)}.",
    )


def _keeps_records(person: Person, _: Matter, __: Register, ___: date) -> Authorisation | None:
    if set(person.roles) & set(RECORD_KEEPERS):
        return None
    return _refuse(
        "record-keeper",
        f"{person.name} has none of the roles {', '.join(RECORD_KEEPERS)}, which answer for what "
        "is kept.",
    )


def _about_somebody_else(
    person: Person, matter: Matter, _: Register, __: date
) -> Authorisation | None:
    if person.id == matter.submitter:
        return _refuse("own-traces", f"{person.name} cannot erase their own traces.")
    if person.id in matter.decided:
        return _refuse(
            "two-people", f"{person.name} asked for it; a second person has to carry it out."
        )
    return None


_RULES: dict[Action, tuple[_Rule, ...]] = {
    Action.SUBMIT: (),
    Action.ANSWER: (_submitted_or_can_know,),
    Action.WITHDRAW: (_is_submitter,),
    Action.DECIDE: (_deciding(APPROVAL),),
    Action.CONFIRM_USE: (_deciding(CONFIRMATION),),
    Action.DECIDE_POLICY: (_deciding(POLICY_APPROVAL),),
    Action.DEPLOY: (_may_deploy,),
    Action.CHOOSE_WITNESSES: (_may_choose_witnesses,),
    Action.REVOKE: (_may_revoke,),
    Action.ERASE: (_deciding(NO_ADMINISTRATOR), _keeps_records, _about_somebody_else),
    Action.KEEP_RECORDS: (_deciding(NO_ADMINISTRATOR), _keeps_records),
}

_WORDS = {
    Action.SUBMIT: "submit releases",
    Action.ANSWER: "answer for this release",
    Action.WITHDRAW: "withdraw this release",
    Action.DECIDE: "decide on this release",
    Action.CONFIRM_USE: "confirm the use profile",
    Action.DECIDE_POLICY: "decide on this policy change",
    Action.DEPLOY: "deploy and roll back this workload",
    Action.CHOOSE_WITNESSES: "choose who witnesses the ledger",
    Action.REVOKE: "take this permit back",
    Action.ERASE: "erase this person",
    Action.KEEP_RECORDS: "hold and remove records",
}
