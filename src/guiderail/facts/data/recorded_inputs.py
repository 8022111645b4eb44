"""What tools recorded about the data that training read, beside what the manifest names.

A record knows a source by its name, by one of its other names (OpenLineage's symlinks), or by an
address that ends with the path of the source's file. A source is contradicted where a record lists
other columns or another number of rows than the file has, or says that a column went into the
result that the file lacks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from guiderail.facts.data.data_files import open_data, sources
from guiderail.facts.data.lineage_files import RecordedInput, read_records
from guiderail.manifest.mlflow_uri import is_uri, parse_uri
from guiderail.manifest.release import Release
from guiderail.manifest.schema import DataSource, LineageRecord, ModelManifest, PipelineManifest


@dataclass(frozen=True, slots=True)
class Compared:
    """inputs: names that the records give, each once. runs: ids of the runs that were read.

    unnamed: inputs that the manifest does not name. contradicted: sources whose snapshot is not
    what a record describes, with one sentence each in `reasons`.
    """

    inputs: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    unnamed: tuple[str, ...] = ()
    contradicted: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


NOTHING_RECORDED = Compared()


def record_files(release: Release) -> tuple[LineageRecord, ...]:
    """The records that the manifest names; none for an app."""
    manifest = release.manifest
    return manifest.lineage if isinstance(manifest, ModelManifest | PipelineManifest) else ()


def compared_with_records(release: Release) -> Compared:
    """Raises InputError where a record or a data file cannot be read."""
    files = record_files(release)
    if not files:
        return NOTHING_RECORDED
    found = [one for record in files for one in read_records(release.path(record.file), record.run)]
    named = sources(release)
    judged_on = _evaluation_data(release)
    unnamed = [
        one.name
        for one in found
        if not any(known_as(one, source) for source in named)
        and (judged_on is None or not _names_file(one, judged_on))
    ]
    contradicted: list[str] = []
    reasons: list[str] = []
    for source in named:
        records = [one for one in found if known_as(one, source)]
        against = tuple(_contradictions(release, source, records))
        if against:
            contradicted.append(source.name)
            reasons += against
    return Compared(
        inputs=_once(one.name for one in found),
        runs=_once(one.run for one in found if one.run),
        unnamed=_once(unnamed),
        contradicted=tuple(contradicted),
        reasons=tuple(reasons),
    )


def known_as(record: RecordedInput, source: DataSource) -> bool:
    """Whether the record speaks of this source."""
    named = source.name in (record.name, *record.other_names)
    return named or _names_file(record, source.data)


def _names_file(record: RecordedInput, path: str) -> bool:
    return any(
        _is_path(text, path) for text in (record.name, *record.other_names, *record.addresses)
    )


def _evaluation_data(release: Release) -> str | None:
    """A run that trains may read the evaluation data too, to judge what it trained."""
    manifest = release.manifest
    if isinstance(manifest, ModelManifest) and manifest.evaluation is not None:
        return manifest.evaluation.data
    return None


def _is_path(address: str, path: str) -> bool:
    if is_uri(path):
        uri = parse_uri(path)
        return address == path or address.endswith(f"/{uri.run}/artifacts/{uri.path}")
    plain = address.partition("://")[2] if "://" in address else address.removeprefix("file:")
    return plain == path or plain.endswith(f"/{path}")


def _contradictions(
    release: Release, source: DataSource, records: Sequence[RecordedInput]
) -> Iterator[str]:
    if not any(one.columns is not None or one.rows is not None or one.used for one in records):
        return
    with open_data(release, source.data) as table:
        names, rows = set(table.names), table.rows
    for one in records:
        if one.columns is not None and set(one.columns) != names:
            lacking, more = sorted(set(one.columns) - names), sorted(names - set(one.columns))
            said = [f"lacks {', '.join(lacking)}"] if lacking else []
            said += [f"has {', '.join(more)} beside them"] if more else []
            yield f"{one.tool} recorded other columns for {source.name}: the file {'; '.join(said)}"
        elif not set(one.used) <= names:
            unheard = ", ".join(sorted(set(one.used) - names))
            yield f"{one.tool} recorded that {unheard} of {source.name} was used: the file lacks it"
        if one.rows is not None and one.rows != rows:
            yield (
                f"{one.tool} recorded {one.rows} rows for {source.name}, and the file has {rows}"
            )


def _once(names: Iterator[str] | Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
