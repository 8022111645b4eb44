"""The fewest facts that must change so that every requirement is met, one box for each.

Exact branch and bound over the boxes of `options`: for a growing number of changes all selections
are tried, the requirement with the fewest boxes first. Of several selections with the same number
of changes the one with the fewest changes of design wins, then the one whose facts come first in
the alphabet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from guiderail.policy.options import Box, merged

MOST_STEPS: Final = 3000
"""After this many tries the first selection that works is taken, and it is not called smallest."""

Weight = tuple[int, int, tuple[str, ...]]
"""Changes, changes of design, names: what is lighter is better."""
Weigh = Callable[[Box], Weight]


@dataclass(frozen=True, slots=True)
class Selection:
    """box: the values that every changed fact must have. proven: nothing smaller exists."""

    box: Box
    weight: Weight
    proven: bool


def smallest(requirements: Sequence[Sequence[Box]], weigh: Weigh, most: int) -> Selection | None:
    """The lightest selection of at most `most` changes; None when there is none."""
    start, rest = _forced(requirements)
    if start is None or (least := weigh(start)[0]) > most:
        return None
    if not rest:
        return Selection(start, weigh(start), True)
    search = _Search(weigh)
    for budget in range(least, most + 1):
        found = search.within(start, rest, budget)
        if search.gave_up:
            break
        if found is not None:
            return Selection(found, weigh(found), True)
        if not search.cut:
            return None
    first = _Search(weigh, first=True).within(start, rest, most)
    return Selection(first, weigh(first), False) if first is not None else None


def _forced(requirements: Sequence[Sequence[Box]]) -> tuple[Box | None, list[list[Box]]]:
    """What must hold in any case, and the requirements that then leave a choice."""
    box: Box = {}
    rest = [list(ways) for ways in requirements]
    while True:
        left: list[list[Box]] = []
        held = box
        for ways in rest:
            fitting = _fitting(box, ways)
            both = merged(box, fitting[0]) if len(fitting) == 1 else box
            if not fitting or both is None:
                return None, []
            if len(fitting) > 1:
                left.append(fitting)
            box = both
        rest = left
        if box == held:
            return box, rest


def _fitting(box: Box, ways: Sequence[Box]) -> list[Box]:
    """Ways that can still be gone; one empty way where the box satisfies one already."""
    found = []
    for way in ways:
        fits = satisfied = True
        for name, mask in way.items():
            held = box.get(name)
            if held is None:
                satisfied = False
            elif not held & mask:
                fits = False
                break
            elif held & ~mask:
                satisfied = False
        if fits and satisfied:
            return [{}]
        if fits:
            found.append(way)
    return found


class _Search:
    """Depth first; `steps` counts tries, `cut` says whether the budget ended any."""

    def __init__(self, weigh: Weigh, *, first: bool = False) -> None:
        self._weigh = weigh
        self._first = first
        self._best: Box | None = None
        self._weight: Weight | None = None
        self.steps = 0
        self.cut = False

    @property
    def gave_up(self) -> bool:
        return self.steps > MOST_STEPS

    def within(self, box: Box, rest: Sequence[Sequence[Box]], budget: int) -> Box | None:
        self._best = self._weight = None
        self.cut = False
        self._try(box, rest, budget)
        return self._best

    def _try(self, box: Box, rest: Sequence[Sequence[Box]], budget: int) -> None:
        self.steps += 1
        if self.gave_up or (self._first and self._best is not None):
            return
        weight = self._weigh(box)
        if weight[0] > budget:
            self.cut = True
            return
        if self._weight is not None and weight[:2] > self._weight[:2]:
            return
        left: list[list[Box]] = [
            fitting for ways in rest if (fitting := _fitting(box, ways)) != [{}]
        ]
        if not left:
            if self._weight is None or weight < self._weight:
                self._best, self._weight = box, weight
            return
        for way in sorted(min(left, key=_how_many), key=self._weigh):
            both = merged(box, way)
            if both is not None:
                self._try(both, left, budget)


def _how_many(ways: Sequence[Box]) -> int:
    return len(ways)
