"""Decide: facts of one release under one pack on one day give tier, track, gates and every reason.

A pure function. The verdicts come from `guiderail_verify.judge`, the same code with which an
auditor recomputes them; this module says them in words and names the people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from guiderail.core.errors import Place
from guiderail.core.messages import Reason
from guiderail.core.scales import Outcome, Tier, Track, Verdict
from guiderail.facts.fact import FactSet
from guiderail.policy.best_case import BestCase, best_case
from guiderail.policy.decision import Decision, GateResult, Lighter
from guiderail.policy.findings import advice_findings, gate_findings, rule_findings
from guiderail.policy.gate_results import gate_results
from guiderail.policy.lighter import lighter_ways
from guiderail.policy.pack import Pack
from guiderail.policy.people import expected_wait, reviewer_needs
from guiderail.policy.readings import Readings
from guiderail.policy.reasons import gate_reasons, tier_reasons, track_reasons
from guiderail.policy.sentences import Teller
from guiderail_verify.evaluate import UNKNOWN
from guiderail_verify.judge import TIERS, TRACKS, YELLOW, Judgement

_TIERS: Final = tuple(Tier(name) for name in TIERS)
_TRACKS: Final = tuple(Track(name) for name in TRACKS)


def decide(
    pack: Pack,
    facts: FactSet,
    *,
    kind: str,
    at: datetime,
    place: Callable[[str], Place],
    waived: frozenset[str] = frozenset(),
    accepted: frozenset[str] = frozenset(),
) -> Decision:
    """Decide about one release.

    kind: of the workload. at: the moment whose rules apply. place: where a manifest key stands.
    waived: gates under a waiver that is in force; a waiver satisfies a gate and never changes the
        track. accepted: insufficient gates that their owner has accepted; the track stays as it is.
    Facts that are missing or of another type than the catalogue says are unknown.
    Raises RefusedError where the pack is not in force for this kind on this day.
    """
    book = pack.rulebook(kind, at)
    readings = pack.readings(facts)
    judged = book.judge(readings.values, readings.known_by)
    best = best_case(book, judged)
    teller = Teller(pack, readings, judged)
    gates = gate_results(pack, judged, teller, waived, accepted)
    ways = lighter_ways(pack, book, readings, judged, teller)
    reviewers = reviewer_needs(pack, judged, gates)
    findings = (
        *rule_findings(pack, judged, teller, place),
        *gate_findings(pack, gates, accepted, teller, place),
        *advice_findings(pack, kind, at, judged, ways, teller, place),
    )
    outcome = _outcome(judged, gates, accepted, needs_people=bool(reviewers))
    questions = _open_questions(pack, kind, at, readings, judged)
    return Decision(
        outcome=outcome,
        tier=_TIERS[judged.tier],
        tier_reasons=tier_reasons(pack, judged, teller),
        track=_TRACKS[judged.track],
        best_case=_TRACKS[best.track],
        track_reasons=_track_reasons(pack, judged, best, ways, gates, teller),
        gates=gates,
        findings=findings,
        lighter=ways,
        reviewers=reviewers,
        expected_wait=expected_wait(pack, judged, reviewers, outcome),
        unanswered=_facts_of(questions, context=False),
        policy=pack.ref,
        optional=_facts_of(questions, context=True),
    )


def _outcome(
    judged: Judgement,
    gates: tuple[GateResult, ...],
    accepted: frozenset[str],
    *,
    needs_people: bool,
) -> Outcome:
    stopped = any(hit.rule.blocks for hit in judged.tier_hits)
    verdicts = [gate.verdict for gate in gates if gate.enforced]
    if stopped or Verdict.FAIL in verdicts:
        return Outcome.BLOCKED
    lacking = verdicts.count(Verdict.INSUFFICIENT)
    if lacking and lacking + verdicts.count(Verdict.NOT_APPLICABLE) == len(verdicts):
        return Outcome.NOT_MEASURABLE
    if judged.track or needs_people or (lacking and _open(gates, accepted)):
        return Outcome.NEEDS_REVIEW
    return Outcome.GO


def _open(gates: tuple[GateResult, ...], accepted: frozenset[str]) -> bool:
    """Does an enforced gate lack evidence that its owner has not accepted?"""
    return any(
        gate.enforced and gate.verdict is Verdict.INSUFFICIENT and gate.id not in accepted
        for gate in gates
    )


def _track_reasons(
    pack: Pack,
    judged: Judgement,
    best: BestCase,
    ways: tuple[Lighter, ...],
    gates: tuple[GateResult, ...],
    teller: Teller,
) -> tuple[Reason, ...]:
    """Rules, and for a yellow release the gates without which it might have been green."""
    stays = judged.track > 0 and not ways
    rules = track_reasons(pack, judged, best, teller, stays=stays)
    if judged.track != YELLOW:
        return rules
    told = tuple(reason for reason in rules if reason.raises_to != TRACKS[0])
    return (*told, *gate_reasons(gates, told))


def _open_questions(
    pack: Pack, kind: str, at: datetime, readings: Readings, judged: Judgement
) -> list[Mapping[str, Any]]:
    """Questions that are not to be skipped and whose facts are unknown."""
    values = readings.values
    return [
        question
        for question in pack.in_force("questions", kind, at)
        if values.get(question["fact"], UNKNOWN) is UNKNOWN
        and not _skipped(pack, question["skip_when"], judged)
    ]


def _facts_of(questions: Sequence[Mapping[str, Any]], *, context: bool) -> tuple[str, ...]:
    """Facts that are asked for: those that decide, or those that only tell more."""
    return tuple([question["fact"] for question in questions if question["context"] is context])


def _skipped(pack: Pack, skip_when: object, judged: Judgement) -> bool:
    return isinstance(skip_when, dict) and pack.node(skip_when).run(judged.values) is True
