"""The track if everything that is unknown turned out well."""

from __future__ import annotations

from dataclasses import dataclass

from guiderail_verify.judge import (
    HIGHEST_TIER_IN_RULES,
    TIERS,
    YELLOW,
    Judgement,
    Rulebook,
)


@dataclass(frozen=True, slots=True)
class BestCase:
    """tier and track as ranks. certain: track rules that count whatever the unknowns turn out.

    A lower bound: every rule is taken at its best by itself.
    """

    tier: int
    track: int
    certain: frozenset[tuple[str, int]]


def best_case(book: Rulebook, judged: Judgement) -> BestCase:
    """Take every unknown at its best, one rule and one gate at a time."""
    tier = max(
        (
            hit.rule.rank
            for hit in judged.tier_hits
            if hit.truth is True and hit.rule.counts != "unknown"
        ),
        default=0,
    )
    felt = min(tier, HIGHEST_TIER_IN_RULES)
    values = judged.values
    if values["tier"] == TIERS[felt]:
        sure = [hit.rule for hit in judged.track_hits
                if hit.truth is True and hit.rule.counts != "unknown"]  # fmt: skip
    else:
        values = {**values, "tier": TIERS[felt]}
        sure = [
            rule for rule in book.tracks if rule.when(values) is True and rule.counts != "unknown"
        ]
    track = max((rule.rank for rule in sure), default=0)
    stuck = any(
        gate.verdict == "insufficient"
        and gate.gate.enforced
        and gate.gate.from_rank <= felt
        and gate.gate.passes(values) is False
        for gate in judged.gates
    )
    return BestCase(
        tier,
        max(track, YELLOW) if stuck else track,
        frozenset((rule.id, rule.level) for rule in sure),
    )
