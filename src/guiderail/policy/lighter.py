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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from guiderail.core.scales import Track
from guiderail.policy.actions import changes_told, told_of
from guiderail.policy.boundaries import Box
from guiderail.policy.decision import Lighter
from guiderail.policy.levers import BASE, Levers, Weight
from guiderail.policy.pack import Pack
from guiderail.policy.readings import Readings
from guiderail.policy.requirements import Requirements, Situation
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
    situation = Situation(pack, book, readings, judged)
    levers = _levers(situation)
    evidence = _Tries(situation, levers)
    design = _Tries(situation, _levers(situation, levers))
    found: list[tuple[str, _Found]] = []
    for target in range(judged.track - 1, -1, -1):
        most = len(readings.values)
        way = evidence.smallest(target, most)
        if way is not None:
            found.append(("evidence", way))
            most = way.weight[0] - 1
        if most and not pack.designed.isdisjoint(readings.known_by):
            way = design.smallest(target, most)
            if way is not None:
                found.append(("design", way))
    return tuple(_way(pack, way, by, teller) for place, (by, way) in enumerate(found)
                 if not _outdone(by, way, found[place + 1 :]))  # fmt: skip


def _outdone(by: str, way: _Found, others: Sequence[tuple[str, _Found]]) -> bool:
    """Is there a way to a lighter track that changes no more and is no harder to go?"""
    return any(
        other.track <= way.track and other.weight[0] <= way.weight[0] and kind in (by, "evidence")
        for kind, other in others
    )


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
    """Looks for the smallest changes of one kind. stuck: targets that are known to be beyond it."""

    situation: Situation
    levers: Levers
    stuck: int = -1

    def smallest(self, target: int, most: int) -> _Found | None:
        """At most `most` changes that lead to `target` or lower, at whichever tier is best."""
        best: _Found | None = None
        possible = False
        if target <= self.stuck:
            return None
        for tier in range(self.situation.tier, -1, -1):
            required = Requirements(self.situation, self.levers, target, tier)
            if required.start():
                possible = True
                found = self._settle(required, target, most)
                if found is not None and (best is None or found.weight[:2] < best.weight[:2]):
                    best, most = found, found.weight[0]
            elif required.tier_is_out_of_reach:
                break
        if not possible:
            self.stuck = target
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
        return self.situation.book.judge(values, known_by)


def _levers(situation: Situation, evidence: Levers | None = None) -> Levers:
    """The levers of new evidence; those of another design as well, where the former are given."""
    pack = situation.pack
    least = dict(situation.book.wanted[situation.tier])
    weak = {name: least[name] for name in situation.base.weak}
    return Levers(
        pack.boundaries, pack.tree["facts"], situation.readings, evidence is not None, weak,
        pack.parts, evidence,
    )  # fmt: skip


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
