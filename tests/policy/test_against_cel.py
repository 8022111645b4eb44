"""The evaluator against Google's CEL in C++, on the language that both share.

CEL has no unknown values here: `cel-expr-python` binds values and nothing else, so a fact without a
value is left out, and an expression that depends on it ends in CEL's error "no value". `&&` and
`||` of CEL absorb such errors in the same way in which Kleene's logic absorbs the unknown, on
whichever side they stand: that is what makes CEL an oracle for unknown too. Where the two differ on
purpose stands below, each difference as a test.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

import pytest
from cel_expr_python import cel
from hypothesis import given, settings

from guiderail.core.interval import Interval
from guiderail.policy.check_types import compile_text
from guiderail.policy.parse import DEEPEST, ExpressionError
from guiderail.policy.proofs.release import Release, Value, readings
from guiderail_verify.evaluate import UNKNOWN, Truth, evaluate
from tests.policy.proofs.random_trees import FACTS, SIZES, TREES, TYPES, Tree, releases_of

INTEGERS: Final = ("count", "other_count")
RANKED: Final = ("size", "limit_size")
_TYPES: Final = {
    "bool": cel.Type.BOOL,
    "enum": cel.Type.STRING,
    "integer": cel.Type.INT,
    "number": cel.Type.DOUBLE,
    "text": cel.Type.STRING,
    "set": cel.Type.List(cel.Type.STRING),
}
VARIABLES: Final = {
    **{name: _TYPES[kind["type"]] for name, kind in TYPES.items() if kind["type"] != "interval"},
    **dict.fromkeys((f"{each}_rank" for each in RANKED), cel.Type.INT),
    **dict.fromkeys(("spread", "spread_low", "spread_high"), cel.Type.DOUBLE),
}
ENV: Final = cel.NewEnv(variables=VARIABLES)


def cel_text(tree: Any) -> str:
    """The tree as CEL. An enum with an order is compared by its rank, which CEL cannot know."""
    match tree:
        case {"all": parts}:
            return "(" + " && ".join(map(cel_text, parts)) + ")"
        case {"any": parts}:
            return "(" + " || ".join(map(cel_text, parts)) + ")"
        case {"not": part}:
            return f"!({cel_text(part)})"
        case {"compare": sign, "left": left, "right": right, "order": order}:
            there = str(order.index(right["text"])) if "text" in right else _name(right) + "_rank"
            return f"{_name(left)}_rank {sign} {there}"
        case {"compare": sign, "left": left, "right": right}:
            return f"{_name(left)} {sign} {_operand(right, _name(left))}"
        case {"in": left, "items": items}:
            return f"{_name(left)} in [{', '.join(_operand(i, _name(left)) for i in items)}]"
        case {"has": fact, "item": item}:
            return f'"{item}" in {_name(fact)}'
    return _operand(tree, "")


def _name(operand: Tree) -> str:
    return str(operand["fact"]).replace(".", "_")


def _operand(operand: Tree, beside: str) -> str:
    match operand:
        case {"fact": _}:
            return _name(operand)
        case {"number": text}:
            return text if beside in INTEGERS else str(float(text))
    return json.dumps(next(iter(operand.values())))


def bound(facts: dict[str, Value]) -> dict[str, Any]:
    """The facts as CEL variables; what is unknown is not there."""
    values: dict[str, Any] = {}
    for name, value in facts.items():
        match value:
            case Interval():
                values |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
            case tuple():
                values[name] = list(value)
            case _:
                values[name] = value
        if name in RANKED:
            values[f"{name}_rank"] = SIZES.index(str(value))
    return values


def asked_of_cel(text: str, values: dict[str, Any]) -> Truth:
    """What CEL says to a text."""
    return said_by_cel(ENV.compile(text), values)


def said_by_cel(compiled: Any, values: dict[str, Any]) -> Truth:
    """What CEL says; an error because of a missing value is unknown, every other one is a fault."""
    answer = compiled.eval(data=values)
    if answer.type() == cel.Type.ERROR:
        assert "No value with name" in str(answer.value()), answer.value()
        return UNKNOWN
    assert answer.type() == cel.Type.BOOL
    return bool(answer.value())


@given(TREES, FACTS)
@settings(max_examples=1500, deadline=None)
def test_the_evaluator_and_cel_agree_also_where_something_is_unknown(
    tree: Tree, facts: dict[str, Value]
) -> None:
    """Thousands of cases: with all of the facts, then with each one unknown in turn."""
    compiled = ENV.compile(cel_text(tree))
    for release in releases_of(tree, facts):
        ours = evaluate(tree, readings(Release(release), TYPES))
        assert said_by_cel(compiled, bound(release)) is ours


@pytest.mark.parametrize(("first", "second"), [("yes", "no"), ("no", "yes")])
def test_an_error_of_cel_is_absorbed_from_either_side_as_unknown_is(
    first: str, second: str
) -> None:
    values = {"no": False}
    assert asked_of_cel(f"{first} && {second}", values) is False
    assert asked_of_cel(f"!({first}) || !({second})", values) is True
    assert asked_of_cel(f"{first} || {second}", values) is UNKNOWN


# Where the two differ, and why ours is the careful side.


def test_cel_gives_an_error_where_ours_gives_unknown_and_python_takes_it_for_true() -> None:
    answer = ENV.compile("yes && no").eval(data={"yes": True})
    assert answer.type() == cel.Type.ERROR
    assert bool(answer.value()) is True  # a text: who writes `if value:` lets it pass
    with pytest.raises(TypeError):
        bool(evaluate({"all": [{"fact": "yes"}, {"fact": "no"}]}, {"yes": True}))


@pytest.mark.parametrize("sign", [">", "<="])
def test_nan_is_a_number_for_cel_and_unknown_here(sign: str) -> None:
    assert asked_of_cel(f"share {sign} 15.0", {"share": math.nan}) is False
    tree = {"compare": sign, "left": {"fact": "share"}, "right": {"number": "15"}}
    assert evaluate(tree, {"share": math.nan}) is UNKNOWN


def test_a_value_of_another_type_is_an_error_for_cel_and_unknown_here() -> None:
    answer = ENV.compile("yes").eval(data={"yes": "yes"})
    assert answer.type() == cel.Type.ERROR
    assert "Unexpected value type" in str(answer.value())
    other: Any = "yes"
    assert evaluate({"fact": "yes"}, {"yes": other}) is UNKNOWN


def test_cel_compares_words_by_the_alphabet_and_ours_by_their_order() -> None:
    assert asked_of_cel('size >= "medium"', {"size": "large"}) is False
    tree = {"compare": ">=", "left": {"fact": "size"}, "right": {"text": "medium"}, "order": SIZES}
    assert evaluate(tree, {"size": "large"}) is True


def test_both_refuse_deep_nesting_ours_with_a_place() -> None:
    text = "(" * 500 + "yes" + ")" * 500
    with pytest.raises(Exception, match="recursion limit"):
        ENV.compile(text)
    with pytest.raises(ExpressionError) as error:
        compile_text(text)
    assert error.value.mistakes[0].at == DEEPEST
