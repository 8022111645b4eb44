"""What would get a lighter track: values that stop the heavy rules, verified by deciding again.

Two ways are kept apart. `evidence`: measure, answer, approve or confirm what is unknown or open.
`design`: another model. What the use *is* (`use.*`) is never changed here once it is known, so a
high-risk use gets no way down and its reasons say so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from guiderail.core.scales import Track
from guiderail.policy.decision import Lighter
from guiderail.policy.pack import Pack
from guiderail.policy.readings import Readings
from guiderail.policy.sentences import Teller
from guiderail.policy.steer import Levers, steer
from guiderail_verify.evaluate import Value
from guiderail_verify.judge import TIERS, TRACKS, Hit, Judgement, Rulebook

_ROUNDS: Final = 4
"""Answering one thing may open another, as labels bring measurements; no deeper is sought."""


def lighter_ways(
    pack: Pack, book: Rulebook, readings: Readings, judged: Judgement, teller: Teller
) -> tuple[Lighter, ...]:
    """For each lighter track the way by evidence, or else by design; none when there is none."""
    if judged.track == 0 or judged.tier == TIERS.index("prohibited"):
        return ()
    ways: list[Lighter] = []
    for target in range(judged.track - 1, -1, -1):
        for by in ("evidence", "design"):
            search = _Search(pack, book, readings, target, by)
            after = search.run(judged)
            if after is not None:
                ways.append(_way(pack, judged, after, target, by, teller))
                break
    return tuple(way for index, way in enumerate(ways) if way.actions not in
                 [later.actions for later in ways[index + 1 :]])  # fmt: skip


@dataclass(slots=True)
class _Search:
    pack: Pack
    book: Rulebook
    readings: Readings
    target: int
    by: str
    changed: dict[str, Value] = field(default_factory=dict)

    def run(self, judged: Judgement) -> Judgement | None:
        """The judgement after the changes, or nothing when no changes of this kind suffice."""
        for _ in range(_ROUNDS):
            if judged.track <= self.target:
                return judged
            before = dict(self.changed)
            if not self._soften(judged) or self.changed == before:
                return None
            judged = self._judge()
        return judged if judged.track <= self.target else None

    def _judge(self) -> Judgement:
        weak = self.changed.get("evidence.weak")
        values = {**self.readings.values, **self.changed}
        values.pop("tier", None)
        return self.book.judge(
            values, self.readings.known_by, weak=weak if isinstance(weak, bool) else None
        )

    def _soften(self, judged: Judgement) -> bool:
        for hit in judged.track_hits:
            if hit.rule.rank > self.target and not self._stop(hit, judged):
                return False
        if self.target == 0:
            for gate in judged.gates:
                if gate.enforced and gate.verdict == "insufficient":
                    tree = self.pack.gate(gate.gate.id)
                    wants = ((tree["pass_when"], True), (tree["fail_when"], False))
                    if not all(self._steer(part, want, judged) for part, want in wants):
                        return False
        return True

    def _stop(self, hit: Hit, judged: Judgement) -> bool:
        rule = self.pack.rule(hit.rule.id, hit.rule.level)
        if not (rule["by"] == "no" and hit.truth is True) and self._steer(
            rule["when"], False, judged
        ):
            return True
        return self._lower_tier(rule["when"], judged)

    def _lower_tier(self, when: Mapping[str, Any], judged: Judgement) -> bool:
        """Let the rule stop by a lower tier, if only unknowns and confirmations hold it up."""
        node = self.pack.node(when)
        felt = TIERS.index(str(judged.values["tier"]))
        for lower in range(felt - 1, -1, -1):
            if node.run({**judged.values, **self.changed, "tier": TIERS[lower]}) is not False:
                continue
            return all(
                self._steer(self._tier_rule(other)["when"], False, judged)
                for other in judged.tier_hits
                if other.rule.rank > lower
            )
        return False

    def _tier_rule(self, hit: Hit) -> Mapping[str, Any]:
        return self.pack.rule(hit.rule.id, hit.rule.level)

    def _steer(self, tree: Mapping[str, Any] | None, want: bool, judged: Judgement) -> bool:
        if tree is None:
            return not want
        levers = Levers(self.pack.tree["facts"], self.readings.values, self.by)
        found = steer(self.pack.node(tree), want, {**judged.values, **self.changed}, levers)
        if found is None:
            return False
        self.changed.update(found)
        return True


def _way(
    pack: Pack, before: Judgement, after: Judgement, target: int, by: str, teller: Teller
) -> Lighter:
    still = {(hit.rule.id, hit.rule.level) for hit in (*after.tier_hits, *after.track_hits)}
    gone = [
        hit
        for hit in (*before.track_hits, *before.tier_hits)
        if (hit.rule.id, hit.rule.level) not in still and hit.rule.rank > 0
    ]
    passed = {gate.gate.id for gate in after.gates if gate.verdict == "pass"}
    gates = [
        gate.gate.id
        for gate in before.gates
        if target == 0 and gate.enforced and gate.verdict == "insufficient"
        and gate.gate.id in passed
    ]  # fmt: skip
    return Lighter(
        Track(TRACKS[target]), by, _actions(pack, gone, gates, teller),
        tuple(dict.fromkeys([*(hit.rule.id for hit in gone), *gates])),
    )  # fmt: skip


def _actions(
    pack: Pack, gone: Sequence[Hit], gates: Sequence[str], teller: Teller
) -> tuple[str, ...]:
    told = [teller.fill(pack.part_texts(hit.rule.id)["to_lighten"]) for hit in gone]
    told += [teller.wording(pack.part_texts(gate)["do"]["insufficient"]) for gate in gates]
    return tuple(dict.fromkeys(told))
