"""Tier and track of a pipeline: its consumers, each rule at its limits, intervals and unknowns."""

from __future__ import annotations

import pytest

from guiderail.core.interval import Interval
from guiderail.core.scales import Tier, Track, Verdict
from guiderail.facts.fact import Value
from guiderail.policy import Decision
from tests.policy.calm import rules
from tests.policy.calm_kinds import CALM_PIPELINE, decided_as

HIGH: dict[str, Value] = {"consumers.tier": "high"}


def pipeline(changes: dict[str, Value] | None = None, *, without: tuple[str, ...] = ()) -> Decision:
    return decided_as("pipeline", changes, without=without)


def differs(value: float, low: float, high: float) -> dict[str, Value]:
    return {"change.output": Interval(value, low, high)}


def people(decision: Decision) -> set[str]:
    return {need.role for need in decision.reviewers}


def test_a_calm_release_is_green_and_says_so_with_its_numbers() -> None:
    decision = pipeline()
    assert (decision.tier, decision.track, decision.outcome) == (Tier.LOW, Track.GREEN, "go")
    assert decision.reviewers == ()
    (reason,) = decision.track_reasons
    assert reason.sentence == (
        "On the same inputs 0.2 % (95 % interval 0.1 to 0.3) of the rows differ, not above 1 %. "
        "The data contract, the quality rules, the sources and the personal data are as they were "
        "reviewed."
    )


@pytest.mark.parametrize(
    ("consumers", "only_feeds", "tier"),
    [
        ("low", True, Tier.LOW),
        ("low", False, Tier.LOW),
        ("medium", True, Tier.LOW),
        ("medium", False, Tier.MEDIUM),
        ("high", True, Tier.MEDIUM),
        ("high", False, Tier.HIGH),
    ],
)
def test_the_tier_is_that_of_the_highest_consumer_or_one_below(
    consumers: str, only_feeds: bool, tier: Tier
) -> None:
    facts: dict[str, Value] = {"consumers.tier": consumers, "consumers.only_feeds": only_feeds}
    assert pipeline(facts).tier is tier


def test_unknown_consumers_are_the_riskiest_and_act_on_the_output() -> None:
    assert pipeline({"consumers.only_feeds": False}, without=("consumers.tier",)).tier is Tier.HIGH
    assert pipeline(without=("consumers.tier",)).tier is Tier.MEDIUM
    assert pipeline(HIGH, without=("consumers.only_feeds",)).tier is Tier.HIGH


def test_everything_unknown_is_high_red_and_blocked_by_the_open_screen() -> None:
    decision = pipeline(without=tuple(CALM_PIPELINE))
    assert (decision.tier, decision.track, decision.outcome) == (
        Tier.HIGH, Track.RED, "blocked",
    )  # fmt: skip


BANDS: list[tuple[str, dict[str, Value], Track, str]] = [
    ("the contract is the same", {"change.contract": "none"}, Track.GREEN, "green"),
    ("something new in it", {"change.contract": "additive"}, Track.YELLOW, "contract-change"),
    ("a break in it", {"change.contract": "breaking"}, Track.RED, "contract-change"),
    ("no new source", {"change.new_sources": 0}, Track.GREEN, "green"),
    ("a new source", {"change.new_sources": 1}, Track.RED, "data-source"),
    ("new personal data", {"change.personal_data": True}, Track.RED, "new-personal-data"),
    ("a relaxed rule", {"change.quality_rules": True}, Track.YELLOW, "quality-relaxed"),
    ("cost just below a quarter more", {"cost.change": 24.99}, Track.GREEN, "green"),
    ("cost a quarter more", {"cost.change": 25.0}, Track.YELLOW, "cost-rise"),
    ("cost above a quarter more", {"cost.change": 25.01}, Track.YELLOW, "cost-rise"),
    ("rows that differ just below 1 %", differs(0.5, 0.1, 0.99), Track.GREEN, "green"),
    ("rows that differ at 1 %", differs(1, 1, 1), Track.GREEN, "green"),
    ("rows above 1 %", differs(1.01, 1.01, 1.01), Track.YELLOW, "output-differences"),
    ("an interval around 1 %", differs(0.8, 0.4, 1.4), Track.YELLOW, "output-differences"),
    (
        "a high consumer at 10 %",
        {**HIGH, **differs(12, 10, 14)},
        Track.YELLOW,
        "output-differences",
    ),
    (
        "a high consumer above 10 % beyond doubt",
        {**HIGH, **differs(12, 10.01, 14)},
        Track.RED,
        "output-differences",
    ),
    (
        "a high consumer and an interval around 10 %",
        {**HIGH, **differs(30, 5, 60)},
        Track.YELLOW,
        "output-differences",
    ),
    (
        "a medium consumer however many rows differ",
        {"consumers.tier": "medium", **differs(80, 75, 85)},
        Track.YELLOW,
        "output-differences",
    ),
    ("a first release", {"baseline.exists": False}, Track.YELLOW, "first-release"),
    (
        "a first release that feeds a high consumer",
        {"baseline.exists": False, **HIGH},
        Track.YELLOW,
        "first-release",
    ),
    (
        "a first release that a high consumer acts on",
        {"baseline.exists": False, **HIGH, "consumers.only_feeds": False},
        Track.RED,
        "first-release",
    ),
    (
        "a high consumer and nothing changed",
        {**HIGH, "consumers.only_feeds": False},
        Track.GREEN,
        "green",
    ),
    (
        "regulated and automated",
        {"use.regulated": True, "use.influence": "automated"},
        Track.YELLOW,
        "regulated-automated",
    ),
    ("an open signal", {"monitor.breach": "open"}, Track.YELLOW, "open-breach"),
]


