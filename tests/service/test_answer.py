"""Answers: they fill in what is unknown, never replace what is known, and never lighten it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from guiderail.core.errors import ConflictError, InputError, RefusedError
from guiderail.facts.fact import Unknown
from guiderail.review.states import State
from guiderail.service.answer import answer, read_value
from guiderail.service.answer_rows import case_answers
from guiderail.service.answer_values import parse_answer
from guiderail.service.check import check
from guiderail.service.interview import interview
from guiderail.service.snapshot import facts_from_json
from guiderail.service.status import show_case
from guiderail.service.withdraw import withdraw
from guiderail.store import tables
from tests.service import parcels
from tests.service.depot import Depot

ASKED = {"affects_people": True, "decision": None, "influence": None}


@pytest.fixture
def asking(live_depot: Depot, tmp_path: Path) -> tuple[Depot, str]:
    """A case that asks how much rests on the output and how far it decides by itself."""
    directory = parcels.variant(live_depot.releases.green, tmp_path / "asking", {"use": ASKED})
    case = live_depot.submit(directory).case
    assert case.state is State.NEEDS_ANSWERS
    return live_depot, case.id


def test_open_questions_come_in_the_order_of_the_interview(asking: tuple[Depot, str]) -> None:
    depot, case = asking
    questions = interview(depot.acting(), case).needed
    assert [item.question.fact for item in questions] == ["use.decision", "use.influence"]
    assert all(item.question.why and item.question.good for item in questions)
    assert [choice.typed for choice in questions[0].question.choices] == [
        "none",
        "minor",
        "significant",
    ]


def test_an_answer_fills_in_the_unknown_and_says_who_gave_it(asking: tuple[Depot, str]) -> None:
    depot, case = asking
    answer(depot.acting(), case, {"use.decision": "minor", "use.influence": "informs"})
    facts = facts_from_json(depot.dossier(case).facts)
    assert facts["use.decision"].value == "minor"
    assert facts["use.decision"].known_by == "declared"
    assert facts["use.decision"].source.startswith(f"answered by nora in {case}")
    assert depot.event_types()[-2:] == ["case.decided", "case.answered"]


def test_questions_may_be_answered_one_at_a_time(asking: tuple[Depot, str]) -> None:
    depot, case = asking
    first = answer(depot.acting(), case, {"use.influence": "informs"})
    second = answer(depot.acting(), case, {"use.decision": "none"})
    assert (first.tier, second.tier) == ("medium", "medium")
    assert depot.dossier(case).decision["unanswered"] == []


def test_i_do_not_know_stays_unknown_and_goes_to_the_reviewers(asking: tuple[Depot, str]) -> None:
    depot, case = asking
    moved = answer(depot.acting(), case, {})
    assert moved.state is State.IN_REVIEW
    assert moved.tier == "high"
    facts = facts_from_json(depot.dossier(case).facts)
    assert isinstance(facts["use.decision"].value, Unknown)


def test_what_is_measured_or_declared_is_not_asked_and_cannot_be_answered(
    asking: tuple[Depot, str],
) -> None:
    depot, case = asking
    before = depot.event_types()
    for fact, value in (("data.protected", False), ("use.exposure", "small"), ("tests.ran", 9)):
        with pytest.raises(InputError) as refusal:
            answer(depot.acting(), case, {fact: value})
        assert refusal.value.code == "answer/unasked"
    assert depot.event_types() == before


def test_only_those_who_worked_on_it_answer(asking: tuple[Depot, str]) -> None:
    depot, case = asking
    with pytest.raises(RefusedError) as refusal:
        answer(depot.acting("emil"), case, {"use.decision": "none"})
    assert refusal.value.code == "authz/not-yours"


def test_a_correction_to_something_lighter_is_refused_and_nothing_is_kept(
    asking: tuple[Depot, str],
) -> None:
    depot, case = asking
    answer(depot.acting(), case, {"use.decision": "significant", "use.influence": "automated"})
    before, events = depot.case(case), depot.event_types()
    with pytest.raises(ConflictError) as refusal:
        answer(depot.acting(), case, {"use.decision": "none", "use.influence": "automated"})
    assert refusal.value.code == "answer/lighter"
    assert depot.case(case) == before
    assert depot.event_types() == events
    with depot.acting().store.read() as snapshot:
        assert case_answers(snapshot, case)["use.decision"].value == "significant"


def test_a_correction_to_something_riskier_counts(asking: tuple[Depot, str]) -> None:
    depot, case = asking
    lighter = answer(depot.acting(), case, {"use.decision": "minor", "use.influence": "informs"})
    heavier = answer(depot.acting(), case, {"use.influence": "automated"})
    assert (lighter.tier, heavier.tier) == ("medium", "medium")
    heavier = answer(depot.acting(), case, {"use.decision": "significant"})
    assert heavier.tier == "high"
    assert heavier.dossier_digest != lighter.dossier_digest


def test_an_answer_carries_forward_to_the_next_release(
    asking: tuple[Depot, str], tmp_path: Path
) -> None:
    depot, case = asking
    answer(depot.acting(), case, {"use.decision": "minor", "use.influence": "informs"})
    newer = parcels.variant(
        depot.releases.yellow, tmp_path / "newer", {"use": {**ASKED, "influence": None}}
    )
    submitted = depot.submit(newer)
    assert submitted.decision.unanswered == ()
    assert submitted.facts["use.decision"].source.startswith(f"answered by nora in {case}")


def test_an_answer_of_a_withdrawn_case_is_asked_again(
    asking: tuple[Depot, str], tmp_path: Path
) -> None:
    depot, case = asking
    answer(depot.acting(), case, {"use.decision": "minor", "use.influence": "informs"})
    withdraw(depot.acting(), case)
    newer = parcels.variant(depot.releases.yellow, tmp_path / "newer", {"use": ASKED})
    assert depot.submit(newer).decision.unanswered == ("use.decision", "use.influence")


def test_an_answer_is_asked_again_after_180_days(asking: tuple[Depot, str], tmp_path: Path) -> None:
    depot, case = asking
    answer(depot.acting(), case, {"use.decision": "minor", "use.influence": "informs"})
    depot.clock.days = 181
    newer = parcels.variant(depot.releases.yellow, tmp_path / "newer", {"use": ASKED})
    assert depot.submit(newer).decision.unanswered == ("use.decision", "use.influence")


def test_approvals_given_before_an_answer_no_longer_count(
    asking: tuple[Depot, str],
) -> None:
    depot, case = asking
    answer(depot.acting(), case, {"use.influence": "recommends"})
    depot.approve(case, "gina", "ml-governance-analyst")
    answered = answer(depot.acting(), case, {"use.decision": "significant"})
    assert answered.state is State.IN_REVIEW
    with depot.acting().store.read() as snapshot:
        from guiderail.service.review import waiting

        waited = waiting(snapshot, depot.acting(), answered, depot.clock())
    assert "ml-governance-analyst" in {item.role for item in waited}


def test_questions_are_closed_once_the_case_is_permitted(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.green).case
    with pytest.raises(ConflictError) as refusal:
        answer(live_depot.acting(), case.id, {"use.decision": "none"})
    assert refusal.value.code == "answer/state"


@pytest.mark.parametrize(
    ("fact", "text", "value"),
    [
        ("use.reversible", "Yes", True),
        ("use.reversible", "n", False),
        ("use.reversible", "maybe", None),
        ("use.decision", "MINOR", "minor"),
        ("use.decision", "tiny", None),
        ("cost.ceiling", "450.5", 450.5),
        ("cost.ceiling", "nan", None),
        ("cost.ceiling", "inf", None),
        ("tests.ran", "3.5", None),
    ],
)
def test_what_is_typed_becomes_a_value_or_nothing(fact: str, text: str, value: object) -> None:
    assert parse_answer(fact, text) == value


def test_a_badly_written_answer_says_what_may_be_written(asking: tuple[Depot, str]) -> None:
    depot, case = asking
    place = depot.acting()
    assert read_value(place, case, "use.decision = none") == ("use.decision", "none")
    for text, code in (
        ("use.decision", "answer/form"),
        ("use.decision=tiny", "answer/value"),
        ("use.domain=other", "answer/unasked"),
        ("no.such.fact=1", "answer/unasked"),
    ):
        with pytest.raises(InputError) as refusal:
            read_value(place, case, text)
        assert refusal.value.code == code


def test_an_open_prohibited_screen_is_asked_and_no_approval_replaces_it(
    new_depot: Depot, tmp_path: Path
) -> None:
    directory = parcels.variant(
        new_depot.releases.first, tmp_path / "unscreened", {"use": {"prohibited": None}}
    )
    case = new_depot.submit(directory).case
    assert case.state is State.NEEDS_ANSWERS
    answer(new_depot.acting(), case.id, {})
    with pytest.raises(RefusedError) as refusal:
        new_depot.approve(case.id, "gina", "ml-governance-analyst")
    assert refusal.value.code == "permit/screen"
    answered = answer(new_depot.acting(), case.id, {"use.prohibited": False})
    assert (answered.state, answered.tier) == (State.IN_REVIEW, "medium")


def test_a_use_that_turns_out_to_be_prohibited_stops_for_good(
    new_depot: Depot, tmp_path: Path
) -> None:
    directory = parcels.variant(
        new_depot.releases.first, tmp_path / "unscreened", {"use": {"prohibited": None}}
    )
    case = new_depot.submit(directory).case
    answered = answer(new_depot.acting(), case.id, {"use.prohibited": True})
    assert answered.tier == "prohibited"
    with pytest.raises(RefusedError) as refusal:
        new_depot.approve(case.id, "gina", "ml-governance-analyst")
    assert refusal.value.code == "permit/blocked"


CONTEXT = "release.business_context"


def test_context_is_offered_after_what_is_needed_and_holds_up_nothing(
    asking: tuple[Depot, str],
) -> None:
    depot, case = asking
    found = interview(depot.acting(), case)
    assert {item.question.fact for item in found.needed} == {"use.decision", "use.influence"}
    offered = [item.question for item in found.offered]
    assert [one.number for one in offered] == sorted(one.number for one in offered)
    assert all(one.context for one in offered)
    assert CONTEXT in [one.fact for one in offered]
    answer(depot.acting(), case, {"use.decision": "minor", "use.influence": "informs"})
    assert depot.dossier(case).decision["unanswered"] == []
    assert CONTEXT in depot.dossier(case).decision["optional"]


def test_a_release_that_only_lacks_context_asks_nothing_and_goes(live_depot: Depot) -> None:
    submitted = live_depot.submit(live_depot.releases.green)
    assert submitted.case.state is State.PERMITTED
    assert submitted.decision.unanswered == ()
    assert submitted.decision.optional
    with pytest.raises(ConflictError) as refusal:
        interview(live_depot.acting(), submitted.case.id)
    assert refusal.value.code == "answer/state"


def test_what_the_manifest_tells_is_shown_with_source_and_age(asking: tuple[Depot, str]) -> None:
    depot, case = asking
    depot.clock.days = 3
    told = {item.question.fact: item for item in interview(depot.acting(), case).told}
    purpose = told["context.purpose"]
    assert purpose.answer.source.startswith("guiderail.yaml:")
    assert (purpose.answer.days, purpose.answered) == (3, False)
    changed = interview(depot.acting(), case).changed
    assert "change.performance" in {item.fact for item in changed}


def test_context_changes_no_tier_and_undoes_no_confirmation(asking: tuple[Depot, str]) -> None:
    depot, case = asking
    answer(depot.acting(), case, {"use.decision": "significant", "use.influence": "informs"})
    confirmed = depot.confirm(case)
    assert confirmed.state is State.IN_REVIEW
    after = answer(depot.acting(), case, {CONTEXT: "The campaign starts on Monday."})
    assert (after.tier, after.track) == (confirmed.tier, confirmed.track)
    assert depot.profile_confirmed(case)


def test_context_may_be_corrected_freely(asking: tuple[Depot, str]) -> None:
    depot, case = asking
    for text in ("An A/B test with 5 % of traffic.", "No test after all."):
        answer(depot.acting(), case, {CONTEXT: text})
        facts = facts_from_json(depot.dossier(case).facts)
        assert facts[CONTEXT].value == text
    told = {item.question.fact: item for item in show_case(depot.acting(), case).interview.told}
    assert told[CONTEXT].answered
    assert told[CONTEXT].answer.words == "No test after all."


def test_context_about_the_use_carries_forward_and_about_the_release_does_not(
    asking: tuple[Depot, str], tmp_path: Path
) -> None:
    depot, case = asking
    answer(depot.acting(), case, {CONTEXT: "Monday.", "context.assessments": "none"})
    newer = parcels.variant(depot.releases.yellow, tmp_path / "newer", {"use": ASKED})
    submitted = depot.submit(newer)
    assert submitted.facts["context.assessments"].value == "none"
    assert submitted.facts[CONTEXT].is_unknown
    assert CONTEXT in submitted.decision.optional


@pytest.mark.parametrize(("days", "asked_again"), [(180, False), (181, True)])
def test_the_check_asks_again_after_180_days_too(
    asking: tuple[Depot, str], tmp_path: Path, days: int, asked_again: bool
) -> None:
    depot, case = asking
    answer(depot.acting(), case, {"use.decision": "minor", "use.influence": "informs"})
    newer = parcels.variant(depot.releases.yellow, tmp_path / "newer", {"use": ASKED})
    at = depot.clock() + timedelta(days=days - 1, hours=23)
    checked = check(newer, depot.acting(), at=at if days == 180 else at + timedelta(days=1))
    assert ("use.decision" in checked.decision.unanswered) is asked_again


def test_who_can_know_is_told_and_may_answer_and_then_cannot_approve(
    asking: tuple[Depot, str],
) -> None:
    depot, case = asking
    answer(depot.acting(), case, {"use.influence": "recommends"})
    with depot.acting().store.read() as snapshot:
        rows = snapshot.execute(tables.outbox.select()).mappings()
        told = {json.loads(row["body"])["to"] for row in rows if row["topic"] == "case.answered"}
    assert told == {"domain-expert"}
    answered = answer(depot.acting("xenia"), case, {"use.decision": "minor"})
    assert answered.tier == "medium"
    facts = facts_from_json(depot.dossier(case).facts)
    assert facts["use.decision"].source.startswith(f"answered by xenia in {case}")
    assert "xenia" in depot.dossier(case).contributors
    with pytest.raises(RefusedError) as refusal:
        answer(depot.acting("emil"), case, {"context.oversight": "They can."})
    assert refusal.value.code == "authz/not-yours"


@pytest.mark.parametrize(
    ("fact", "text", "value"),
    [
        (CONTEXT, "  A/B test with 5 % of traffic  ", "A/B test with 5 % of traffic"),
        (CONTEXT, "x" * 2000, "x" * 2000),
        (CONTEXT, "x" * 2001, None),
        (CONTEXT, "   ", None),
        (CONTEXT, "red \x1b[31m", None),
        (CONTEXT, "two\nlines", None),
        ("context.people_a_month", "1200", 1200),
        ("context.people_a_month", "-1", None),
        ("context.people_a_month", "9" * 400, None),
        ("context.delay_cost", "-0.5", None),
        ("context.delay_cost", "1e400", None),
        ("context.delay_cost", "2500", 2500.0),
    ],
)
def test_own_words_and_numbers_have_limits(fact: str, text: str, value: object) -> None:
    assert parse_answer(fact, text) == value
