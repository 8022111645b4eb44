"""Whatever people do with a workspace, its past stays as it was and its present is replayed."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from guiderail.core.errors import GuiderailError
from guiderail.core.time import to_text
from guiderail.review.states import BEFORE_TRAFFIC, State
from guiderail.service.as_of import as_of
from guiderail.service.review import give_review
from guiderail.service.status import list_cases, show_case
from guiderail.service.withdraw import withdraw
from tests.service.depot import REASON, Depot, copy_depot, write_people
from tests.service.replayed import by_the_ledger, by_the_tables


@pytest.mark.slow
def test_the_present_is_replayed_and_the_past_stays(live_template: Depot, tmp_path: Path) -> None:
    """A life: submissions, confirmations, reviews, withdrawals, new roles, in any order."""
    number = iter(range(1000))

    class Life(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.depot = copy_depot(live_template, tmp_path / f"life-{next(number)}")
            self.seen: dict[str, Any] = {}

        def _cases(self, *states: State) -> list[str]:
            lines = list_cases(self.depot.acting())
            return [one.case.id for one in lines if one.case.state in states]

        @rule(name=st.sampled_from(["green", "yellow", "red"]))
        def submit(self, name: str) -> None:
            with contextlib.suppress(GuiderailError):
                self.depot.submit(getattr(self.depot.releases, name))

        @rule()
        def confirm(self) -> None:
            for case in self._cases(State.NEEDS_ANSWERS, State.IN_REVIEW)[:1]:
                with contextlib.suppress(GuiderailError):
                    self.depot.confirm(case)

        @rule(verdict=st.sampled_from(["approve", "approve", "reject", "request-changes"]))
        def review(self, verdict: Any) -> None:
            for case in self._cases(State.IN_REVIEW)[:1]:
                waited = [one for one in show_case(self.depot.acting(), case).waiting if one.people]
                if not waited:
                    return
                findings = ["code-review"] if verdict == "request-changes" else []
                give_review(
                    self.depot.acting(waited[0].people[0]), case, verdict, role=waited[0].role,
                    reason=REASON, findings=findings,
                )  # fmt: skip

        @rule()
        def take_back(self) -> None:
            for case in self._cases(*BEFORE_TRAFFIC)[:1]:
                withdraw(self.depot.acting(), case)

        @rule(person=st.sampled_from(["emil", "gina", "rita"]), roles=st.booleans())
        def change_roles(self, person: str, roles: bool) -> None:
            held = [{"emil": "ml-platform-engineer", "gina": "ml-governance-analyst",
                     "rita": "risk-officer"}[person]] if roles else []  # fmt: skip
            write_people(self.depot, {person: {"roles": held}})

        @rule()
        def look(self) -> None:
            when = to_text(self.depot.clock())
            self.seen[when] = as_of(self.depot.acting(), when)

        @invariant()
        def present(self) -> None:
            workspace = self.depot.acting()
            assert by_the_ledger(workspace) == by_the_tables(workspace)

        @invariant()
        def past(self) -> None:
            for when, view in self.seen.items():
                assert as_of(self.depot.acting(), when) == view

    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=4, stateful_step_count=12, deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
