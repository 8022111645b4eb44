"""The pre-flight check as JSON, with the keys of the command-line contract."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from guiderail.core.errors import Place
from guiderail.core.messages import FactShown, Finding, Reason
from guiderail.facts.fact import Fact, FactSet, to_json
from guiderail.manifest.release import Release
from guiderail.policy.decision import Decision, GateResult, Lighter


def check_document(
    release: Release, facts: FactSet, decision: Decision, compared_with: str | None
) -> dict[str, Any]:
    """The whole answer of `guiderail check --format json`."""
    return {
        "kind": release.manifest.kind,
        "name": release.manifest.name,
        "version": release.manifest.version,
        "digest": release.digest,
        "compared_with": compared_with,
        **decision_document(decision),
        "facts": {name: fact_document(fact) for name, fact in sorted(facts.items())},
    }


def decision_document(decision: Decision) -> dict[str, Any]:
    """From `outcome` to `policy`: what a policy says, without the release it speaks of."""
    return {
        "outcome": decision.outcome.value,
        "tier": {
            "value": decision.tier.value,
            "reasons": [reason_document(reason) for reason in decision.tier_reasons],
        },
        "track": {
            "value": decision.track.value,
            "best_case": decision.best_case.value,
            "reasons": [reason_document(reason) for reason in decision.track_reasons],
        },
        "gates": [gate_document(gate) for gate in decision.gates],
        "findings": [finding_document(finding) for finding in decision.findings],
        "lighter": [lighter_document(way) for way in decision.lighter],
        "reviewers": [
            {"role": need.role, "because": list(need.because)} for need in decision.reviewers
        ],
        "expected_wait": decision.expected_wait,
        "unanswered": list(decision.unanswered),
        "policy": asdict(decision.policy),
    }


def reason_document(reason: Reason) -> dict[str, Any]:
    return {
        "rule": reason.rule,
        "raises_to": reason.raises_to,
        "certain": reason.certain,
        "sentence": reason.sentence,
        "facts": [_shown(fact) for fact in reason.facts],
        "page": reason.page,
    }


def gate_document(gate: GateResult) -> dict[str, Any]:
    return {
        "id": gate.id,
        "verdict": gate.verdict.value,
        "enforced": gate.enforced,
        "sentence": gate.sentence,
        "needs": list(gate.needs),
        "owner": gate.owner,
        "waivable_by": list(gate.waivable_by),
        "facts": [_shown(fact) for fact in gate.facts],
        "page": gate.page,
    }


def lighter_document(way: Lighter) -> dict[str, Any]:
    """`to` and `from` of a change are words; `value` is one value that was tried and is enough."""
    return {
        "to": way.to.value,
        "by": way.by,
        "actions": list(way.actions),
        "rules": list(way.rules),
        "changes": [
            {
                "fact": change.fact,
                "from": change.before,
                "to": change.after,
                "value": to_json(change.value),
                "how": change.how,
                "action": change.action,
            }
            for change in way.changes
        ],
        "smallest": way.smallest,
    }


def finding_document(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "sentence": finding.sentence,
        "location": place_document(finding.place),
        "fix": finding.fix,
        "waivable_by": list(finding.waivable_by),
        "facts": [_shown(fact) for fact in finding.facts],
        "page": finding.page,
    }


def place_document(place: Place) -> dict[str, Any]:
    return {"file": place.file, "line": place.line, "column": place.column}


def fact_document(fact: Fact) -> dict[str, Any]:
    return {
        "value": to_json(fact.value),
        "source": fact.source,
        "known_by": fact.known_by.value,
        "detail": dict(fact.detail),
    }


def _shown(fact: FactShown) -> dict[str, str]:
    return {
        "name": fact.name,
        "value": fact.value,
        "source": fact.source,
        "known_by": fact.known_by,
    }
