"""The values at which rules and gates of a pack change their mind, fact by fact.

Between two of them no rule can tell one value from another, so trying these is trying all. What is
left out: intervals whose bounds lie on different sides of a limit, because only unknown or present
values are like that, and nobody aims at one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from guiderail.policy.support import Node
from guiderail_verify.evaluate import UNKNOWN, Truth, Value
from guiderail_verify.judge import base_name

_STEP: Final = Decimal("0.01")
"""How far beside a limit a number is tried that is no whole number."""

Box = Mapping[str, int]
"""Facts and the sets of values that they may have, as bit sets (see `levers`); other facts may have
any."""

Ways = dict[tuple[int, bool, bool], tuple[list[Box], bool]]
"""The boxes of a condition, and whether these are all: by the `id` of its node, the truth that is
wanted, and whether nothing less will do. Of a gate: by the `id` of its form."""

Masks = tuple[tuple[int, int], tuple[int, int]]
"""Which candidates may make a leaf false and which true, then which certainly do, as bit sets."""


class Boundaries:
    """Candidates for every fact of one pack, and what each leaf says to them; computed once.

    open_ways, open_domains: what `options` and `levers` find about conditions and facts of which
    nothing is known, which is the same for every release. designed: facts that another design
    changes.
    """

    def __init__(self, tree: Mapping[str, Any]) -> None:
        self._types: Mapping[str, Mapping[str, Any]] = tree["facts"]
        self.designed = frozenset(
            name
            for name, kind in self._types.items()
            if kind["can_change"] == "design" and not name.startswith("use.")
        )
        self._limits: dict[str, set[Decimal]] = {}
        self._ordered: dict[str, tuple[float, ...]] = {}
        self._texts: dict[str, set[str]] = {}
        self._pairs: dict[str, dict[str, None]] = {}
        self._candidates: dict[str, tuple[Value, ...]] = {}
        self._masks: dict[int, tuple[Masks, int]] = {}
        self.open_ways: Ways = {}
        self.open_domains: dict[str, int] = {}
        self._reach: dict[int, tuple[str, ...]] = {}
        for part in _leaves([tree["tiers"], tree["tracks"], tree["gates"]]):
            self._note(part)

    def limits(self, name: str) -> tuple[float, ...]:
        """The numbers that the fact is compared with, in order."""
        known = self._ordered.get(name)
        if known is None:
            known = tuple(float(limit) for limit in sorted(self._limits.get(name, ())))
            self._ordered[name] = known
        return known

    def compared_with(self, name: str) -> tuple[str, ...]:
        """The facts with which the fact is compared."""
        return tuple(self._pairs.get(name, ()))

    def reach(self, node: Node) -> tuple[str, ...]:
        """The facts on which the ways to meet a condition depend: its own and what those are
        compared with anywhere."""
        known = self._reach.get(id(node))
        if known is None:
            others = [other for name in node.names for other in self.compared_with(name)]
            known = self._reach[id(node)] = tuple(dict.fromkeys((*node.names, *others)))
        return known

    def candidates(self, name: str) -> tuple[Value, ...]:
        """Values to try, in the order of the scale; of an interval the point it shrinks to."""
        known = self._candidates.get(name)
        if known is None:
            known = self._candidates[name] = tuple(self._values(name))
        return known

    def masks(self, leaf: Node, name: str) -> tuple[Masks, int]:
        """What a leaf about this one fact says to each of its candidates, and how many there are.

        Which may make it `truth` stand at `[False][truth]`, which certainly do at `[True][truth]`.
        """
        known = self._masks.get(id(leaf))
        if known is None:
            truths = [leaf.run(self.reading(name, value)) for value in self.candidates(name)]
            no, yes, count = _bits(truths, False), _bits(truths, True), len(truths)
            every = (1 << count) - 1
            known = self._masks[id(leaf)] = (((every & ~yes, every & ~no), (no, yes)), count)
        return known

    def reading(self, name: str, value: Value) -> dict[str, Value]:
        """A candidate under the names by which rules ask for it."""
        if name in self._types and self._types[name]["type"] == "interval":
            return {name: value, f"{name}.low": value, f"{name}.high": value}
        return {name: value}

    def _note(self, part: Mapping[str, Any]) -> None:
        """Remember what a comparison or membership compares its fact with."""
        if "compare" in part:
            name = base_name(part["left"]["fact"], self._types)
            if "number" in part["right"]:
                self._limits.setdefault(name, set()).add(Decimal(part["right"]["number"]))
            elif "text" in part["right"]:
                self._texts.setdefault(name, set()).add(part["right"]["text"])
            elif "fact" in part["right"]:
                other = base_name(part["right"]["fact"], self._types)
                self._pairs.setdefault(name, {})[other] = None
                self._pairs.setdefault(other, {})[name] = None
        elif "in" in part:
            texts = {item["text"] for item in part["items"] if "text" in item}
            numbers = {Decimal(item["number"]) for item in part["items"] if "number" in item}
            self._texts.setdefault(part["in"]["fact"], set()).update(texts)
            self._limits.setdefault(part["in"]["fact"], set()).update(numbers)
        elif "has" in part:
            self._texts.setdefault(part["has"]["fact"], set()).add(part["item"])

    def _values(self, name: str) -> Iterator[Value]:
        kind = self._types.get(name, {"type": "bool"})
        match kind["type"]:
            case "bool":
                yield from (False, True)
            case "enum":
                yield from kind["values"]
            case "set":
                texts = tuple(sorted(self._texts.get(name, ())))
                yield from dict.fromkeys([(), *((text,) for text in texts), texts])
            case "text":
                yield from sorted(self._texts.get(name, ()))
            case "integer":
                yield from self._counts(name)
            case _:
                yield from self._numbers(name)

    def _counts(self, name: str) -> list[int]:
        limits = self._limits.get(name, set())
        near = {int(limit) + step for limit in limits for step in (-1, 0, 1)}
        return sorted(value for value in {0, 1, *near} if value >= 0)

    def _numbers(self, name: str) -> Iterator[float]:
        """Every limit, and one number in each range between, below and above them."""
        limits = sorted(self._limits.get(name, {Decimal(0), Decimal(1)}))
        yield float(limits[0] - _STEP)
        for limit, following in pairwise(limits):
            yield float(limit)
            between = min(limit + _STEP, (limit + following) / 2)
            yield 0.0 if limit < 0 < following else float(between)
        yield float(limits[-1])
        yield float(limits[-1] + _STEP)


def _bits(truths: list[Truth], wanted: bool) -> int:
    return sum(1 << place for place, truth in enumerate(truths) if truth is wanted)


def _leaves(root: object) -> Iterator[Mapping[str, Any]]:
    pending = [root]
    while pending:
        part = pending.pop()
        if isinstance(part, list):
            pending.extend(part)
        elif isinstance(part, Mapping):
            pending.extend(part.values())
            yield part


def beside(value: Value) -> tuple[Value, ...]:
    """Candidates for a fact that is compared with another one, from that one's present value."""
    if value is UNKNOWN or isinstance(value, bool) or not isinstance(value, (int, float)):
        return ()
    if isinstance(value, int):
        return tuple(number for number in (value - 1, value, value + 1) if number >= 0)
    exact = Decimal(str(value))
    return tuple(float(exact + step) for step in (-_STEP, Decimal(0), _STEP))
