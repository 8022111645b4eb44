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


class Action(StrEnum):
    SUBMIT = "submit"
    ANSWER = "answer"
    DECIDE = "decide"
    CONFIRM_USE = "confirm-use"
    DECIDE_POLICY = "decide-policy"
    DEPLOY = "deploy"
    WITHDRAW = "withdraw"
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


RECORD_KEEPERS = ("data-steward", "compliance")
"""Roles that answer for what is kept about people, and for how long."""

DEPLOYERS = ("ml-platform-engineer", "release-manager", "data-platform-engineer")


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


def _not_an_administrator(
    person: Person, _: Matter, __: Register, ___: date
) -> Authorisation | None:
    if "administrator" in person.roles:
        return _refuse(
            "administrator",
            f"{person.name} administers the platform; administrators cannot approve.",
        )
    return None


def _role_is_needed(person: Person, matter: Matter, _: Register, __: date) -> Authorisation | None:
    if matter.role is None or matter.role not in matter.needed_roles:
        wanted = ", ".join(matter.needed_roles) or "nobody"
        held = ", ".join(person.roles) or "no role"
        return _refuse(
            "role-not-needed",
            f"{matter.case} waits for: {wanted}. {person.name} has: {held}.",
        )
    return None


def _has_role(person: Person, matter: Matter, _: Register, __: date) -> Authorisation | None:
    if matter.role not in person.roles:
        return _refuse("role-missing", f"{person.name} does not have the role {matter.role}.")
    return None


def _is_competent(person: Person, matter: Matter, _: Register, on: date) -> Authorisation | None:
    if person.competent(matter.role or "", matter.kind, on) is None:
        return _refuse(
            "competence",
            f"{person.name} has no training in date as {matter.role} for {matter.kind} releases "
            f"on {on.isoformat()}.",
        )
    return None


def _not_the_author(person: Person, matter: Matter, _: Register, __: date) -> Authorisation | None:
    if person.id == matter.submitter:
        return _refuse(
            "own-work", f"{person.name} submitted {matter.case}; somebody else has to decide."
        )
    if person.id in matter.contributors:
        return _refuse(
            "own-work", f"{person.name} contributed to {matter.case}; somebody else has to decide."
        )
    return None


def _once_only(person: Person, matter: Matter, _: Register, __: date) -> Authorisation | None:
    if person.id in matter.decided:
        return _refuse(
            "two-people",
            f"{person.name} has already approved {matter.case}; two approvals are two people.",
        )
    return None


def _independent(
    person: Person, matter: Matter, register: Register, _: date
) -> Authorisation | None:
    if matter.track is Track.RED and register.same_line(person.id, matter.submitter):
        return _refuse(
            "reporting-line",
            f"{person.name} and the submitter of {matter.case} are in one reporting line; a red "
            "release needs somebody independent.",
        )
    return None


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
    if person.id == matter.submitter or set(person.roles) & set(DEPLOYERS):
        return None
    return _refuse(
        "deploy-role",
        f"{person.name} neither submitted {matter.case} nor has one of the roles "
        f"{', '.join(DEPLOYERS)}.",
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
    Action.DECIDE: (
        _not_an_administrator,
        _not_the_author,
        _role_is_needed,
        _has_role,
        _is_competent,
        _once_only,
        _independent,
    ),
    Action.CONFIRM_USE: (_not_an_administrator, _not_the_author, _has_role, _is_competent),
    Action.DECIDE_POLICY: (
        _not_an_administrator,
        _not_the_author,
        _role_is_needed,
        _has_role,
        _is_competent,
        _once_only,
    ),
    Action.DEPLOY: (_may_deploy,),
    Action.ERASE: (_not_an_administrator, _keeps_records, _about_somebody_else),
    Action.KEEP_RECORDS: (_not_an_administrator, _keeps_records),
}

_WORDS = {
    Action.SUBMIT: "submit releases",
    Action.ANSWER: "answer for this release",
    Action.WITHDRAW: "withdraw this release",
    Action.DECIDE: "decide on this release",
    Action.CONFIRM_USE: "confirm the use profile",
    Action.DECIDE_POLICY: "decide on this policy change",
    Action.DEPLOY: "deploy and roll back this workload",
    Action.ERASE: "erase this person",
    Action.KEEP_RECORDS: "hold and remove records",
}
