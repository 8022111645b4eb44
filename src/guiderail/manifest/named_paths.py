"""Every path that a manifest names, and which of them may not be written that way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from guiderail.core.errors import InputError
from guiderail.manifest.release import AnyManifest
from guiderail.manifest.schema import (
    AppManifest,
    LineageRecord,
    ModelManifest,
    PipelineManifest,
)
from guiderail.manifest.strict_yaml import Document

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class NamedPath:
    """A path in a manifest.

    key: where it is written, for example ("training", 0, "data").
    directory: whether a directory may stand there (models of several files, image layouts).
    artefact: whether it is part of the release; reports are only about it.
    """

    key: tuple[str | int, ...]
    name: str
    directory: bool = False
    artefact: bool = True

    @property
    def dotted(self) -> str:
        return ".".join(map(str, self.key))


def named_paths(manifest: AnyManifest) -> tuple[NamedPath, ...]:
    """Every path that the manifest names, in the order of the schema."""
    return tuple(_paths(manifest))


def unsafe_names(manifest: AnyManifest, document: Document) -> list[InputError]:
    """A problem for each path that is not plainly relative to the manifest's directory."""
    problems = []
    for path in named_paths(manifest):
        why = why_unsafe(path.name)
        if why is not None:
            problems.append(
                InputError(
                    f"{path.dotted} {why}.",
                    code="manifest/path-outside",
                    advice="Name a file inside the manifest's directory, "
                    "with / between directories.",
                    place=document.value_place(path.key),
                )
            )
    return problems


def _paths(manifest: AnyManifest) -> Iterator[NamedPath]:
    match manifest:
        case ModelManifest():
            yield from _model_paths(manifest)
        case AppManifest(image=str(image)):
            yield NamedPath(("image",), image, directory=True)
        case PipelineManifest():
            for number, source in enumerate(manifest.sources):
                yield NamedPath(("sources", number, "data"), source.data)
            if manifest.contract is not None:
                yield NamedPath(("contract",), manifest.contract)
            yield from _records(manifest.lineage)
    for number, name in enumerate(manifest.code):
        yield NamedPath(("code", number), name)
    evidence = manifest.evidence
    for key, report in (("security", evidence.security), ("tests", evidence.tests)):
        if report is not None:
            yield NamedPath(("evidence", key), report, artefact=False)


def _model_paths(manifest: ModelManifest) -> Iterator[NamedPath]:
    yield NamedPath(("model", "file"), manifest.model.file, directory=True)
    for number, source in enumerate(manifest.training):
        yield NamedPath(("training", number, "data"), source.data)
    yield from _records(manifest.lineage)
    if manifest.evaluation is not None:
        yield NamedPath(("evaluation", "data"), manifest.evaluation.data)
    if manifest.explanations is not None:
        yield NamedPath(("explanations", "reasons"), manifest.explanations.reasons)
    if manifest.serving is not None:
        yield NamedPath(("serving", "features"), manifest.serving.features)
        if manifest.serving.plan is not None:
            yield NamedPath(("serving", "plan"), manifest.serving.plan)
    if manifest.monitoring.drift is not None:
        yield NamedPath(("monitoring", "drift", "profile"), manifest.monitoring.drift.profile)


def _records(records: tuple[LineageRecord, ...]) -> Iterator[NamedPath]:
    for number, record in enumerate(records):
        yield NamedPath(("lineage", number, "file"), record.file)


def why_unsafe(name: str) -> str | None:
    """Why a name is not accepted as a path, or None."""
    if _CONTROL.search(name):
        return "holds a control character"
    if "\\" in name:
        return "holds a backslash"
    if name.startswith("/") or _DRIVE.match(name):
        return "is an absolute path"
    parts = PurePosixPath(name).parts
    if ".." in parts:
        return "steps out of a directory with two dots"
    return None if parts else "is the manifest's directory itself"
