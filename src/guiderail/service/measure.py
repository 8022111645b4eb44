"""The `measure` verbs: read a table or a model file, give back the figures as plain documents.

What cannot be measured comes back as `{"unknown": reason}`, never as a number. Nothing of a
workspace is read or written. Fairness and flips are in `measure_fairness`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from guiderail.core.errors import InputError
from guiderail.core.interval import Interval
from guiderail.measure.unmeasurable import NotMeasurable
from guiderail.sandbox.inspect_model import inspect_model
from guiderail.sandbox.process import Failure

Document = dict[str, Any]


def performance(
    data: Path,
    *,
    label: str,
    score: str,
    baseline_score: str | None,
    metric: str,
    positive: str | None,
) -> Document:
    """The metric with its interval, and the paired change against a second score column."""
    from guiderail.measure.performance import METRICS, paired_change
    from guiderail.measure.table import open_table

    if metric not in METRICS:
        raise InputError(
            f"there is no metric {metric!r}",
            code="measure/metric",
            advice=f"Choose one of: {', '.join(sorted(METRICS))}.",
        )
    names = [label, score, *([baseline_score] if baseline_score else [])]
    with open_table(data) as table:
        frame = table.frame(names)
    found = paired_change(
        metric,
        frame[label],
        frame[score],
        frame[baseline_score] if baseline_score else None,
        positive=positive,
    )
    if isinstance(found, NotMeasurable):
        return {"metric": metric, **_unknown(found)}
    delta = None
    if found.delta is not None:
        relative = found.relative_pct
        delta = {
            **_interval(found.delta),
            "relative_pct": _interval(relative) if relative else None,
            "error_growth_pct": found.error_growth_pct,
            "rows_needed": found.rows_needed,
        }
    return {
        "metric": metric,
        **_interval(found.value),
        "delta": delta,
        "n": found.n,
        "method": found.method,
    }


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


def drift(
    reference: Path, current: Path, *, names: Sequence[str], profile: Path | None
) -> Document:
    """Movement of every column.

    profile: a stored profile is read from it and used in place of the reference; when the file
    does not exist yet, the profile of the reference is written to it.
    """
    from guiderail.measure.drift import drift as measure
    from guiderail.measure.profile import make_profile, read_profile

    if profile is not None and profile.exists():
        before = read_profile(profile)
    else:
        before = make_profile(reference, names or None)
        if profile is not None:
            profile.write_text(before.to_json(), encoding="utf-8")
    found = measure(before, current, names or None)
    return {
        "columns": [
            {
                "name": row.name,
                "type": row.type,
                "psi": row.psi,
                "ks": _interval(row.ks) if row.ks else None,
                "js": row.js,
                "wasserstein": row.wasserstein,
                "chi2": {"statistic": row.chi2.statistic, "degrees": row.chi2.degrees,
                         "p": row.chi2.p} if row.chi2 else None,
                "n_reference": row.n_reference,
                "n_current": row.n_current,
                "new_categories": list(row.new_categories),
                "vanished_categories": list(row.vanished_categories),
                "reason": row.reason,
            }
            for row in found.columns
        ],
        "added": list(found.added),
        "profile_digest": found.profile_digest,
    }  # fmt: skip


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


def _interval(item: Interval) -> Document:
    return {"value": item.value, "low": item.low, "high": item.high}


def _unknown(found: NotMeasurable) -> Document:
    return {"unknown": found.reason}
