"""Boundary values: for facts that are compared with one another, every case that can differ.

A number matters only by where it lies among the limits that it is compared with, and, where two
facts are compared, by which is larger. So one point at every limit and enough points between two
neighbouring limits (one; or one per number, where numbers are compared with each other) stand for
all numbers. Counts have whole points from 0 on. Combinations that no question tells apart are one
case.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from guiderail.core.interval import Interval
from guiderail.policy.proofs.engine import holds
from guiderail.policy.proofs.formula import (
    Among,
    Atom,
    Below,
    Contains,
    Formula,
    Known,
    Less,
    Number,
    SameText,
    Truths,
    Weakly,
    facts_of,
)
from guiderail.policy.proofs.release import Types, Value, plain

MOST_COMBINATIONS: Final = 300_000
"""Facts that are compared with one another in more ways than this are not enumerated."""
ANOTHER_TEXT: Final = "another text"


class TooManyError(ValueError):
    """Facts are compared with one another in more ways than can be tried."""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One way in which some facts can be: the truth of every question about them, and values.

    memo: what is left of formulas in this case.
    """

    truths: Truths
    values: Mapping[str, Value]
    weak: frozenset[str] = field(default=frozenset())
    memo: dict[Formula, Formula] = field(default_factory=dict, repr=False)


def linked(atoms: Iterable[Atom]) -> list[tuple[Atom, ...]]:
    """Questions in groups: two are in one group when they share a fact, directly or not."""
    leader: dict[str, str] = {}

    def top(fact: str) -> str:
        while leader.setdefault(fact, fact) != fact:
            fact = leader[fact]
        return fact

    ordered = sorted(atoms, key=repr)
    for atom in ordered:
        if not isinstance(atom, Weakly):
            first, *others = facts_of(atom)
            for other in others:
                leader[top(other)] = top(first)
    groups: dict[str, list[Atom]] = {}
    for atom in ordered:
        name = top(facts_of(atom)[0])
        groups.setdefault(f"weak {name}" if isinstance(atom, Weakly) else name, []).append(atom)
    # Whether two facts are weakly known are two questions, whatever the facts have to do with
    # each other.
    return [
        group
        for atoms_there in groups.values()
        for group in (
            [(atom,) for atom in atoms_there]
            if isinstance(atoms_there[0], Weakly)
            else [tuple(atoms_there)]
        )
    ]


def cases(atoms: Sequence[Atom], types: Types) -> tuple[Case, ...]:
    """Every case of the facts that these questions link. Raises TooManyError."""
    if isinstance(atoms[0], Weakly):
        fact = atoms[0].fact
        return (Case({atoms[0]: False}, {}), Case({atoms[0]: True}, {}, frozenset({fact})))
    facts = sorted({fact for atom in atoms for fact in facts_of(atom)})
    counts = any(types[plain(fact)]["type"] == "integer" for fact in facts)
    choices = [choices_of(fact, atoms, types, beside_counts=counts) for fact in facts]
    if math.prod(len(values) for values in choices) > MOST_COMBINATIONS:
        raise TooManyError(f"{', '.join(facts)} are compared with one another in too many ways")
    found: dict[tuple[bool, ...], Case] = {}
    for chosen in itertools.product(*choices):
        values = {
            fact: value for fact, value in zip(facts, chosen, strict=True) if value is not None
        }
        truths = tuple([holds(atom, values) for atom in atoms])
        if truths not in found:
            found[truths] = Case(dict(zip(atoms, truths, strict=True)), values)
    return tuple(found.values())


def choices_of(
    fact: str, atoms: Sequence[Atom], types: Types, *, beside_counts: bool
) -> list[Value | None]:
    """The boundary values of a fact, and None for unknown where that can be.

    beside_counts: numbers may be compared with counts, and so need points between those too.
    """
    unknown = [None] if Known(fact) in atoms else []
    return [*_values(fact, types[plain(fact)], atoms, beside_counts), *unknown]


