"""Files in which tools record what a run read: OpenLineage events, and runs of MLflow.

OpenLineage: run events as JSON, one, a list, or one per line. MLflow: the run as its REST interface
gives it (`mlflow runs describe`, `GET /runs/get`), or its SQLite database, which is read as it is
and never written. No code of these tools is used. Neither record says what the cells were: MLflow's
dataset digest misses changed cells, so that only names, columns and row counts are taken from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guiderail.core.errors import InputError, Place

LARGEST = 64 * 1024 * 1024
_SQLITE = b"SQLite format 3\x00"
_TRAINING = frozenset({"training", "train", ""})


@dataclass(frozen=True, slots=True)
class RecordedInput:
    """One data set that a run read.

    addresses: where it was, as the tool writes it. columns and rows: None where not recorded.
    digest: the tool's own, shown to people and never compared. used: columns that went into an
    output, where the record says so.
    """

    tool: str
    run: str
    name: str
    other_names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None
    rows: int | None = None
    digest: str | None = None
    used: tuple[str, ...] = ()


def read_records(path: Path, run: str | None) -> tuple[RecordedInput, ...]:
    """Every data set that the run read; of all runs in the file where no run is named.

    Runs that were abandoned or failed trained nothing and are left out.

    Raises InputError for a file that is none of these, for a run that it does not hold, and for an
    MLflow database with several runs of which none is named.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise _refused(path, f"The record is larger than {LARGEST // 2**20} MB.")
        content = path.read_bytes()
    except OSError as error:
        raise _refused(path, f"The record cannot be read: {error.strerror or error}.") from None
    if content.startswith(_SQLITE):
        from guiderail.facts.data.mlflow_database import read_database

        return read_database(path, run)
    documents = _documents(path, content)
    if run is not None and run not in {_run_of(document) for document in documents}:
        raise _refused(path, f"The record holds no run {run}.")
    failed = {
        _run_of(document)
        for document in documents
        if isinstance(document, dict) and document.get("eventType") in {"ABORT", "FAIL"}
    }
    return tuple(
        one
        for document in documents
        if _run_of(document) is None or _run_of(document) not in failed
        for one in _of_document(path, document, run)
    )


def _run_of(document: Any) -> str | None:
    """The id of the run that a document speaks of; None where it has none."""
    content = document.get("run") if isinstance(document, dict) else None
    if not isinstance(content, dict):
        return None
    info = content.get("info")
    info = info if isinstance(info, dict) else content
    found = info.get("runId") or info.get("run_id") or info.get("run_uuid")
    return None if found is None else str(found)


def _documents(path: Path, content: bytes) -> list[Any]:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise _refused(path, "The record is not written in UTF-8.") from None
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        lines = [line for line in text.splitlines() if line.strip()]
        if not lines:
            raise _refused(path, "The record is empty.") from None
        try:
            return [json.loads(line) for line in lines]
        except (ValueError, RecursionError):
            raise _refused(path, "The record is neither JSON nor one JSON object a line.") from None
    return whole if isinstance(whole, list) else [whole]


def _of_document(path: Path, document: Any, run: str | None) -> tuple[RecordedInput, ...]:
    try:
        if "eventTime" in document and "job" in document:
            return tuple(_open_lineage(document, run))
        content = document.get("run", document)
        if "info" in content and "data" in content:
            return _exported(content, run)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _refused(path, f"The record is damaged ({type(error).__name__}: {error}).") from None
    raise _refused(path, "The record is no OpenLineage event and no run of MLflow.")


def _open_lineage(event: dict[str, Any], run: str | None) -> Iterator[RecordedInput]:
    """Inputs of one run event, and data sets that only its column lineage names."""
    found = str(event["run"]["runId"]) if "run" in event else ""
    if run is not None and run != found:
        return
    used = _used_columns(event)
    for data in event.get("inputs") or []:
        columns = used.pop((data["namespace"], data["name"]), ())
        yield _input(found, data, columns)
    for (namespace, name), columns in used.items():
        yield _input(found, {"namespace": namespace, "name": name}, columns)


