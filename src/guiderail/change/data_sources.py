"""Sources of data compared with the last full review: new, vanished, changed, other permission."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from guiderail.change.baselines import IN_WORDS, NOTHING_RUNS
from guiderail.core.scales import KnownBy
from guiderail.facts.data.data_files import sources
from guiderail.facts.data.fingerprints import content_fingerprint
from guiderail.facts.fact import Fact, Unknown, known, unknown
from guiderail.facts.places import written_at
from guiderail.facts.provider import Inputs, Provider, failed
from guiderail.facts.standing import Baseline
from guiderail.manifest.schema import DataSource

_GIVES = (
    "change.new_sources",
    "change.vanished_sources",
    "change.changed_sources",
    "change.permissions",
)


def _run(inputs: Inputs) -> Iterator[Fact]:
    """A source is known by its name; under a new name it is new, unless its content is the same.

    New rows of a known source are a new sample, not a new source: they are counted as changed.
    """
    key = "training" if inputs.release.manifest.kind == "model" else "sources"
    place = written_at(inputs.release, key)
    if inputs.standing.production is None:
        yield from (unknown(name, NOTHING_RUNS, place) for name in _GIVES)
        return
    full = inputs.standing.full_review
    if full is None:
        reason = f"{IN_WORDS['since_full_review']} is not recorded"
        yield from (unknown(name, reason, place) for name in _GIVES)
        return
    before = {one.name: one for one in sources(full.release)}
    now = {one.name: one for one in sources(inputs.release)}
    contents = {
        name: content_fingerprint(inputs.release, one.data, inputs.cache)
        for name, one in now.items()
    }
    recorded = _recorded_contents(full)
    known_contents = frozenset(recorded.values())
    measured = KnownBy.MEASURED
    new = [name for name in now if name not in before and contents[name] not in known_contents]
    detail: dict[str, object] = {"sources": new, "before": sorted(before)}
    yield known("change.new_sources", len(new), place, measured, detail)
    yield from _vanished(before, now, recorded, contents, place)
    yield _changed(before, now, recorded, contents, place)
    others = [
        name
        for name, one in now.items()
        if name in before and _permission(one) != _permission(before[name])
    ]
    yield known("change.permissions", len(others), place, KnownBy.DECLARED, {"sources": others})


def _vanished(
    before: Mapping[str, DataSource],
    now: Mapping[str, DataSource],
    recorded: Mapping[str, str],
    contents: Mapping[str, str | Unknown],
    place: str,
) -> Iterator[Fact]:
    """A source that goes on under another name is not gone."""
    kept = {content for content in contents.values() if isinstance(content, str)}
    gone = [name for name in before if name not in now and recorded.get(name) not in kept]
    yield known("change.vanished_sources", len(gone), place, KnownBy.MEASURED, {"sources": gone})


def _changed(
    before: Mapping[str, DataSource],
    now: Mapping[str, DataSource],
    recorded: Mapping[str, str],
    contents: Mapping[str, str | Unknown],
    place: str,
) -> Fact:
    """Unknown where one of the two contents of a source is."""
    name = "change.changed_sources"
    shared = [one for one in now if one in before]
    for one in shared:
        content = contents[one]
        if isinstance(content, Unknown):
            return failed(name, content.reason, place)
        if one not in recorded:
            return unknown(name, f"the earlier content of {one} is not recorded", place)
    changed = [one for one in shared if contents[one] != recorded[one]]
    return known(name, len(changed), place, KnownBy.MEASURED, {"sources": changed})


def _permission(source: DataSource) -> tuple[object, object]:
    return source.permission, source.permitted


def _recorded_contents(full: Baseline) -> dict[str, str]:
    """Fingerprints by source, as measured for the full review or else as declared in it."""
    recorded = full.facts.get("data.training_fingerprint")
    held = recorded.detail.get("sources") if recorded is not None else None
    found = {one.name: one.fingerprint for one in sources(full.release) if one.fingerprint}
    if isinstance(held, dict):
        found |= {name: content for name, content in held.items() if isinstance(content, str)}
    return found


DATA_SOURCES = Provider(
    id="change.data-sources",
    version=2,
    kinds=("model", "pipeline"),
    gives=_GIVES,
    run=_run,
)
