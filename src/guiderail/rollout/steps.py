"""The steps from the permit to all of the traffic, as one table of states and transitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from guiderail.core.errors import ConflictError, InputError


class RolloutState(StrEnum):
    """Where a rollout stands. `live` and `aborted` are ends."""

    ROLLING = "rolling"
    PAUSED = "paused"
    LIVE = "live"
    ABORTED = "aborted"


class Action(StrEnum):
    ADVANCE = "advance"
    PAUSE = "pause"
    RESUME = "resume"
    FINISH = "finish"
    ABORT = "abort"


@dataclass(frozen=True, slots=True)
class Transition:
    """One way from a state to another, the ledger event it appends, and what a crash may leave.

    after_crash: the two states allowed when the process dies in the middle.
    """

    action: Action
    before: RolloutState
    after: RolloutState
    event: str

    @property
    def after_crash(self) -> tuple[RolloutState, RolloutState]:
        return (self.before, self.after)


TRANSITIONS = (
    Transition(Action.ADVANCE, RolloutState.ROLLING, RolloutState.ROLLING, "rollout.step"),
    Transition(Action.FINISH, RolloutState.ROLLING, RolloutState.LIVE, "rollout.finished"),
    Transition(Action.PAUSE, RolloutState.ROLLING, RolloutState.PAUSED, "rollout.paused"),
    Transition(Action.RESUME, RolloutState.PAUSED, RolloutState.ROLLING, "rollout.step"),
    Transition(Action.ABORT, RolloutState.ROLLING, RolloutState.ABORTED, "rollout.aborted"),
    Transition(Action.ABORT, RolloutState.PAUSED, RolloutState.ABORTED, "rollout.aborted"),
)


@dataclass(frozen=True, slots=True)
class Position:
    """A rollout on its way: percents of the new version at each step, and the step it is on.

    step counts from 0. The percents rise strictly and the last is `highest`.
    """

    steps: tuple[int, ...]
    step: int = 0
    state: RolloutState = RolloutState.ROLLING

    @property
    def percent(self) -> int:
        """Share of traffic that the new version gets now. Nothing after an abort."""
        if self.state is RolloutState.ABORTED:
            return 0
        return self.steps[self.step]

    @property
    def is_last_step(self) -> bool:
        return self.step == len(self.steps) - 1


def plan_steps(
    wanted: Sequence[int], *, highest: int = 100, first_release: bool = False
) -> Position:
    """The start of a rollout.

    highest: the largest traffic share that the permit allows, in percent; steps above are cut.
    first_release: nothing runs yet, so there is nobody to share with and one step does it.
    Raises InputError where the steps do not rise from 1 to 100.
    """
    rising = all(low < high for low, high in pairwise(wanted))
    if not wanted or not rising or wanted[0] < 1 or wanted[-1] > 100:
        raise InputError(
            f"The steps {', '.join(map(str, wanted)) or '(none)'} do not rise from 1 to 100.",
            code="rollout/bad-steps",
            advice="Write rising percents such as 10, 50, 100 under rollout.steps.",
        )
    if not 1 <= highest <= 100:
        raise InputError(
            f"A traffic share of {highest} % is not between 1 and 100.",
            code="rollout/bad-share",
            advice="Ask for a permit with a traffic share from 1 to 100 percent.",
        )
    if first_release:
        return Position((highest,))
    below = tuple(percent for percent in wanted if percent < highest)
    return Position((*below, highest))


def allowed(position: Position) -> tuple[Action, ...]:
    """What may be done from here, in the order of the table.

    A rollout whose permit ends below 100 % never finishes: it stays at its highest step.
    """
    return tuple(
        row.action
        for row in TRANSITIONS
        if row.before is position.state
        and not (row.action is Action.ADVANCE and position.is_last_step)
        and not (row.action is Action.FINISH and position.percent < 100)
    )


def transition(position: Position, action: Action) -> Transition:
    """The row of the table for an action. Raises ConflictError where it is not allowed."""
    if action in allowed(position):
        for row in TRANSITIONS:
            if row.action is action and row.before is position.state:
                return row
    choices = ", ".join(allowed(position)) or "nothing more"
    raise ConflictError(
        f"A rollout that is {position.state} at {position.percent} % cannot {action}.",
        code="rollout/not-allowed",
        advice=f"From here it allows: {choices}.",
    )


def act(position: Position, action: Action) -> Position:
    """The position after an action. Raises ConflictError where it is not allowed."""
    row = transition(position, action)
    step = position.step + 1 if action is Action.ADVANCE else position.step
    return replace(position, state=row.after, step=step)
