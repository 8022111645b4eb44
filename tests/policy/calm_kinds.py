"""Facts of a calm app and a calm pipeline: low risk, hardly changed, every gate passed."""

from __future__ import annotations

from collections.abc import Mapping

from guiderail.core.interval import Interval
from guiderail.facts.fact import Unknown, Value
from guiderail.policy import Decision, decide, load_pack
from tests.policy.calm import AT, CALM, HIGH_GATES, facts_of, where

_SHARED: Mapping[str, Value] = {
    name: value
    for name, value in CALM.items()
    if name.startswith(("use.", "security.", "tests.", "monitor.", "baseline."))
    or name
    in (
        "rollback.target_exists",
        "rollback.compatible",
        "rollback.rehearsed_days",
        "rollback.downstream_named",
    )
}

CALM_APP: Mapping[str, Value] = {
    **_SHARED,
    "touches.authentication": False,
    "touches.payment": False,
    "touches.personal_data": False,
    "touches.decision_code": False,
    "touches.privileges": False,
    "touches.customers": False,
    "app.hosts_decision": False,
    "change.schema_migration": "none",
    "change.new_privileges": 0,
    "change.new_dependencies": 0,
    "security.waived_critical": 0,
    "image.personal_data": False,
    "rollback.rehearsed_minutes": 2.0,
    "code.approvals": 2,
    "staging.healthy": True,
    "rollout.planned": True,
    "oversight.tested": True,
    "experiment.used": False,
}
"""A text fix on a site, with the evidence of every tier."""

CALM_PIPELINE: Mapping[str, Value] = {
    **_SHARED,
    "use.influence": "informs",
    "consumers.tier": "low",
    "consumers.only_feeds": True,
    "change.contract": "none",
    "change.personal_data": False,
    "change.quality_rules": False,
    "change.output": Interval(0.2, 0.1, 0.3),
    "change.new_sources": 0,
    "cost.change": -2.0,
    "cost.monthly": Interval(300.0, 250.0, 350.0),
    "cost.ceiling": 400.0,
    "data.personal": False,
    "data.personal_approval": "none",
    "lineage.sources": 2,
    "lineage.mismatched": 0,
    "lineage.unverified": 0,
    "lineage.without_permission": 0,
    "quality.checks": 24,
    "quality.failed": 0,
    "quality.bound": True,
    "freshness.age_hours": 3.0,
    "freshness.limit_hours": 24.0,
}
"""A tidied query whose output hardly moves, read by one report."""

CALM_OF: Mapping[str, Mapping[str, Value]] = {
    "model": {**CALM, **HIGH_GATES},
    "app": CALM_APP,
    "pipeline": CALM_PIPELINE,
}


def decided_as(
    kind: str,
    changes: Mapping[str, Value] | None = None,
    *,
    without: tuple[str, ...] = (),
    waived: frozenset[str] = frozenset(),
    accepted: frozenset[str] = frozenset(),
    details: Mapping[str, Mapping[str, object]] | None = None,
) -> Decision:
    """Decide on the calm release of a kind with some facts changed and some left out."""
    values = {**CALM_OF[kind], **(changes or {})}
    for name in without:
        values[name] = Unknown("it was not measured")
    return decide(
        load_pack(kind),
        facts_of(values, details=details),
        kind=kind,
        at=AT,
        place=where,
        waived=waived,
        accepted=accepted,
    )
