"""Which reviews a case still waits for, and whether those given still count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from guiderail.people.register import Register
from guiderail_verify.authority import counted

ReviewVerdict = Literal["approve", "request-changes", "reject"]


@dataclass(frozen=True, slots=True)
class Review:
    """One person's decision in one role, bound to the dossier that was shown.

    accepted: ids of insufficient gates that the reviewer's role owns and accepts with the reason.
    """

    case: str
    dossier_digest: str
    person: str
    role: str
    verdict: ReviewVerdict
    reason: str
    conditions: tuple[str, ...]
    accepted: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing a case waits for: a role, and the people who could take it."""

    role: str
    because: tuple[str, ...]
    people: tuple[str, ...]


def valid_approvals(
    reviews: Sequence[Review], dossier_digest: str, register: Register, kind: str
) -> dict[str, Review]:
    """Approvals that count, by role.

    An approval counts when it was given on this very dossier by a person who had role and
    competence on the day it was given; each person counts once, and so does each role.
    """

    def holds(review: Review) -> bool:
        person = register.people.get(review.person)
        on: date = review.at.date()
        return (
            person is not None
            and review.role in person.roles
            and person.competent(review.role, kind, on) is not None
        )

    given = (one for one in reviews if one.verdict == "approve")
    return counted((one for one in given if one.dossier_digest == dossier_digest), holds)


def waiting_for(
    needed: Sequence[tuple[str, tuple[str, ...]]],
    approvals: dict[str, Review],
    may_take: dict[str, tuple[str, ...]],
) -> tuple[Waiting, ...]:
    """The roles still missing. needed: (role, because); may_take: role -> people who could."""
    return tuple(
        Waiting(role, because, may_take.get(role, ()))
        for role, because in needed
        if role not in approvals
    )
