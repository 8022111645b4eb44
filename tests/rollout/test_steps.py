"""The steps of a rollout: one table, and nothing outside it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guiderail.core.errors import ConflictError, InputError
from guiderail.rollout.steps import (
    TRANSITIONS,
    Action,
    Position,
    RolloutState,
    act,
    allowed,
    plan_steps,
    transition,
)

RISING = st.sets(st.integers(1, 99), max_size=5).map(lambda steps: (*sorted(steps), 100))


def test_a_rollout_goes_through_its_steps_and_ends_live():
    position = plan_steps((10, 50, 100))
    seen = [position.percent]
    while Action.ADVANCE in allowed(position):
        position = act(position, Action.ADVANCE)
        seen.append(position.percent)
    assert seen == [10, 50, 100]
    assert act(position, Action.FINISH).state is RolloutState.LIVE


def test_the_first_release_has_nobody_to_share_with():
    assert plan_steps((10, 50, 100), first_release=True) == Position((100,))


def test_steps_above_the_permitted_share_are_cut_and_the_rollout_never_finishes():
    position = plan_steps((10, 50, 100), highest=40)
    assert position.steps == (10, 40)
    position = act(position, Action.ADVANCE)
    assert allowed(position) == (Action.PAUSE, Action.ABORT)


@pytest.mark.parametrize("steps", [(), (0, 100), (50, 10), (10, 10), (10, 101), (-5,)])
def test_steps_that_do_not_rise_from_1_to_100_are_refused(steps):
    with pytest.raises(InputError, match="do not rise") as refused:
        plan_steps(steps)
    assert refused.value.code == "rollout/bad-steps"


@pytest.mark.parametrize("highest", [0, -1, 101])
def test_a_share_outside_1_to_100_is_refused(highest):
    with pytest.raises(InputError):
        plan_steps((100,), highest=highest)


def test_an_aborted_rollout_gets_no_traffic_and_allows_nothing():
    aborted = act(plan_steps((10, 100)), Action.ABORT)
    assert aborted.percent == 0
    assert allowed(aborted) == ()
    with pytest.raises(ConflictError, match="cannot advance") as refused:
        act(aborted, Action.ADVANCE)
    assert "nothing more" in refused.value.advice


def test_a_paused_rollout_keeps_its_share_and_cannot_advance():
    paused = act(plan_steps((10, 100)), Action.PAUSE)
    assert paused.percent == 10
    assert allowed(paused) == (Action.RESUME, Action.ABORT)
    assert act(paused, Action.RESUME) == plan_steps((10, 100))


@given(RISING, st.lists(st.sampled_from(Action), max_size=12), st.integers(1, 100))
def test_whatever_is_done_the_share_never_exceeds_the_permit(steps, actions, highest):
    position = plan_steps(steps, highest=highest)
    for action in actions:
        if action not in allowed(position):
            with pytest.raises(ConflictError):
                act(position, action)
            continue
        row = transition(position, action)
        after = act(position, action)
        assert (position.state, after.state) == row.after_crash
        position = after
        assert 0 <= position.percent <= highest


def test_every_transition_appends_an_event_of_the_closed_list():
    from guiderail.ledger import events

    names = {row.event for row in TRANSITIONS}
    known = {kind.name for kind in events.EVENT_TYPES}
    assert names <= known
