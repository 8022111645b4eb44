"""What both engines answer: a release, the certainty that there is none, or neither."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from guiderail.policy.proofs.formula import (
    Among,
    Atom,
    Below,
    Contains,
    Formula,
    Known,
    Less,
    Number,
    Related,
    SameText,
    Weakly,
)
from guiderail.policy.proofs.release import Value

Assignment = Mapping[str, Value]
"""Values by symbol; a symbol that is missing has no value."""


@dataclass(frozen=True, slots=True)
class Found:
    """Values that make the formula true."""

    values: Assignment
    weak: frozenset[str] = field(default=frozenset())


@dataclass(frozen=True, slots=True)
class NoneExists:
    """No values whatever make the formula true."""


@dataclass(frozen=True, slots=True)
class GaveUp:
    """The engine stopped before it knew. Never to be read as `NoneExists`."""

    reason: str


Answer = Found | NoneExists | GaveUp
NONE_EXISTS: Final = NoneExists()


class Engine(Protocol):
    """Looks for values that make a formula true."""

    tried: int
    """Combinations of values tried so far; 0 for an engine that does not count."""

    def allow(self, seconds: float) -> None:
        """How long the next searches may take, for an engine that has a clock."""
        ...

    def find(self, formula: Formula) -> Answer: ...


def holds(atom: Atom, values: Assignment, weak: frozenset[str] = frozenset()) -> bool:
    """The truth of an atom; False where it asks for a value that is not there."""
    match atom:
        case Known(fact=fact):
            return fact in values
        case Weakly(fact=fact):
            return fact in weak
        case Among(fact=fact, values=listed):
            return values.get(fact) in listed
        case Contains(fact=fact, item=item):
            members = values.get(fact)
            return isinstance(members, tuple) and item in members
        case Below(number=number, limit=limit, reaches=reaches):
            value = number_of(number, values)
            return value is not None and (value <= limit if reaches else value < limit)
        case Less(left=left, right=right, reaches=reaches):
            a, b = number_of(left, values), number_of(right, values)
            return a is not None and b is not None and (a <= b if reaches else a < b)
        case Related(left=left, right=right, pairs=pairs):
            return (values.get(left), values.get(right)) in pairs
        case SameText(left=left, right=right):
            return left in values and values[left] == values.get(right)


def number_of(number: Number, values: Assignment) -> int | float | None:
    """A number of a release, bounds of intervals included; None where there is no value."""
    value = values.get(number.fact)
    if value is None or isinstance(value, str | tuple):
        return None
    if isinstance(value, int | float):
        return value
    return value.low if number.bound == "low" else (
        value.high if number.bound == "high" else value.value
    )  # fmt: skip


def is_true(
    formula: Formula, values: Assignment, weak: frozenset[str], memo: dict[Formula, bool]
) -> bool:
    """Does the formula hold for these values? memo: for these values only."""
    if formula.atom is not None:
        return holds(formula.atom, values, weak) is formula.wanted
    found = memo.get(formula)
    if found is None:
        truths = (is_true(part, values, weak, memo) for part in formula.parts)
        found = memo[formula] = all(truths) if formula.joint == "all" else any(truths)
    return found
