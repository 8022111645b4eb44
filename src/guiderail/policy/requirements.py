"""What must hold for a lighter track: rules that must not count, gates that must pass.

For one target track at one tier. Each requirement is met in one of several ways, see `options`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from guiderail.policy.boundaries import Box
from guiderail.policy.levers import BASE, Levers
from guiderail.policy.options import Options
from guiderail.policy.pack import Pack
from guiderail.policy.readings import Readings
from guiderail.policy.support import Node
from guiderail.policy.vocabulary import COMPUTED
from guiderail_verify.evaluate import UNKNOWN, Values
from guiderail_verify.judge import (
    HIGHEST_TIER_IN_RULES,
    TIERS,
    Gate,
    GateVerdict,
    Judgement,
    Rule,
    Rulebook,
    base_name,
)

_COMPUTED: Final = frozenset(COMPUTED)


class Cause(NamedTuple):
    """The rule or gate behind a requirement. level is None for a gate."""

    part: str
    level: int | None


class Situation:
    """The release as it is, seen at its own tier or at a lower one."""

    def __init__(self, pack: Pack, book: Rulebook, readings: Readings, base: Judgement) -> None:
        self.pack = pack
        self.book = book
        self.readings = readings
        self.base = base
        self.tier = min(base.tier, HIGHEST_TIER_IN_RULES)
        self._weak: dict[int, tuple[str, ...]] = {self.tier: base.weak}
        self._seen: dict[int, Values] = {self.tier: base.values}

    def weak(self, tier: int) -> tuple[str, ...]:
        """Facts below the evidence that the policy wants at a tier."""
        if tier not in self._weak:
            rank_of = self.readings.known_by.get
            least_of = self.book.wanted[tier]
            self._weak[tier] = tuple(
                name for name, least in least_of if rank_of(name, least) < least
            )
        return self._weak[tier]

    def seen(self, tier: int) -> Values:
        """Present values, with a tier."""
        if tier not in self._seen:
            weak = bool(self.weak(tier))
            self._seen[tier] = {**self.base.values, "tier": TIERS[tier], "evidence.weak": weak}
        return self._seen[tier]

    def node(self, rule: Rule) -> Node:
        """The condition of a tier or track rule."""
        return self.pack.node(self.pack.rule(rule.id, rule.level)["when"])

    def fixed(self, rule: Rule) -> bool:
        """Does the pack say that nothing stops this rule, except a lower tier?"""
        by = self.pack.rule(rule.id, rule.level)["by"]
        return by == "no" and rule.when(self.base.values) is True

    def counts(self, rule: Rule, tier: int) -> bool:
        """Does a rule count at a tier, if nothing else changes?"""
        truth = rule.when(self.seen(tier))
        if truth is False:
            return False
        return rule.counts == "either" or (rule.counts == "unknown") is (truth is UNKNOWN)


class Requirements:
    """Grows while deciding again shows more that has to be met."""

    def __init__(self, situation: Situation, levers: Levers, target: int, tier: int) -> None:
        self._of = situation
        self._levers = levers
        self._target = target
        self._tier = tier
        self._options = Options(levers, situation.seen(tier), situation.weak(tier))
        self.ways: dict[Cause, list[Box]] = {}
        self.tier_is_out_of_reach = False
        """Nothing stops some rule that holds the tier up, so no lower tier is worth trying."""

    def start(self) -> bool:
        """Require what the present facts do not meet; False where something cannot be met."""
        base = self._of.base
        for hit in base.tier_hits:
            if hit.rule.rank > self._tier and not self._stop(hit.rule):
                self.tier_is_out_of_reach = True
                return False
        if not all(self._stop(rule, of_track=True) for rule in self._heavy()):
            return False
        if self._target > 0:
            return True
        lacking = [
            verdict.gate
            for verdict in base.gates
            if verdict.verdict == "insufficient"
            and verdict.gate.enforced
            and self._tier >= verdict.gate.from_rank
        ]
        return all(self._pass(gate) for gate in lacking)

    def _heavy(self) -> list[Rule]:
        """Track rules that count; those about one thing first, most often they cannot be met.

        Of the others the lighter first: what stops them mostly stops the heavier ones too.
        """
        rules = [hit.rule for hit in self._of.base.track_hits if hit.rule.rank > self._target]
        if self._tier != self._of.tier:
            rules = [rule for rule in rules if self._of.counts(rule, self._tier)]
        return sorted(rules, key=lambda rule: (bool(self._of.node(rule).parts), rule.rank))

    def after(self, judged: Judgement) -> bool:
        """Require what the changed facts do not meet. False when that was required already."""
        before = len(self.ways)
        for hit in judged.tier_hits:
            if hit.rule.rank > self._tier:
                self._stop(hit.rule)
        for hit in judged.track_hits:
            if hit.rule.rank > self._target:
                self._stop(hit.rule, of_track=True)
        for verdict in judged.gates:
            if self.is_broken(verdict):
                self._pass(verdict.gate)
        return len(self.ways) > before

    def is_broken(self, verdict: GateVerdict) -> bool:
        """Does a gate keep the track up, or does it fail that did not fail before?"""
        if not verdict.enforced:
            return False
        if verdict.verdict == "insufficient":
            return self._target == 0
        return verdict.verdict == "fail" and not self._failed(verdict.gate)

    def _failed(self, gate: Gate) -> bool:
        return any(one.gate is gate and one.verdict == "fail" for one in self._of.base.gates)

    def _stop(self, rule: Rule, *, of_track: bool = False) -> bool:
        """Require that a rule does not count."""
        cause = Cause(rule.id, rule.level)
        if cause not in self.ways:
            if of_track and self._of.fixed(rule):
                self.ways[cause] = [] if self._of.counts(rule, self._tier) else [{}]
            else:
                self.ways[cause] = self._not_counting(rule)
        return bool(self.ways[cause])

    def _not_counting(self, rule: Rule) -> list[Box]:
        node, options = self._of.node(rule), self._options
        match rule.counts:
            case "certain":
                return options.making(node, False, strict=False)
            case "unknown":
                return options.one([options.making(node, False), options.making(node, True)])
        return options.making(node, False)

    def _pass(self, gate: Gate) -> bool:
        """Require that a gate passes or does not apply, and that it does not fail anew."""
        cause = Cause(gate.id, None)
        if cause not in self.ways:
            self.ways[cause] = self._passing_once(gate)
        return bool(self.ways[cause])

    def _passing_once(self, gate: Gate) -> list[Box]:
        """The ways for a gate are the same at every tier, unless it asks for the tier itself."""
        form = self._of.pack.gate_form(gate.id)
        if any(not _COMPUTED.isdisjoint(node.names) for node in form.needs):
            return self._passing(gate)
        ways, key = self._levers.ways_of(form.needs), (id(form), self._target > 0, True)
        known = ways.get(key)
        if known is None:
            return self._options.remembered(ways, key, lambda: self._passing(gate))
        return self._options.recalled(known)

    def _passing(self, gate: Gate) -> list[Box]:
        tree, options = self._of.pack.gate(gate.id), self._options
        ways = [self._made(tree, "applies_when", False)] if tree["applies_when"] else []
        if self._target > 0:
            ways.append(self._made(tree, "fail_when", False, strict=False))
        elif self._failed(gate):
            ways += [self._made(tree, "pass_when", True), self._made(tree, "fail_when", True)]
        else:
            passing = [self._made(tree, "pass_when", True), self._sound(tree, gate)]
            ways.append(options.every(passing))
        return options.one(ways)

    def _sound(self, tree: Mapping[str, Any], gate: Gate) -> list[Box]:
        """`fail_when` is false, or unknown only for want of limits that nobody has set."""
        if tree["fail_when"] is None:
            return [{}]
        options, levers, seen = self._options, self._levers, self._of.base.values
        lacking = {
            base_name(name, levers.types)
            for name in gate.reads - gate.may_be_absent
            if seen.get(name, UNKNOWN) is UNKNOWN
        }
        known: Box = {name: levers.domain(name) & ~BASE for name in sorted(lacking)}
        absent = options.every(
            [
                self._made(tree, "fail_when", False, strict=False),
                [known] if all(known.values()) else [],
            ]
        )
        return options.one([self._made(tree, "fail_when", False), absent])

    def _made(
        self, tree: Mapping[str, Any], key: str, truth: bool, *, strict: bool = True
    ) -> list[Box]:
        return self._options.making(self._of.pack.node(tree[key]), truth, strict=strict)
