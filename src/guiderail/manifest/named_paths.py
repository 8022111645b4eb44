"""Every path that a manifest names, and which of them may not be written that way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from guiderail.core.errors import InputError
from guiderail.manifest.mlflow_uri import is_uri, parse_uri
from guiderail.manifest.pins import LOCK_NAME
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
    problems: list[InputError] = []
    for path in named_paths(manifest):
        if is_uri(path.name):
            problems += _misplaced(path, document)
            continue
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


def _misplaced(path: NamedPath, document: Document) -> Iterator[InputError]:
    """Why a name of MLflow may not stand where it does."""
    try:
        uri = parse_uri(path.name)
    except ValueError as error:
        why, advice = str(error), "Name a version, an alias, a logged model or a file of a run."
    else:
        if not path.artefact:
            why, advice = "is fetched, and a report is not", "Name the report's own file."
        elif uri.is_model and path.key != ("model", "file"):
            why, advice = "names a model, and this is none", "Name a file of a run: runs:/RUN/PATH."
        elif uri.kind == "record" and path.key[0] != "lineage":
            why = "names a run, and a file is meant"
            advice = "Name a file of the run: runs:/RUN/PATH. A run itself is a lineage record."
        else:
            return
    yield InputError(
        f"{path.dotted}: {path.name} {why}.",
        code="manifest/uri",
        advice=advice,
        place=document.value_place(path.key),
    )


def _paths(manifest: AnyManifest) -> Iterator[NamedPath]:
    yield from _named(manifest)
    fetched = next((path for path in _named(manifest) if is_uri(path.name)), None)
    if fetched is not None:  # the lock belongs to a release that names anything of MLflow
        yield NamedPath(fetched.key, LOCK_NAME)
    evidence = manifest.evidence
    for key, report in (("security", evidence.security), ("tests", evidence.tests)):
        if report is not None:
            yield NamedPath(("evidence", key), report, artefact=False)


def _named(manifest: AnyManifest) -> Iterator[NamedPath]:
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
            if manifest.running is not None:
                yield NamedPath(("running", "plan"), manifest.running.plan)
                yield NamedPath(("running", "runs"), manifest.running.runs)
            yield from _records(manifest.lineage)
    for number, name in enumerate(manifest.code):
        yield NamedPath(("code", number), name)


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
