"""The table of states is complete, and every end is an end."""

from __future__ import annotations

import pytest

from guiderail.core.errors import ConflictError
from guiderail.ledger.events import event_type
from guiderail.review.states import BEFORE_TRAFFIC, ENDS, TRANSITIONS, State, transition


def test_every_transition_names_an_event_of_the_closed_list() -> None:
    for step in TRANSITIONS:
        assert event_type(step.event).name == step.event


def test_every_transition_allows_exactly_its_two_states_after_a_crash() -> None:
    for step in TRANSITIONS:
        assert step.after_crash == (step.start, step.end)
        assert step.start is not step.end


def test_nothing_leads_out_of_an_end() -> None:
    assert not [step for step in TRANSITIONS if step.start in ENDS]


def test_every_state_can_be_reached_from_a_draft() -> None:
    reached = {State.DRAFT}
    while True:
        more = {step.end for step in TRANSITIONS if step.start in reached} | reached
        if more == reached:
            break
        reached = more
    assert reached == set(State)


def test_traffic_is_reached_only_through_a_permit() -> None:
    """Without the row that issues the permit, no state with traffic can be reached."""
    without = [step for step in TRANSITIONS if step.event != "permit.issued"]
    reached = {State.DRAFT}
    for _ in State:
        reached |= {step.end for step in without if step.start in reached}
    assert not reached & {State.ROLLING, State.PAUSED, State.LIVE}


def test_every_state_before_traffic_can_become_void_and_be_withdrawn() -> None:
    for state in BEFORE_TRAFFIC:
        assert transition("case-0001", state, State.VOID, "case.void").end is State.VOID
        assert transition("case-0001", state, State.WITHDRAWN, "case.withdrawn")


@pytest.mark.parametrize(
    ("start", "end", "event"),
    [
        (State.DRAFT, State.LIVE, "rollout.finished"),
        (State.IN_REVIEW, State.PERMITTED, "permit.issued"),
        (State.REJECTED, State.IN_REVIEW, "case.answered"),
        (State.APPROVED, State.ROLLING, "rollout.started"),
        (State.IN_REVIEW, State.APPROVED, "case.answered"),
    ],
)
def test_a_step_that_the_table_lacks_is_refused(start: State, end: State, event: str) -> None:
    with pytest.raises(ConflictError) as refusal:
        transition("case-0001", start, end, event)
    assert refusal.value.code == "case/state"
