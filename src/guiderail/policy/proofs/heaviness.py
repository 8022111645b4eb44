"""What "lighter" means for a proof, on decisions of the evaluator and as formulas.

tier: low < medium < high < a use that may not start (prohibited, or its screen is open).
track: green < yellow < red.
weight of a release: by its track; a blocked one is heavier than any track.
attention to a release: by its track; a blocked one counts as yellow at least, since what fails with
    a value can only be insufficient without it, and then people look instead of a gate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from guiderail.policy.proofs.claim import Cause, Later, Setting
from guiderail.policy.proofs.formula import Formula, Formulas, Related, Scalar
from guiderail.policy.proofs.kleene import World
from guiderail.policy.proofs.release import OTHER
from guiderail.policy.proofs.verdicts import FELT_TIERS, TIER, RulePart, Verdicts
from guiderail_verify.judge import HIGHEST_TIER_IN_RULES, TIERS, TRACKS, YELLOW, Judgement

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
        _weak_evidence(setting, first, second, one, two),
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
        def wider() -> Formula:
            short = [one.tier_reaches(min(part.rule.rank, HIGHEST_TIER_IN_RULES))]
            if part.rule.blocks:
                short.append(one.stopped())
            elif part.rule.rank > HIGHEST_TIER_IN_RULES:
                short.append(_tier(one, part.rule.rank))
            return f.all_of([second, f.opposite(f.all_of(short))])

        return Cause(_below(first, second, f), wider)

    return [
        cause(part, first, second)
        for part, first, second in zip(book.tiers, one.tier_counts, two.tier_counts, strict=True)
        if part.rule.rank or part.rule.blocks
    ]


def _weak_evidence(
    setting: Setting, first: World, second: World, one: Verdicts, two: Verdicts
) -> Cause:
    """Evidence is weak for the second release, at no higher a tier, and not for the first."""
    f = setting.formulas
    free_one, free_two = setting.assumed(first, OTHER), setting.assumed(second, "")
    alone = _below(free_one.computed_weak, free_two.computed_weak, f)
    return Cause(f.all_of([_tiers_in_order(f), alone]), lambda: _below(one.weak, two.weak, f))


def _tiers_in_order(f: Formulas) -> Formula:
    """The tier of the first release is not lower than that of the second."""
    pairs = frozenset[tuple[Scalar, Scalar]](
        (FELT_TIERS[a], FELT_TIERS[b]) for a in range(len(FELT_TIERS)) for b in range(a + 1)
    )
    return f.atom(Related(TIER + OTHER, TIER, pairs))


def _track_causes(setting: Setting, first: World, second: World, attention: bool) -> list[Cause]:
    """A track rule or a gate counts for the second release and not for the first."""
    f = setting.formulas
    one, two = setting.assumed(first, OTHER), setting.assumed(second, "")
    given = [_tiers_in_order(f), f.any_of([f.opposite(two.weak), one.weak])]

    def cause(happens: Formula, same: Formula, enough: Later) -> Cause:
        local = f.all_of([happens, f.opposite(same)])
        if local != f.false:
            local = f.all_of([*given, local])
        return Cause(local, lambda: f.all_of([*given, happens, f.opposite(enough())]))

    reached = _attended if attention else _weighs
    causes = [
        cause(there, here, partial(reached, one, part.rule.rank))
        for part, here, there in zip(
            one.book.tracks, one.track_counts, two.track_counts, strict=True
        )
        if part.rule.rank
    ]
    for here_gate, there_gate in zip(one.gates, two.gates, strict=True):
        looked_at = f.any_of([here_gate.failed, here_gate.insufficient])
        yellow = partial(reached, one, YELLOW)
        causes.append(cause(there_gate.insufficient, looked_at, yellow))
        if attention:
            causes.append(cause(there_gate.failed, looked_at, yellow))
        else:
            causes.append(cause(there_gate.failed, here_gate.failed, lambda: one.blocked))
    return causes
