"""The track of a release: every rule at its limits, its guard, and its sentence."""

from __future__ import annotations

import pytest

from guiderail.core.interval import Interval
from guiderail.core.scales import Track
from guiderail.facts.fact import Unknown, Value
from guiderail.policy import Pack
from tests.policy.calm import decided, rules

NOT_MEASURED = Unknown("it was not measured")


def moved(value: float, low: float, high: float, against: str = "change") -> dict[str, Value]:
    return {f"{against}.performance": Interval(value, low, high)}


def grown(value: float, low: float, high: float, against: str = "change") -> dict[str, Value]:
    return {f"{against}.error_growth": Interval(value, low, high)}


def flipped(value: float, low: float, high: float, against: str = "change") -> dict[str, Value]:
    return {f"{against}.flips": Interval(value, low, high)}


def test_a_calm_release_is_green_and_says_so_with_its_numbers(pack: Pack) -> None:
    decision = decided(pack, details={"change.performance": {"metric": "roc_auc"}})
    assert decision.track is Track.GREEN
    (reason,) = decision.track_reasons
    assert reason.sentence == (
        "AUC moved +0.4 % (95 % interval -0.8 to +1.6) against production, clear of 5 % either "
        "way; 1.6 % (95 % interval 0.9 to 2.6) of equal cases are decided differently, not above "
        "2 % beyond doubt. Features, threshold, architecture, data sources and purpose are as they "
        "were reviewed."
    )
    assert decision.reviewers == ()
    assert decision.expected_wait == "a few minutes, nobody has to look"


BANDS: list[tuple[str, dict[str, Value], Track]] = [
    ("just inside 5 % below", moved(-3, -4.99, -1), Track.GREEN),
    ("just inside 5 % above", moved(3, 1, 4.99), Track.GREEN),
    ("exactly 5 % below", moved(-3, -5, -1), Track.YELLOW),
    ("exactly 5 % above", moved(3, 1, 5), Track.YELLOW),
    ("exactly 15 % below", moved(-10, -15, -5), Track.YELLOW),
    ("beyond 15 % below and 5 % for certain", moved(-10, -15.1, -5), Track.RED),
    ("beyond 15 % below and perhaps less than 5 %", moved(-10, -15.1, -4.9), Track.YELLOW),
    ("beyond 15 % below and perhaps no change", moved(-16, -40, 8), Track.YELLOW),
    ("beyond 15 % above, usually leakage", moved(12, 6, 15.1), Track.RED),
    ("a wide interval around no change", moved(0, -20, 20), Track.YELLOW),
    ("a wide interval whose point stays below 5 %", moved(-4.9, -30, 20), Track.YELLOW),
    ("small steps since the last review", moved(-5, -6, -4, "since_review"), Track.YELLOW),
    (
        "small steps since the last full review",
        moved(-16, -17, -14, "since_full_review"),
        Track.RED,
    ),
    (
        "perhaps beyond 15 % since the last full review",
        moved(-10, -15.1, -4.9, "since_full_review"),
        Track.YELLOW,
    ),
    (
        "a wide interval since the last full review",
        moved(-4.9, -20, 10, "since_full_review"),
        Track.GREEN,
    ),
    (
        "a yellow step since the last full review",
        moved(-6, -7, -5, "since_full_review"),
        Track.GREEN,
    ),
    (
        "errors up by a quarter since the last review",
        grown(40, 25, 55, "since_review"),
        Track.YELLOW,
    ),
    (
        "errors up by less than a quarter since the last review",
        grown(40, 24.9, 55, "since_review"),
        Track.GREEN,
    ),
    (
        "errors up by a quarter since the last full review",
        grown(40, 25, 55, "since_full_review"),
        Track.GREEN,
    ),
    ("errors up by a quarter, but not beyond doubt", grown(60, 24.9, 95), Track.GREEN),
    ("errors up by a quarter", grown(60, 25, 95), Track.YELLOW),
    ("errors just below doubled", grown(99.9, 60, 140), Track.YELLOW),
    ("errors doubled", grown(100, 25, 175), Track.RED),
    ("errors doubled in a handful of cases", grown(150, -40, 340), Track.GREEN),
    ("errors doubled step by step", grown(100, 25, 175, "since_full_review"), Track.RED),
    ("flips not above 2 % beyond doubt", flipped(5, 2, 8), Track.GREEN),
    ("flips above 2 % beyond doubt", flipped(5, 2.01, 8), Track.YELLOW),
    ("flips at 10 %", flipped(12, 10, 14), Track.YELLOW),
    ("flips above 10 % beyond doubt", flipped(12, 10.1, 14), Track.RED),
    ("flips step by step", flipped(12, 10.1, 14, "since_full_review"), Track.RED),
    ("flips at 10 % step by step", flipped(12, 10, 14, "since_full_review"), Track.GREEN),
    ("flips since the last review", flipped(5, 2.01, 8, "since_review"), Track.YELLOW),
    ("flips at 2 % since the last review", flipped(5, 2, 8, "since_review"), Track.GREEN),
    ("many flips since the last review", flipped(40, 35, 45, "since_review"), Track.YELLOW),
    (
        "flips above what reseeding causes",
        {**flipped(1.5, 1.1, 2), "change.flips_null_exists": True, "change.flips_null": 1.0},
        Track.YELLOW,
    ),
    (
        "flips that reseeding explains",
        {**flipped(1.5, 0.9, 2), "change.flips_null_exists": True, "change.flips_null": 1.0},
        Track.GREEN,
    ),
    ("no labels", {"evaluation.labels": False}, Track.YELLOW),
    ("another way of judging", {"change.recipe": True}, Track.RED),
    ("new features, all approved", {"change.new_features": 2}, Track.YELLOW),
    (
        "a new feature that nobody approved",
        {"change.new_features": 2, "change.unapproved_features": 1},
        Track.RED,
    ),
    ("features removed", {"change.removed_features": 1}, Track.YELLOW),
    ("threshold inside its envelope", {"change.threshold": "inside"}, Track.YELLOW),
    ("threshold outside its envelope", {"change.threshold": "outside"}, Track.RED),
    ("tuning only", {"change.tuning": True}, Track.GREEN),
    ("another architecture", {"change.architecture": True}, Track.RED),
    ("a new data source", {"change.new_sources": 1}, Track.RED),
    ("a wider purpose", {"change.purpose": True}, Track.RED),
    ("a larger share of the traffic", {"change.traffic_share": True}, Track.RED),
    ("an open signal", {"monitor.breach": "open"}, Track.YELLOW),
    ("a signal whose deadline passed", {"monitor.breach": "lapsed"}, Track.RED),
    ("a high-risk use", {"use.domain": "credit"}, Track.RED),
    ("a first release of low risk", {"baseline.exists": False}, Track.YELLOW),
    (
        "a first release of high risk",
        {"baseline.exists": False, "use.domain": "credit"},
        Track.RED,
    ),
]


