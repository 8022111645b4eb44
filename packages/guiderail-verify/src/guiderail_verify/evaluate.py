"""Three-valued evaluation of compiled policy packs: standard library only, nothing executed.

A compiled pack is a JSON tree. Expressions in it are turned into closures once; there is no
`eval`, no generated code and no state between two evaluations. Truth is `True`, `False` or
`UNKNOWN` (Kleene's strong logic): `false && unknown` is false, `true && unknown` is unknown.

Expression trees:

    {"all": [..]}  {"any": [..]}  {"not": tree}  {"bool": true}  {"fact": "use.regulated"}
    {"compare": "<=", "left": operand, "right": operand}        numbers, or == and != of any type
    {"compare": ">=", "left": operand, "right": operand, "order": ["small", "material", "large"]}
    {"in": {"fact": "use.domain"}, "items": ["credit", "fraud"]}
    {"has": {"fact": "data.personal_columns"}, "item": "email"}  membership of a set

Operands are `{"fact": name}`, `{"number": "0.8"}`, `{"text": "credit"}` or `{"bool": true}`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

DEEPEST = 64
"""Trees nested deeper than this are refused; the language itself stops far earlier."""


class TreeError(ValueError):
    """The bytes are not a compiled expression. Names the part that is wrong."""


class UnknownType:
    """The type of `UNKNOWN`. It has no truth value, so it can never count as passed by accident."""

    __slots__ = ()

    def __bool__(self) -> bool:
        raise TypeError("unknown is neither true nor false")

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = UnknownType()

Truth = bool | UnknownType
Value = bool | int | float | str | tuple[str, ...] | UnknownType
Values = Mapping[str, Value]
Expression = Callable[[Values], Truth]
"""Takes values for *every* fact the tree names (see `complete`) and returns the truth."""

Comparison = Callable[[Any, Any], bool]
"""Both sides are of one type: the checker of the language sees to it."""

_COMPARE: Final[Mapping[str, Comparison]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compile_expression(tree: object) -> Expression:
    """Turn an expression tree into a function. Raises TreeError for anything else."""
    return _compile(tree, 0)


def evaluate(tree: object, values: Values) -> Truth:
    """Evaluate once. Facts that `values` does not hold are unknown; so are NaN and infinities."""
    return compile_expression(tree)(complete(values, fact_names(tree)))


def complete(values: Values, names: Sequence[str] | frozenset[str]) -> dict[str, Value]:
    """A copy that holds every name: what is missing, NaN or infinite is unknown."""
    whole: dict[str, Value] = {}
    for name in names:
        value = values.get(name, UNKNOWN)
        if isinstance(value, float) and not math.isfinite(value):
            value = UNKNOWN
        whole[name] = value
    return whole


def fact_names(tree: object) -> frozenset[str]:
    """Every fact name in a tree, bounds (`x.low`) as they are written."""
    found: set[str] = set()
    pending: list[object] = [tree]
    while pending:
        part = pending.pop()
        if isinstance(part, Mapping):
            name = part.get("fact")
            if isinstance(name, str):
                found.add(name)
            pending.extend(part.values())
        elif isinstance(part, list | tuple):
            pending.extend(part)
    return frozenset(found)


def number(text: object) -> int | float:
    """A number from its decimal string. Raises TreeError for NaN, infinities and other texts."""
    if not isinstance(text, str):
        raise TreeError(f"a number must be a decimal string, not {text!r}")
    try:
        value = float(text) if "." in text or "e" in text.lower() else int(text)
    except ValueError:
        raise TreeError(f"{text!r} is not a decimal number") from None
    if not math.isfinite(value):
        raise TreeError(f"{text!r} is not a finite number")
    return value


def _compile(tree: Any, depth: int) -> Expression:
    if depth > DEEPEST:
        raise TreeError(f"nested deeper than {DEEPEST} levels")
    match tree:
        case {"all": list(parts)} if parts and len(tree) == 1:
            return _all(tuple(_compile(part, depth + 1) for part in parts))
        case {"any": list(parts)} if parts and len(tree) == 1:
            return _any(tuple(_compile(part, depth + 1) for part in parts))
        case {"not": part} if len(tree) == 1:
            return _not(_compile(part, depth + 1))
        case {"bool": bool(value)} if len(tree) == 1:
            return lambda values: value
        case {"fact": str(name)} if len(tree) == 1:
            return _truth_of(name)
        case {"compare": str(sign), "left": left, "right": right, "order": list(order)}:
            return _compare_ranks(sign, left, right, tuple(order))
        case {"compare": str(sign), "left": left, "right": right} if len(tree) == 3:
            return _compare(sign, left, right)
        case {"in": {"fact": str(name)}, "items": list(items)} if items:
            return _one_of(name, frozenset(_literal(item) for item in items))
        case {"has": {"fact": str(name)}, "item": str(item)}:
            return _contains(name, item)
    raise TreeError(f"not an expression: {str(tree)[:80]}")


def _all(parts: tuple[Expression, ...]) -> Expression:
    if len(parts) == 2:
        return _both(*parts)

    def conjunction(values: Values) -> Truth:
        result: Truth = True
        for part in parts:
            truth = part(values)
            if truth is False:
                return False
            if truth is UNKNOWN:
                result = UNKNOWN
        return result

    return conjunction


def _both(first: Expression, second: Expression) -> Expression:
    """What `_all` does, without a loop: most conditions have two parts."""

    def conjunction(values: Values) -> Truth:
        one = first(values)
        if one is False:
            return False
        other = second(values)
        return one if other is True else other

    return conjunction


def _any(parts: tuple[Expression, ...]) -> Expression:
    def disjunction(values: Values) -> Truth:
        result: Truth = False
        for part in parts:
            truth = part(values)
            if truth is True:
                return True
            if truth is UNKNOWN:
                result = UNKNOWN
        return result

    return disjunction


def _not(part: Expression) -> Expression:
    def negation(values: Values) -> Truth:
        truth = part(values)
        return truth if isinstance(truth, UnknownType) else not truth

    return negation


def _truth_of(name: str) -> Expression:
    def truth(values: Values) -> Truth:
        value = values[name]
        # Anything that is not a Boolean has no truth here: not 1, not "yes", not a full list.
        return value if value is True or value is False else UNKNOWN

    return truth


def _literal(operand: Any) -> bool | int | float | str:
    match operand:
        case {"number": text} if len(operand) == 1:
            return number(text)
        case {"text": str(text)} if len(operand) == 1:
            return text
        case {"bool": bool(value)} if len(operand) == 1:
            return value
    raise TreeError(f"not a literal: {str(operand)[:80]}")


def _sign(sign: str) -> Comparison:
    try:
        return _COMPARE[sign]
    except KeyError:
        raise TreeError(f"not a comparison: {sign!r}") from None


def _compare(sign: str, left: object, right: object) -> Expression:
    compare = _sign(sign)
    match left, right:
        case {"fact": str(a)}, {"fact": str(b)}:
            return _compare_facts(compare, a, b)
        case {"fact": str(a)}, _:
            return _compare_literal(compare, a, _literal(right))
    raise TreeError(f"a comparison starts with a fact: {str(left)[:80]}")


def _compare_literal(
    compare: Comparison, name: str, literal: bool | int | float | str
) -> Expression:
    def comparison(values: Values) -> Truth:
        value = values[name]
        return UNKNOWN if value is UNKNOWN else compare(value, literal)

    return comparison


def _compare_facts(compare: Comparison, left: str, right: str) -> Expression:
    def comparison(values: Values) -> Truth:
        a, b = values[left], values[right]
        return UNKNOWN if a is UNKNOWN or b is UNKNOWN else compare(a, b)

    return comparison


def _compare_ranks(sign: str, left: object, right: object, order: tuple[object, ...]) -> Expression:
    """Comparison along the order of an enum. A value outside that order is unknown."""
    compare = _sign(sign)
    ranks = {str(value): rank for rank, value in enumerate(order)}
    match left, right:
        case {"fact": str(a)}, {"fact": str(b)}:
            return _rank_of_both(compare, a, b, ranks)
        case {"fact": str(a)}, {"text": str(text)} if text in ranks:
            limit = ranks[text]
            return _looked_up(a, {value: compare(rank, limit) for value, rank in ranks.items()})
    raise TreeError(f"not an ordered comparison: {str(left)[:40]} {sign} {str(right)[:40]}")


def _looked_up(name: str, truths: dict[Value, Truth]) -> Expression:
    look_up = truths.get

    def comparison(values: Values) -> Truth:
        return look_up(values[name], UNKNOWN)

    return comparison


def _rank_of_both(
    compare: Comparison, left: str, right: str, ranks: Mapping[str, int]
) -> Expression:
    def comparison(values: Values) -> Truth:
        a, b = values[left], values[right]
        if isinstance(a, str) and isinstance(b, str) and a in ranks and b in ranks:
            return compare(ranks[a], ranks[b])
        return UNKNOWN

    return comparison


def _one_of(name: str, items: frozenset[bool | int | float | str]) -> Expression:
    def membership(values: Values) -> Truth:
        value = values[name]
        return UNKNOWN if value is UNKNOWN else value in items

    return membership


def _contains(name: str, item: str) -> Expression:
    def membership(values: Values) -> Truth:
        value = values[name]
        return item in value if isinstance(value, tuple) else UNKNOWN

    return membership
