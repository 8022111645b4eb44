"""What a decision comes to without its words is what the decision says."""

from __future__ import annotations

import pytest
from hypothesis import given

from guiderail.core.scales import Outcome
from guiderail.facts.fact import Value
from guiderail.policy import load_pack
from guiderail.policy.readings import readings_of
from guiderail.policy.weigh import Weight, direction, weigh
from tests.policy.calm import AT, facts_of
from tests.policy.test_properties import LAWS, judged, releases

PACK = load_pack("model")


@given(releases("model"))
@LAWS
def test_the_weight_says_what_the_decision_says(values: dict[str, Value]) -> None:
    readings = readings_of(facts_of(values), PACK.tree["facts"])
    book = PACK.rulebook("model", AT)
    weight = weigh(PACK, book.judge(readings.values, readings.known_by))
    decision = judged("model", values)
    assert (weight.tier_name, weight.track_name) == (decision.tier, decision.track)
    assert weight.outcome is decision.outcome
    assert set(weight.roles) == {need.role for need in decision.reviewers}
    held = {gate.id: gate.verdict for gate in decision.gates
            if gate.enforced and gate.verdict in ("fail", "insufficient")}  # fmt: skip
    assert dict(weight.gates) == held


GREEN = Weight(0, 0, Outcome.GO, (), ())
YELLOW = Weight(0, 1, Outcome.NEEDS_REVIEW, ("security",), ())


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (GREEN, GREEN, ""),
        (GREEN, YELLOW, "heavier"),
        (YELLOW, GREEN, "lighter"),
        (Weight(1, 0, Outcome.GO, (), ()), YELLOW, "other"),
        (YELLOW, Weight(0, 1, Outcome.NEEDS_REVIEW, ("security", "compliance"), ()), "heavier"),
        (YELLOW, Weight(0, 1, Outcome.NEEDS_REVIEW, ("compliance",), ()), "other"),
        (YELLOW, Weight(0, 1, Outcome.BLOCKED, ("security",), (("tests", "fail"),)), "heavier"),
    ],
)
def test_lighter_and_heavier_are_about_tier_track_gates_and_then_people(
    old: Weight, new: Weight, expected: str
) -> None:
    assert direction(old, new) == expected
