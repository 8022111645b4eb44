"""Past decisions under another pack."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guiderail.core.digest import canonical_json
from guiderail.core.errors import InputError
from guiderail.core.interval import Interval
from guiderail.facts.fact import Unknown, Value, from_json, to_json
from guiderail.policy import Pack, load_pack, load_pack_directory
from guiderail.policy.pack import make_pack
from guiderail.policy.replay import Decided, Replay, Replayer, review_hours, state
from guiderail.policy.weigh import Weight, weigh
from tests.policy.calm import AT, CALM, facts_of
from tests.policy.diff.packs import edited, own_pack
from tests.policy.diff.test_diff import HIGH, NEW_RULE
from tests.policy.test_properties import LAWS, releases

OLD = load_pack("model")
HOURS = {"green": 0.0, "yellow": 0.5, "red": 4.0}
UP = Interval(6.0, 5.5, 6.5)


def record(
    case: str = "case-0001",
    track: str = "green",
    *,
    without: str = "",
    incident: str = "",
    day: str = "2026-11-23",
    tier: str = "low",
    **changes: Value,
) -> Decided:
    """A calm release as it is stored; changes name facts with `__` for a point."""
    values: dict[str, Value] = {**CALM, **{k.replace("__", "."): v for k, v in changes.items()}}
    facts: Mapping[str, Any] = {
        name: {"value": to_json(value), "known_by": "measured", "source": "test", "detail": {}}
        for name, value in values.items()
        if name != without
    }
    return Decided(case, "credit-decisions", "v3", "model", day, canonical_json(facts), OLD.digest,
                   tier, track, incident)  # fmt: skip


def asked(pack: Pack, *records: Decided, packs: Callable[[str], Pack] = lambda _: OLD) -> Replay:
    return Replayer(pack, packs, HOURS).replay(records)


def test_under_its_own_pack_nothing_changes() -> None:
    result = asked(OLD, record(), record("case-0002", "yellow", change__performance=UP))
    assert (result.n, result.moved, result.by_transition) == (2, [], {})
    assert result.hours_before == result.hours_after == 0.5
    assert (result.not_replayable, result.deviating) == ([], [])


def test_a_wider_band_lets_past_releases_through_and_saves_the_time_of_a_reviewer(
    tmp_path: Path,
) -> None:
    wider = edited(tmp_path, ("tracks/performance-medium.yaml", HIGH, "high >= 8"))
    result = asked(wider, record("case-0007", "yellow", change__performance=UP), record())
    assert result.n == 2
    assert result.by_transition == {"yellow->green": 1}
    (moved,) = result.moved
    assert (moved.decided.case, moved.heavier) == ("case-0007", False)
    assert moved.only_old == ("performance-medium",)
    assert result.hours_after - result.hours_before == -0.5


def test_a_gate_that_fails_now_blocks_and_takes_nobodys_time(tmp_path: Path) -> None:
    stricter = edited(
        tmp_path,
        ("gates/performance.yaml", "change.performance.high < performance.floor",
         "change.performance.high > 5"),
    )  # fmt: skip
    result = asked(stricter, record("case-0007", "yellow", change__performance=UP))
    assert result.by_transition == {"yellow->blocked": 1}
    assert result.moved[0].only_new == ("performance",)
    assert (result.hours_before, result.hours_after) == (0.5, 0.0)


def test_recorded_as_unknown_is_replayed_and_counts_as_heavily_as_ever(tmp_path: Path) -> None:
    own = load_pack_directory(own_pack(tmp_path / "ours", tracks__tuning_changed=NEW_RULE))
    unknown = record(change__tuning=Unknown("the parameters could not be read"))
    result = asked(own, unknown)
    assert (result.n, result.not_replayable) == (1, [])
    assert result.by_transition == {"green->yellow": 1}
    assert result.moved[0].only_new == ("tuning-changed",)


def test_a_fact_that_nobody_recorded_cannot_be_made_up(tmp_path: Path) -> None:
    own = load_pack_directory(own_pack(tmp_path / "ours", tracks__tuning_changed=NEW_RULE))
    result = asked(own, record(), record("case-0002", change__tuning=False))
    assert (result.n, result.moved) == (1, [])
    (one,) = result.not_replayable
    assert (one.decided.case, one.reason) == ("case-0001", "missing: change.tuning")


def test_what_the_pack_of_its_day_took_as_unknown_is_unknown_again() -> None:
    result = asked(OLD, record(without="evaluation.labels", track="red"))
    assert (result.n, result.not_replayable, result.moved) == (1, [], [])


def test_facts_that_cannot_be_read_are_not_replayable() -> None:
    broken = record()
    row = {"value": {"number": "many"}, "known_by": "measured"}
    facts = canonical_json({**json.loads(broken.facts), "tests.ran": row})
    result = asked(OLD, Decided("case-0009", "w", "v", "model", "2026-11-23", facts, OLD.digest,
                                "low", "green"))  # fmt: skip
    assert result.n == 0
    assert result.not_replayable[0].reason.startswith("the recorded facts cannot be read")


def test_a_pack_of_its_day_that_is_gone_makes_it_not_replayable() -> None:
    def gone(digest: str) -> Pack:
        raise InputError(f"No decision was made with {digest}.", advice="Look elsewhere.")

    result = asked(OLD, record(), packs=gone)
    assert result.n == 0
    assert result.not_replayable[0].reason == f"No decision was made with {OLD.digest}."


def test_a_record_that_its_pack_does_not_give_is_named() -> None:
    result = asked(OLD, record("case-0003", "green", change__performance=UP))
    assert result.deviating == ["case-0003"]


def test_a_pack_of_tomorrow_is_asked_with_the_rules_of_its_first_day(tmp_path: Path) -> None:
    later = edited(
        tmp_path,
        ("pack.yaml", 'effective_from: "2026-11-01"', 'effective_from: "2027-01-01"'),
        ("tracks/features-removed.yaml", 'since: "2026-11-01"', 'since: "2027-01-01"'),
        ("tracks/features-removed.yaml", "raises_to: yellow", "raises_to: red"),
    )
    result = asked(later, record("case-0001", "yellow", change__removed_features=1))
    assert result.by_transition == {"yellow->red": 1}


@pytest.mark.parametrize("limit", ["8", "3"])
def test_incidents_are_counted_whichever_way_they_move(tmp_path: Path, limit: str) -> None:
    other = edited(tmp_path, ("tracks/performance-medium.yaml", HIGH, f"high >= {limit}"))
    result = asked(
        other,
        record("case-0001", "yellow", change__performance=UP, incident="it was taken back"),
        record("case-0002", "green", change__performance=Interval(4.0, 3.5, 4.5),
               incident="its rollout was aborted"),
    )  # fmt: skip
    assert result.incidents == 2
    expected = ("case-0001", False) if limit == "8" else ("case-0002", True)
    assert [(one.decided.case, one.heavier) for one in result.moved] == [expected]


def test_other_reviewers_on_the_same_track_are_counted(tmp_path: Path) -> None:
    other = edited(tmp_path, ("pack.yaml", "minimum_known_by:",
                              "reviewers:\n  yellow: [compliance]\nminimum_known_by:"))  # fmt: skip
    result = asked(other, record("case-0001", "yellow", change__performance=UP))
    assert (result.moved, result.other_reviewers) == ([], 1)


def the_same(tree: dict[str, Any]) -> None:
    """Nothing is changed."""


def another_band(tree: dict[str, Any]) -> None:
    rule = next(part for part in tree["tracks"] if part["id"] == "performance-medium")
    rule["when"] = {
        "compare": "<=", "left": {"fact": "change.performance.low"}, "right": {"number": "-4"}
    }  # fmt: skip


def a_heavier_rule_first(tree: dict[str, Any]) -> None:
    for rule in tree["tracks"]:
        if rule["id"] == "decision-flips":
            rule["raises_to"] = "red"
    tree["tracks"].reverse()


def a_gate_for_every_tier(tree: dict[str, Any]) -> None:
    gate = next(part for part in tree["gates"] if part["id"] == "explainability")
    gate["kinds"]["model"]["from_tier"] = "low"
    tree["minimum_known_by"] = dict(tree["minimum_known_by"])


def without_a_rule_and_a_gate(tree: dict[str, Any]) -> None:
    tree["tracks"] = [part for part in tree["tracks"] if part["id"] != "recipe-changed"]
    tree["gates"] = [part for part in tree["gates"] if part["id"] != "tests"]


def another_tier(tree: dict[str, Any]) -> None:
    rule = next(part for part in tree["tiers"] if part["id"] == "unconfirmed")
    rule["raises_to"] = "high"


CHANGES = (the_same, another_band, a_heavier_rule_first, a_gate_for_every_tier,
           without_a_rule_and_a_gate, another_tier)  # fmt: skip


def the_type_of_a_fact(tree: dict[str, Any]) -> None:
    """An enum of the facts gets one value less: what had it is unknown for the other pack."""
    tree["facts"]["use.domain"]["values"].remove("credit")


def changed(change: Callable[[dict[str, Any]], None]) -> Pack:
    tree = json.loads(json.dumps(OLD.tree))
    change(tree)
    return make_pack(tree, OLD.texts)


NEW = {change: changed(change) for change in (*CHANGES, the_type_of_a_fact)}


@pytest.mark.parametrize("change", NEW)
@given(st.lists(releases("model"), min_size=1, max_size=5))
@settings(LAWS, max_examples=40)
def test_many_at_once_is_each_alone(
    change: Callable[[dict[str, Any]], None], those: list[dict[str, Value]]
) -> None:
    """Tier, track, people and what counts, against both packs asked about every release alone."""
    pack = NEW[change]
    records = [record(f"case-{place:04d}", **values) for place, values in enumerate(those)]
    result = asked(pack, *records)
    alone = [(weight_of(OLD, values), weight_of(pack, values)) for values in those]
    by_case = dict(zip([one.case for one in records], alone, strict=True))
    moved = {case: both for case, both in by_case.items() if state(both[0]) != state(both[1])}
    stays = [both for case, both in by_case.items() if case not in moved]
    assert result.n == len(those)
    assert {one.decided.case: (one.old, one.new) for one in result.moved} == moved
    assert result.other_tier == sum(old.tier != new.tier for old, new in stays)
    assert result.other_reviewers == sum(set(old.roles) != set(new.roles) for old, new in stays)
    assert result.hours_before == sum(review_hours(old, HOURS) for old, _ in alone)
    assert result.hours_after == sum(review_hours(new, HOURS) for _, new in alone)
    decided = {case: (old.tier_name, old.track_name) for case, (old, _) in by_case.items()}
    assert result.deviating == [case for case in decided if decided[case] != ("low", "green")]


def weight_of(pack: Pack, values: dict[str, Value]) -> Weight:
    """What a pack says about one release, as it is read back from where it is stored."""
    back = {name: from_json(to_json(value)) for name, value in values.items()}
    read = pack.readings(facts_of(back))
    return weigh(pack, pack.rulebook("model", AT).judge(read.values, read.known_by))