@pytest.mark.parametrize(
    ("facts", "track"), [(f, t) for _, f, t in BANDS], ids=[name for name, _, _ in BANDS]
)
def test_bands_and_limits_are_exactly_as_written(
    pack: Pack, facts: dict[str, Value], track: Track
) -> None:
    found = rules(decided(pack, facts))
    wanted = str(track)
    assert max((Track(level).rank for level in found.values()), default=0) == track.rank, found
    assert wanted in found.values() or track is Track.GREEN


def test_a_first_release_of_medium_risk_adds_the_analyst(pack: Pack) -> None:
    decision = decided(pack, {"baseline.exists": False, "use.domain": "moderation"})
    assert decision.track is Track.YELLOW
    analyst = next(need for need in decision.reviewers if need.role == "ml-governance-analyst")
    assert "first-release" in analyst.because


CHANGE_FACTS = (
    "change.performance",
    "since_review.performance",
    "since_full_review.performance",
    "change.error_growth",
    "since_review.error_growth",
    "since_full_review.error_growth",
    "change.flips",
    "since_review.flips",
    "since_full_review.flips",
    "change.flips_null_exists",
    "change.new_features",
    "change.unapproved_features",
    "change.removed_features",
    "change.threshold",
    "change.architecture",
    "change.new_sources",
    "change.recipe",
    "change.purpose",
    "change.traffic_share",
)


def test_rules_about_a_change_are_silent_on_a_first_release(pack: Pack) -> None:
    decision = decided(pack, {"baseline.exists": False}, without=CHANGE_FACTS)
    assert list(rules(decision)) == ["first-release"]


def test_rules_about_labels_are_silent_without_labels(pack: Pack) -> None:
    unmeasured = [name for name in CHANGE_FACTS if "performance" in name or "growth" in name]
    decision = decided(pack, {"evaluation.labels": False}, without=tuple(unmeasured))
    assert decision.track is Track.YELLOW
    assert "performance-large" not in rules(decision)
    assert "no-labels" in rules(decision)


@pytest.mark.parametrize("name", CHANGE_FACTS)
def test_every_unknown_change_is_at_least_yellow(pack: Pack, name: str) -> None:
    assert decided(pack, without=(name,)).track.rank >= Track.YELLOW.rank


def test_a_weak_source_is_yellow_by_itself_and_named(pack: Pack) -> None:
    from guiderail.core.scales import KnownBy
    from guiderail.policy import decide
    from tests.policy.calm import AT, CALM, facts_of, where

    facts = dict(facts_of(CALM))
    facts |= facts_of({"change.flips": CALM["change.flips"]}, KnownBy.DECLARED)
    decision = decide(pack, facts, kind="model", at=AT, place=where)
    assert decision.track is Track.YELLOW
    (reason,) = decision.track_reasons
    assert reason.rule == "weak-evidence"
    assert "the share of decisions that flip against production" in reason.sentence
    (way,) = decision.lighter
    assert (way.to, way.by) == (Track.GREEN, "evidence")


