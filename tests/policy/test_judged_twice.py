"""Two packs asked together say what each says alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from guiderail.facts.fact import Value
from guiderail.policy import Pack, load_pack
from guiderail.policy.judged_twice import JudgedTwice
from guiderail.policy.pack import make_pack
from guiderail_verify.judge import Judgement
from tests.policy.calm import AT, facts_of
from tests.policy.test_properties import LAWS, releases

OLD = load_pack("model")


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


def changed(change: Callable[[dict[str, Any]], None]) -> Pack:
    tree = json.loads(json.dumps(OLD.tree))
    change(tree)
    return make_pack(tree, OLD.texts)


PACKS = {change: changed(change) for change in CHANGES}


def told(judged: Judgement) -> tuple[Any, ...]:
    hits = [[(hit.rule.id, hit.rule.level, hit.rule.rank, hit.truth) for hit in some]
            for some in (judged.tier_hits, judged.track_hits)]  # fmt: skip
    gates = [(gate.gate.id, gate.verdict, gate.enforced) for gate in judged.gates]
    return judged.tier, judged.track, hits, gates, judged.weak


@pytest.mark.parametrize("change", CHANGES)
@given(releases("model"))
@LAWS
def test_asking_both_is_asking_each(
    change: Callable[[dict[str, Any]], None], values: dict[str, Value]
) -> None:
    new = PACKS[change]
    books = OLD.rulebook("model", AT), new.rulebook("model", AT)
    read = OLD.readings(facts_of(values))
    both = JudgedTwice((OLD, new), books).judge(read.values, read.known_by)
    alone = [book.judge(read.values, read.known_by) for book in books]
    assert [told(one) for one in both] == [told(one) for one in alone]
