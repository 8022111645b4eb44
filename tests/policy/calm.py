"""Facts of a calm release: low risk, hardly changed, every gate of the low tier passed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from guiderail.core.errors import Place
from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, FactSet, Unknown, Value
from guiderail.policy import Decision, Pack, decide, load_pack

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
STILL = Interval(0.4, -0.8, 1.6)
LESS_ERROR = Interval(-6.0, -9.5, -2.5)
FEW_FLIPS = Interval(1.6, 0.9, 2.6)

CALM: Mapping[str, Value] = {
    "use.prohibited": False,
    "use.domain": "operations",
    "use.affects_people": False,
    "use.customer_facing": False,
    "use.decision": "none",
    "use.influence": "automated",
    "use.exposure": "small",
    "use.regulated": False,
    "use.reversible": True,
    "use.confirmed": True,
    "data.protected": False,
    "data.personal": False,
    "data.personal_approval": "none",
    "evaluation.labels": True,
    "baseline.exists": True,
    "change.performance": STILL,
    "since_review.performance": STILL,
    "since_full_review.performance": STILL,
    "change.error_growth": LESS_ERROR,
    "since_review.error_growth": LESS_ERROR,
    "since_full_review.error_growth": LESS_ERROR,
    "change.flips": FEW_FLIPS,
    "since_review.flips": FEW_FLIPS,
    "since_full_review.flips": FEW_FLIPS,
    "change.flips_null_exists": False,
    "change.new_features": 0,
    "change.unapproved_features": 0,
    "change.removed_features": 0,
    "change.threshold": "unchanged",
    "change.architecture": False,
    "change.new_sources": 0,
    "change.recipe": False,
    "change.purpose": False,
    "change.traffic_share": False,
    "monitor.breach": "none",
    "security.scanner_ok": True,
    "security.findings": 0,
    "security.age_days": 1.0,
    "security.bound": True,
    "tests.ran": 12,
    "tests.failed": 0,
    "tests.skipped": 0,
    "tests.bound": True,
    "model.file": "safe",
    "model.format": "skops",
    "lineage.sources": 1,
    "lineage.mismatched": 0,
    "lineage.unverified": 0,
    "lineage.without_permission": 0,
    "contract.missing": 0,
    "contract.mismatched": 0,
    "rollback.target_exists": True,
    "rollback.compatible": True,
    "rollback.rehearsed_days": 12.0,
    "rollback.flips_known": True,
    "rollback.downstream_named": True,
    "monitoring.unwatched": 0,
    "monitoring.profile_stored": True,
    "monitoring.answered": True,
    "monitoring.labels": True,
    "experiment.used": False,
}

HIGH_GATES: Mapping[str, Value] = {
    "staging.healthy": True,
    "fairness.selection_ratio": Interval(0.95, 0.9, 1.0),
    "fairness.error_ratio": Interval(0.95, 0.9, 1.0),
    "fairness.underpowered_groups": 0,
    "proxies.highest_auc": 0.6,
    "explanations.broken": 0,
    "explanations.understood": True,
    "explanations.regressed": False,
    "explanations.reason_stability": Interval(90.0, 86.0, 93.0),
    "cost.monthly": Interval(300.0, 250.0, 350.0),
    "cost.ceiling": 400.0,
    "rollout.planned": True,
    "oversight.tested": True,
}
"""What the gates of the medium and high tier ask for on top."""


def model_pack() -> Pack:
    return load_pack("model")


def facts_of(
    values: Mapping[str, Value],
    known_by: KnownBy = KnownBy.ATTESTED,
    details: Mapping[str, Mapping[str, object]] | None = None,
) -> FactSet:
    details = details or {}
    return {
        name: Fact(name, value, "the test", known_by, details.get(name, {}))
        for name, value in values.items()
    }


def where(key: str) -> Place:
    return Place("guiderail.yaml", 1, 1) if key else Place("guiderail.yaml")


def decided(
    pack: Pack,
    changes: Mapping[str, Value] | None = None,
    *,
    without: tuple[str, ...] = (),
    waived: frozenset[str] = frozenset(),
    accepted: frozenset[str] = frozenset(),
    details: Mapping[str, Mapping[str, object]] | None = None,
) -> Decision:
    """Decide on the calm release with some facts changed and some left out."""
    values = {**CALM, **(changes or {})}
    for name in without:
        values[name] = Unknown("it was not measured")
    return decide(
        pack,
        facts_of(values, details=details),
        kind="model",
        at=AT,
        place=where,
        waived=waived,
        accepted=accepted,
    )


def rules(decision: Decision) -> dict[str, str]:
    """Track rules that count and what each raises the track to."""
    return {reason.rule: reason.raises_to for reason in decision.track_reasons}
