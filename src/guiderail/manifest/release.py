"""A release: one manifest with the digests of everything it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from guiderail.core.csv_encoding import Encoding
from guiderail.core.digest import Digest, json_digest
from guiderail.core.errors import Place
from guiderail.manifest.mlflow_uri import place_of
from guiderail.manifest.schema import AppManifest, ModelManifest, PipelineManifest

AnyManifest = ModelManifest | AppManifest | PipelineManifest


def data_encodings(manifest: AnyManifest) -> Iterator[tuple[str, Encoding | None]]:
    """Every data file that a manifest names, as often as it does, with what it says there."""
    if isinstance(manifest, AppManifest):
        return
    named = manifest.training if isinstance(manifest, ModelManifest) else manifest.sources
    for source in named:
        yield source.data, source.encoding
    if isinstance(manifest, ModelManifest) and manifest.evaluation is not None:
        yield manifest.evaluation.data, manifest.evaluation.encoding


@dataclass(frozen=True, slots=True)
class Release:
    """One immutable version of a workload.

    root: directory against which artefact paths are resolved (the manifest's directory, or a
        materialised copy from the blob store for a baseline). What MLflow names lies there as a
        fetched copy, see `manifest.mlflow_uri.place_of`.
    artefacts: manifest path -> digest of the file's bytes. Reports under `evidence` and the
        rehearsal record are *about* the release and not among them.
    places: dotted manifest key -> where it stands ("use.domain" -> guiderail.yaml:14:3); empty for
        a baseline.
    """

    manifest: AnyManifest
    canonical: Mapping[str, object]
    artefacts: Mapping[str, Digest]
    root: Path
    places: Mapping[str, Place]

    @property
    def digest(self) -> Digest:
        """SHA-256 over the canonical manifest and the digests of everything it names."""
        return json_digest({"manifest": self.canonical, "artefacts": dict(self.artefacts)})

    def path(self, name: str) -> Path:
        """Where an artefact or report named in the manifest lies."""
        return self.root / place_of(name)

    def encoding(self, name: str) -> Encoding | None:
        """How a data file is written, where the manifest says so."""
        return self.encodings.get(name)

    @property
    def encodings(self) -> Mapping[str, Encoding]:
        """The encodings that the manifest names, by data file."""
        return {name: said for name, said in data_encodings(self.manifest) if said is not None}

    def place(self, key: str) -> Place:
        """Where a manifest key stands; the file as a whole when the key is not written."""
        while key:
            if key in self.places:
                return self.places[key]
            key = key.rpartition(".")[0]
        return self.places.get("", Place("guiderail.yaml"))
