"""Comparing conditions is exact: it finds a difference if and only if one exists."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guiderail.core.interval import Interval
from guiderail.policy.diff.conditions import Found, Search, Side
from guiderail.policy.diff.regions import TooManyError, Try, limits_of, spread, tries
from guiderail_verify.evaluate import UNKNOWN, compile_expression

TYPES: dict[str, Any] = {
    "a.flag": {"type": "bool"},
    "a.other": {"type": "bool"},
    "a.field": {"type": "enum", "values": ["low", "middle", "high"]},
    "a.count": {"type": "integer"},
    "a.share": {"type": "interval"},
    "a.floor": {"type": "number"},
}
NUMBERS = ["0", "0.5", "2", "3"]
GRID = [-1.0, 0.0, 0.2, 0.5, 1.0, 2.0, 2.4, 3.0, 4.0]
VALUES: dict[str, list[Try]] = {
    "a.flag": [True, False, UNKNOWN],
    "a.other": [True, False, UNKNOWN],
    "a.field": ["low", "middle", "high", UNKNOWN],
    "a.count": [-1, 0, 1, 2, 3, 4, UNKNOWN],
    "a.share": [
        *(Interval(b, a, c) for a, b, c in itertools.combinations_with_replacement(GRID, 3)),
        UNKNOWN,
    ],
    "a.floor": [*GRID, UNKNOWN],
}


def leaf(name: str) -> st.SearchStrategy[Any]:
    fact = {"fact": name}
    sign = st.sampled_from(["<", "<=", ">", ">="])
    match TYPES[name.removesuffix(".low").removesuffix(".high")]["type"]:
        case "bool":
            return st.just(fact)
        case "enum":
            order = TYPES[name]["values"]
            return st.builds(
                lambda sign, text: {"compare": sign, "left": fact, "right": {"text": text},
                                    "order": order},
                sign, st.sampled_from(order),
            )  # fmt: skip
    literal = st.sampled_from(NUMBERS).map(lambda text: {"number": text})
    other = st.just({"fact": "a.floor"})
    return st.builds(
        lambda sign, right: {"compare": sign, "left": fact, "right": right},
        sign, other if name == "a.share.high" else literal,
    )  # fmt: skip


LEAVES = st.sampled_from(
    ["a.flag", "a.other", "a.field", "a.count", "a.share", "a.share.low", "a.share.high"]
).flatmap(leaf)
TREES = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        st.lists(parts, min_size=2, max_size=3).map(lambda them: {"all": them}),
        st.lists(parts, min_size=2, max_size=3).map(lambda them: {"any": them}),
        parts.map(lambda part: {"not": part}),
    ),
    max_leaves=4,
)


def side(tree: Any) -> Side:
    return Side((tree,), lambda truths: truths[0], "truth")


def differences(old: Any, new: Any) -> list[Found]:
    return list(Search(side(old), side(new), TYPES, {}, steps=10**6).run())


def differ_somewhere(old: Any, new: Any) -> bool:
    """The slow and plain way: every combination of a fine grid of values."""
    names = sorted({name for tree in (old, new) for name in _facts(tree)})
    one, other = compile_expression(old), compile_expression(new)
    for chosen in itertools.product(*(VALUES[name] for name in names)):
        values = {k: v for name, value in zip(names, chosen, strict=True)
                  for k, v in spread(name, value).items()}  # fmt: skip
        if one(values) is not other(values):
            return True
    return False


def _facts(tree: Any) -> set[str]:
    if isinstance(tree, dict):
        own = {tree["fact"].removesuffix(".low").removesuffix(".high")} if "fact" in tree else set()
        return own.union(*(_facts(part) for part in tree.values()), set())
    return set().union(*(_facts(part) for part in tree)) if isinstance(tree, list) else set()


def small(old: Any, new: Any) -> bool:
    size = 1
    for name in _facts(old) | _facts(new):
        size *= len(VALUES[name])
    return size <= 12_000


@given(TREES, TREES)
@settings(max_examples=150, deadline=None)
def test_a_difference_is_found_if_and_only_if_there_is_one(old: Any, new: Any) -> None:
    if small(old, new):
        assert bool(differences(old, new)) is differ_somewhere(old, new)


@given(TREES, TREES)
@settings(max_examples=150, deadline=None)
def test_every_difference_that_is_found_is_one(old: Any, new: Any) -> None:
    one, other = compile_expression(old), compile_expression(new)
    for found in differences(old, new)[:50]:
        values = {k: v for name in TYPES for k, v in spread(name, UNKNOWN).items()}
        for name, value in found.setting.items():
            values.update(spread(name, value))
        assert (one(values), other(values)) == (found.old, found.new)


@given(TREES)
@settings(max_examples=100, deadline=None)
def test_de_morgan_is_no_difference(tree: Any) -> None:
    written = {"not": {"not": {"all": [tree, {"not": {"any": [{"not": tree}]}}]}}}
    assert differences(tree, written) == []


def test_a_long_conjunction_is_compared_without_trying_every_combination() -> None:
    names = [f"a.fact{index}" for index in range(25)]
    types = {name: {"type": "bool"} for name in names}
    facts: list[Any] = [{"fact": name} for name in names]
    search = Search(side({"all": facts}), side({"all": facts[1:]}), types, {}, steps=2000)
    (first, *_) = search.run()
    assert first.setting["a.fact0"] is False
    same = Search(side({"all": facts}), side({"all": facts[::-1]}), types, {}, steps=2000)
    assert list(same.run()) == []
    assert not same.exhausted


def test_running_out_of_steps_is_said() -> None:
    names = [f"a.fact{index}" for index in range(12)]
    types = {name: {"type": "bool"} for name in names}
    pairs: list[Any] = [
        {"any": [{"all": [{"fact": a}, {"not": {"fact": b}}]},
                 {"all": [{"not": {"fact": a}}, {"fact": b}]}]}
        for a, b in itertools.pairwise(names)
    ]  # fmt: skip
    again = {"all": [{"any": [*pair["any"], {"all": [pair["any"][0], pair["any"][1]]}]}
                     for pair in pairs]}  # fmt: skip
    search = Search(side({"all": pairs}), side(again), types, {}, steps=20)
    assert list(search.run()) == []
    assert search.exhausted


def limits_beside_another_fact(*limits: str) -> Any:
    """An interval with these limits whose upper bound is also compared with a number."""
    share = {"fact": "a.share"}
    parts = [{"compare": "<", "left": share, "right": {"number": limit}} for limit in limits]
    floor = {"compare": "<", "left": {"fact": "a.share.high"}, "right": {"fact": "a.floor"}}
    return {"any": [floor, *parts]}


def test_an_interval_with_four_limits_beside_a_number_is_compared_in_full() -> None:
    tree = limits_beside_another_fact("-2", "2", "0.5")
    assert differences(tree, {"not": {"not": tree}}) == []


def test_facts_with_too_many_combinations_are_named_and_not_skipped() -> None:
    tree = limits_beside_another_fact("-2", "2", "0.5", "3")
    with pytest.raises(TooManyError, match=r"a\.floor, a\.share have [0-9,]+ combinations to try"):
        differences(tree, {"not": tree})


def test_values_lie_at_and_on_both_sides_of_every_limit() -> None:
    tree = {"compare": "<=", "left": {"fact": "a.floor"}, "right": {"number": "0.8"}}
    limits = limits_of([tree], TYPES)
    found = tries("a.floor", TYPES, limits)
    assert 0.8 in found
    assert any(isinstance(value, float) and 0 < value < 0.8 for value in found)
    assert any(isinstance(value, float) and value > 0.8 for value in found)
    assert found[-1] is UNKNOWN


def test_whole_numbers_stay_whole_and_counts_begin_at_the_plain_ones() -> None:
    tree = {"compare": ">", "left": {"fact": "a.count"}, "right": {"number": "2"}}
    found = tries("a.count", TYPES, limits_of([tree], TYPES))
    assert [value for value in found if not isinstance(value, int)] == [UNKNOWN]
    assert found[0] == 0
    assert {1, 2, 3} <= set(found[:-1])
