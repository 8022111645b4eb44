"""Two packs compared by what they decide: every kind of change, with an example that holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from guiderail.core.errors import Place
from guiderail.policy import Pack, decide, load_pack, load_pack_directory
from guiderail.policy.diff import Change, PackDiff, diff_packs, lightened
from guiderail.policy.facts_file import parse_facts
from guiderail.policy.pack import make_pack
from guiderail.render.diff_json import diff_document
from tests.policy.calm import AT
from tests.policy.diff.packs import Edit, edited, own_pack, shipped

OLD = load_pack("model")
MEDIUM = "tracks/performance-medium.yaml"
HIGH, LOW = "high >= limit.performance_yellow", "low <= -limit.performance_yellow"
NEW_RULE = shipped("tracks/features-removed.yaml").replace("features-removed", "tuning-changed")
NEW_RULE = NEW_RULE.replace("change.removed_features > 0", "change.tuning")


def compared(folder: Path, *edits: Edit) -> PackDiff:
    found = diff_packs(OLD, edited(folder, *edits))
    for change in found.changes:
        confirmed(change, OLD, load_pack_directory(folder / "model"))
    return found


def only(found: PackDiff) -> Change:
    (change,) = found.changes
    return change


def confirmed(change: Change, *packs: Pack) -> None:
    """Deciding on the example, as `policy eval` does, gives what the change says of both packs."""
    if change.example is None:
        return
    example = change.example
    document: Any = diff_document(PackDiff(OLD.ref, OLD.ref, (), (change,)))
    given = document["changes"][0]["example"]["facts"]
    facts = parse_facts(json.dumps(given).encode(), Path("example.json"), packs[1].vocabulary)
    for pack, weight in zip(packs, (example.old, example.new), strict=True):
        at = AT.fromisoformat(f"{example.day}T12:00:00+00:00")
        decision = decide(pack, facts, kind=example.kind, at=at, place=Place)
        assert decision.tier == weight.tier_name
        assert decision.track == weight.track_name
        assert decision.outcome == weight.outcome
        assert {need.role for need in decision.reviewers} == set(weight.roles)


def tracks(change: Change) -> tuple[str, str]:
    assert change.example is not None
    return change.example.old.track_name, change.example.new.track_name


def test_a_pack_does_not_differ_from_itself() -> None:
    found = diff_packs(OLD, OLD)
    assert found.changes == ()
    assert found.kinds == ("model",)


def test_a_wider_band_is_lighter_and_the_example_lies_between_the_limits(tmp_path: Path) -> None:
    change = only(compared(tmp_path, (MEDIUM, HIGH, "high >= 8")))
    assert (change.part, change.section, change.change) == (
        "performance-medium",
        "tracks",
        "changed",
    )
    assert change.direction == "lighter"
    assert tracks(change) == ("yellow", "green")
    assert change.example is not None
    (name,) = change.example.differs
    value: Any = change.example.facts[name]
    assert 5 <= value.high < 8
    assert change.sentence.endswith("was yellow, would be green.")
    assert "change.performance.high >= 8" in change.sentence


def test_a_narrower_band_is_heavier(tmp_path: Path) -> None:
    change = only(compared(tmp_path, (MEDIUM, HIGH, "high >= 3")))
    assert change.direction == "heavier"
    assert tracks(change) == ("green", "yellow")


def test_a_band_that_moves_is_lighter_here_and_heavier_there(tmp_path: Path) -> None:
    found = compared(tmp_path, (MEDIUM, HIGH, "high >= 8"), (MEDIUM, LOW, "low <= -3"))
    assert [change.direction for change in found.changes] == ["lighter", "heavier"]
    assert [tracks(change) for change in found.changes] == [
        ("yellow", "green"),
        ("green", "yellow"),
    ]


def test_another_way_to_write_the_same_condition_changes_no_decision(tmp_path: Path) -> None:
    old = "baseline.exists && change.architecture"
    new = "!(!change.architecture || !baseline.exists)"
    change = only(compared(tmp_path, ("tracks/architecture.yaml", old, new)))
    assert (change.direction, change.decided, change.example) == ("none", True, None)
    assert change.sentence.endswith("is written differently; no decision changes.")


def test_a_guard_that_can_be_unknown_is_no_rewrite(tmp_path: Path) -> None:
    """`x || !x` is true for every value of x and unknown for an unknown one."""
    old = "baseline.exists && change.architecture"
    new = f"{old} && (evaluation.labels || !evaluation.labels)"
    change = only(compared(tmp_path, ("tracks/architecture.yaml", old, new)))
    assert change.direction == "none", "unknown counts like true, so the rule counts as before"
    new = "  use.prohibited && (use.regulated || !use.regulated)\n"
    file = "../baseline/tiers/prohibited.yaml"
    found = compared(tmp_path / "two", (file, "  use.prohibited\n", new))
    change = only(found)
    assert change.direction == "lighter", "a rule that counts only when certain now misses a case"
    assert change.example is not None
    assert "use.regulated" in change.example.differs


def test_a_lower_track_is_lighter_and_a_higher_one_heavier(tmp_path: Path) -> None:
    change = only(compared(tmp_path, ("tracks/architecture.yaml", "to: red", "to: yellow")))
    assert (change.direction, tracks(change)) == ("lighter", ("red", "yellow"))
    assert (change.old, change.new) == ("raises to red", "raises to yellow")
    change = only(
        compared(tmp_path / "two", ("tracks/features-removed.yaml", "to: yellow", "to: red"))
    )
    assert (change.direction, tracks(change)) == ("heavier", ("yellow", "red"))


def test_a_tier_rule_shows_the_tier_and_what_follows(tmp_path: Path) -> None:
    edit = ("tiers/automated-money.yaml", '"material"', '"large"')
    change = only(compared(tmp_path, edit))
    assert change.direction == "lighter"
    assert change.example is not None
    assert (change.example.old.tier_name, change.example.new.tier_name) == ("high", "medium")
    assert "was of high tier" in change.sentence


def test_a_gate_from_a_higher_tier_and_a_gate_with_another_limit(tmp_path: Path) -> None:
    later = only(
        compared(tmp_path, ("gates/fairness.yaml", "from_tier: medium", "from_tier: high"))
    )
    assert later.direction == "lighter"
    assert later.example is not None
    assert later.example.old.tier_name == later.example.new.tier_name == "medium"
    stricter = only(
        compared(
            tmp_path / "two", ("gates/fairness.yaml", "low >= limit.group_ratio", "low >= 0.9")
        )
    )
    assert stricter.direction == "heavier"
    assert tracks(stricter) == ("green", "yellow")


def test_a_gate_that_only_warns_is_lighter(tmp_path: Path) -> None:
    edit = ("gates/model-file.yaml", "model: enforced", "model: warns")
    found = compared(tmp_path, edit)
    assert {change.direction for change in found.changes} == {"lighter"}
    assert "blocked" in found.changes[0].sentence


def test_a_limit_that_may_not_be_absent_any_more_is_heavier(tmp_path: Path) -> None:
    edit = ("gates/performance.yaml", "may_be_absent: [performance.floor]", "may_be_absent: []")
    change = only(compared(tmp_path, edit))
    assert change.direction == "heavier"
    assert change.example is not None
    assert change.example.facts["performance.floor"].__class__.__name__ == "UnknownType"


def test_who_may_waive_is_named_and_changes_no_verdict(tmp_path: Path) -> None:
    fewer = only(compared(tmp_path, ("gates/proxies.yaml", "waivable_by: [fair-lending]",
                                     "waivable_by: []")))  # fmt: skip
    assert (fewer.direction, fewer.example) == ("heavier", None)
    more = only(compared(tmp_path / "two", ("gates/proxies.yaml", "waivable_by: [fair-lending]",
                                            "waivable_by: [fair-lending, security]")))  # fmt: skip
    assert more.direction == "lighter"
    assert "security may now waive it" in more.sentence


def test_another_owner_of_a_gate_means_another_reviewer(tmp_path: Path) -> None:
    edit = ("gates/fairness.yaml", "owner: ml-governance-analyst", "owner: compliance")
    (change,) = compared(tmp_path, edit).changes
    assert change.direction == "other"
    assert change.example is not None
    assert "compliance" in change.example.new.roles
    assert "compliance" not in change.example.old.roles


def test_reviewers_that_a_rule_adds(tmp_path: Path) -> None:
    edit = ("tiers/regulated.yaml", "adds_reviewers: [compliance]", "adds_reviewers: []")
    change = only(compared(tmp_path, edit))
    assert change.direction == "lighter"
    assert change.example is not None
    assert set(change.example.old.roles) - set(change.example.new.roles) == {"compliance"}
    assert "who looks" in change.reason


def test_reviewers_and_targets_of_a_track(tmp_path: Path) -> None:
    found = diff_packs(OLD, edited(
        tmp_path, ("pack.yaml", "minimum_known_by:", "reviewers:\n  yellow: [compliance]\n"
                   "targets_hours:\n  red: 40\nminimum_known_by:")
    ))  # fmt: skip
    by_part = {change.part: change for change in found.changes}
    assert by_part["reviewers.yellow"].direction == "other"
    example = by_part["reviewers.yellow"].example
    assert example is not None
    assert (example.old.roles, example.new.roles) == (("ml-platform-engineer",), ("compliance",))
    assert by_part["targets_hours.red"].direction == "none"


@pytest.mark.parametrize(
    ("old", "new", "direction"),
    [("change: measured", "change: verified", "heavier"),
     ("change: measured", "change: declared", "lighter")],
)  # fmt: skip
def test_how_well_a_fact_must_be_known(tmp_path: Path, old: str, new: str, direction: str) -> None:
    change = only(compared(tmp_path, ("pack.yaml", f"  {old}", f"  {new}")))
    assert (change.part, change.direction) == ("minimum_known_by.change", direction)
    assert change.example is not None
    assert len(change.example.known_by) == 1
    assert sorted(tracks(change)) == ["green", "yellow"]


def test_a_rule_that_begins_later_is_lighter_until_then(tmp_path: Path) -> None:
    edit = ("tiers/pricing.yaml", 'since: "2026-11-01"', 'since: "2026-12-01"')
    change = only(compared(tmp_path, edit))
    assert change.direction == "lighter"
    assert change.example is not None
    assert change.example.day == "2026-11-01"


def test_a_rule_that_ends_is_lighter_from_its_last_day_on(tmp_path: Path) -> None:
    edit = ("tiers/pricing.yaml", 'since: "2026-11-01"', 'since: "2026-11-01"\nuntil: "2027-01-01"')
    change = only(compared(tmp_path, edit))
    assert change.direction == "lighter"
    assert change.example is not None
    assert change.example.day == "2027-01-01"


def test_other_words_are_named_apart(tmp_path: Path) -> None:
    found = compared(tmp_path, ("tracks/architecture.yaml", "Tuning alone", "Only tuning"))
    change = only(found)
    assert (change.change, change.direction) == ("wording", "none")
    assert found.old.digest == found.new.digest
    assert found.old.texts_digest != found.new.texts_digest


def test_advice_and_questions_change_no_decision(tmp_path: Path) -> None:
    advice = only(compared(tmp_path, ("advice/cost-up.yaml", ">= limit.cost_up", ">= 30")))
    assert (advice.section, advice.direction, advice.example) == ("advice", "other", None)
    assert "Advice changes no decision" in advice.reason
    file, old = "../baseline/questions/q08-exposure.yaml", "!use.customer_facing\n"
    question = only(
        compared(tmp_path / "two", (file, old, f"{old[:-1]} && use.confirmed\n"))
    )  # fmt: skip
    assert (question.section, question.direction) == ("questions", "other")


def test_a_rule_in_the_shadow_of_another_changes_a_reason_only(tmp_path: Path) -> None:
    """Every use for credit is of high tier by another rule, so this one never decides alone."""
    rule = shipped("tiers/pricing.yaml").replace("id: pricing", "id: credit-too")
    rule = rule.replace('use.domain == "pricing"', 'use.domain == "credit"')
    own = load_pack_directory(own_pack(tmp_path / "ours", tiers__credit_too=rule))
    (change,) = (one for one in diff_packs(OLD, own).changes if one.part == "credit-too")
    assert (change.change, change.direction, change.example) == ("added", "heavier", None)
    assert change.decided
    assert "It changes the reasons that are shown" in change.reason


def test_two_changes_that_only_together_make_something_lighter(tmp_path: Path) -> None:
    rule = shipped("tiers/pricing.yaml").replace("id: pricing", "id: credit-too")
    rule = rule.replace("raises_to: medium", "raises_to: high")
    rule = rule.replace('use.domain == "pricing"', 'use.domain == "credit"')
    fewer = shipped("tiers/high-domain.yaml").replace("id: high-domain", "id: high-domain\n"
                                                      "overrides: model")  # fmt: skip
    fewer = fewer.replace('["credit", "fraud"]', '["fraud"]')
    old = load_pack_directory(own_pack(tmp_path / "one" / "ours", tiers__credit_too=rule))
    new = load_pack_directory(own_pack(tmp_path / "two" / "ours", tiers__high_domain=fewer))
    by_part = {change.part: change for change in diff_packs(old, new).changes}
    for part in ("credit-too", "high-domain"):
        change = by_part[part]
        assert change.direction == "lighter"
        assert tracks(change) == ("red", "green")
        assert "takes the other changes too" in change.reason
        confirmed(change, old, new)
    alone = load_pack_directory(own_pack(tmp_path / "three" / "ours", tiers__credit_too=rule,
                                         tiers__high_domain=fewer))  # fmt: skip
    (change,) = (one for one in diff_packs(old, alone).changes if one.part == "high-domain")
    assert change.example is None
    assert "something else asks for as much" in change.reason


def test_an_added_rule_of_ones_own_fact_and_a_dropped_one(tmp_path: Path) -> None:
    folder = own_pack(
        tmp_path / "ours",
        "drops:\n  architecture: Judged by the domain.\n",
        tracks__tuning_changed=NEW_RULE,
    )
    own = load_pack_directory(folder)
    by_part = {change.part: change for change in diff_packs(OLD, own).changes}
    added, removed = by_part["tuning-changed"], by_part["architecture"]
    assert (added.change, added.direction, tracks(added)) == ("added", "heavier",
                                                              ("green", "yellow"))  # fmt: skip
    assert added.old == ""
    assert (removed.change, removed.direction, tracks(removed)) == ("removed", "lighter",
                                                                    ("red", "green"))  # fmt: skip
    for change in by_part.values():
        confirmed(change, OLD, own)


def test_the_same_packs_give_the_same_answer_every_time(tmp_path: Path) -> None:
    new = edited(tmp_path, (MEDIUM, HIGH, "high >= 8"),
                 ("gates/fairness.yaml", "low >= limit.group_ratio", "low >= 0.75"))  # fmt: skip
    first = diff_document(diff_packs(load_pack("model"), new))
    again = diff_document(diff_packs(load_pack("model"), load_pack_directory(tmp_path / "model")))
    assert first == again
    assert json.dumps(first, allow_nan=False)


def test_what_is_too_much_to_try_is_said_and_never_called_no_change(tmp_path: Path) -> None:
    tags = " || ".join(f'"tag{index}" in data.personal_columns' for index in range(20))
    rule = NEW_RULE.replace("change.tuning", f"({tags})")
    own = load_pack_directory(own_pack(tmp_path / "ours", tracks__tuning_changed=rule))
    (change,) = (one for one in diff_packs(OLD, own).changes if one.section == "tracks")
    assert (change.decided, change.example) == (False, None)
    assert change.direction == "other"
    assert "20 members of one set" in change.reason


def test_lightened_names_overrides_drops_and_limits_only(tmp_path: Path) -> None:
    override = shipped("tracks/performance-medium.yaml").replace(HIGH, "high >= 8")
    override = override.replace(
        "id: performance-medium", "id: performance-medium\noverrides: model"
    )
    folder = own_pack(
        tmp_path / "ours",
        "drops:\n  architecture: Judged by the domain.\n",
        tracks__performance_medium=override,
        tracks__tuning_changed=NEW_RULE,
    )
    found = lightened(OLD, load_pack_directory(folder))
    assert {change.part for change in found} == {"performance-medium", "architecture"}
    assert {change.direction for change in found} == {"lighter"}
    assert all(change.example is not None for change in found)


def test_a_wider_limit_of_an_own_pack_is_shown_for_every_part_that_uses_it(
    tmp_path: Path,
) -> None:
    own = load_pack_directory(own_pack(tmp_path / "ours", "limits:\n  performance_yellow: 8\n"))
    by_part = {change.part: change for change in lightened(OLD, own)}
    assert {"performance-medium", "performance"} <= by_part.keys()
    assert tracks(by_part["performance-medium"]) == ("yellow", "green")
    for change in by_part.values():
        assert change.decided
        confirmed(change, OLD, own)


def test_a_stricter_pack_lightens_nothing(tmp_path: Path) -> None:
    override = shipped("tracks/performance-medium.yaml").replace(HIGH, "high >= 3")
    override = override.replace(
        "id: performance-medium", "id: performance-medium\noverrides: model"
    )
    folder = own_pack(tmp_path / "ours", tracks__performance_medium=override)
    assert lightened(OLD, load_pack_directory(folder)) == ()


@pytest.mark.parametrize("kind", ["app", pytest.param("model", marks=pytest.mark.slow), "pipeline"])
def test_without_any_single_part_a_pack_is_lighter_and_shows_it(kind: str) -> None:
    """Every rule and enforced gate that ships decides something by itself."""
    whole = load_pack(kind)
    for section in ("tiers", "tracks", "gates"):
        for part in dict.fromkeys(entry["id"] for entry in whole.tree[section]):
            kept = [entry for entry in whole.tree[section] if entry["id"] != part]
            less = make_pack({**whole.tree, section: kept}, whole.texts)
            found = [one for one in diff_packs(whole, less).changes if one.section == section]
            (change,) = found
            assert (change.part, change.change, change.decided) == (part, "removed", True)
            if change.direction == "lighter":
                assert change.example is not None, part
                confirmed(change, whole, less)
            else:
                assert idle(whole, section, part), part


def idle(pack: Pack, section: str, part: str) -> bool:
    """Does a part only warn, hold for other kinds, or raise to the lightest step?"""
    entries = [entry for entry in pack.tree[section] if entry["id"] == part]
    if section == "gates":
        setting = entries[0]["kinds"].get(pack.kinds[0])
        return setting is None or setting["effect"] == "warns"
    return all(entry["raises_to"] in ("low", "green") for entry in entries)
