"""Whether each data source may be used: a recorded permission that holds today, for this use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

from guiderail.core.scales import KnownBy
from guiderail.facts.data.data_files import sources
from guiderail.facts.fact import Fact, known, unknown
from guiderail.facts.places import written_at
from guiderail.facts.provider import Inputs, Provider
from guiderail.manifest.schema import DataSource

_NAME = "lineage.without_permission"


def _run(inputs: Inputs) -> Iterator[Fact]:
    release = inputs.release
    key = "training" if release.manifest.kind == "model" else "sources"
    place = written_at(release, key)
    named = sources(release)
    if not named:
        yield unknown(_NAME, "guiderail.yaml names no training source", place)
        return
    purposes = frozenset({release.manifest.purpose, release.manifest.served_as})
    lacking = {source.name: why_lacking(source, purposes, inputs.now) for source in named}
    reasons = {name: reason for name, reason in lacking.items() if reason is not None}
    detail = {"sources": list(reasons), "reasons": reasons}
    yield known(_NAME, len(reasons), place, KnownBy.DECLARED, detail)


def why_lacking(source: DataSource, purposes: frozenset[str], now: datetime) -> str | None:
    """Why a source may not be used, or None. A permission holds to the end of its last day, UTC."""
    given = source.permitted
    if given is None:
        return None if source.permission is not None else "no permission is recorded"
    if given.purpose not in purposes:
        return f"{given.by} permitted it for another purpose: {given.purpose}"
    if date.fromisoformat(given.until) < now.astimezone(UTC).date():
        return f"the permission of {given.by} ended on {given.until}"
    return None


PERMISSIONS = Provider(
    id="data.permissions",
    version=1,
    kinds=("model", "pipeline"),
    gives=(_NAME,),
    run=_run,
)