@pytest.mark.parametrize(
    ("facts", "track", "rule"), [row[1:] for row in BANDS], ids=[row[0] for row in BANDS]
)
def test_bands_are_exactly_as_written(facts: dict[str, Value], track: Track, rule: str) -> None:
    decision = pipeline(facts)
    assert decision.track is track
    assert rules(decision)[rule] == str(track)


@pytest.mark.parametrize(
    ("name", "track"),
    [
        ("change.contract", Track.RED),
        ("change.new_sources", Track.RED),
        ("change.personal_data", Track.RED),
        ("change.quality_rules", Track.YELLOW),
        ("cost.change", Track.YELLOW),
        ("change.output", Track.YELLOW),
        ("baseline.exists", Track.YELLOW),
        ("monitor.breach", Track.RED),
        ("use.regulated", Track.GREEN),
        ("consumers.only_feeds", Track.GREEN),
        ("consumers.tier", Track.GREEN),
    ],
)
def test_an_unknown_fact_counts_as_the_worst_it_could_be(name: str, track: Track) -> None:
    assert pipeline(without=(name,)).track is track


def test_unmeasured_rows_are_red_for_a_high_consumer_and_so_are_many_for_an_unknown_one() -> None:
    assert pipeline(HIGH, without=("change.output",)).track is Track.RED
    assert pipeline(differs(12, 11, 13), without=("consumers.tier",)).track is Track.RED


def test_an_automated_use_that_may_be_regulated_is_never_green() -> None:
    decision = pipeline({"use.influence": "automated"}, without=("use.regulated",))
    assert decision.track is Track.YELLOW


def test_rules_about_a_change_are_silent_on_a_first_release() -> None:
    changes = tuple(name for name in CALM_PIPELINE if name.startswith("change."))
    decision = pipeline({"baseline.exists": False}, without=(*changes, "cost.change"))
    assert list(rules(decision)) == ["first-release"]


def test_a_yellow_release_asks_the_engineer_and_a_red_one_steward_and_consumers() -> None:
    assert people(pipeline({"change.quality_rules": True})) == {"data-platform-engineer"}
    assert people(pipeline({"change.contract": "breaking"})) == {"data-steward", "consumer-owner"}


LOW_GATES = {
    "security-scan", "tests", "personal-data", "lineage", "rollback-plan", "data-quality",
    "output-comparison",
}  # fmt: skip


def test_each_tier_enforces_the_gates_that_the_policy_names() -> None:
    def enforced(facts: dict[str, Value]) -> set[str]:
        return {gate.id for gate in pipeline(facts).gates if gate.enforced}

    assert enforced({}) == LOW_GATES
    assert enforced(HIGH) == LOW_GATES | {"cost", "freshness"}
    acting: dict[str, Value] = {**HIGH, "consumers.only_feeds": False}
    assert enforced(acting) == LOW_GATES | {"cost", "freshness"}
    assert {gate.id for gate in pipeline().gates} == LOW_GATES | {
        "cost", "freshness", "code-review",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        (differs(8, 6, 10), Verdict.PASS),
        (differs(8, 6, 10.01), Verdict.INSUFFICIENT),
        (differs(40, 35, 45), Verdict.INSUFFICIENT),
    ],
)
def test_many_rows_that_differ_need_a_reason_and_never_fail(
    rows: dict[str, Value], verdict: Verdict
) -> None:
    decision = pipeline(rows)
    gate = next(one for one in decision.gates if one.id == "output-comparison")
    assert gate.verdict is verdict
    assert decision.track is Track.YELLOW
    assert decision.outcome == "needs_review"


def test_the_gate_says_how_many_rows_differ() -> None:
    gate = next(one for one in pipeline(differs(40, 35, 45)).gates if one.id == "output-comparison")
    assert gate.sentence == (
        "Both versions ran on the same inputs, and 40.0 % (95 % interval 35.0 to 45.0) of the rows "
        "differ. Whether so much is wanted, a person says."
    )


def test_a_reason_says_what_could_not_be_ruled_out() -> None:
    (reason,) = [
        one for one in pipeline(differs(0.8, 0.4, 1.4)).track_reasons
        if one.rule == "output-differences"
    ]  # fmt: skip
    assert reason.sentence == (
        "On the same inputs 0.8 % (95 % interval 0.4 to 1.4) of the rows differ from those of the "
        "running version. That is little, but the compared rows cannot rule out more than 1 %, so "
        "a person looks."
    )
