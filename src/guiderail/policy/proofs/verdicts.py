"""The whole decision of a pack as formulas: tier, track, gates, what blocks and who looks.

It follows `guiderail_verify.judge` line by line; a test decides thousands of random releases with
both. Ranks are those of `TIERS` and `TRACKS` there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from guiderail.policy.proofs.formula import Among, Formula, Formulas, Scalar, Weakly
from guiderail.policy.proofs.kleene import HERE, Conditions, Tree, Truth, World
from guiderail.policy.proofs.release import Types
from guiderail_verify.evaluate import fact_names
from guiderail_verify.judge import (
    HIGHEST_TIER_IN_RULES,
    TIERS,
    YELLOW,
    Gate,
    Rule,
    Rulebook,
    base_name,
    compile_rulebook,
    holds,
)

FELT_TIERS: Final = TIERS[: HIGHEST_TIER_IN_RULES + 1]
Part = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RulePart:
    """A rule as the evaluator runs it, beside the tree that it was compiled from."""

    rule: Rule
    part: Part

    @property
    def name(self) -> str:
        """The id; with the level where the rule has several."""
        return self.rule.id if not self.part.get("of_many") else f"{self.rule.id}/{self.rule.level}"


@dataclass(frozen=True, slots=True)
class GatePart:
    """A gate as the evaluator runs it, beside the tree that it was compiled from."""

    gate: Gate
    part: Part


@dataclass(frozen=True, slots=True)
class Book:
    """The rules and gates of one pack that hold for one kind on one day."""

    kind: str
    day: str
    types: Types
    rulebook: Rulebook
    tiers: tuple[RulePart, ...]
    tracks: tuple[RulePart, ...]
    gates: tuple[GatePart, ...]
    reviewers: Mapping[str, Sequence[str]]
    _names: dict[int, tuple[Tree, frozenset[str]]] = field(default_factory=dict, repr=False)

    def names(self, tree: Tree) -> frozenset[str]:
        """The names in a condition of this book, looked for once."""
        found = self._names.get(id(tree))
        if found is None:
            found = self._names[id(tree)] = (tree, fact_names(tree))
        return found[1]

    def facts(self) -> tuple[str, ...]:
        """Every fact that a rule or gate in force asks about, in the order of their names."""
        parts = [rule.part["when"] for rule in (*self.tiers, *self.tracks)]
        parts += [
            [gate.part[key] for key in ("applies_when", "pass_when", "fail_when")]
            for gate in self.gates
        ]
        names = {base_name(name, self.types) for name in fact_names(parts)}
        return tuple(sorted(names & self.types.keys()))


def open_book(tree: Tree, kind: str, day: str) -> Book:
    """The book of a compiled pack. Raises TreeError for bytes that are no pack."""
    rulebook = compile_rulebook(tree, kind, day)
    in_force = {
        section: [part for part in tree[section] if holds(part, kind, day)]
        for section in ("tiers", "tracks", "gates")
    }
    rules = {
        section: tuple(
            RulePart(rule, {**part, "of_many": _of_many(part, in_force[section])})
            for rule, part in zip(compiled, in_force[section], strict=True)
        )
        for section, compiled in (("tiers", rulebook.tiers), ("tracks", rulebook.tracks))
    }
    gates = zip(rulebook.gates, in_force["gates"], strict=True)
    return Book(
        kind=kind,
        day=day,
        types=tree["facts"],
        rulebook=rulebook,
        tiers=rules["tiers"],
        tracks=rules["tracks"],
        gates=tuple(GatePart(gate, part) for gate, part in gates),
        reviewers=tree["reviewers"],
    )


def _of_many(part: Part, parts: Sequence[Part]) -> bool:
    return len([other for other in parts if other["id"] == part["id"]]) > 1


@dataclass(frozen=True, slots=True)
class GateTruths:
    """When an enforced gate has each verdict. conditions: pass_when, fail_when, applies_when."""

    enforced: Formula
    failed: Formula
    passed: Formula
    insufficient: Formula
    conditions: tuple[Truth, Truth, Truth]


TIER: Final = "tier"
WEAK: Final = "evidence.weak"
ASSUMED_TYPES: Final[Types] = {
    TIER: {"type": "enum", "values": list(FELT_TIERS)},
    WEAK: {"type": "bool", "values": []},
}
"""Symbols for what deciding computes, where it is assumed instead of computed."""


@dataclass
class Verdicts:
    """The decision in one world. usual: the same book in `HERE`, whose formulas are taken over
    wherever the world makes no difference. assumed: marks the symbols for tier and weak evidence,
    where those are free instead of computed; rules and gates can then be looked at one by one."""

    formulas: Formulas
    book: Book
    world: World = HERE
    usual: Verdicts | None = None
    assumed: str | None = None
    _truths: dict[int, tuple[Tree, Truth]] = field(default_factory=dict)

    @cached_property
    def tier_counts(self) -> tuple[Formula, ...]:
        return tuple(self._counts(part, self._before_tier) for part in self.book.tiers)

    @cached_property
    def track_counts(self) -> tuple[Formula, ...]:
        return tuple(self._counts(part, self._after_tier) for part in self.book.tracks)

    def tier_reaches(self, rank: int, without: int = -1) -> Formula:
        """When the tier is at least this; without: leave out the rule at this place."""
        return self._reaches(rank, self.book.tiers, self.tier_counts, without)

    def rules_reach(self, rank: int, without: int = -1) -> Formula:
        """When the track is at least this by rules alone."""
        return self._reaches(rank, self.book.tracks, self.track_counts, without)

    def track_reaches(self, rank: int, *, without: int = -1, without_gate: int = -1) -> Formula:
        """When the track is at least this: by rules, or yellow by an insufficient gate."""
        by_rules = self.rules_reach(rank, without)
        if rank != YELLOW:
            return by_rules
        lacking = [gate.insufficient for at, gate in enumerate(self.gates) if at != without_gate]
        return self.formulas.any_of([by_rules, *lacking])

    def stopped(self, without: int = -1) -> Formula:
        """When the use itself may not start: it is prohibited, or its screen is open."""
        return self.formulas.any_of(
            counts
            for at, (part, counts) in enumerate(zip(self.book.tiers, self.tier_counts, strict=True))
            if part.rule.blocks and at != without
        )

    def failed(self, without_gate: int = -1) -> Formula:
        """When some enforced gate fails."""
        return self.formulas.any_of(
            gate.failed for at, gate in enumerate(self.gates) if at != without_gate
        )

    @cached_property
    def blocked(self) -> Formula:
        return self.formulas.any_of([self.stopped(), self.failed()])

    @cached_property
    def gates(self) -> tuple[GateTruths, ...]:
        return tuple(self._gate(part) for part in self.book.gates)

    def condition(self, tree: Tree) -> Truth:
        """A condition that may ask for everything, tier and evidence included."""
        return self._truth(tree, self._after_tier)

    def _felt(self, rank: int) -> Formula:
        if rank and self.assumed is not None:
            reached = frozenset[Scalar](FELT_TIERS[rank:])
            return self.formulas.atom(Among(TIER + self.assumed, reached))
        return self.tier_reaches(rank)

    @cached_property
    def _felt_tier(self) -> dict[Scalar, Formula]:
        f = self.formulas
        found: dict[Scalar, Formula] = {}
        for rank, tier in enumerate(FELT_TIERS):
            heavier = self._felt(rank + 1) if rank < HIGHEST_TIER_IN_RULES else f.false
            found[tier] = f.all_of([self._felt(rank), f.opposite(heavier)])
        return found

    @cached_property
    def weak(self) -> Formula:
        """When some fact that the decision rests on is known less well than the pack wants."""
        f = self.formulas
        if self.assumed is not None:
            return f.atom(Among(WEAK + self.assumed, frozenset({True})))
        return self.computed_weak

    @cached_property
    def computed_weak(self) -> Formula:
        """As `weak`, from the facts even where it is assumed."""
        f = self.formulas
        return f.any_of(
            f.all_of([
                self._felt_tier[tier],
                f.any_of(self._is_weak(name) for name, least in facts if least),
            ])
            for tier, facts in zip(FELT_TIERS, self.book.rulebook.minimum, strict=True)
        )  # fmt: skip

    def _is_weak(self, fact: str) -> Formula:
        if fact in self.world.strong or fact not in self.book.types:
            return self.formulas.false
        known = self._before_tier.known(fact)
        if fact in self.world.weak:
            return known
        return self.formulas.all_of([known, self.formulas.atom(Weakly(fact))])

    @cached_property
    def _before_tier(self) -> Conditions:
        return Conditions(self.formulas, self.book.types, self.world)

    @cached_property
    def _after_tier(self) -> Conditions:
        weak: dict[Scalar, Formula] = {True: self.weak, False: self.formulas.opposite(self.weak)}
        computed = {"tier": self._felt_tier, "evidence.weak": weak}
        return Conditions(self.formulas, self.book.types, self.world, computed)

    def _counts(self, part: RulePart, conditions: Conditions) -> Formula:
        f, truth = self.formulas, self._truth(part.part["when"], conditions)
        match part.rule.counts:
            case "certain":
                return truth.yes
            case "unknown":
                return f.all_of([f.opposite(truth.yes), f.opposite(truth.no)])
        return f.opposite(truth.no)

    def _truth(self, tree: Tree, conditions: Conditions) -> Truth:
        known = self._truths.get(id(tree))
        if known is not None:
            return known[1]
        usual = self.usual
        if usual is not None and not self._touched(tree, conditions):
            there = usual._after_tier if conditions.computed else usual._before_tier
            found = usual._truth(tree, there)
        else:
            found = conditions.translate(tree)
        self._truths[id(tree)] = (tree, found)
        return found

    def _touched(self, tree: Tree, conditions: Conditions) -> bool:
        """Does this world see anything in the condition differently?"""
        names = self.book.names(tree)
        usual = self.usual
        shared = usual is not None and usual.assumed is not None and usual.assumed == self.assumed
        if not shared and names & set(conditions.computed):
            return True
        return not self.world.special.isdisjoint(base_name(n, self.book.types) for n in names)

    def _reaches(
        self, rank: int, parts: tuple[RulePart, ...], counts: tuple[Formula, ...], without: int
    ) -> Formula:
        if rank <= 0:
            return self.formulas.true
        return self.formulas.any_of(
            formula
            for at, (part, formula) in enumerate(zip(parts, counts, strict=True))
            if part.rule.rank >= rank and at != without
        )

    def _gate(self, part: GatePart) -> GateTruths:
        f, gate = self.formulas, part.gate
        conditions = self._after_tier
        never, always = Truth(f.false, f.true), Truth(f.true, f.false)
        applies, passes, fails = (
            default if part.part[key] is None else self._truth(part.part[key], conditions)
            for key, default in
            (("applies_when", always), ("pass_when", never), ("fail_when", never))
        )  # fmt: skip
        enforced = self._enforced(gate)
        relevant = f.all_of([enforced, f.opposite(applies.no)])
        settled = f.all_of(
            conditions.known(name) for name in sorted(gate.reads - gate.may_be_absent)
        )
        passes_alone = f.all_of([passes.yes, f.any_of([fails.no, settled])])
        failed = f.all_of([relevant, fails.yes])
        passed = f.all_of([relevant, f.opposite(fails.yes), passes_alone])
        insufficient = f.all_of([relevant, f.opposite(fails.yes), f.opposite(passes_alone)])
        return GateTruths(enforced, failed, passed, insufficient, (passes, fails, applies))

    def _enforced(self, gate: Gate) -> Formula:
        if not gate.enforced or gate.from_rank > HIGHEST_TIER_IN_RULES:
            return self.formulas.false
        return self._felt(gate.from_rank)