def _values(
    fact: str, kind: Mapping[str, Any], atoms: Sequence[Atom], beside_counts: bool
) -> list[Value]:
    match kind["type"]:
        case "bool":
            return [False, True]
        case "enum":
            return list(kind["values"])
        case "set":
            items = sorted(a.item for a in atoms if isinstance(a, Contains) and a.fact == fact)
            sizes = range(len(items) + 1)
            return [subset for size in sizes for subset in itertools.combinations(items, size)]
        case "text":
            return list(_texts(atoms))
        case "integer":
            return list(_whole_points(atoms))
        case "number":
            return list(_points(atoms, beside_counts))
        case "interval":
            return list(_intervals(fact, atoms, _points(atoms, beside_counts)))
    raise ValueError(f"a fact cannot be of type {kind['type']}")


def _texts(atoms: Sequence[Atom]) -> Iterator[str]:
    """The texts that are asked for, and as many others as there are facts."""
    asked = {str(text) for a in atoms if isinstance(a, Among) for text in a.values}
    facts = {fact for atom in atoms for fact in facts_of(atom)}
    yield from sorted(asked)
    others = (f"{ANOTHER_TEXT} {n}" if n else ANOTHER_TEXT for n in itertools.count())
    fresh = (text for text in others if text not in asked)
    compared = any(isinstance(atom, SameText) for atom in atoms)
    yield from itertools.islice(fresh, len(facts) if compared else 1)


def _limits(atoms: Sequence[Atom]) -> list[Fraction]:
    return sorted({Fraction(atom.limit) for atom in atoms if isinstance(atom, Below)})


def _points_between(atoms: Sequence[Atom]) -> int:
    """How many points a gap needs: one per number that is compared with another fact's."""
    compared = {
        number
        for atom in atoms
        if isinstance(atom, Less) and not orders_one_fact(atom)
        for number in (atom.left, atom.right)
    }
    return max(1, len(compared))


def orders_one_fact(atom: Less) -> bool:
    """Does it only say that a second value of a fact is not below the first one?

    It is never asked for its opposite, so equal values satisfy it and no point is needed for it.
    """
    left, right = atom.left.fact, atom.right.fact
    return left != right and plain(left) == plain(right)


def _whole_points(atoms: Sequence[Atom]) -> list[int]:
    limits, many = _limits(atoms), _points_between(atoms)
    points = {int(limit) for limit in limits if limit.denominator == 1 and limit >= 0}
    points |= set(range(many))
    for limit in limits:
        start = max(0, math.floor(limit) + 1)
        points |= set(range(start, start + many))
        before = math.ceil(limit) - 1
        points |= {point for point in range(before - many + 1, before + 1) if point >= 0}
    return sorted(points)


def _points(atoms: Sequence[Atom], beside_counts: bool) -> list[float]:
    limits, many = _limits(atoms), _points_between(atoms)
    marks = limits
    if beside_counts:
        marks = sorted({*limits, *map(Fraction, _whole_points(atoms))})
    if not marks:
        return [float(point) for point in range(many)]
    points = [marks[0] - step for step in range(many, 0, -1)]
    for low, high in itertools.pairwise(marks):
        points.append(low)
        points += [low + (high - low) * step / (many + 1) for step in range(1, many + 1)]
    points.append(marks[-1])
    points += [marks[-1] + step for step in range(1, many + 1)]
    return sorted({float(point) for point in points})


def _intervals(fact: str, atoms: Sequence[Atom], points: Sequence[float]) -> Iterator[Interval]:
    """Intervals over the points; bounds that nobody asks about follow those that somebody does."""
    bounds = {
        number.bound
        for atom in atoms
        for number in _numbers(atom)
        if number.fact == fact
    } or {""}  # fmt: skip
    order = [bound for bound in ("low", "", "high") if bound in bounds]
    for chosen in itertools.combinations_with_replacement(points, len(order)):
        by = dict(zip(order, chosen, strict=True))
        low = by.get("low", chosen[0])
        high = by.get("high", chosen[-1])
        yield Interval(by.get("", low if "low" in by else high), low, high)


def _numbers(atom: Atom) -> tuple[Number, ...]:
    match atom:
        case Below(number=number):
            return (number,)
        case Less(left=left, right=right):
            return (left, right)
    return ()
