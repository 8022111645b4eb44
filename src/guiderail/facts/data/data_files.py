"""The data files that a release names, and what kind each column of them is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from guiderail.facts.cache import cache_key
from guiderail.facts.provider import Inputs
from guiderail.manifest.release import Release
from guiderail.manifest.schema import DataSource, ModelManifest, PipelineManifest

if TYPE_CHECKING:
    from guiderail.measure.table import Table

CLASSES_VERSION = 2


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
    return {
        "data": {name: release.artefacts[name] for name in data_files(release)},
        "encodings": dict(release.encodings),
    }


def dictionary_key(inputs: Inputs) -> Mapping[str, object]:
    """What classes of columns depend on beside the files."""
    said = inputs.standing.columns
    return {"dictionary": None if said is None else said.digest}


def open_data(release: Release, name: str) -> Table:
    """A data file of the manifest, in the encoding that it names. Raises InputError."""
    from guiderail.measure.table import open_table

    return open_table(release.path(name), release.encoding(name))


def seen_columns(release: Release, inputs: Inputs) -> tuple[SeenColumn, ...]:
    """Every column of every data file of the release, or of a baseline.

    What the organisation says about its column names is in `inputs`. Raises InputError for a file
    that cannot be read.
    """
    return tuple(
        column for name in data_files(release) for column in _of_file(release, name, inputs)
    )


def _of_file(release: Release, name: str, inputs: Inputs) -> Iterator[SeenColumn]:
    parts = {"digest": release.artefacts[name], "encoding": release.encoding(name)}
    key = cache_key("columns", CLASSES_VERSION, {**parts, **dictionary_key(inputs)})
    stored = inputs.cache.read(key)
    if isinstance(stored, list):
        try:
            yield from [SeenColumn(**{**row, "file": name}) for row in stored]
        except TypeError:
            pass  # written by another version: read the file again
        else:
            return
    from guiderail.measure.column_dictionary import NO_DICTIONARY
    from guiderail.measure.columns import classify_columns

    dictionary = inputs.standing.columns or NO_DICTIONARY
    with open_data(release, name) as table:
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
            for column in classify_columns(table, dictionary=dictionary)
        ]
    inputs.cache.write(key, [asdict(column) for column in found])
    yield from found
