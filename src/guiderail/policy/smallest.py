"""The fewest facts that must change so that every requirement is met, one box for each.

Exact branch and bound over the boxes of `options`: for a growing number of changes all selections
are tried, the requirement with the fewest boxes first; requirements that share no fact are solved
by themselves. Of several selections with the same number of changes the one with the fewest changes
of design wins, then the one whose facts come first in the alphabet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from guiderail.policy.boundaries import Box
from guiderail.policy.levers import BASE, Levers, Weight
from guiderail.policy.options import merged

_MET: Final[list[Box]] = [{}]
"""The ways to meet a requirement that is met."""

MOST_STEPS: Final = 3000
"""After this many tries the first selection that works is taken, and it is not called smallest."""


@dataclass(frozen=True, slots=True)
class Selection:
    """box: the values that every changed fact must have. proven: nothing smaller exists."""

    box: Box
    weight: Weight
    proven: bool


class _Need(NamedTuple):
    """A requirement that leaves a choice.

    facts: what it is about. wholes: the same, with the facts of which they count a part instead of
    such parts. ways: those to meet it that are still open.
    """

    facts: frozenset[str]
    wholes: frozenset[str]
    ways: Sequence[Box]


def smallest(requirements: Sequence[Sequence[Box]], levers: Levers, most: int) -> Selection | None:
    """The lightest selection of at most `most` changes; None when there is none."""
    whole, rest = _forced(requirements)
    if whole is None:
        return None
    needs = [_need(ways, levers) for ways in rest]
    changed = levers.changed(whole)
    if len(changed) > most or _least(changed, needs, levers) > most:
        return None
    proven = True
    for wholes, part in _apart(needs):
        start = {name: mask for name, mask in whole.items() if levers.whole_of(name) in wholes}
        found = _solved(start, part, levers, most)
        if found is None:
            return None
        proven = proven and found.proven
        whole = {**whole, **found.box}
    weight = levers.weigh(whole)
    return Selection(whole, weight, proven) if weight[0] <= most else None


def _need(ways: Sequence[Box], levers: Levers) -> _Need:
    facts = frozenset().union(*ways)
    wholes = facts if levers.parts.keys().isdisjoint(facts) else map(levers.whole_of, facts)
    return _Need(facts, frozenset(wholes), sorted(ways, key=levers.weigh))


def _solved(start: Box, part: Sequence[_Need], levers: Levers, most: int) -> Selection | None:
    """The lightest selection for requirements that hang together."""
    needs = sorted(part, key=_choices)
    search = _Search(levers)
    changed = levers.changed(start)
    for budget in range(max(len(changed), _least(changed, needs, levers)), most + 1):
        found = search.within(start, needs, budget)
        if search.gave_up:
            break
        if found is not None:
            return Selection(found, levers.weigh(found), True)
        if not search.cut:
            return None
    first = _Search(levers, first=True).within(start, needs, most)
    return Selection(first, levers.weigh(first), False) if first is not None else None


def _apart(needs: Sequence[_Need]) -> list[tuple[frozenset[str], list[_Need]]]:
    """Requirements in groups, so that no two groups share a fact."""
    groups: list[tuple[frozenset[str], list[_Need]]] = []
    for need in needs:
        wholes, together = need.wholes, [need]
        others = []
        for group in groups:
            if group[0].isdisjoint(wholes):
                others.append(group)
            else:
                wholes |= group[0]
                together = group[1] + together
        groups = [*others, (wholes, together)]
    return groups


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
            return _MET
        if fits:
            found.append(way)
    return found


class _Search:
    """Depth first; `steps` counts tries, `cut` says whether the budget ended any."""

    def __init__(self, levers: Levers, *, first: bool = False) -> None:
        self._levers = levers
        self._first = first
        self._best: Box | None = None
        self._weight: Weight | None = None
        self.steps = 0
        self.cut = False

    @property
    def gave_up(self) -> bool:
        return self.steps > MOST_STEPS

    def within(self, box: Box, rest: Sequence[_Need], budget: int) -> Box | None:
        self._best = self._weight = None
        self.cut = False
        self._try(box, rest, budget)
        return self._best

    def _try(self, box: Box, rest: Sequence[_Need], budget: int) -> None:
        self.steps += 1
        if self.gave_up or (self._first and self._best is not None):
            return
        levers = self._levers
        changed = levers.changed(box)
        if len(changed) > budget:
            self.cut = True
            return
        weight = len(changed), levers.designed(changed, box)
        if self._weight is not None and weight > self._weight[:2]:
            return
        if rest and _least(changed, rest, levers) > budget:
            self.cut = True
            return
        if not rest:
            whole = (*weight, tuple(sorted(changed)))
            if self._weight is None or whole < self._weight:
                self._best, self._weight = box, whole
            return
        for way in rest[0].ways:
            both = merged(box, way)
            if both is not None:
                self._try(both, _left(both, rest, way), budget)


def _least(changed: Sequence[str], rest: Sequence[_Need], levers: Levers) -> int:
    """How many changes it takes at least: one for each requirement that shares no fact with those
    before it and that nothing but another change meets. A fact and those that count some of it are
    one, because the parts may follow."""
    taken = {levers.whole_of(name) for name in changed}
    least = len(taken)
    for _, wholes, ways in rest:
        if taken.isdisjoint(wholes) and all(map(_changes, ways)):
            least += 1
            taken |= wholes
    return least


def _changes(way: Box) -> bool:
    """Does a way need any change?"""
    return any(not mask & BASE for mask in way.values())


def _left(box: Box, rest: Sequence[_Need], way: Box) -> list[_Need]:
    """The requirements that are still open, the one with the fewest ways first.

    way: by what the box has just shrunk; requirements about other facts are as they were.
    """
    left: list[_Need] = []
    for need in rest:
        facts, wholes, ways = need
        if not facts.isdisjoint(way):
            fitting = _fitting(box, ways)
            if fitting == _MET:
                continue
            need = _Need(facts, wholes, fitting)
        left.append(need)
    left.sort(key=_choices)
    return left


def _choices(need: _Need) -> int:
    return len(need.ways)
