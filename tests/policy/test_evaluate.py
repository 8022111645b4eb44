"""Three-valued evaluation against a slow reference that tries every completion of the unknowns."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guiderail.policy.check_types import compile_text
from guiderail_verify.conditions import given as given_fact
from guiderail_verify.evaluate import (
    UNKNOWN,
    TreeError,
    Truth,
    Value,
    compile_expression,
    compile_guarded,
    complete,
    evaluate,
    fact_names,
)

DOMAINS: Mapping[str, tuple[Value, ...]] = {
    "use.regulated": (False, True),
    "use.confirmed": (False, True),
    "use.exposure": ("small", "material", "large"),
    "use.domain": ("other", "law", "credit"),
    "tests.ran": (0, 1, 2, 3),
    "tests.failed": (0, 1, 2, 3),
}
LEAVES = st.sampled_from(
    [
        "use.regulated",
        "!use.confirmed",
        'use.exposure >= "material"',
        'use.exposure < "large"',
        'use.exposure != "small"',
        'use.domain in ["credit", "law"]',
        'use.domain == "credit"',
        "tests.ran > 1",
        "tests.ran <= 2",
        "tests.ran == tests.failed",
        "tests.failed < tests.ran",
        "true",
        "false",
    ]
)
FORMULAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda p: "(" + " && ".join(p) + ")"),
        st.lists(inner, min_size=2, max_size=3).map(lambda p: "(" + " || ".join(p) + ")"),
        inner.map(lambda part: f"!({part})"),
    ),
    max_leaves=8,
)
READINGS = st.fixed_dictionaries(
    {name: st.sampled_from([*values, UNKNOWN]) for name, values in DOMAINS.items()}
)


def reference(tree: Any, values: Mapping[str, Value]) -> Truth:
    """Kleene logic written as tables: 0 is false, 1 unknown, 2 true."""
    return (False, UNKNOWN, True)[_degree(tree, values)]


def _degree(tree: Any, values: Mapping[str, Value]) -> int:
    if "all" in tree:
        return min(_degree(part, values) for part in tree["all"])
    if "any" in tree:
        return max(_degree(part, values) for part in tree["any"])
    if "not" in tree:
        return 2 - _degree(tree["not"], values)
    if "bool" in tree:
        return 2 * tree["bool"]
    if any(values[name] is UNKNOWN for name in fact_names(tree)):
        return 1
    return 2 * _leaf(tree, values)


def _leaf(tree: Any, values: Mapping[str, Any]) -> bool:
    def operand(part: Any) -> Any:
        if "fact" in part:
            return values[part["fact"]]
        return float(part["number"]) if "number" in part else part["text"]

    if "in" in tree:
        return operand(tree["in"]) in [operand(item) for item in tree["items"]]
    if "compare" not in tree:
        return bool(values[tree["fact"]])
    left, right = operand(tree["left"]), operand(tree["right"])
    if "order" in tree:
        left, right = tree["order"].index(left), tree["order"].index(right)
    return {
        "==": left == right,
        "!=": left != right,
        "<": not isinstance(left, str) and left < right,
        "<=": not isinstance(left, str) and left <= right,
        ">": not isinstance(left, str) and left > right,
        ">=": not isinstance(left, str) and left >= right,
    }[tree["compare"]]


@given(FORMULAS, READINGS)
@settings(max_examples=400, deadline=None)
def test_the_evaluator_agrees_with_the_reference(text: str, values: dict[str, Value]) -> None:
    tree = compile_text(text)
    assert evaluate(tree, values) is reference(tree, values)


@given(FORMULAS, READINGS)
@settings(max_examples=200, deadline=None)
def test_what_is_decided_with_unknowns_stays_so_whatever_they_turn_out(
    text: str, values: dict[str, Value]
) -> None:
    tree = compile_text(text)
    truth = evaluate(tree, values)
    open_names = [name for name in fact_names(tree) if values[name] is UNKNOWN]
    for found in itertools.product(*(DOMAINS[name] for name in open_names)):
        completed = evaluate(tree, {**values, **dict(zip(open_names, found, strict=True))})
        assert completed is not UNKNOWN
        if truth is not UNKNOWN:
            assert completed is truth


@given(FORMULAS, READINGS)
@settings(max_examples=200, deadline=None)
def test_a_condition_apart_from_its_first_fact_is_the_same_condition(
    text: str, values: dict[str, Value]
) -> None:
    tree = compile_text(text)
    fact, rest = compile_guarded(tree)
    whole = given_fact(fact, rest) if fact else rest
    seen = complete(values, fact_names(tree))
    assert whole(seen) is compile_expression(tree)(seen)


# The eight traps of other engines, each closed here.


def test_trap_1_true_and_unknown_is_unknown_and_not_none() -> None:
    tree = compile_text("use.regulated && use.confirmed")
    assert evaluate(tree, {"use.regulated": True}) is UNKNOWN
    assert evaluate(tree, {"use.regulated": False}) is False


def test_trap_2_unknown_is_never_truthy() -> None:
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(UNKNOWN)
    not_a_truth: Any = "yes"
    assert evaluate({"fact": "use.regulated"}, {"use.regulated": not_a_truth}) is UNKNOWN
    assert evaluate({"fact": "use.regulated"}, {"use.regulated": 1}) is UNKNOWN


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("text", ["security.age_days > 15", "security.age_days <= 15"])
def test_trap_3_nan_and_infinities_are_unknown_on_both_sides(number: float, text: str) -> None:
    assert evaluate(compile_text(text), {"security.age_days": number}) is UNKNOWN


def test_trap_4_a_condition_whose_fact_is_missing_is_not_skipped() -> None:
    assert evaluate(compile_text("use.prohibited"), {}) is UNKNOWN


def test_trap_5_not_of_a_missing_fact_is_unknown() -> None:
    assert evaluate(compile_text("!use.confirmed"), {}) is UNKNOWN
    assert evaluate(compile_text('!(use.domain == "credit")'), {}) is UNKNOWN


def test_trap_6_deep_trees_are_refused_and_nothing_overflows() -> None:
    tree: object = {"fact": "use.regulated"}
    for _ in range(100_000):
        tree = {"not": tree}
    with pytest.raises(TreeError, match="deeper"):
        compile_expression(tree)


def test_trap_8_evaluating_keeps_no_state_and_runs_nothing_from_the_tree() -> None:
    expression = compile_expression(compile_text("use.regulated || use.confirmed"))
    unknown: dict[str, Value] = {"use.regulated": UNKNOWN, "use.confirmed": UNKNOWN}
    for _ in range(3):
        assert expression(unknown) is UNKNOWN
        assert expression({**unknown, "use.confirmed": True}) is True
        assert expression(unknown) is UNKNOWN
    with pytest.raises(TreeError):
        compile_expression({"fact": ["__import__('os')"]})


@pytest.mark.parametrize(
    "tree",
    [
        None,
        [],
        {},
        {"all": []},
        {"any": [None]},
        {"not": {}, "all": []},
        {"bool": 1},
        {"compare": "=>", "left": {"fact": "a"}, "right": {"number": "1"}},
        {"compare": ">", "left": {"number": "1"}, "right": {"fact": "a"}},
        {"compare": ">", "left": {"fact": "a"}, "right": {"number": "nan"}},
        {"compare": ">", "left": {"fact": "a"}, "right": {"number": 1}},
        {"compare": ">", "left": {"fact": "a"}, "right": {"number": "1e999"}},
        {"compare": ">", "left": {"fact": "a"}, "right": {"text": "b"}, "order": ["c"]},
        {"in": {"fact": "a"}, "items": []},
        {"in": {"fact": "a"}, "items": [{"fact": "b"}]},
        {"has": {"fact": "a"}, "item": 3},
    ],
)
def test_bytes_that_are_no_expression_are_refused(tree: object) -> None:
    with pytest.raises(TreeError):
        compile_expression(tree)


def test_a_value_outside_the_order_of_an_enum_is_unknown() -> None:
    tree = compile_text('use.exposure >= "material"')
    assert evaluate(tree, {"use.exposure": "enormous"}) is UNKNOWN


def test_membership_of_a_set_asks_for_one_text() -> None:
    tree = compile_text('"email" in data.personal_columns')
    assert evaluate(tree, {"data.personal_columns": ("email", "phone")}) is True
    assert evaluate(tree, {"data.personal_columns": ()}) is False
    assert evaluate(tree, {"data.personal_columns": UNKNOWN}) is UNKNOWN


def test_completing_values_leaves_the_given_ones_alone() -> None:
    given_values: dict[str, Value] = {"a": 1.5, "b": math.nan, "extra": True}
    assert complete(given_values, ["a", "b", "c"]) == {"a": 1.5, "b": UNKNOWN, "c": UNKNOWN}
    assert set(given_values) == {"a", "b", "extra"}
