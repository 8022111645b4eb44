"""Read a manifest, and the release it describes: everything it names, with digests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from guiderail.core.digest import decimal_string
from guiderail.core.errors import InputError, Place
from guiderail.manifest import strict_yaml
from guiderail.manifest.artefacts import artefact_digests
from guiderail.manifest.consistency import inconsistencies
from guiderail.manifest.named_paths import unsafe_names
from guiderail.manifest.problems import ManifestError, as_written, did_you_mean, in_words, refused
from guiderail.manifest.release import AnyManifest, Release
from guiderail.manifest.schema import KINDS
from guiderail.manifest.stat_cache import StatCache
from guiderail.manifest.strict_yaml import Document

FILE_NAME = "guiderail.yaml"


@dataclass(frozen=True, slots=True)
class LoadedManifest:
    """A valid manifest.

    canonical: the manifest as canonical JSON takes it: defaults filled in, numbers with a fraction
        as {"number": "0.5"}, without `evidence` (reports are about the release, not part of it).
    places: dotted key -> where it is written; "" is the file.
    """

    manifest: AnyManifest
    canonical: Mapping[str, object]
    places: Mapping[str, Place]


def load_manifest(path: Path) -> LoadedManifest:
    """Read and check a manifest; `path` is the file or the directory that holds `guiderail.yaml`.

    Raises InputError where the file is missing or is not strict YAML, and ManifestError with every
    problem at once where keys or values are wrong or contradict each other.
    """
    document = _document(path)
    manifest = _validated(document)
    problems = [*inconsistencies(manifest, document), *unsafe_names(manifest, document)]
    if problems:
        raise ManifestError(problems)
    return LoadedManifest(manifest, canonical(manifest), document.places())


def load_release(directory: Path, *, stat_cache: Path | None = None) -> Release:
    """Read the manifest and digest every file it names.

    stat_cache: a file that remembers digests by size, times and inode. It is a shortcut for the
    author's own machine; leave it out wherever the digest must be trusted.
    Raises InputError as `load_manifest` does, and ManifestError for files that are missing,
    unreadable or outside the manifest's directory.
    """
    loaded = load_manifest(directory)
    root = (directory if directory.is_dir() else directory.parent).resolve()
    cache = StatCache.read(stat_cache)
    artefacts = artefact_digests(loaded.manifest, root, loaded.places, cache)
    cache.write()
    return Release(loaded.manifest, loaded.canonical, artefacts, root, loaded.places)


def canonical(manifest: AnyManifest) -> dict[str, object]:
    """The part of a manifest that its digest covers, ready for canonical JSON.

    `facts`, `lineage`, `mlflow`, `running`, `permitted` and `encoding` count where written:
    a release without any keeps the digest it had before the key existed.
    """
    content = manifest.model_dump(exclude={"evidence"} if manifest.facts else {"evidence", "facts"})
    if not content.get("lineage"):
        content.pop("lineage", None)
    for key in ("mlflow", "running"):
        if content.get(key) is None:
            content.pop(key, None)
    for source in (*content.get("training", ()), *content.get("sources", ())):
        for key in ("permitted", "encoding"):
            if source[key] is None:
                del source[key]
    evaluation = content.get("evaluation")
    if evaluation and evaluation["encoding"] is None:
        del evaluation["encoding"]
    return {key: _exact(value) for key, value in content.items()}


def _exact(value: object) -> object:
    if isinstance(value, float):
        return {"number": decimal_string(value + 0.0)}  # adding zero makes -0.0 the same as 0.0
    if isinstance(value, Mapping):
        return {key: _exact(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_exact(item) for item in value]
    return value


def _document(path: Path) -> Document:
    file = path / FILE_NAME if path.is_dir() else path
    if not file.is_file():
        raise InputError(
            f"There is no manifest at {file}.",
            code="manifest/not-found",
            advice=f"Run `guiderail init` in the workload's directory to write {FILE_NAME}.",
            place=Place(str(file)),
        )
    return strict_yaml.load_file(file)


def _validated(document: Document) -> AnyManifest:
    data = document.data
    if not isinstance(data, dict):
        raise InputError(
            "A manifest is a mapping of keys to values.",
            code="manifest/not-a-mapping",
            advice="Begin with `guiderail: 1` and `kind: model`, or run `guiderail init`.",
            place=document.place(),
        )
    schema = KINDS.get(data["kind"]) if isinstance(data.get("kind"), str) else None
    if schema is None:
        raise _unknown_kind(document)
    try:
        return schema.model_validate(_tuples(data))
    except ValidationError as error:
        raise ManifestError(in_words(error, schema, document)) from None


def _unknown_kind(document: Document) -> InputError:
    choices = ", ".join(KINDS)
    if "kind" not in document.data:
        return InputError(
            "kind is missing.",
            code="manifest/missing-key",
            advice=f"Say what is deployed; choices: {choices}.",
            place=document.place(),
        )
    written = as_written(("kind",), document)
    is_text = isinstance(document.data["kind"], str)
    return InputError(
        f"kind {refused(written) if is_text else 'must be text'}.",
        code="manifest/unknown-choice",
        advice=f"{did_you_mean(written, KINDS)}Choices: {choices}.",
        place=document.value_place(("kind",)),
    )


def _tuples(value: object) -> object:
    """Lists as tuples: strict validation converts nothing by itself."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    return value
