"""Which approvals count, and who is still waited for."""

from __future__ import annotations

from datetime import UTC, datetime

from guiderail.review.required import Review, valid_approvals, waiting_for
from tests.review.people import person, register

SHOWN = "sha256:" + "1" * 64
OTHER = "sha256:" + "2" * 64
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
PEOPLE = register(
    person("erin", "ml-platform-engineer", "risk-officer"), person("rita", "risk-officer")
)


def review(who: str, role: str, dossier: str = SHOWN, verdict: str = "approve") -> Review:
    return Review(
        case="case-0001",
        dossier_digest=dossier,
        person=who,
        role=role,
        verdict=verdict,  # type: ignore[arg-type]  # one of the three words
        reason="",
        conditions=(),
        accepted=(),
        at=NOW,
    )


def roles(*reviews: Review) -> set[str]:
    return set(valid_approvals(reviews, SHOWN, PEOPLE, "model"))


def test_an_approval_of_this_dossier_counts() -> None:
    assert roles(review("erin", "ml-platform-engineer")) == {"ml-platform-engineer"}


def test_an_approval_of_another_dossier_does_not_count() -> None:
    assert roles(review("erin", "ml-platform-engineer", OTHER)) == set()


def test_one_person_counts_once_even_in_two_roles() -> None:
    twice = (review("erin", "ml-platform-engineer"), review("erin", "risk-officer"))
    assert roles(*twice) == {"ml-platform-engineer"}
    assert roles(*twice, review("rita", "risk-officer")) == {"ml-platform-engineer", "risk-officer"}


def test_a_request_for_changes_is_no_approval() -> None:
    assert roles(review("rita", "risk-officer", verdict="request-changes")) == set()


def test_somebody_who_is_in_no_register_does_not_count() -> None:
    assert roles(review("ghost", "risk-officer")) == set()


def test_a_role_that_the_person_does_not_have_does_not_count() -> None:
    assert roles(review("rita", "ml-platform-engineer")) == set()


def test_who_is_waited_for_names_role_reason_and_people() -> None:
    needed = [("risk-officer", ("high-risk-use",)), ("ml-platform-engineer", ("performance",))]
    given = valid_approvals([review("erin", "ml-platform-engineer")], SHOWN, PEOPLE, "model")
    waiting = waiting_for(needed, given, {"risk-officer": ("rita",)})
    assert [(item.role, item.because, item.people) for item in waiting] == [
        ("risk-officer", ("high-risk-use",), ("rita",))
    ]
