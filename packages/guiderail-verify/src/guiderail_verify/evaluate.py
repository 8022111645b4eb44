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
import re
import sys
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any, Final

from guiderail_verify.conditions import (
    UNKNOWN,
    WITH_LITERAL,
    Comparison,
    Expression,
    Truth,
    UnknownType,
    Value,
    Values,
    always,
    compare_facts,
    contains,
    every,
    given,
    looked_up,
    negated,
    never,
    one_of,
    rank_of_both,
    some,
    truth_of,
    untruth_of,
)

__all__ = [
    "DEEPEST",
    "LONGEST_NUMBER",
    "UNKNOWN",
    "Expression",
    "TreeError",
    "Truth",
    "UnknownType",
    "Value",
    "Values",
    "compile_expression",
    "compile_guarded",
    "complete",
    "evaluate",
    "fact_names",
    "number",
]

DEEPEST = 64
"""Trees nested deeper than this are refused; the language itself stops far earlier."""


class TreeError(ValueError):
    """The bytes are not a compiled expression. Names the part that is wrong."""


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


def compile_guarded(tree: Any) -> tuple[str, Expression]:
    """A condition as the fact with which it begins and what must hold besides; else an empty name.

    For loops over many conditions, which need no function call for those whose fact is false.
    """
    match tree:
        case {"fact": str(name)} if len(tree) == 1:
            return name, always
        case {"all": list([{"fact": str(name), **others}, *rest])} if len(tree) == 1 and not others:
            return name, _conjunction(rest, 1) if rest else always
    return "", compile_expression(tree)


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


_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?")
LONGEST_NUMBER: Final = 400
"""Signs of a number; the largest float written out has 310. Longer texts are not even read."""


def number(text: object) -> int | float:
    """A number from its decimal string. Raises TreeError for NaN, infinities and other texts."""
    if not isinstance(text, str):
        raise TreeError(f"a number must be a decimal string, not {str(text)[:40]}")
    if len(text) > LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        raise TreeError(f"{text[:40]!r} is not a decimal number")
    value = float(text) if "." in text or "e" in text.lower() else int(text)
    if not abs(value) <= sys.float_info.max:
        raise TreeError(f"{text[:40]!r} is not a finite number")
    return value


def _compile(tree: Any, depth: int) -> Expression:
    if depth > DEEPEST:
        raise TreeError(f"nested deeper than {DEEPEST} levels")
    match tree:
        case {"all": list(parts)} if parts and len(tree) == 1:
            return _conjunction(parts, depth + 1)
        case {"any": list(parts)} if parts and len(tree) == 1:
            return some([_compile(part, depth + 1) for part in parts])
        case {"not": part} if len(tree) == 1:
            positive = _compile(part, depth + 1)
            return untruth_of(part["fact"]) if part.keys() == {"fact"} else negated(positive)
        case {"bool": bool(value)} if len(tree) == 1:
            return always if value else never
        case {"fact": str(name)} if len(tree) == 1:
            return truth_of(name)
        case {"compare": str(sign), "left": left, "right": right, "order": list(order)}:
            return _compare_ranks(sign, left, right, tuple(order))
        case {"compare": str(sign), "left": left, "right": right} if len(tree) == 3:
            return _compare(sign, left, right)
        case {"in": {"fact": str(name)}, "items": list(items)} if items:
            return one_of(name, frozenset(_literal(item) for item in items))
        case {"has": {"fact": str(name)}, "item": str(item)}:
            return contains(name, item)
    raise TreeError(f"not an expression: {str(tree)[:80]}")


def _conjunction(parts: list[Any], depth: int) -> Expression:
    """The facts at the beginning one by one, then what is left of the parts."""
    compiled = [_compile(part, depth) for part in parts]
    facts = list(takewhile(lambda part: part.keys() == {"fact"}, parts[:-1]))
    whole = every(compiled[len(facts) :])
    for part in reversed(facts):
        whole = given(part["fact"], whole)
    return whole


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
        raise TreeError(f"not a comparison: {sign[:40]!r}") from None


def _compare(sign: str, left: object, right: object) -> Expression:
    compare = _sign(sign)
    match left, right:
        case {"fact": str(a)}, {"fact": str(b)}:
            return compare_facts(compare, a, b)
        case {"fact": str(a)}, _:
            return WITH_LITERAL[sign](a, _literal(right))
    raise TreeError(f"a comparison starts with a fact: {str(left)[:80]}")


def _compare_ranks(sign: str, left: object, right: object, order: tuple[object, ...]) -> Expression:
    """Comparison along the order of an enum. A value outside that order is unknown."""
    compare = _sign(sign)
    ranks = {str(value): rank for rank, value in enumerate(order)}
    match left, right:
        case {"fact": str(a)}, {"fact": str(b)}:
            return rank_of_both(compare, a, b, ranks)
        case {"fact": str(a)}, {"text": str(text)} if text in ranks:
            limit = ranks[text]
            return looked_up(a, {value: compare(rank, limit) for value, rank in ranks.items()})
    raise TreeError(f"not an ordered comparison: {str(left)[:40]} {sign[:40]} {str(right)[:40]}")
