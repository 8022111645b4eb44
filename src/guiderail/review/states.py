"""The states of a case and every way from one to another, in one table.

A process that is killed in the middle of a transition leaves the case in its `start` state (the
transaction did not commit) or in its `end` state (it did): these are the two allowed states after a
restart, and there is no third.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from guiderail.core.errors import ConflictError


class State(StrEnum):
    DRAFT = "draft"
    NEEDS_ANSWERS = "needs-answers"
    IN_REVIEW = "in-review"
    CHANGES_REQUESTED = "changes-requested"
    APPROVED = "approved"
    PERMITTED = "permitted"
    ROLLING = "rolling"
    PAUSED = "paused"
    LIVE = "live"
    ROLLED_BACK = "rolled-back"
    RETIRED = "retired"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    VOID = "void"
    ABORTED = "aborted"


ENDS = frozenset({State.REJECTED, State.WITHDRAWN, State.VOID, State.ABORTED})
BEFORE_TRAFFIC = frozenset(
    {
        State.NEEDS_ANSWERS,
        State.IN_REVIEW,
        State.CHANGES_REQUESTED,
        State.APPROVED,
        State.PERMITTED,
    }
)


@dataclass(frozen=True, slots=True)
class Transition:
    """One step. `actor` is who may take it; `event` is what the ledger calls it."""

    name: str
    start: State
    end: State
    event: str
    actor: str

    @property
    def after_crash(self) -> tuple[State, State]:
        """The two states that a kill in the middle may leave."""
        return (self.start, self.end)


_S = State
TRANSITIONS: tuple[Transition, ...] = (
    Transition("ask", _S.DRAFT, _S.NEEDS_ANSWERS, "case.submitted", "submitter"),
    Transition("send-to-review", _S.DRAFT, _S.IN_REVIEW, "case.submitted", "submitter"),
    Transition("approve-green", _S.DRAFT, _S.APPROVED, "case.submitted", "platform"),
    Transition("answered", _S.NEEDS_ANSWERS, _S.IN_REVIEW, "case.answered", "submitter"),
    Transition("answered-green", _S.NEEDS_ANSWERS, _S.APPROVED, "case.answered", "submitter"),
    Transition("vouched", _S.NEEDS_ANSWERS, _S.IN_REVIEW, "evidence.added", "runner"),
    Transition("vouched-green", _S.NEEDS_ANSWERS, _S.APPROVED, "evidence.added", "runner"),
    Transition("vouched-reviewed", _S.IN_REVIEW, _S.APPROVED, "evidence.added", "runner"),
    Transition("request-changes", _S.IN_REVIEW, _S.CHANGES_REQUESTED, "review.given", "reviewer"),
    Transition("approve", _S.IN_REVIEW, _S.APPROVED, "review.given", "reviewer"),
    Transition(
        "confirm-asked", _S.NEEDS_ANSWERS, _S.IN_REVIEW, "profile.confirmed", "risk-officer"
    ),
    Transition(
        "confirm-asked-green", _S.NEEDS_ANSWERS, _S.APPROVED, "profile.confirmed", "risk-officer"
    ),
    Transition("confirm-green", _S.IN_REVIEW, _S.APPROVED, "profile.confirmed", "risk-officer"),
    Transition("reject", _S.IN_REVIEW, _S.REJECTED, "review.given", "reviewer"),
    Transition("permit", _S.APPROVED, _S.PERMITTED, "permit.issued", "platform"),
    Transition("start", _S.PERMITTED, _S.ROLLING, "rollout.started", "deployer"),
    Transition("pause", _S.ROLLING, _S.PAUSED, "rollout.paused", "deployer"),
    Transition("resume", _S.PAUSED, _S.ROLLING, "rollout.step", "deployer"),
    Transition("finish", _S.ROLLING, _S.LIVE, "rollout.finished", "platform"),
    Transition("abort-rolling", _S.ROLLING, _S.ABORTED, "rollout.aborted", "deployer"),
    Transition("abort-paused", _S.PAUSED, _S.ABORTED, "rollout.aborted", "deployer"),
    Transition("supersede", _S.LIVE, _S.RETIRED, "rollout.finished", "platform"),
    Transition("go-back", _S.LIVE, _S.ROLLED_BACK, "rollback.finished", "deployer"),
    Transition("restore-retired", _S.RETIRED, _S.LIVE, "rollback.finished", "deployer"),
    Transition("restore-rolled-back", _S.ROLLED_BACK, _S.LIVE, "rollback.finished", "deployer"),
    *(
        Transition(f"withdraw-{start}", start, _S.WITHDRAWN, "case.withdrawn", "submitter")
        for start in sorted(BEFORE_TRAFFIC)
    ),
    *(
        Transition(f"void-{start}", start, _S.VOID, "case.void", "platform")
        for start in sorted(BEFORE_TRAFFIC)
    ),
)

_BY_ENDS = {(step.start, step.end, step.event): step for step in TRANSITIONS}


def transition(case: str, start: State, end: State, event: str) -> Transition:
    """The table's row for this step. Raises ConflictError when the table has none."""
    step = _BY_ENDS.get((start, end, event))
    if step is None:
        raise ConflictError(
            f"{case} is {start}; it cannot become {end} by {event}",
            code="case/state",
            advice=f"Run `guiderail status {case}` to see where the case stands and what is next.",
        )
    return step
