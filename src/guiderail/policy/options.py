"""The ways to make an expression true or false: each says which values some facts must have.

A way is a box: fact -> bit set of the values that do. Together the boxes of an expression are
complete: whatever makes it so lies in one of them. So the smallest boxes are the smallest changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from guiderail.policy.boundaries import Box, Ways
from guiderail.policy.levers import BASE, Levers, bits, paired
from guiderail.policy.support import Node
from guiderail.policy.vocabulary import COMPUTED
from guiderail_verify.evaluate import UNKNOWN, Values

MOST: Final = 64
"""Of more boxes for one expression than this, those with the fewest changes are kept."""


_COMPUTED: Final = frozenset(COMPUTED)


class Options:
    """Finds boxes, those without computed facts only once for the same levers.

    seen: the present values, with the tier that is tried."""

    def __init__(self, levers: Levers, seen: Values, weak: Sequence[str]) -> None:
        self._levers = levers
        self._seen = seen
        self._weak = weak

    def making(self, node: Node, truth: bool, *, strict: bool = True) -> list[Box]:
        """Ways to make an expression `truth`; not strict: at least not its opposite."""
        if not node.parts:
            return self._leaf(node, truth, strict)
        if not _COMPUTED.isdisjoint(node.names):
            return self._making(node, truth, strict)
        ways, key = self._levers.ways_of((node,)), (id(node), truth, strict)
        known = ways.get(key)
        if known is None:
            return self.remembered(ways, key, lambda: self._making(node, truth, strict))
        return self.recalled(known)

    def remembered(
        self, ways: Ways, key: tuple[int, bool, bool], find: Callable[[], list[Box]]
    ) -> list[Box]:
        """Find boxes, and remember them together with whether they are all."""
        levers = self._levers
        before, levers.complete = levers.complete, True
        boxes = find()
        ways[key] = boxes, levers.complete
        levers.complete = levers.complete and before
        return boxes

    def recalled(self, known: tuple[list[Box], bool]) -> list[Box]:
        boxes, complete = known
        self._levers.complete = self._levers.complete and complete
        return boxes

    def _making(self, node: Node, truth: bool, strict: bool) -> list[Box]:
        if node.joint == "not":
            return self.making(node.parts[0], not truth, strict=strict)
        if (node.joint == "all") is truth:
            return self.every(self.making(part, truth, strict=strict) for part in node.parts)
        return self.one([self.making(part, truth, strict=strict) for part in node.parts])

    def every(self, parts: Iterable[list[Box]]) -> list[Box]:
        """Ways in which all parts are satisfied; what follows one that cannot be is not sought."""
        listed: list[list[Box]] = []
        for ways in parts:
            if not ways:
                return []
            listed.append(ways)
        found: list[Box] = [{}]
        for ways in sorted(listed, key=len):
            found = [both for one in found for other in ways
                     if (both := merged(one, other)) is not None]  # fmt: skip
            if len(found) > 1:
                found = self._fewest(_without_dominated(found))
        return found

    def one(self, parts: Sequence[list[Box]]) -> list[Box]:
        """Ways in which at least one part is satisfied."""
        found: list[Box] = []
        for ways in parts:
            for way in ways:
                if not way:
                    return [{}]
                found.append(way)
        return self._fewest(_without_dominated(_united(found))) if len(found) > 1 else found

    def _leaf(self, leaf: Node, truth: bool, strict: bool) -> list[Box]:
        names = leaf.names
        if len(names) == 1:
            (name,) = names
            if name == "evidence.weak":
                return self._weakness(truth)
            return self._levers.leaf_ways(leaf, name, truth, strict, self._seen)
        if len(names) == 2:
            return self._pair(leaf, truth, strict)
        now = leaf.run(self._seen)
        return [{}] if now is truth or (not strict and now is UNKNOWN) else []

    def _weakness(self, truth: bool) -> list[Box]:
        """Evidence is not weak once all of it is known better, and weak while some is not."""
        if truth:
            return [{name: BASE} for name in self._weak]
        found: dict[str, int] = {}
        for name in self._weak:
            found[name] = self._levers.domain(name) & ~BASE
            if not found[name]:
                return []
        return [found]

    def _pair(self, leaf: Node, truth: bool, strict: bool) -> list[Box]:
        """Two facts that are compared: for each value of one the values of the other."""
        left, right = paired(leaf, self._levers.types)
        by_left: dict[int, int] = {}
        for second in bits(self._levers.domain(right)):
            found, values = 0, self._at(right, second)
            for first in bits(self._levers.domain(left)):
                now = leaf.run({**self._seen, **values, **self._at(left, first)})
                if now is truth or (not strict and now is UNKNOWN):
                    found |= first
            if found:
                by_left[found] = by_left.get(found, 0) | second
        boxes: list[Box] = []
        for first, second in by_left.items():
            whole = {left: first, right: second}
            boxes.append({n: mask for n, mask in whole.items() if mask != self._levers.domain(n)})
        return self._fewest(_without_dominated(boxes))

    def _at(self, name: str, bit: int) -> Values:
        return {} if bit == BASE else self._levers.reading(name, bit)

    def _fewest(self, boxes: list[Box]) -> list[Box]:
        if len(boxes) <= MOST:
            return boxes
        self._levers.complete = False
        return sorted(boxes, key=changes_in)[:MOST]


def merged(one: Box, other: Box) -> Box | None:
    """The box of what lies in both; None when nothing does."""
    both = dict(one)
    for name, mask in other.items():
        kept = both.get(name, -1) & mask
        if not kept:
            return None
        both[name] = kept
    return both


def changes_in(box: Box) -> int:
    """How many facts have to change for it."""
    return sum(1 for mask in box.values() if not mask & BASE)


def _united(boxes: list[Box]) -> list[Box]:
    """Boxes about one and the same fact as one box."""
    single: dict[str, int] = {}
    for box in boxes:
        if len(box) == 1:
            ((name, mask),) = box.items()
            single[name] = single.get(name, 0) | mask
    return [*({name: mask} for name, mask in single.items()),
            *(box for box in boxes if len(box) > 1)]  # fmt: skip


def _without_dominated(boxes: list[Box]) -> list[Box]:
    """Leave out a box that lies in another one."""
    ordered = sorted(boxes, key=len)
    kept: list[Box] = []
    for box in ordered:
        if not any(_holds(larger, box) for larger in kept):
            kept.append(box)
    return kept


def _holds(larger: Box, box: Box) -> bool:
    """Does all of `box` lie in `larger`?"""
    return all(name in box and not box[name] & ~mask for name, mask in larger.items())
