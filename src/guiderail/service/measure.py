"""The `measure` verbs: read a table or a model file, give back the figures as plain documents.

What cannot be measured comes back as `{"unknown": reason}`, never as a number. Nothing of a
workspace is read or written. Fairness and flips are in `measure_fairness`, performance and drift in
files of their own.
"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

from guiderail.core.csv_encoding import Encoding
from guiderail.core.errors import InputError
from guiderail.sandbox.inspect_model import inspect_model
from guiderail.sandbox.process import Failure

Document = dict[str, Any]


def fingerprint(data: Path, *, encoding: Encoding | None = None) -> Document:
    """Order-free content fingerprint of a table. encoding: of a CSV file, where one is named."""
    from guiderail.measure.fingerprint import fingerprint as measure
    from guiderail.measure.rows_here import rows_here

    with rows_here(data, encoding) as table:
        found = measure(table)
    return {
        "rows": found.rows,
        "columns": found.columns,
        "schema": [{"name": name, "type": kind} for name, kind in found.schema],
        "fingerprint": found.fingerprint,
    }


def columns(
    data: Path, *, dictionary: Path | None = None, encoding: Encoding | None = None
) -> Document:
    """Personal and protected columns by name and validated values.

    dictionary: what the organisation knows about its column names. sampled: whether only blocks
    of a large file were looked at. encoding: of a CSV file, where one is named.
    """
    from guiderail.measure.column_dictionary import NO_DICTIONARY, load_dictionary
    from guiderail.measure.columns import classify_columns, is_large_csv
    from guiderail.measure.warehouse import is_source, open_source

    known = load_dictionary(dictionary) if dictionary is not None else NO_DICTIONARY
    with open_source(data) if is_source(data) else nullcontext(data) as source:
        found = classify_columns(source, dictionary=known, encoding=encoding)
    return {
        "sampled": is_large_csv(data, encoding),
        "columns": [
            {
                "name": row.name,
                "class": row.cls,
                "kind": row.kind,
                "confidence": row.confidence,
                "why": row.why,
            }
            for row in found
        ],
    }


def model(path: Path, *, run_on: Path | None, encoding: Encoding | None = None) -> Document:
    """What a model file is. run_on: also score this table with it, in the sandbox."""
    if not path.exists():
        raise InputError(
            f"{path} does not exist",
            code="model/missing",
            advice="Name a model file or a directory that holds one.",
        )
    summary = inspect_model(path)
    found: Document = {
        "format": summary.format,
        "safe": summary.safety != "unsafe",
        "safety": summary.safety,
        "reasons": list(summary.reasons),
        "inputs": None
        if summary.inputs is None
        else [{"name": name, "type": kind} for name, kind in summary.inputs],
        "architecture": summary.architecture,
        "tuning": summary.tuning,
        "threshold": summary.threshold,
        "classes": list(summary.classes),
    }
    if run_on is not None:
        found["run"] = _run(path, run_on, summary.names, encoding)
    return found


def _run(
    path: Path, table: Path, names: tuple[str, ...] | None, encoding: Encoding | None
) -> Document:
    from guiderail.measure.table import open_table
    from guiderail.sandbox.score import score

    open_table(table, encoding).close()  # says what is wrong with it, with its place
    result = score(path, table, names, encoding=encoding)
    if isinstance(result, Failure):
        return {"unknown": result.reason, "isolation": result.isolation.to_json()}
    return {
        "rows": len(result.predictions) or (0 if result.scores is None else len(result.scores)),
        "meaning": result.meaning,
        "isolation": result.isolation.to_json(),
    }
