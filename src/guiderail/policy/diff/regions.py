"""Values that are worth trying: for each fact one value at and between all limits it meets.

Two values between the same neighbouring limits cannot be told apart by any condition, so trying one
of them is trying all. Facts that are compared with one another get as many values in each stretch
as there are facts in the comparison, so that every order among them is tried too.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from guiderail.core.interval import Interval
from guiderail_verify.evaluate import UNKNOWN, UnknownType, Value, fact_names, number
from guiderail_verify.judge import TIERS, base_name

Try = bool | int | float | str | tuple[str, ...] | Interval | UnknownType
"""A value of a fact, an interval with its three numbers, or UNKNOWN."""

Setting = Mapping[str, Try]
"""Values of several facts by name."""

COMPUTED: Final[Mapping[str, tuple[Try, ...]]] = {
    "tier": TIERS[:3],
    "evidence.weak": (False, True),
    "lighter.design": (False, True),
}
"""Facts that deciding computes. They are never unknown."""

MOST_TRIES: Final = 100_000
"""Combinations of one group of facts that are compared with one another: an interval with four
limits beside a number needs 65,025."""


class TooManyError(Exception):
    """More combinations than can be tried. Its text is the reason, for people."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What conditions compare facts with. texts: also the members of sets that are asked for."""

    numbers: Mapping[str, tuple[int | float, ...]]
    texts: Mapping[str, tuple[str, ...]]
    groups: Mapping[str, tuple[str, ...]]

    def group(self, name: str) -> tuple[str, ...]:
        """The facts that are compared with this one, itself included, sorted."""
        return self.groups.get(name, (name,))


def limits_of(trees: Iterable[Any], types: Mapping[str, Any]) -> Limits:
    """Collect what the leaves of expression trees compare with."""
    numbers: dict[str, set[int | float]] = {}
    texts: dict[str, set[str]] = {}
    groups: dict[str, set[str]] = {}
    for leaf in leaves_of(trees):
        names = sorted({base_name(name, types) for name in fact_names(leaf)})
        for name in names:
            for literal in _literals(leaf):
                if isinstance(literal, str):
                    texts.setdefault(name, set()).add(literal)
                elif not isinstance(literal, bool):
                    numbers.setdefault(name, set()).add(literal)
        joined = set(names).union(*(groups.get(name, ()) for name in names))
        for name in joined if len(joined) > 1 else ():
            groups[name] = joined
    return Limits(
        {name: tuple(sorted(found)) for name, found in numbers.items()},
        {name: tuple(sorted(found)) for name, found in texts.items()},
        {name: tuple(sorted(found)) for name, found in groups.items()},
    )


def tries(name: str, types: Mapping[str, Any], limits: Limits) -> tuple[Try, ...]:
    """Every value of one fact that conditions can tell apart, the plainest first, unknown last."""
    if name in COMPUTED:
        return COMPUTED[name]
    kind = types[name]
    group = limits.group(name)
    match kind["type"]:
        case "bool":
            known: Sequence[Try] = (False, True)
        case "enum":
            known = tuple(kind["values"])
        case "text":
            known = _texts(group, limits)
        case "set":
            known = _sets(limits.texts.get(name, ()))
        case "interval":
            points = _points(group, types, limits)
            triples = itertools.combinations_with_replacement(sorted(points), 3)
            known = sorted(
                (Interval(middle, low, high) for low, middle, high in triples), key=_plainness
            )
        case "integer":
            points = _points(group, types, limits)
            known = sorted({whole for p in points for whole in _wholes(p)}, key=_plainness)
        case _:
            known = sorted(_points(group, types, limits), key=_plainness)
    return (*known, UNKNOWN)


def spread(name: str, value: Try) -> dict[str, Value]:
    """The names under which conditions find a value: an interval answers to three."""
    if isinstance(value, Interval):
        return {name: value.value, f"{name}.low": value.low, f"{name}.high": value.high}
    if isinstance(value, UnknownType):
        return {name: UNKNOWN, f"{name}.low": UNKNOWN, f"{name}.high": UNKNOWN}
    return {name: value}


def _plainness(value: Any) -> tuple[float, bool, float]:
    if isinstance(value, Interval):
        return value.high - value.low, value.value < 0, abs(value.value)
    return 0.0, value < 0, abs(value)


def _points(group: Sequence[str], types: Mapping[str, Any], limits: Limits) -> list[float]:
    """Numbers at every limit of a group of facts and in every stretch between two of them."""
    marks = sorted({float(mark) for name in group for mark in (*limits.numbers.get(name, ()), 0)})
    wanted = 1
    if len(group) > 1:
        wanted = sum(3 if types[name]["type"] == "interval" else 1 for name in group)
    found: list[float] = [*_outside(marks[0], -1, wanted), marks[0]]
    for low, high in itertools.pairwise(marks):
        found += [*_between(low, high, wanted), high]
    return found + _outside(marks[-1], 1, wanted)


def _outside(mark: float, sign: int, wanted: int) -> list[float]:
    step = 1.0 if abs(mark) >= 1 or mark == 0 else 10.0 ** math.floor(math.log10(abs(mark)))
    return [round(mark + sign * step * (index + 1), 12) for index in range(wanted)]


def _between(low: float, high: float, wanted: int) -> list[float]:
    """The shortest numbers strictly between two others, nearest to the middle first."""
    for digits in range(16):
        step = 10.0**-digits
        first, last = math.floor(low / step) + 1, math.ceil(high / step) - 1
        if last - first + 1 < wanted:
            continue
        middle = (first + last) // 2
        start = max(first, min(middle - (wanted - 1) // 2, last - wanted + 1))
        inside = [round((start + index) * step, digits) for index in range(wanted)]
        if all(low < value < high for value in inside):
            return inside
    return [low + (high - low) * (index + 1) / (wanted + 1) for index in range(wanted)]


def _wholes(point: float) -> tuple[int, ...]:
    return (math.floor(point), math.ceil(point))


def _texts(group: Sequence[str], limits: Limits) -> tuple[str, ...]:
    named = sorted({text for name in group for text in limits.texts.get(name, ())})
    others = [f"other-{index + 1}" for index in range(len(group))]
    return (*(other for other in others if other not in named), *named)


def _sets(members: Sequence[str]) -> list[tuple[str, ...]]:
    if 2 ** len(members) > MOST_TRIES:
        raise TooManyError(f"{len(members)} members of one set are asked for")
    sizes = range(len(members) + 1)
    return [chosen for size in sizes for chosen in itertools.combinations(members, size)]


def leaves_of(trees: Iterable[Any]) -> Iterable[Mapping[str, Any]]:
    """The parts of expression trees that compare something: no `all`, `any` or `not`."""
    pending = [tree for tree in trees if tree is not None]
    while pending:
        tree = pending.pop()
        if "all" in tree or "any" in tree:
            pending.extend(tree.get("all") or tree["any"])
        elif "not" in tree:
            pending.append(tree["not"])
        else:
            yield tree


def _literals(leaf: Mapping[str, Any]) -> list[bool | int | float | str]:
    operands = [leaf.get("left"), leaf.get("right"), *leaf.get("items", ())]
    found: list[bool | int | float | str] = [leaf["item"]] if "item" in leaf else []
    for operand in operands:
        match operand:
            case {"number": text}:
                found.append(number(text))
            case {"text": str(text)}:
                found.append(text)
            case {"bool": bool(truth)}:
                found.append(truth)
    return found
