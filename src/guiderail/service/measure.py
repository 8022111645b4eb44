"""The `measure` verbs: read a table or a model file, give back the figures as plain documents.

What cannot be measured comes back as `{"unknown": reason}`, never as a number. Nothing of a
workspace is read or written. Fairness and flips are in `measure_fairness`, performance and drift in
files of their own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from guiderail.core.errors import InputError
from guiderail.sandbox.inspect_model import inspect_model
from guiderail.sandbox.process import Failure

Document = dict[str, Any]


def fingerprint(data: Path) -> Document:
    """Order-free content fingerprint of a table."""
    from guiderail.measure.fingerprint import fingerprint as measure

    found = measure(data)
    return {
        "rows": found.rows,
        "columns": found.columns,
        "schema": [{"name": name, "type": kind} for name, kind in found.schema],
        "fingerprint": found.fingerprint,
    }


def columns(data: Path, *, dictionary: Path | None = None) -> Document:
    """Personal and protected columns by name and validated values.

    dictionary: what the organisation knows about its column names. sampled: whether only blocks
    of a large file were looked at.
    """
    from guiderail.measure.column_dictionary import NO_DICTIONARY, load_dictionary
    from guiderail.measure.columns import classify_columns, is_large_csv

    known = load_dictionary(dictionary) if dictionary is not None else NO_DICTIONARY
    return {
        "sampled": is_large_csv(data),
        "columns": [
            {
                "name": row.name,
                "class": row.cls,
                "kind": row.kind,
                "confidence": row.confidence,
                "why": row.why,
            }
            for row in classify_columns(data, dictionary=known)
        ],
    }


def model(path: Path, *, run_on: Path | None) -> Document:
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
        found["run"] = _run(path, run_on, summary.names)
    return found


def _run(path: Path, table: Path, names: tuple[str, ...] | None) -> Document:
    from guiderail.sandbox.score import score

    result = score(path, table, names)
    if isinstance(result, Failure):
        return {"unknown": result.reason, "isolation": result.isolation.to_json()}
    return {
        "rows": len(result.predictions) or (0 if result.scores is None else len(result.scores)),
        "meaning": result.meaning,
        "isolation": result.isolation.to_json(),
    }