def test_an_unknown_fact_is_no_weak_evidence(pack: Pack) -> None:
    assert "weak-evidence" not in rules(decided(pack, without=("change.flips",)))


SENTENCES: list[tuple[str, dict[str, Value], str]] = [
    (
        "performance-medium",
        moved(-7.1, -9, -5.2),
        "AUC moved -7.1 % (95 % interval -9.0 to -5.2) against production; the band from 5 % to "
        "15 % asks for a light review.",
    ),
    (
        "performance-medium",
        moved(0.4, -6, 7),
        "AUC moved +0.4 % (95 % interval -6.0 to +7.0) against production. The move itself is "
        "small, but the data cannot rule out 5 % either way, so a person looks. About 2,400 "
        "evaluation rows would settle it.",
    ),
    (
        "performance-medium",
        moved(-10, -16, -4, "since_full_review"),
        "Since the last full review AUC moved -10.0 % (95 % interval -16.0 to -4.0) in all, and "
        "the data cannot rule out 15 %, so a person looks.",
    ),
    (
        "performance-large",
        moved(18.2, 16, 20.4),
        "AUC moved +18.2 % (95 % interval +16.0 to +20.4) against production, which reaches beyond "
        "15 % better. An improvement of that size is usually leakage: something in the inputs "
        "knows the outcome.",
    ),
    (
        "decision-flips",
        flipped(6.4, 4.9, 8.1),
        "6.4 % (95 % interval 4.9 to 8.1) of equal cases are decided differently from production; "
        "where more than 2 % flip beyond doubt, a person looks at who they are.",
    ),
    (
        "decision-flips",
        flipped(6.4, 4.9, 8.1, "since_review"),
        "Since the last release that a person reviewed, 6.4 % (95 % interval 4.9 to 8.1) of equal "
        "cases have come to be decided differently; where more than 2 % flip beyond doubt, a "
        "person looks at who they are.",
    ),
    (
        "error-growth",
        grown(30, 26, 34, "since_review"),
        "Since the last release that a person reviewed, the distance of AUC to perfect grew by "
        "30.0 % (95 % interval 26.0 to 34.0); small steps add up, and from 25 % beyond doubt a "
        "person looks.",
    ),
    (
        "purpose",
        {"change.traffic_share": True},
        "The rollout asks for a larger share of the traffic than the last full review permitted: "
        "100 % instead of 20 %.",
    ),
    (
        "features-unapproved",
        {"change.new_features": 1, "change.unapproved_features": 1},
        "1 new feature is not approved in the feature registry: postcode.",
    ),
    (
        "threshold-major",
        {"change.threshold": "outside"},
        "The decision threshold moved from 0.5 to 0.62 outside the range that the last full review "
        "approved.",
    ),
    (
        "error-growth",
        grown(400, 210, 590),
        "The distance of AUC to perfect grew by 400.0 % (95 % interval 210.0 to 590.0) against "
        "production: at least twice the errors.",
    ),
    (
        "performance-large",
        {"change.performance": NOT_MEASURED},
        "The change of the primary metric against production is not known (it was not measured); "
        "counted as the worst it could be: a change beyond 15 %.",
    ),
]


@pytest.mark.parametrize(("rule", "facts", "sentence"), SENTENCES)
def test_reasons_quote_numbers_limits_and_names(
    pack: Pack, rule: str, facts: dict[str, Value], sentence: str
) -> None:
    details = {
        "change.performance": {"metric": "roc_auc", "rows_needed": 2400},
        "performance.value": {"metric": "roc_auc"},
        "change.unapproved_features": {"features": ["postcode"]},
        "change.threshold": {"old": 0.5, "new": 0.62},
        "change.traffic_share": {"asked": 100, "permitted": 20},
    }
    decision = decided(pack, facts, details=details)
    assert next(r.sentence for r in decision.track_reasons if r.rule == rule) == sentence


def test_a_reason_carries_value_source_and_how_it_is_known(pack: Pack) -> None:
    decision = decided(pack, moved(-7.1, -9, -5.2))
    (fact,) = decision.track_reasons[0].facts
    assert (fact.name, fact.value, fact.source, fact.known_by) == (
        "change.performance",
        "-7.1 % (95 % interval -9.0 to -5.2)",
        "the test",
        "attested",
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [(-4.999, "-4.999 %"), (-5.0, "-5.0 %"), (-5.04, "-5.04 %"), (-7.123, "-7.1 %")],
)
def test_a_number_is_never_rounded_onto_or_across_a_limit(
    pack: Pack, value: float, shown: str
) -> None:
    decision = decided(pack, moved(value, -9, 1))
    assert decision.track_reasons[0].facts[0].value.startswith(shown)
