"""What must hold for a lighter track: rules that must not count, gates that must pass.

For one target track at one tier. Each requirement is met in one of several ways, see `options`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from guiderail.policy.levers import BASE, Box, Levers
from guiderail.policy.options import Options
from guiderail.policy.pack import Pack
from guiderail_verify.evaluate import UNKNOWN
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


@dataclass(frozen=True, slots=True)
class Cause:
    """The rule or gate behind a requirement. level is None for a gate."""

    part: str
    level: int | None


class Requirements:
    """Grows while deciding again shows more that has to be met."""

    def __init__(
        self, pack: Pack, book: Rulebook, levers: Levers, base: Judgement, target: int, tier: int
    ) -> None:
        self._pack = pack
        self._book = book
        self._base = base
        self._target = target
        self._tier = tier
        known_by = levers.readings.known_by
        weak = [name for name, least in book.minimum[tier] if known_by.get(name, least) < least]
        self._seen = {**base.values, "tier": TIERS[tier], "evidence.weak": bool(weak)}
        self._levers = levers
        self._options = Options(levers, self._seen, weak)
        self.ways: dict[Cause, list[Box]] = {}

    def start(self) -> bool:
        """Require what the present facts do not meet; False where something cannot be met."""
        base, seen = self._base, self._seen
        for hit in base.tier_hits:
            if hit.rule.rank > self._tier and not self._stop(hit.rule):
                return False
        heavy = [rule for rule in self._book.tracks
                 if rule.rank > self._target and _counts(rule, rule.when(seen))]  # fmt: skip
        # Simple rules first: a rule about the tier alone is what most often cannot be met.
        if not all(self._stop(rule) for rule in sorted(heavy, key=self._is_compound)):
            return False
        if self._target > 0:
            return True
        lacking = [
            verdict.gate
            for verdict in base.gates
            if verdict.verdict == "insufficient" and self._is_asked(verdict.gate)
        ]
        return all(self._pass(gate) for gate in lacking)

    def tier_is_out_of_reach(self) -> bool:
        """Is there a tier rule that nothing can stop, so that no lower tier is worth trying?"""
        return any(not ways for cause, ways in self.ways.items() if self._is_tier(cause))

    def after(self, judged: Judgement) -> bool:
        """Require what the changed facts do not meet. False when that was required already."""
        before = len(self.ways)
        for hit in judged.tier_hits:
            if hit.rule.rank > self._tier:
                self._stop(hit.rule)
        for hit in judged.track_hits:
            if hit.rule.rank > self._target:
                self._stop(hit.rule)
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
        return any(one.gate is gate and one.verdict == "fail" for one in self._base.gates)

    def _is_asked(self, gate: Gate) -> bool:
        return gate.enforced and self._tier >= gate.from_rank

    def _is_compound(self, rule: Rule) -> bool:
        return bool(self._pack.node(self._pack.rule(rule.id, rule.level)["when"]).parts)

    def _is_tier(self, cause: Cause) -> bool:
        return any((cause.part, cause.level) == (rule.id, rule.level) for rule in self._book.tiers)

    def _stop(self, rule: Rule) -> bool:
        """Require that a rule does not count."""
        cause = Cause(rule.id, rule.level)
        if cause not in self.ways:
            self.ways[cause] = self._not_counting(rule)
        return bool(self.ways[cause])

    def _not_counting(self, rule: Rule) -> list[Box]:
        tree = self._pack.rule(rule.id, rule.level)
        fixed = tree["by"] == "no" and rule in self._book.tracks
        if fixed and rule.when(self._base.values) is True:
            # Only a lower tier can stop it.
            return [] if _counts(rule, rule.when(self._seen)) else [{}]
        node, options = self._pack.node(tree["when"]), self._options
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
            self.ways[cause] = self._passing(gate)
        return bool(self.ways[cause])

    def _passing(self, gate: Gate) -> list[Box]:
        tree, options = self._pack.gate(gate.id), self._options
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
        options, levers = self._options, self._levers
        lacking = {
            base_name(name, levers.types)
            for name in gate.reads - gate.may_be_absent
            if self._seen.get(name, UNKNOWN) is UNKNOWN
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
        return self._options.making(self._pack.node(tree[key]), truth, strict=strict)


def _counts(rule: Rule, truth: object) -> bool:
    if truth is False:
        return False
    return rule.counts == "either" or (rule.counts == "unknown") is (truth is UNKNOWN)


def tiers_to_try(judged: Judgement) -> Sequence[int]:
    """The present tier as rules see it, then the lower ones."""
    return range(min(judged.tier, HIGHEST_TIER_IN_RULES), -1, -1)
