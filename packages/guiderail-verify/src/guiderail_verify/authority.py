"""Who may decide: the rules that the platform asks beforehand and an auditor asks again.

Pure functions of what a register of people says about a person on a day. The product says each
refusal in words (`guiderail.review.authz`); here a rule is an id.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Protocol, TypeVar

from guiderail_verify.judge import TRACKS, Judgement

ADMINISTRATOR: Final = "administrator"
DEPLOYERS: Final = ("ml-platform-engineer", "release-manager", "data-platform-engineer")
"""Roles that may start and end rollouts of what others submitted."""


class Training(Protocol):
    """Lets a person decide in one role, for some kinds of workload, until a day (inclusive)."""

    @property
    def role(self) -> str: ...
    @property
    def kinds(self) -> Sequence[str]: ...
    @property
    def until(self) -> date: ...


class Given(Protocol):
    """A decision of one person in one role."""

    @property
    def person(self) -> str: ...
    @property
    def role(self) -> str: ...


_T = TypeVar("_T", bound=Training)
_G = TypeVar("_G", bound=Given)


def training_for(records: Iterable[_T], role: str, kind: str, on: date) -> _T | None:
    """The record that covers role and kind on that day, if there is one."""
    for record in records:
        if record.role == role and kind in record.kinds and on <= record.until:
            return record
    return None


def managers(manager_of: Callable[[str], str | None], person: str) -> Iterator[str]:
    """The managers above a person, nearest first; the person not included."""
    seen = {person}
    above = manager_of(person)
    while above and above not in seen:
        yield above
        seen.add(above)
        above = manager_of(above)


def same_line(manager_of: Callable[[str], str | None], one: str, other: str) -> bool:
    """True when one of the two reports to the other, directly or over several levels."""
    return one in managers(manager_of, other) or other in managers(manager_of, one)


@dataclass(frozen=True, slots=True)
class Claim:
    """One person who wants to decide in one role, with what counts about it on that day.

    roles: that the person has. own_work: who submitted and who worked on it. needed: roles that
    are still asked for. decided: who approved already. close: the person and the submitter are in
    one reporting line. track: of the release.
    """

    person: str
    roles: Collection[str]
    role: str | None
    trained: bool
    own_work: Collection[str] = ()
    needed: Collection[str] = ()
    decided: Collection[str] = ()
    close: bool = False
    track: str = TRACKS[0]


RULES: Final[Mapping[str, Callable[[Claim], bool]]] = {
    "administrator": lambda claim: ADMINISTRATOR in claim.roles,
    "own-work": lambda claim: claim.person in claim.own_work,
    "role-not-needed": lambda claim: claim.role is None or claim.role not in claim.needed,
    "role-missing": lambda claim: claim.role not in claim.roles,
    "competence": lambda claim: not claim.trained,
    "two-people": lambda claim: claim.person in claim.decided,
    "reporting-line": lambda claim: claim.close and claim.track == TRACKS[-1],
}
"""Rule id -> does it refuse? In the order in which they are asked."""

APPROVAL: Final = tuple(RULES)
"""To approve a release: all of them."""
POLICY_APPROVAL: Final = tuple(rule for rule in RULES if rule != "reporting-line")
"""To approve a change of the policy, for each kind that it is about."""
CONFIRMATION: Final = ("administrator", "own-work", "role-missing", "competence")
"""To confirm what a release is used for."""
NO_ADMINISTRATOR: Final = ("administrator",)
"""Whatever else it is that administrators do not do."""


def refused_by(claim: Claim, rules: Iterable[str]) -> str | None:
    """The first of the rules that refuses, None where the person may decide."""
    return next((rule for rule in rules if RULES[rule](claim)), None)


def counted(approvals: Iterable[_G], holds: Callable[[_G], bool]) -> dict[str, _G]:
    """The approvals that count, by role: each person counts once, and so does each role.

    holds: did the person have role and training on the day of the approval?
    """
    by_role: dict[str, _G] = {}
    people: set[str] = set()
    for approval in approvals:
        if approval.person in people or approval.role in by_role or not holds(approval):
            continue
        by_role[approval.role] = approval
        people.add(approval.person)
    return by_role


def may_deploy(person: str, roles: Collection[str], submitter: str) -> bool:
    return person == submitter or not set(DEPLOYERS).isdisjoint(roles)


RuleOf = Callable[[str, int], Mapping[str, Any]]
"""The compiled form of one level of a tier or track rule."""


def required_roles(
    by_track: Mapping[str, Sequence[str]],
    rule_of: RuleOf,
    judged: Judgement,
    lacking: Mapping[str, str],
) -> dict[str, tuple[str, ...]]:
    """The roles that must review, each with the ids of the rules and gates that ask for it.

    by_track: `reviewers` of the compiled pack; these roles come first. lacking: the owners of the
    enforced gates that are insufficient and under no waiver, in the order of the pack.
    """
    needs: dict[str, dict[str, None]] = {}
    causes = [hit.rule.id for hit in judged.track_hits if hit.rule.rank == judged.track]
    for role in by_track.get(TRACKS[judged.track], ()):
        needs.setdefault(role, {}).update(dict.fromkeys(causes or lacking))
    for hit in (*judged.tier_hits, *judged.track_hits):
        rule = rule_of(hit.rule.id, hit.rule.level)
        if judged.track or rule["adds_on"] == "every-track":
            for role in rule["adds_reviewers"]:
                needs.setdefault(role, {})[hit.rule.id] = None
    for gate, owner in lacking.items():
        needs.setdefault(owner, {})[gate] = None
    return {role: tuple(because) for role, because in needs.items()}


def rules_of(tree: Mapping[str, Any]) -> RuleOf:
    """Looks up the rules of a compiled pack."""
    rules = {(one["id"], one["level"]): one for part in ("tiers", "tracks") for one in tree[part]}
    return lambda rule, level: rules[rule, level]