def _input(run: str, data: dict[str, Any], used: tuple[str, ...]) -> RecordedInput:
    facets = {**(data.get("inputFacets") or {}), **(data.get("facets") or {})}
    source = facets.get("dataSource") or {}
    quality = facets.get("dataQualityMetrics") or facets.get("dataQuality") or {}
    fields = (facets.get("schema") or {}).get("fields")
    links = (facets.get("symlinks") or {}).get("identifiers") or []
    version = (facets.get("version") or {}).get("datasetVersion")
    addresses = (source.get("uri"), f"{data['namespace']}/{data['name']}")
    return RecordedInput(
        tool="OpenLineage",
        run=run,
        name=_text(data["name"]),
        other_names=tuple(_text(link["name"]) for link in links),
        addresses=tuple(_text(address) for address in addresses if address),
        columns=tuple(_text(field["name"]) for field in fields) if fields else None,
        rows=_rows(quality.get("rowCount")),
        digest=None if version is None else str(version),
        used=used,
    )


def _used_columns(event: dict[str, Any]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Columns of each data set that went into a column of an output, or decided about its rows."""
    used: dict[tuple[str, str], tuple[str, ...]] = {}
    for output in event.get("outputs") or []:
        lineage = (output.get("facets") or {}).get("columnLineage") or {}
        fields = [
            *(one for column in (lineage.get("fields") or {}).values()
              for one in column.get("inputFields") or []),
            *(lineage.get("dataset") or []),
        ]  # fmt: skip
        for one in fields:
            key = (_text(one["namespace"]), _text(one["name"]))
            used[key] = tuple(dict.fromkeys((*used.get(key, ()), _text(one["field"]))))
    return used


def _exported(content: dict[str, Any], run: str | None) -> tuple[RecordedInput, ...]:
    info = content["info"]
    found = str(info.get("run_id") or info["run_uuid"])
    if run is not None and run != found:
        return ()
    inputs = (content.get("inputs") or {}).get("dataset_inputs") or []
    return tuple(
        one
        for one in (of_mlflow(found, data["dataset"], _tags(data.get("tags"))) for data in inputs)
        if one is not None
    )


def _tags(written: Any) -> dict[str, str]:
    """The REST interface lists tags; the Python client writes them as an object."""
    if isinstance(written, dict):
        return {str(key): str(value) for key, value in written.items()}
    return {str(tag["key"]): str(tag["value"]) for tag in written or []}


def of_mlflow(run: str, dataset: dict[str, Any], tags: dict[str, str]) -> RecordedInput | None:
    """A data set as MLflow stores it; None for one that another context than training read."""
    if tags.get("mlflow.data.context", "").lower() not in _TRAINING:
        return None
    source = _json(dataset.get("source"))
    schema, profile = _json(dataset.get("schema")), _json(dataset.get("profile"))
    return RecordedInput(
        tool="MLflow",
        run=run,
        name=_text(dataset["name"]),
        addresses=tuple(
            str(source[key]) for key in ("uri", "path", "url", "delta_table_name") if key in source
        ),
        columns=_columns(schema),
        rows=_rows(profile.get("num_rows")),
        digest=str(dataset["digest"]),
    )


def _columns(schema: dict[str, Any]) -> tuple[str, ...] | None:
    listed = schema.get("mlflow_colspec")
    if not isinstance(listed, list) or not all("name" in column for column in listed):
        return None
    return tuple(_text(column["name"]) for column in listed)


def _json(text: object) -> dict[str, Any]:
    if not text:
        return {}
    try:
        found = json.loads(str(text))
    except ValueError:
        return {"uri": str(text)}  # a source that is no JSON is an address
    return found if isinstance(found, dict) else {}


def _rows(count: object) -> int | None:
    """A count of rows; None for anything that is none."""
    whole = isinstance(count, int | float) and not isinstance(count, bool) and count == int(count)
    return int(count) if whole and isinstance(count, int | float) and count >= 0 else None


def _text(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise ValueError("a name is no text")
    return name


def _refused(path: Path, what: str) -> InputError:
    return InputError(
        what,
        advice="Name OpenLineage events, a run that MLflow exported, or its SQLite database.",
        code="data/lineage-record",
        place=Place(str(path)),
    )
