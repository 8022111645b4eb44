"""One release under two packs that are mostly the same: what both say is found only once.

A change of a policy touches a few rules or gates. Where the tiers and the evidence they want are
equal, everything else that is equal in both packs says the same about every release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from guiderail.policy.pack import Pack
from guiderail_verify.evaluate import Value
from guiderail_verify.judge import YELLOW, Gate, Judgement, Rule, Rulebook


class JudgedTwice:
    """Judges by the rules in force of two packs that agree about the types of their facts."""

    def __init__(self, packs: tuple[Pack, Pack], books: tuple[Rulebook, Rulebook]) -> None:
        self._old, self._new = books
        self._shared = _Shared(packs, books) if _same_tiers(packs, books) else None

    def judge(
        self, values: Mapping[str, Value], known_by: Mapping[str, int]
    ) -> tuple[Judgement, Judgement]:
        """What both packs say about the same facts."""
        old = self._old.judge(values, known_by)
        if self._shared is None:
            return old, self._new.judge(values, known_by)
        return old, self._shared.other(old)


class _Shared:
    """The other pack's judgement from that of the first and from what only the other one says."""

    def __init__(self, packs: tuple[Pack, Pack], books: tuple[Rulebook, Rulebook]) -> None:
        old, new = books
        known = {_key(rule): rule for rule in old.tracks if _same_rule(packs, rule)}
        places = {gate.id: place for place, gate in enumerate(old.gates)
                  if _same_gate(packs, gate)}  # fmt: skip
        # A shared rule is told by the first pack, so its hits are those of that rule.
        self._tracks = [id(known.get(_key(rule), rule)) for rule in new.tracks]
        gates = [gate for gate in new.gates if gate.id not in places]
        self._gates = [
            (True, places[gate.id]) if gate.id in places else (False, gates.index(gate))
            for gate in new.gates
        ]
        tracks = tuple(rule for rule in new.tracks if _key(rule) not in known)
        self._only_new = replace(new, tracks=tracks, gates=tuple(gates))

    def other(self, old: Judgement) -> Judgement:
        only = self._only_new.judge_rest(old)
        found = {id(hit.rule): hit for hit in (*old.track_hits, *only.track_hits)}
        hits = tuple([found[rule] for rule in self._tracks if rule in found])
        gates = tuple([old.gates[place] if shared else only.gates[place]
                       for shared, place in self._gates])  # fmt: skip
        track = max([hit.rule.rank for hit in hits], default=0)
        if track < YELLOW and any(g.enforced and g.verdict == "insufficient" for g in gates):
            track = YELLOW
        return old._replace(track=track, track_hits=hits, gates=gates)


def _key(rule: Rule) -> tuple[str, int]:
    return rule.id, rule.level


def _same_tiers(packs: tuple[Pack, Pack], books: tuple[Rulebook, Rulebook]) -> bool:
    old, new = books
    return (
        [_key(rule) for rule in old.tiers] == [_key(rule) for rule in new.tiers]
        and all(_same_rule(packs, rule) for rule in old.tiers)
        and old.wanted == new.wanted
    )


def _same_rule(packs: tuple[Pack, Pack], rule: Rule) -> bool:
    old, new = packs
    return old.rule(*_key(rule)) == new.rules.get(_key(rule))


def _same_gate(packs: tuple[Pack, Pack], gate: Gate) -> bool:
    old, new = packs
    return old.gate(gate.id) == new.rules.get((gate.id, 0))
