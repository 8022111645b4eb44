"""What the renderers say about checks, cases and measurements: order, completeness, honesty."""

from __future__ import annotations

from typing import Any

import pytest

from guiderail.render.case_text import STATE_SENTENCE, case_list, plan_lines, step_line
from guiderail.render.check_text import check_lines, verdict_lines
from guiderail.render.fairness_text import fairness_lines
from guiderail.render.lines import plain_text
from guiderail.render.measure_text import measure_lines
from guiderail.render.policy_text import problem_lines
from guiderail.render.rollout_text import gateway_lines
from guiderail.review.states import State
from guiderail.rollout.status import status_to_json
from guiderail.service.check import Checked, check
from guiderail.service.status import gateway
from tests.service.depot import Depot


def told(found: Checked) -> str:
    return plain_text(check_lines(found.release, found.decision, found.compared_with))


@pytest.mark.parametrize("name", ["green", "yellow", "red", "tree", "blocked"])
def test_the_check_names_every_rule_gate_and_reviewer_that_counts(
    live_depot: Depot, name: str
) -> None:
    found = check(getattr(live_depot.releases, name), live_depot.acting())
    text = told(found)
    decision = found.decision
    assert text.startswith(decision.track.value.capitalize())
    for reason in (*decision.track_reasons, *decision.tier_reasons):
        assert reason.rule in text
    for gate in decision.gates:
        if gate.enforced and gate.verdict != "not_applicable":
            assert gate.id in text
    for need in decision.reviewers:
        assert all(because in text for because in need.because)
    assert decision.policy.version in text
    assert "Policy" in text.splitlines()[-2] + text.splitlines()[-1]


def test_what_blocks_stands_before_what_is_to_do_and_what_passed(live_depot: Depot) -> None:
    found = check(live_depot.releases.blocked, live_depot.acting())
    text = told(found)
    assert "Blocked" in text
    assert text.index("\nBlocked") < text.index("\nPassed")
    assert "What to do:" in text
    assert "Who may waive it: release manager" in text


def test_a_green_release_that_is_blocked_does_not_read_as_green_light(live_depot: Depot) -> None:
    found = check(live_depot.releases.blocked, live_depot.acting())
    first = verdict_lines(found.decision)[0].text
    assert found.decision.track == "green"
    assert first.startswith("Green, but blocked.")
    assert "deploys by itself" not in first


def test_every_state_of_a_case_has_its_sentence() -> None:
    assert set(STATE_SENTENCE) == {state.value for state in State} - {"draft"}


def test_lists_that_are_empty_say_what_would_be_there() -> None:
    assert "guiderail submit" in plain_text(case_list([]))


@pytest.mark.parametrize(("percent", "bar"), [(0, ""), (10, "##"), (50, "#" * 10), (100, "#" * 20)])
def test_a_step_draws_its_share(percent: int, bar: str) -> None:
    line = step_line({"percent": percent, "state": "rolling"}).text
    assert f"{percent} % [{bar:<20}]" in line


def test_the_plan_of_going_back_tells_every_sentence() -> None:
    document: dict[str, Any] = {
        "workload": "w",
        "to": "sha256:" + "0" * 64,
        "to_version": "v1",
        "sentences": ["The contract fits.", "3.0 % of decisions flip."],
        "directions": {"no -> yes": 4},
    }
    text = plain_text(plan_lines(document))
    assert text.startswith("Going back: w to v1.")
    assert "- The contract fits." in text
    assert "no -> yes: 4" in text


@pytest.mark.parametrize(
    "kind", ["performance", "fairness", "flips", "drift", "fingerprint", "columns", "model"]
)
def test_what_cannot_be_measured_is_said_to_be_unknown(kind: str) -> None:
    text = plain_text(measure_lines(kind, {"unknown": "the label has one value"}))
    assert text == "Not measurable: the label has one value.\n"


def test_a_rate_that_is_undefined_is_not_zero() -> None:
    rates = dict.fromkeys(("selection_rate", "tpr", "fpr", "accuracy"))
    document = {
        "groups": [{"by": {"sex": "f"}, "n": 3, **rates}],
        "verdicts": {},
        "comparisons": [],
        "rank_correlations": [],
        "intersections": {"deepest": 1, "attributes": 1},
    }
    text = plain_text(fairness_lines("fairness", document))
    assert "undefined" in text
    assert "0.0 %" not in text


def test_problems_of_a_pack_are_written_as_editors_parse_them() -> None:
    row = {"file": "g.yaml", "line": 3, "column": 5, "message": "What?", "hint": "That."}
    text = plain_text(problem_lines({"pack": "p", "parts": 0, "problems": [row]}))
    assert text.startswith("g.yaml:3:5: What?")


def test_a_gateway_that_is_down_says_how_to_start_it(live_depot: Depot) -> None:
    status = gateway(live_depot.acting())
    text = plain_text(gateway_lines({**status_to_json(status), "url": status.url}))
    assert "not running" in text
    assert "guiderail serve start" in text
