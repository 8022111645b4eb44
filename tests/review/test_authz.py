"""Who may decide: role, competence, segregation of duties, independence, each with its reason."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guiderail.core.scales import Track
from guiderail.people.register import Person
from guiderail.review.authz import Action, Matter, decide
from tests.review.people import TODAY, person, register

ENGINEER = person("erin", "ml-platform-engineer")
AUTHOR = person("ann", "data-scientist", "ml-platform-engineer", manager="max")
MANAGER = person("max", "ml-platform-engineer")
EVERYBODY = register(ENGINEER, AUTHOR, MANAGER)


def matter(**changes: object) -> Matter:
    values: dict[str, object] = {
        "case": "case-0001",
        "kind": "model",
        "track": Track.YELLOW,
        "submitter": "ann",
        "role": "ml-platform-engineer",
        "needed_roles": ("ml-platform-engineer",),
    }
    return Matter(**{**values, **changes})  # type: ignore[arg-type]  # keys are the fields above


def rule(who: Person, about: Matter, action: Action = Action.DECIDE, on: date = TODAY) -> str:
    answer = decide(action, who, about, EVERYBODY, on)
    assert answer.sentence
    return "" if answer.allowed else answer.rule


def test_somebody_else_in_the_right_role_with_training_in_date_may_decide() -> None:
    assert rule(ENGINEER, matter()) == ""


def test_the_submitter_may_not() -> None:
    assert rule(AUTHOR, matter()) == "own-work"


def test_somebody_who_committed_to_it_may_not() -> None:
    assert rule(ENGINEER, matter(contributors=frozenset({"erin"}))) == "own-work"


def test_somebody_who_already_approved_may_not_approve_in_a_second_role() -> None:
    assert rule(ENGINEER, matter(decided=frozenset({"erin"}))) == "two-people"


def test_a_role_that_nobody_waits_for_is_refused() -> None:
    assert rule(ENGINEER, matter(needed_roles=("risk-officer",))) == "role-not-needed"


def test_a_role_that_the_person_does_not_have_is_refused() -> None:
    about = matter(role="risk-officer", needed_roles=("risk-officer",))
    assert rule(ENGINEER, about) == "role-missing"


def test_training_that_ended_yesterday_is_refused_and_the_last_day_counts() -> None:
    late = person("lea", "ml-platform-engineer", until=TODAY)
    assert rule(late, matter()) == ""
    assert rule(late, matter(), on=date(2026, 11, 24)) == "competence"


def test_training_for_another_kind_does_not_count() -> None:
    other = person("ole", "ml-platform-engineer", kinds=("app",))
    assert rule(other, matter()) == "competence"


def test_an_administrator_cannot_approve() -> None:
    boss = person("ada", "ml-platform-engineer", "administrator")
    assert rule(boss, matter()) == "administrator"


@pytest.mark.parametrize(("track", "expected"), [(Track.YELLOW, ""), (Track.RED, "reporting-line")])
def test_the_authors_manager_may_decide_on_yellow_but_not_on_red(
    track: Track, expected: str
) -> None:
    assert rule(MANAGER, matter(track=track)) == expected


def test_only_the_submitter_or_a_contributor_answers_and_withdraws() -> None:
    for action in (Action.ANSWER, Action.WITHDRAW):
        assert rule(AUTHOR, matter(), action) == ""
        assert rule(ENGINEER, matter(), action) == "not-yours"


def test_deploying_takes_the_submitter_or_a_deployer() -> None:
    assert rule(AUTHOR, matter(), Action.DEPLOY) == ""
    assert rule(ENGINEER, matter(), Action.DEPLOY) == ""
    assert rule(person("stranger", "risk-officer"), matter(), Action.DEPLOY) == "deploy-role"


def test_confirming_a_use_takes_a_risk_officer_who_did_not_make_it() -> None:
    about = matter(role="risk-officer", needed_roles=())
    assert rule(person("rita", "risk-officer"), about, Action.CONFIRM_USE) == ""
    assert rule(ENGINEER, about, Action.CONFIRM_USE) == "role-missing"
    own = matter(role="risk-officer", submitter="rita")
    assert rule(person("rita", "risk-officer"), own, Action.CONFIRM_USE) == "own-work"


NAMES = st.sampled_from(["ann", "max", "erin", "lea"])
ROLES = st.lists(
    st.sampled_from(["ml-platform-engineer", "risk-officer", "administrator"]), unique=True
)


@given(
    who=NAMES,
    roles=ROLES,
    submitter=NAMES,
    contributors=st.frozensets(NAMES),
    decided=st.frozensets(NAMES),
    needed=ROLES,
    role=st.sampled_from(["ml-platform-engineer", "risk-officer"]),
    track=st.sampled_from(list(Track)),
)
def test_whoever_may_decide_made_nothing_of_it_and_has_the_role_that_is_needed(
    who: str,
    roles: list[str],
    submitter: str,
    contributors: frozenset[str],
    decided: frozenset[str],
    needed: list[str],
    role: str,
    track: Track,
) -> None:
    about = matter(
        track=track,
        submitter=submitter,
        contributors=contributors,
        decided=decided,
        role=role,
        needed_roles=tuple(needed),
    )
    somebody = person(who, *roles, manager="max" if who == "ann" else None)
    people = register(somebody, *(one for one in (ENGINEER, AUTHOR, MANAGER) if one.id != who))
    if decide(Action.DECIDE, somebody, about, people, TODAY).allowed:
        assert who not in contributors | decided | {submitter}
        assert role in roles
        assert role in needed
        assert "administrator" not in roles
        assert track is not Track.RED or not people.same_line(who, submitter)
