"""The data files that a release names, and what kind each column of them is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from guiderail.facts.cache import FactCache, cache_key
from guiderail.manifest.release import Release
from guiderail.manifest.schema import DataSource, ModelManifest, PipelineManifest

CLASSES_VERSION = 1


@dataclass(frozen=True, slots=True)
class SeenColumn:
    """One column of one file.

    type: `text`, `integer`, `number`, `boolean` or another of `measure.table`.
    cls: `protected`, `personal`, `plain` or `unknown`; kind, confidence and why as in
    `measure.columns`.
    """

    file: str
    name: str
    type: str
    cls: str
    kind: str
    confidence: str
    why: str

    @property
    def certain(self) -> bool:
        """A name that its values contradict proposes something and settles nothing."""
        return self.confidence != "low"


def sources(release: Release) -> tuple[DataSource, ...]:
    """Training sources of a model, input tables of a pipeline; none for an app."""
    match release.manifest:
        case ModelManifest(training=training):
            return training
        case PipelineManifest(sources=tables):
            return tables
    return ()


def data_files(release: Release) -> tuple[str, ...]:
    """Every data file the manifest names: sources, then evaluation data, each once."""
    names = [source.data for source in sources(release)]
    manifest = release.manifest
    if isinstance(manifest, ModelManifest) and manifest.evaluation is not None:
        names.append(manifest.evaluation.data)
    return tuple(dict.fromkeys(names))


def data_key(release: Release) -> Mapping[str, object]:
    """Everything that results over the data files depend on."""
    return {"data": {name: release.artefacts[name] for name in data_files(release)}}


def seen_columns(release: Release, cache: FactCache) -> tuple[SeenColumn, ...]:
    """Every column of every data file. Raises InputError for a file that cannot be read."""
    return tuple(
        column for name in data_files(release) for column in _of_file(release, name, cache)
    )


def _of_file(release: Release, name: str, cache: FactCache) -> Iterator[SeenColumn]:
    key = cache_key("columns", CLASSES_VERSION, {"digest": release.artefacts[name]})
    stored = cache.read(key)
    if isinstance(stored, list):
        try:
            yield from [SeenColumn(**{**row, "file": name}) for row in stored]
        except TypeError:
            pass  # written by another version: read the file again
        else:
            return
    from guiderail.measure.columns import classify_columns
    from guiderail.measure.table import open_table

    with open_table(release.path(name)) as table:
        found = [
            SeenColumn(
                file=name,
                name=column.name,
                type=table.type_of(column.name),
                cls=column.cls,
                kind=column.kind,
                confidence=column.confidence,
                why=column.why,
            )
            for column in classify_columns(table)
        ]
    cache.write(key, [asdict(column) for column in found])
    yield from found
