"""Protected and personal columns, measured; what is declared can only add to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from guiderail.core.scales import KnownBy
from guiderail.facts.data.data_files import (
    SeenColumn,
    data_files,
    data_key,
    dictionary_key,
    seen_columns,
)
from guiderail.facts.data.protected import declared_protected
from guiderail.facts.fact import Fact, Unknown, known, unknown
from guiderail.facts.model.summary import model_inputs
from guiderail.facts.provider import Inputs, Provider
from guiderail.manifest.schema import ModelManifest

_NO_DATA = "guiderail.yaml names no training or evaluation data"


def _run(inputs: Inputs) -> Iterator[Fact]:
    files = data_files(inputs.release)
    if not files:
        for name in DATA_COLUMNS.gives:
            yield unknown(name, _NO_DATA, "guiderail.yaml")
        return
    columns = seen_columns(inputs.release, inputs)
    source = "columns of " + ", ".join(files)
    yield from _protected(inputs, columns, source)
    yield from _personal(columns, source)


def _protected(inputs: Inputs, columns: Sequence[SeenColumn], source: str) -> Iterator[Fact]:
    declared = declared_protected(inputs)
    names = _names(columns, ("protected",)) | set(declared)
    detail = {**_why(columns, ("protected",)), "declared": list(declared)}
    yield known("data.protected_columns", tuple(sorted(names)), source, KnownBy.MEASURED, detail)
    if not isinstance(inputs.release.manifest, ModelManifest):
        yield known("data.protected", bool(names), source, KnownBy.MEASURED, detail)
        return
    fed = model_inputs(inputs.release, inputs.cache)
    if isinstance(fed, Unknown):
        yield unknown("data.protected", fed.reason, source)
        return
    used = sorted(names & set(fed))
    unsure = [one for one in columns if one.name in fed and _is_unsure(one, "protected")]
    if not used and unsure:
        yield unknown("data.protected", _ask(unsure), source)
        return
    detail["inputs"] = used
    yield known("data.protected", bool(used), source, KnownBy.MEASURED, detail)


def _personal(columns: Sequence[SeenColumn], source: str) -> Iterator[Fact]:
    """An attribute of a person is personal data, so protected columns count here too."""
    kinds = ("personal", "protected")
    names = _names(columns, kinds)
    detail = _why(columns, kinds)
    unsure = [one for one in columns if _is_unsure(one, "personal")]
    yield known("data.personal_columns", tuple(sorted(names)), source, KnownBy.MEASURED, detail)
    if not names and unsure:
        yield unknown("data.personal", _ask(unsure), source)
    else:
        yield known("data.personal", bool(names), source, KnownBy.MEASURED, detail)


def _is_unsure(column: SeenColumn, cls: str) -> bool:
    proposed = column.cls == cls and not column.certain
    return proposed or (cls == "personal" and column.cls == "unknown")


def _names(columns: Sequence[SeenColumn], kinds: tuple[str, ...]) -> set[str]:
    return {column.name for column in columns if column.cls in kinds and column.certain}


def _why(columns: Sequence[SeenColumn], kinds: tuple[str, ...]) -> dict[str, object]:
    return {
        "columns": [
            {
                "file": column.file,
                "name": column.name,
                "kind": column.kind,
                "confidence": column.confidence,
                "why": column.why,
            }
            for column in columns
            if column.cls in (*kinds, "unknown")
        ]
    }


def _ask(unsure: Sequence[SeenColumn]) -> str:
    first = unsure[0]
    more = f" (and {len(unsure) - 1} more)" if len(unsure) > 1 else ""
    return f"say what the column {first.name} of {first.file} holds{more}: {first.why}"


def _key(inputs: Inputs) -> Mapping[str, object]:
    manifest = inputs.release.manifest
    model = (
        inputs.release.artefacts[manifest.model.file]
        if isinstance(manifest, ModelManifest)
        else None
    )
    return {
        **data_key(inputs.release),
        **dictionary_key(inputs),
        "model": model,
        "declared": declared_protected(inputs),
    }


DATA_COLUMNS = Provider(
    id="data.columns",
    version=1,
    kinds=("model", "pipeline"),
    gives=(
        "data.protected",
        "data.protected_columns",
        "data.personal",
        "data.personal_columns",
    ),
    run=_run,
    key=_key,
)
