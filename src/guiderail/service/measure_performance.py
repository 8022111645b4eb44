"""`measure performance`: one metric, its paired change and its worst slices, as a plain document.

What cannot be measured comes back as `{"unknown": reason}`, never as a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guiderail.core.csv_encoding import Encoding
from guiderail.core.errors import InputError
from guiderail.core.interval import Interval
from guiderail.measure.unmeasurable import NotMeasurable

if TYPE_CHECKING:
    from guiderail.measure.performance import Performance
    from guiderail.measure.remote import RemoteTable
    from guiderail.measure.slices import Slice
    from guiderail.measure.table import Table, Values

Document = dict[str, Any]

EXACT_UP_TO = 1_000_000
"""Rows; above, AUC is measured from histograms, with a bound of its error."""
_LARGEST_BOUND = 0.0005
MOST_SHOWN = 10


def performance(
    data: Path,
    *,
    label: str,
    score: str,
    baseline_score: str | None,
    metric: str,
    positive: str | None,
    weight: str | None = None,
    cluster: str | None = None,
    by: Sequence[str] = (),
    encoding: Encoding | None = None,
) -> Document:
    """The metric with its interval, and the paired change against a second score column.

    weight: how much each row counts. cluster: rows with the same value are one unit. by: columns
    (or columns with limits, as in "age:25,40") whose values make slices. encoding: of a CSV file.
    """
    from guiderail.core.metrics import METRIC_KINDS
    from guiderail.measure.performance import paired_change
    from guiderail.measure.rows_here import brought
    from guiderail.measure.warehouse import open_source

    if metric not in METRIC_KINDS:
        raise InputError(
            f"there is no metric {metric!r}",
            code="measure/metric",
            advice=f"Choose one of: {', '.join(sorted(METRIC_KINDS))}.",
        )
    named = {
        "label": label,
        "new": score,
        "old": baseline_score,
        "weights": weight,
        "clusters": cluster,
    }
    names = {role: column for role, column in named.items() if column is not None}
    with open_source(data, encoding) as source:
        edges = _slices_by(source, by, list(names.values()))
        wanted = list(dict.fromkeys([*names.values(), *edges]))
        with brought(source, wanted) as table:
            if weight is not None:
                _check_weights(table, weight)
            if _by_histogram(table, metric, names, by):
                document = _from_histograms(table, names, positive)
                if document is not None:
                    return document
            frame = table.frame(wanted)
    columns: dict[str, Any] = {role: frame[column] for role, column in names.items()}
    columns.setdefault("old", None)
    found = paired_change(
        metric,
        columns.pop("label"),
        columns.pop("new"),
        columns.pop("old"),
        positive=positive,
        names=names,
        **columns,
    )
    if isinstance(found, NotMeasurable):
        return {"metric": metric, **_unknown(found)}
    document = performance_document(found)
    if edges:
        document["slices"] = _slices(metric, frame, names, edges, positive)
    return document


def performance_document(found: Performance) -> Document:
    delta = None
    if found.delta is not None:
        relative, growth = found.relative_pct, found.error_growth_pct
        delta = {
            **_interval(found.delta),
            "relative_pct": _interval(relative) if relative else None,
            "error_growth_pct": _interval(growth) if growth else None,
            "rows_needed": found.rows_needed,
        }
    return {
        "metric": found.metric,
        **_interval(found.value),
        "delta": delta,
        "n": found.n,
        "method": found.method,
    }


def _by_histogram(table: Table, metric: str, names: Mapping[str, str], by: Sequence[str]) -> bool:
    plain = not by and "weights" not in names and "clusters" not in names
    return metric == "roc_auc" and plain and table.rows > EXACT_UP_TO


def _from_histograms(
    table: Table, names: Mapping[str, str], positive: str | None
) -> Document | None:
    """None where scores lie so close together that histograms say too little."""
    from guiderail.measure.binned_auc import binned_auc
    from guiderail.measure.performance import performance_of

    found = binned_auc(table, names["label"], names["new"], names.get("old"), positive=positive)
    if isinstance(found, NotMeasurable):
        return {"metric": "roc_auc", **_unknown(found)}
    if found.error_bound > _LARGEST_BOUND:
        return None
    document = performance_document(performance_of("roc_auc", found.change, table.rows))
    return {**document, "error_bound": found.error_bound}


def _check_weights(table: Table, weight: str) -> None:
    """Raises InputError for a column that cannot weigh rows."""
    advice = "Name a column of numbers, 0 or more, with --weight."
    if table.rows == 0:
        return  # there is nothing to weigh, which the measure says
    if table.type_of(weight) not in {"integer", "number"}:
        raise InputError(
            f"the weights in the column {weight} are {table.type_of(weight)}, not numbers",
            code="measure/weights",
            advice=advice,
        )
    negative = int(table.fetch(f"count(*) FILTER ({table.sql(weight)} < 0) FROM t")[0][0])
    if negative:
        raise InputError(
            f"{negative} of {table.rows} weights in the column {weight} are negative",
            code="measure/weights",
            advice=advice,
        )


def _slices_by(
    table: Table | RemoteTable, by: Sequence[str], others: Sequence[str]
) -> dict[str, tuple[float, ...] | None]:
    if not by:
        return {}
    from guiderail.service.measure_fairness import groups_by

    return groups_by(table, by, others)


def _slices(
    metric: str,
    frame: Mapping[str, Values],
    names: Mapping[str, str],
    edges: Mapping[str, tuple[float, ...] | None],
    positive: str | None,
) -> Document:
    from guiderail.measure.scored_rows import scored_rows
    from guiderail.measure.slices import slices

    roles: dict[str, Any] = {role: frame[column] for role, column in names.items()}
    rows = scored_rows(
        metric,
        roles["label"],
        roles["new"],
        roles.get("old"),
        positive=positive,
        clusters=roles.get("clusters"),
        weights=roles.get("weights"),
        names=names,
    )
    if isinstance(rows, NotMeasurable):
        return _unknown(rows)
    by: dict[str, Values] = {name: frame[name] for name in edges}
    if rows.n < len(roles["label"]):  # rows of weight 0 are left out
        by = {name: values[roles["weights"] > 0] for name, values in by.items()}
    found = slices(metric, rows, by, edges=edges)
    if isinstance(found, NotMeasurable):
        return _unknown(found)
    return {
        "tested": found.tested,
        "worse": sum(one.worse for one in found.slices),
        "worst": [_slice(one) for one in found.slices[:MOST_SHOWN]],
        "grew_worse": [_slice(one) for one in found.slices if one.grew_worse][:MOST_SHOWN],
        "too_small": [{"by": dict(by), "n": n} for by, n in found.too_small],
    }


def _slice(one: Slice) -> Document:
    return {
        "by": dict(one.by),
        "n": one.n,
        "value": one.value,
        "rest": one.rest,
        "difference": _interval(one.difference),
        "worse": one.worse,
        "change": _interval(one.change) if one.change else None,
        "grew_worse": one.grew_worse,
    }


def _interval(item: Interval) -> Document:
    return {"value": item.value, "low": item.low, "high": item.high}


def _unknown(found: NotMeasurable) -> Document:
    return {"unknown": found.reason}
