"""The syntax tree of an expression, before types are checked.

`at` counts characters from the start of the expression, so that a message can point into it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Name:
    """A fact, such as `use.domain`, or a bound of an interval, such as `change.flips.low`."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Number:
    """A decimal number as it was written."""

    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Text:
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Boolean:
    value: bool
    at: int


@dataclass(frozen=True, slots=True)
class Limit:
    """A number that the pack gives a name, such as `limit.performance_yellow`, or its negative."""

    name: str
    negative: bool
    at: int


Literal = Number | Text | Boolean
Operand = Name | Limit | Literal


@dataclass(frozen=True, slots=True)
class Comparison:
    """`sign` is one of `== != < <= > >=`."""

    sign: str
    left: Operand
    right: Operand
    at: int


@dataclass(frozen=True, slots=True)
class OneOf:
    """`use.domain in ["credit", "fraud"]`"""

    left: Operand
    items: tuple[Literal, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Contains:
    """`"email" in data.personal_columns`"""

    item: Operand
    right: Name
    at: int


@dataclass(frozen=True, slots=True)
class Not:
    part: Expression
    at: int


@dataclass(frozen=True, slots=True)
class All:
    """Parts joined by `&&`."""

    parts: tuple[Expression, ...]
    at: int


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Parts joined by `||`."""

    parts: tuple[Expression, ...]
    at: int


Expression = Name | Boolean | Comparison | OneOf | Contains | Not | All | AnyOf


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong in an expression, at which character, and what to do about it."""

    at: int
    message: str
    hint: str
