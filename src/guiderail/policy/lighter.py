"""What would get a lighter track: values that stop the heavy rules, verified by deciding again.

Two ways are kept apart. `evidence`: measure, answer, approve or confirm what is unknown or open.
`design`: another model. What the use *is* (`use.*`) is never changed here once it is known, so a
high-risk use gets no way down and its reasons say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from guiderail.core.scales import Track
from guiderail.policy.decision import Lighter
from guiderail.policy.pack import Pack
from guiderail.policy.readings import Readings
from guiderail.policy.sentences import Teller
from guiderail.policy.steer import Levers, steer
from guiderail.policy.support import unknown_carriers
from guiderail.policy.words import joined, phrase
from guiderail_verify.evaluate import UNKNOWN, Value
from guiderail_verify.judge import TIERS, TRACKS, Hit, Judgement, Rulebook

Cause = tuple[str, Hit | None]
"""A rule with its hit, or a gate, for which something had to change."""

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
            if search.run(judged):
                ways.append(_way(pack, judged, search, target, by, teller))
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
    causes: dict[Cause, set[str]] = field(default_factory=dict)

    def run(self, judged: Judgement) -> bool:
        """Do changes of this kind suffice, as deciding again says?"""
        for _ in range(_ROUNDS):
            if judged.track <= self.target:
                return True
            before = dict(self.changed)
            if not self._soften(judged) or self.changed == before:
                return False
            judged = self._judge()
        return judged.track <= self.target

    def _judge(self) -> Judgement:
        weak = self.changed.get("evidence.weak")
        values = {**self.readings.values, **self.changed}
        values.pop("tier", None)
        return self.book.judge(
            values, self.readings.known_by, weak=weak if isinstance(weak, bool) else None
        )

    def _soften(self, judged: Judgement) -> bool:
        # Lighter rules first: what satisfies them usually satisfies the heavier ones too.
        for hit in sorted(judged.track_hits, key=lambda hit: hit.rule.rank):
            if hit.rule.rank > self.target and not self._stop(hit, judged):
                return False
        return self.target > 0 or self._settle_gates(judged)

    def _settle_gates(self, judged: Judgement) -> bool:
        """Let every insufficient gate pass, or stop counting because the tier falls."""
        lacking = [g for g in judged.gates if g.enforced and g.verdict == "insufficient"]
        tier_rules = [hit for hit in judged.tier_hits if hit.rule.rank > 0]
        if any(gate.gate.from_rank > 0 for gate in lacking) and tier_rules:
            kept = dict(self.changed)
            causes = {cause: set(names) for cause, names in self.causes.items()}
            if all(self._stop_tier(hit, judged) for hit in tier_rules):
                return True  # the next round sees which gates still count
            self.changed, self.causes = kept, causes
        return all(self._settle(gate.gate.id, judged) for gate in lacking)

    def _settle(self, gate: str, judged: Judgement) -> bool:
        tree, cause = self.pack.gate(gate), (gate, None)
        if not self._steer(tree["pass_when"], True, judged, cause):
            return False
        if tree["fail_when"] is None:
            return True
        seen = {**judged.values, **self.changed}
        open_facts = unknown_carriers(self.pack.node(tree["fail_when"]), seen)
        if open_facts and set(open_facts) <= set(tree["may_be_absent"]):
            return True
        return self._steer(tree["fail_when"], False, judged, cause)

    def _stop(self, hit: Hit, judged: Judgement) -> bool:
        rule = self.pack.rule(hit.rule.id, hit.rule.level)
        fixed = rule["by"] == "no" and hit.truth is True
        if not fixed and self._steer(rule["when"], False, judged, (hit.rule.id, hit)):
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
                self._stop_tier(other, judged)
                for other in judged.tier_hits
                if other.rule.rank > lower
            )
        return False

    def _stop_tier(self, hit: Hit, judged: Judgement) -> bool:
        return self._steer(self._when(hit), False, judged, (hit.rule.id, hit))

    def _when(self, hit: Hit) -> Mapping[str, Any]:
        when: Mapping[str, Any] = self.pack.rule(hit.rule.id, hit.rule.level)["when"]
        return when

    def _steer(self, tree: Mapping[str, Any], want: bool, judged: Judgement, cause: Cause) -> bool:
        levers = Levers(self.pack.tree["facts"], self.readings.values, self.by)
        found = steer(self.pack.node(tree), want, {**judged.values, **self.changed}, levers)
        if found is None:
            return False
        if found:
            self.changed.update(found)
            self.causes.setdefault(cause, set()).update(found)
        return True


def _way(
    pack: Pack, before: Judgement, search: _Search, target: int, by: str, teller: Teller
) -> Lighter:
    rules = dict.fromkeys(part for part, _ in search.causes)
    return Lighter(Track(TRACKS[target]), by, _actions(pack, before, search, teller), tuple(rules))


def _actions(pack: Pack, before: Judgement, search: _Search, teller: Teller) -> tuple[str, ...]:
    """What to do: find out what is unknown, then what each rule and gate asks for."""
    facts = pack.tree["facts"]
    open_facts = [name for name in search.changed
                  if name in facts and before.values.get(name, UNKNOWN) is UNKNOWN]  # fmt: skip
    asked = {question["fact"] for question in pack.tree["questions"]}
    answers = [name for name in open_facts if name in asked]
    measures = [name for name in open_facts if name not in asked]
    told: list[str] = []
    if answers:
        told.append(f"Answer what is still open: {joined(answers)}.")
    if measures:
        lacking = joined([_phrase(pack, name) for name in measures])
        told.append(f"Have it measured or recorded: {lacking}.")
    for (part, hit), names in search.causes.items():
        if all(before.values.get(name, UNKNOWN) is UNKNOWN for name in names):
            continue  # finding it out is the whole advice
        texts = pack.part_texts(part)
        if hit is not None:
            told.append(teller.fill(texts["to_lighten"]))
        else:
            told.append(teller.wording(texts["do"]["insufficient"]))
    return tuple(dict.fromkeys(told))


def _phrase(pack: Pack, name: str) -> str:
    kind = pack.vocabulary.fact_type(name)
    return phrase(kind) if kind is not None else name
