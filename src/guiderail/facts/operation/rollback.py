"""The plan for going back, as far as it needs no comparison of versions."""

from __future__ import annotations

from collections.abc import Iterator

from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, known, unknown
from guiderail.facts.places import written_at
from guiderail.facts.provider import Inputs, Provider


def _run(inputs: Inputs) -> Iterator[Fact]:
    plan = inputs.release.manifest.rollback
    place = written_at(inputs.release, "rollback")
    runs_before = inputs.standing.production is not None
    aside = plan is not None and plan.fallback in ("switch-off", "manual")
    source = "the ledger" if runs_before else place
    by = KnownBy.ATTESTED if runs_before else KnownBy.DECLARED
    detail = {"fallback": plan.fallback if plan is not None else "none"}
    yield known("rollback.target_exists", runs_before or aside, source, by, detail)
    last = inputs.standing.last_rehearsal
    if last is None:
        yield unknown("rollback.rehearsed_days", "going back was never rehearsed", "the ledger")
    elif last > inputs.now:
        reason = "the last rehearsal lies in the future"
        yield unknown("rollback.rehearsed_days", reason, "the ledger")
    else:
        days = (inputs.now - last).total_seconds() / 86_400
        yield known("rollback.rehearsed_days", round(days, 6), "the ledger", KnownBy.ATTESTED)
    teams = list(plan.downstream) if plan is not None else []
    place = written_at(inputs.release, "rollback.downstream")
    yield known("rollback.downstream_named", bool(teams), place, KnownBy.DECLARED, {"teams": teams})


ROLLBACK_PLAN = Provider(
    id="operation.rollback",
    version=1,
    kinds=("app", "model", "pipeline"),
    gives=("rollback.target_exists", "rollback.rehearsed_days", "rollback.downstream_named"),
    run=_run,
)
