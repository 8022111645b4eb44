"""What "lighter" means for a proof, on decisions of the evaluator and as formulas.

tier: low < medium < high < a use that may not start (prohibited, or its screen is open).
track: green < yellow < red.
weight of a release: by its track; a blocked one is heavier than any track.
attention to a release: by its track; a blocked one counts as yellow at least, since what fails with
    a value can only be insufficient without it, and then people look instead of a gate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from guiderail.policy.proofs.claim import Cause, Later, Setting
from guiderail.policy.proofs.formula import Formula, Formulas, Related, Scalar
from guiderail.policy.proofs.kleene import Tree, World
from guiderail.policy.proofs.release import OTHER
from guiderail.policy.proofs.verdicts import (
    FELT_TIERS,
    GATE_CONDITIONS,
    TIER,
    RulePart,
    Verdicts,
)
from guiderail_verify.judge import (
    HIGHEST_TIER_IN_RULES,
    TIERS,
    TRACKS,
    YELLOW,
    Judgement,
    base_name,
)

MAY_NOT_START: Final = len(TIERS) - 1
TIER_STEPS: Final = range(1, len(TIERS))
TRACK_STEPS: Final = range(1, len(TRACKS))


def tier_weight(judged: Judgement) -> int:
    stopped = any(hit.rule.blocks for hit in judged.tier_hits)
    return MAY_NOT_START if stopped else judged.tier


def weight(judged: Judgement) -> int:
    return len(TRACKS) if judged.blocked else judged.track


def attention(judged: Judgement) -> int:
    return max(judged.track, YELLOW if judged.blocked else 0)


def lighter(judged: Sequence[Judgement]) -> bool:
    """Is the first release lighter than the second, by tier or by weight?"""
    first, second = judged
    return tier_weight(first) < tier_weight(second) or weight(first) < weight(second)


def less_attended(judged: Sequence[Judgement]) -> bool:
    """Does the first release get a lighter tier or less attention than the second?"""
    first, second = judged
    return tier_weight(first) < tier_weight(second) or attention(first) < attention(second)


Seen = Callable[[Verdicts], Formula]


@dataclass(frozen=True, slots=True)
class Comparison:
    """When a first release is lighter than a second, and what could be the cause."""

    formula: Later
    causes: tuple[Cause, ...]


def compare(setting: Setting, first: World, second: World, *, attention: bool) -> Comparison:
    """The formula for `lighter`, or with attention for `less_attended`, and its causes.

    The causes take the tier and the weakness of evidence for granted while they look at track rules
    and gates, and look at those two by themselves: so each is about few facts.
    """
    f = setting.formulas
    one, two = setting.seen(first), setting.seen(second)

    def whole() -> Formula:
        tier = f.any_of(_below(_tier(one, k), _tier(two, k), f) for k in TIER_STEPS)
        return f.any_of([tier, _less_attended(one, two) if attention else _weighs_less(one, two)])

    causes = (
        *_tier_causes(one, two),
        *_weak_evidence(setting, first, second, one, two),
        *_track_causes(setting, first, second, attention),
    )
    return Comparison(whole, tuple(cause for cause in causes if cause.local != f.false))


def _weighs_less(one: Verdicts, two: Verdicts) -> Formula:
    f = one.formulas
    track = [_below(one.track_reaches(k), two.track_reaches(k), f) for k in TRACK_STEPS]
    return f.all_of([f.opposite(one.blocked), f.any_of([two.blocked, *track])])


def _less_attended(one: Verdicts, two: Verdicts) -> Formula:
    f = one.formulas
    return f.any_of(_below(_attended(one, k), _attended(two, k), f) for k in TRACK_STEPS)


def _tier(verdicts: Verdicts, rank: int) -> Formula:
    return verdicts.formulas.any_of([verdicts.tier_reaches(rank), verdicts.stopped()])


def _attended(verdicts: Verdicts, rank: int) -> Formula:
    reaches = verdicts.track_reaches(rank)
    return verdicts.formulas.any_of([reaches, verdicts.blocked]) if rank == YELLOW else reaches


def _weighs(verdicts: Verdicts, rank: int) -> Formula:
    return verdicts.formulas.any_of([verdicts.blocked, verdicts.track_reaches(rank)])


def _below(first: Formula, second: Formula, f: Formulas) -> Formula:
    """The second release reaches something that the first one does not."""
    return f.all_of([f.opposite(first), second])


def _tier_causes(one: Verdicts, two: Verdicts) -> list[Cause]:
    """A tier rule counts for the second release and not for the first, and nothing makes up.

    Both for the tier as the rules raise it, which track rules and gates see, and for what may not
    start, which is heavier than any tier.
    """
    f, book = one.formulas, one.book

    def cause(part: RulePart, first: Formula, second: Formula) -> Cause:
        rank = MAY_NOT_START if part.rule.blocks else part.rule.rank

        def wider() -> Formula:
            felt = one.tier_reaches(min(part.rule.rank, HIGHEST_TIER_IN_RULES))
            start = [one.stopped()] if part.rule.blocks else []
            return _below(f.all_of([felt, _tier(one, rank), *start]), second, f)

        return Cause(
            _below(first, second, f), wider, lambda: _below(_tier(one, rank), second, f), True
        )

    return [
        cause(part, first, second)
        for part, first, second in zip(book.tiers, one.tier_counts, two.tier_counts, strict=True)
        if part.rule.rank or part.rule.blocks
    ]


def _weak_evidence(
    setting: Setting, first: World, second: World, one: Verdicts, two: Verdicts
) -> list[Cause]:
    """A fact is too weakly known for the second release, at no higher a tier, and not for the
    first."""
    f, ordered = setting.formulas, _tiers_in_order(setting.formulas)
    weak = zip(
        setting.assumed(first, OTHER).weak_facts,
        setting.assumed(second, "").weak_facts,
        strict=True,
    )
    return [
        Cause(
            local=f.all_of([ordered, _below(here, there, f)]),
            wider=lambda: _below(one.weak, two.weak, f),
            exact=None,
            assumed=True,
        )
        for here, there in weak
    ]


def _tiers_in_order(f: Formulas) -> Formula:
    """The tier of the first release is not lower than that of the second."""
    pairs = frozenset[tuple[Scalar, Scalar]](
        (FELT_TIERS[a], FELT_TIERS[b]) for a in range(len(FELT_TIERS)) for b in range(a + 1)
    )
    return f.atom(Related(TIER + OTHER, TIER, pairs))


def _track_causes(setting: Setting, first: World, second: World, attention: bool) -> list[Cause]:
    """A track rule or a gate counts for the second release and not for the first."""
    compared = _Compared(setting, first, second, attention)
    rules = [
        compared.rule(at) for at, part in enumerate(setting.book.tracks) if part.rule.rank
    ]  # fmt: skip
    gates = [cause for at in range(len(setting.book.gates)) for cause in compared.gate(at)]
    return [*rules, *gates]


class _Compared:
    """Two releases, part by part: as they are, and with tier and weak evidence assumed."""

    def __init__(self, setting: Setting, first: World, second: World, attention: bool) -> None:
        f = setting.formulas
        self._setting, self._attention = setting, attention
        self._special = first.special | second.special
        self._one, self._two = setting.assumed(first, OTHER), setting.assumed(second, "")
        self._real_one, self._real_two = setting.seen(first), setting.seen(second)
        self._given = [
            _tiers_in_order(f), f.any_of([f.opposite(self._two.weak), self._one.weak])
        ]  # fmt: skip

    def rule(self, at: int) -> Cause:
        """The track rule at this place."""
        part = self._setting.book.tracks[at]
        local = self._local(
            "rule", at, [part.part["when"]],
            lambda: (self._two.track_counts[at], self._one.track_counts[at]),
        )  # fmt: skip
        return self._cause(local, lambda two: two.track_counts[at], self._reaches(part.rule.rank))

    def gate(self, at: int) -> list[Cause]:
        """The gate at this place: by being insufficient, and by failing."""
        part = self._setting.book.gates[at].part
        trees = [part[key] for key in GATE_CONDITIONS if part[key] is not None]

        def looked_at() -> Formula:
            here = self._one.gates[at]
            return self._setting.formulas.any_of([here.failed, here.insufficient])

        def failing() -> tuple[Formula, Formula]:
            same = looked_at() if self._attention else self._one.gates[at].failed
            return self._two.gates[at].failed, same

        lacking = self._local("lacking", at, trees,
                              lambda: (self._two.gates[at].insufficient, looked_at()))  # fmt: skip
        failed = self._local("failed", at, trees, failing)
        yellow = self._reaches(YELLOW)
        enough = yellow if self._attention else lambda one: one.blocked
        return [
            self._cause(lacking, lambda two: two.gates[at].insufficient, yellow),
            self._cause(failed, lambda two: two.gates[at].failed, enough),
        ]

    def _reaches(self, rank: int) -> Seen:
        return lambda one: (_attended if self._attention else _weighs)(one, rank)

    def _local(
        self, what: str, at: int, trees: list[Tree], make: Callable[[], tuple[Formula, Formula]]
    ) -> Formula:
        """What counts for the second release, without the same for the first, is impossible."""
        setting, f = self._setting, self._setting.formulas
        names = {name for tree in trees for name in setting.book.names(tree)}
        key = (self._attention, what, at)
        touched = not self._special.isdisjoint(base_name(n, setting.types) for n in names)
        if not touched and key in setting.unaffected:
            return setting.unaffected[key]
        happens, same = make()
        local = _below(same, happens, f)
        if local != f.false:
            local = f.all_of([*self._given, local])
        if not touched:
            setting.unaffected[key] = local
        return local

    def _cause(self, local: Formula, happens: Seen, enough: Seen) -> Cause:
        f = self._setting.formulas
        one, two, real_one, real_two = self._one, self._two, self._real_one, self._real_two
        return Cause(
            local,
            lambda: f.all_of([*self._given, _below(enough(one), happens(two), f)]),
            lambda: _below(enough(real_one), happens(real_two), f),
        )
