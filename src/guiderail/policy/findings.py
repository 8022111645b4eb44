"""Findings: one message for each thing that blocks, needs a person, or is good to know early."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from guiderail.core.errors import Place
from guiderail.core.messages import Finding, Severity
from guiderail.core.scales import Verdict
from guiderail.policy.decision import GateResult, Lighter
from guiderail.policy.pack import Pack
from guiderail.policy.sentences import Teller
from guiderail.policy.support import carriers, unknown_carriers
from guiderail_verify.judge import Judgement

_ORDER: Final = list(Severity)
Where = Callable[[str], Place]


def rule_findings(
    pack: Pack, judged: Judgement, teller: Teller, place: Where
) -> tuple[Finding, ...]:
    """Tier rules that stop everything: a prohibited use, an open screen. Nobody can waive them."""
    found = []
    for hit in judged.tier_hits:
        if hit.rule.blocks:
            rule = pack.rule(hit.rule.id, hit.rule.level)
            texts = pack.part_texts(hit.rule.id)
            unknown = unknown_carriers(pack.node(rule["when"]), judged.values)
            sentence = teller.wording(texts["levels"][hit.rule.level]["sentence"], unknown)
            where = place(texts["where"])
            fix = teller.fill(texts["to_lighten"])
            facts = teller.shown(carriers(pack.node(rule["when"]), judged.values))
            found.append(
                Finding(
                    hit.rule.id, Severity.BLOCKS, sentence, where, fix, hit.rule.id, facts=facts
                )
            )
    return tuple(found)


def gate_findings(
    pack: Pack,
    gates: Sequence[GateResult],
    accepted: frozenset[str],
    teller: Teller,
    place: Where,
) -> tuple[Finding, ...]:
    """Failed gates first, then those that lack evidence; failures below the tier are advice."""
    found = []
    for gate in gates:
        severity = _severity(gate, accepted)
        if severity is not None:
            texts = pack.part_texts(gate.id)
            fix = teller.wording(texts["do"][gate.verdict.value], gate.needs)
            where = place(texts["where"])
            found.append(
                Finding(
                    gate.id,
                    severity,
                    gate.sentence,
                    where,
                    fix,
                    gate.page,
                    gate.waivable_by,
                    gate.facts,
                )
            )
    return tuple(sorted(found, key=lambda finding: _ORDER.index(finding.severity)))


def advice_findings(
    pack: Pack,
    kind: str,
    at: datetime,
    judged: Judgement,
    ways: Sequence[Lighter],
    teller: Teller,
    place: Where,
) -> tuple[Finding, ...]:
    """Advice whose condition is true. What is unknown gives no advice: its gate already asks."""
    values = {**judged.values, "lighter.design": any(way.by == "design" for way in ways)}
    found = []
    for advice in pack.in_force("advice", kind, at):
        when = pack.node(advice["when"])
        if when.run(values) is True:
            texts = pack.part_texts(advice["id"])
            sentence = teller.wording(texts["sentence"])
            where = place(texts["where"])
            facts = teller.shown(carriers(when, values))
            found.append(
                Finding(
                    advice["id"],
                    Severity.ADVICE,
                    sentence,
                    where,
                    texts["fix"],
                    advice["id"],
                    facts=facts,
                )
            )
    return tuple(found)


def _severity(gate: GateResult, accepted: frozenset[str]) -> Severity | None:
    if gate.verdict is Verdict.FAIL:
        return Severity.BLOCKS if gate.enforced else Severity.ADVICE
    if gate.verdict is Verdict.INSUFFICIENT and gate.enforced and gate.id not in accepted:
        return Severity.REVIEW
    return None
