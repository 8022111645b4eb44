"""Content fingerprints of training and evaluation data, and lineage against recorded ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from guiderail.core.digest import json_digest
from guiderail.core.errors import GuiderailError
from guiderail.core.scales import KnownBy
from guiderail.facts.cache import FactCache, cache_key
from guiderail.facts.data.data_files import data_key, open_data, sources
from guiderail.facts.data.recorded_inputs import (
    NOTHING_RECORDED,
    Compared,
    compared_with_records,
    record_files,
)
from guiderail.facts.fact import Fact, Unknown, known, unknown
from guiderail.facts.model.scored import NO_DATA, evaluation_of
from guiderail.facts.places import written_at
from guiderail.facts.provider import Inputs, Provider, failed
from guiderail.manifest.release import Release
from guiderail.manifest.schema import DataSource

FINGERPRINT_VERSION = 1
_NO_SOURCE = "guiderail.yaml names no training source"


def content_fingerprint(release: Release, name: str, cache: FactCache) -> str | Unknown:
    """The fingerprint of one data file, or why it has none."""
    parts = {"digest": release.artefacts[name], "encoding": release.encoding(name)}
    key = cache_key("fingerprint", FINGERPRINT_VERSION, parts)
    stored = cache.read(key)
    if isinstance(stored, str):
        return stored
    from guiderail.measure.fingerprint import fingerprint

    try:
        with open_data(release, name) as table:
            found = fingerprint(table).fingerprint
    except (GuiderailError, OSError) as problem:
        return Unknown(f"{name} cannot be read: {problem}")
    cache.write(key, found)
    return found


def _run(inputs: Inputs) -> Iterator[Fact]:
    release = inputs.release
    named = sources(release)
    found = {
        source.name: content_fingerprint(release, source.data, inputs.cache) for source in named
    }
    yield _training(named, found)
    evaluation = evaluation_of(release)
    if release.manifest.kind == "model":
        yield _evaluation(inputs, evaluation.data if evaluation is not None else None)
    yield from _lineage(inputs, named, found)


def _training(named: tuple[DataSource, ...], found: Mapping[str, str | Unknown]) -> Fact:
    name = "data.training_fingerprint"
    files = ", ".join(source.data for source in named) or "guiderail.yaml"
    if not named:
        return unknown(name, _NO_SOURCE, files)
    for one in found.values():
        if isinstance(one, Unknown):
            return failed(name, one.reason, files)
    known_ones = {source: str(one) for source, one in found.items()}
    whole = next(iter(known_ones.values())) if len(known_ones) == 1 else json_digest(known_ones)
    return known(name, whole, files, KnownBy.MEASURED, {"sources": known_ones})


def _evaluation(inputs: Inputs, data: str | None) -> Fact:
    name = "data.evaluation_fingerprint"
    if data is None:
        return unknown(name, NO_DATA, "guiderail.yaml")
    found = content_fingerprint(inputs.release, data, inputs.cache)
    if isinstance(found, Unknown):
        return failed(name, found.reason, data)
    return known(name, found, data, KnownBy.MEASURED)


def _lineage(
    inputs: Inputs, named: tuple[DataSource, ...], found: Mapping[str, str | Unknown]
) -> Iterator[Fact]:
    place = written_at(inputs.release, "training")
    measured = KnownBy.MEASURED
    yield known("lineage.sources", len(named), place, KnownBy.DECLARED)
    if not named:
        for name in ("mismatched", "unverified"):
            yield unknown(f"lineage.{name}", _NO_SOURCE, place)
        yield from _recorded(inputs, NOTHING_RECORDED)
        return
    files = ", ".join(source.data for source in named)
    unread = [one.name for one in named if isinstance(found[one.name], Unknown)]
    unrecorded = [one.name for one in named if one.fingerprint is None and one.name not in unread]
    mismatched = [
        one.name
        for one in named
        if one.fingerprint is not None
        and one.name not in unread
        and one.fingerprint != found[one.name]
    ]
    yield known("lineage.mismatched", len(mismatched), files, measured, {"sources": mismatched})
    try:
        records = compared_with_records(inputs.release)
    except GuiderailError as problem:
        reason = f"what tools recorded cannot be read: {problem}"
        for name in ("records", "unnamed", "contradicted"):
            yield unknown(f"lineage.{name}", reason, written_at(inputs.release, "lineage"))
        yield unknown("lineage.unverified", reason, files)
        return
    yield from _recorded(inputs, records)
    doubted = [
        *unrecorded,
        *(name for name in records.contradicted if name not in {*unrecorded, *unread, *mismatched}),
        *records.unnamed,
    ]
    detail = {"sources": [*doubted, *unread], "unreadable": unread, "records": records.reasons}
    if unread:
        reasons = "; ".join(str(getattr(found[name], "reason", "")) for name in unread)
        yield failed("lineage.unverified", reasons, files)
    else:
        yield known("lineage.unverified", len(doubted), files, measured, detail)


def _recorded(inputs: Inputs, records: Compared) -> Iterator[Fact]:
    place, measured = written_at(inputs.release, "lineage"), KnownBy.MEASURED
    detail = {"inputs": list(records.inputs), "runs": list(records.runs)}
    yield known("lineage.records", len(records.inputs), place, measured, detail)
    unnamed, contradicted = list(records.unnamed), list(records.contradicted)
    yield known("lineage.unnamed", len(unnamed), place, measured, {"inputs": unnamed})
    more = {"sources": contradicted, "reasons": list(records.reasons)}
    yield known("lineage.contradicted", len(contradicted), place, measured, more)


def _key(inputs: Inputs) -> Mapping[str, object]:
    return {
        **data_key(inputs.release),
        "sources": [source.model_dump(mode="json") for source in sources(inputs.release)],
        "records": [
            {**record.model_dump(mode="json"), "digest": inputs.release.artefacts[record.file]}
            for record in record_files(inputs.release)
        ],
        "place": written_at(inputs.release, "training"),
        "kind": inputs.release.manifest.kind,
    }


_LINEAGE = (
    "lineage.sources",
    "lineage.mismatched",
    "lineage.unverified",
    "lineage.records",
    "lineage.unnamed",
    "lineage.contradicted",
)

MODEL_DATA = Provider(
    id="data.fingerprints",
    version=2,
    kinds=("model",),
    gives=("data.training_fingerprint", "data.evaluation_fingerprint", *_LINEAGE),
    run=_run,
    key=_key,
)
PIPELINE_DATA = Provider(
    id="data.source-fingerprints",
    version=2,
    kinds=("pipeline",),
    gives=("data.training_fingerprint", *_LINEAGE),
    run=_run,
    key=_key,
)
