"""The functions that conditions are made of: each takes values and says what is true.

Truth is `True`, `False` or `UNKNOWN` (Kleene's strong logic). Every condition is evaluated by calls
of these, so the shapes that are most frequent have functions of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final


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


def always(values: Values) -> Truth:
    return True


def never(values: Values) -> Truth:
    return False


def every(parts: Sequence[Expression]) -> Expression:
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        return both(*parts)

    def conjunction(values: Values) -> Truth:
        result: Truth = True
        for part in parts:
            truth = part(values)
            if truth is not True:
                if truth is False:
                    return False
                result = UNKNOWN
        return result

    return conjunction


def both(first: Expression, second: Expression) -> Expression:
    """What `every` does, without a loop: most conditions have two parts."""

    def conjunction(values: Values) -> Truth:
        one = first(values)
        if one is False:
            return False
        other = second(values)
        return one if other is True else other

    return conjunction


def given(name: str, rest: Expression) -> Expression:
    """A fact and something else: most conditions begin so, and most end there."""

    def conjunction(values: Values) -> Truth:
        value = values[name]
        if value is False:
            return False
        other = rest(values)
        return other if value is True or other is False else UNKNOWN

    return conjunction


def some(parts: Sequence[Expression]) -> Expression:
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        return either(*parts)

    def disjunction(values: Values) -> Truth:
        result: Truth = False
        for part in parts:
            truth = part(values)
            if truth is not False:
                if truth is True:
                    return True
                result = UNKNOWN
        return result

    return disjunction


def either(first: Expression, second: Expression) -> Expression:
    """What `some` does, without a loop."""

    def disjunction(values: Values) -> Truth:
        one = first(values)
        if one is True:
            return True
        other = second(values)
        return one if other is False else other

    return disjunction


def negated(part: Expression) -> Expression:
    def negation(values: Values) -> Truth:
        truth = part(values)
        return truth if isinstance(truth, UnknownType) else not truth

    return negation


def truth_of(name: str) -> Expression:
    def truth(values: Values) -> Truth:
        value = values[name]
        # Anything that is not a Boolean has no truth here: not 1, not "yes", not a full list.
        return value if value is True or value is False else UNKNOWN

    return truth


def untruth_of(name: str) -> Expression:
    def untruth(values: Values) -> Truth:
        value = values[name]
        return False if value is True else True if value is False else UNKNOWN

    return untruth


def equal(name: str, literal: Any) -> Expression:
    def comparison(values: Values) -> Truth:
        value = values[name]
        return UNKNOWN if value is UNKNOWN else value == literal

    return comparison


def unequal(name: str, literal: Any) -> Expression:
    def comparison(values: Values) -> Truth:
        value = values[name]
        return UNKNOWN if value is UNKNOWN else value != literal

    return comparison


def below(name: str, literal: Any) -> Expression:
    def comparison(values: Mapping[str, Any]) -> Any:
        value = values[name]
        try:
            return UNKNOWN if value is UNKNOWN else value < literal
        except TypeError:  # a text and a number, in a tree that no compiler of ours wrote
            return UNKNOWN

    return comparison


def at_most(name: str, literal: Any) -> Expression:
    def comparison(values: Mapping[str, Any]) -> Any:
        value = values[name]
        try:
            return UNKNOWN if value is UNKNOWN else value <= literal
        except TypeError:
            return UNKNOWN

    return comparison


def above(name: str, literal: Any) -> Expression:
    def comparison(values: Mapping[str, Any]) -> Any:
        value = values[name]
        try:
            return UNKNOWN if value is UNKNOWN else value > literal
        except TypeError:
            return UNKNOWN

    return comparison


def at_least(name: str, literal: Any) -> Expression:
    def comparison(values: Mapping[str, Any]) -> Any:
        value = values[name]
        try:
            return UNKNOWN if value is UNKNOWN else value >= literal
        except TypeError:
            return UNKNOWN

    return comparison


WITH_LITERAL: Final[Mapping[str, Callable[[str, Any], Expression]]] = {
    "==": equal,
    "!=": unequal,
    "<": below,
    "<=": at_most,
    ">": above,
    ">=": at_least,
}
"""Comparisons with a literal, one function for each sign: they are most of a decision."""


def compare_facts(compare: Comparison, left: str, right: str) -> Expression:
    def comparison(values: Values) -> Truth:
        a, b = values[left], values[right]
        try:
            return UNKNOWN if a is UNKNOWN or b is UNKNOWN else compare(a, b)
        except TypeError:
            return UNKNOWN

    return comparison


def looked_up(name: str, truths: dict[Value, Truth]) -> Expression:
    look_up = truths.get

    def comparison(values: Values) -> Truth:
        return look_up(values[name], UNKNOWN)

    return comparison


def rank_of_both(
    compare: Comparison, left: str, right: str, ranks: Mapping[str, int]
) -> Expression:
    def comparison(values: Values) -> Truth:
        a, b = values[left], values[right]
        if isinstance(a, str) and isinstance(b, str) and a in ranks and b in ranks:
            return compare(ranks[a], ranks[b])
        return UNKNOWN

    return comparison


def one_of(name: str, items: frozenset[bool | int | float | str]) -> Expression:
    def membership(values: Values) -> Truth:
        value = values[name]
        return UNKNOWN if value is UNKNOWN else value in items

    return membership


def contains(name: str, item: str) -> Expression:
    def membership(values: Values) -> Truth:
        value = values[name]
        return item in value if isinstance(value, tuple) else UNKNOWN

    return membership
