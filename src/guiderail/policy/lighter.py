"""What would get a lighter track: the smallest set of changed facts, verified by deciding again.

Two ways are kept apart. `evidence`: measure, answer, approve or confirm what is unknown or open.
`design`: another release. What the use *is* (`use.*`) is never changed here once it is known, so a
high-risk use gets no way down and its reasons say so.

Every rule that must not count and every gate that must pass is a requirement; `options` lists the
ways to meet each and `smallest` selects. Requirements that only a change brings up are added when
deciding again shows them, which can only make the answer larger: so the first selection that holds
is a smallest one. It is smallest among the values of `boundaries`, unless `MOST` or `MOST_STEPS`
ended the search; then `Lighter.smallest` is False.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from guiderail.core.scales import Track
from guiderail.policy.actions import changes_told, told_of
from guiderail.policy.decision import Lighter
from guiderail.policy.levers import BASE, Box, Levers, Weight
from guiderail.policy.pack import Pack
from guiderail.policy.readings import Readings
from guiderail.policy.requirements import Requirements, tiers_to_try
from guiderail.policy.sentences import Teller
from guiderail.policy.smallest import Selection, smallest
from guiderail_verify.judge import KNOWN_BY, TIERS, TRACKS, Judgement, Rulebook

_ROUNDS: Final = 32
"""How often deciding again may bring up something more that has to be met."""


def lighter_ways(
    pack: Pack, book: Rulebook, readings: Readings, judged: Judgement, teller: Teller
) -> tuple[Lighter, ...]:
    """For each lighter track the way by evidence, and one by design where that is smaller.

    A way is left out where one to a lighter track is no larger and no less easy.
    """
    if judged.track == 0 or judged.tier == TIERS.index("prohibited"):
        return ()
    tries = {
        by: _Tries(pack, book, judged, _levers(pack, book, readings, design=by == "design"))
        for by in ("evidence", "design")
    }
    found: list[tuple[str, _Found]] = []
    for target in range(judged.track):
        most = len(readings.values)
        for by, search in tries.items():
            if by == "design" and not search.levers.reaches_further:
                continue
            way = search.smallest(target, most) if most else None
            if way is not None:
                most = way.weight[0] - 1
                if not any(other in (by, "evidence") and lighter.weight[0] <= way.weight[0]
                           for other, lighter in found):  # fmt: skip
                    found.append((by, way))
    return tuple(_way(pack, way, by, teller) for by, way in reversed(found))


@dataclass(frozen=True, slots=True)
class _Found:
    """A selection that holds. chosen: the new value of each changed fact, as a bit of `levers`."""

    levers: Levers
    requirements: Requirements
    box: Box
    chosen: Mapping[str, int]
    weight: Weight
    proven: bool
    track: int


@dataclass(slots=True)
class _Tries:
    """Looks for the smallest changes of one kind."""

    pack: Pack
    book: Rulebook
    base: Judgement
    levers: Levers

    def smallest(self, target: int, most: int) -> _Found | None:
        """At most `most` changes that lead to `target` or lower, at whichever tier is best."""
        best: _Found | None = None
        for tier in tiers_to_try(self.base):
            required = Requirements(self.pack, self.book, self.levers, self.base, target, tier)
            if required.start():
                found = self._settle(required, target, most)
                if found is not None and (best is None or found.weight[:2] < best.weight[:2]):
                    best, most = found, found.weight[0]
            elif required.tier_is_out_of_reach():
                break
        return best

    def _settle(self, required: Requirements, target: int, most: int) -> _Found | None:
        """Select, decide again, and require what that brings up, until it holds."""
        for _ in range(_ROUNDS):
            selection = smallest(list(required.ways.values()), self.levers, most)
            if selection is None:
                return None
            chosen = self._chosen(selection.box)
            judged = self._judge(chosen)
            broken = any(required.is_broken(verdict) for verdict in judged.gates)
            if judged.track <= target and not broken:
                return self._found(required, selection, chosen, judged.track)
            if not required.after(judged):
                return None
        return None

    def _found(
        self, required: Requirements, selection: Selection, chosen: Mapping[str, int], track: int
    ) -> _Found:
        proven = selection.proven and self.levers.complete
        return _Found(self.levers, required, selection.box, chosen, selection.weight, proven, track)

    def _chosen(self, box: Box) -> dict[str, int]:
        """A value for every fact that changes, and for the counts that become 0 with another."""
        levers = self.levers
        chosen = {name: levers.preferred(name, box[name])
                  for name in sorted(box) if not box[name] & BASE}  # fmt: skip
        for part in levers.parts:
            none = levers.none_of(part) if levers.follows(part, box) else 0
            if none:
                chosen[part] = none
        return chosen

    def _judge(self, chosen: Mapping[str, int]) -> Judgement:
        readings = self.levers.readings
        values, known_by = dict(readings.values), dict(readings.known_by)
        for name, bit in chosen.items():
            values.update(self.levers.reading(name, bit))
            known_by[name] = len(KNOWN_BY) - 1
        return self.book.judge(values, known_by)


def _levers(pack: Pack, book: Rulebook, readings: Readings, *, design: bool) -> Levers:
    known_by = readings.known_by
    weak = {name for minimum in book.minimum for name, least in minimum
            if known_by.get(name, least) < least}  # fmt: skip
    return Levers(
        pack.boundaries, pack.tree["facts"], readings, design, frozenset(weak), pack.parts
    )


def _way(pack: Pack, found: _Found, by: str, teller: Teller) -> Lighter:
    told = told_of(pack, found.levers, teller, found.requirements.ways, found.box)
    changes = changes_told(told, found.chosen)
    return Lighter(
        to=Track(TRACKS[found.track]),
        by=by,
        actions=tuple(dict.fromkeys(change.action for change in changes)),
        rules=told.met(),
        changes=changes,
        smallest=found.proven,
    )
