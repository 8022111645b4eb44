"""`measure fairness` and `measure flips`: one pass over a table, figures as plain documents.

What cannot be measured comes back as `{"unknown": reason}`, never as a number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guiderail.core.csv_encoding import Encoding
from guiderail.core.errors import InputError
from guiderail.core.interval import Interval
from guiderail.manifest.protected import ProtectedAttribute, protected_attribute
from guiderail.measure.unmeasurable import NotMeasurable

if TYPE_CHECKING:
    from guiderail.measure.calibration import GroupCalibration
    from guiderail.measure.comparisons import GroupReport
    from guiderail.measure.distinct_rows import DistinctRows
    from guiderail.measure.flip_values import FlipValue
    from guiderail.measure.rate_changes import RateChange
    from guiderail.measure.remote import RemoteTable
    from guiderail.measure.table import Table

Document = dict[str, Any]
Edges = dict[str, tuple[float, ...] | None]


def fairness(
    data: Path,
    *,
    label: str | None,
    prediction: str,
    baseline: str | None = None,
    score: str | None = None,
    positive: str | None,
    by: Sequence[str],
    intersections: bool,
    error_rate: str | None = None,
    encoding: Encoding | None = None,
) -> Document:
    """Rates of every group and intersection, compared; calibration with a score column.

    baseline: the decisions of an earlier version; adds what changed for each group.
    by: columns, or columns with limits as in "age:25,40". encoding: of a CSV file, where named.
    """
    from guiderail.measure.comparisons import ERROR_RATES
    from guiderail.measure.distinct_rows import distinct_rows
    from guiderail.measure.fairness import group_rates
    from guiderail.measure.warehouse import open_source

    if score is not None and label is None:
        raise InputError(
            "calibration compares a score with true outcomes, and no label is named",
            code="measure/label",
            advice="Name the column with the true outcome with --label.",
        )
    outcomes = [name for name in (prediction, label, baseline) if name is not None]
    with open_source(data, encoding) as table:
        attributes = groups_by(table, by, [*outcomes, *([score] if score else [])])
        rows = distinct_rows(table, attributes, outcomes, score=score)
        if isinstance(rows, NotMeasurable):
            return {"groups": [], "comparisons": [], **_unknown(rows)}
        ranks = _ranks(table, attributes, prediction, score, positive)
    common: dict[str, Any] = {
        "selected": positive if positive is not None else 1,
        "edges": rows.edges,
        "deepest": None if intersections else 1,
        "counts": rows.counts,
    }
    groups = {name: rows.frame[name] for name in attributes}
    labels = rows.frame[label] if label else None
    report = group_rates(
        rows.frame[prediction],
        groups,
        labels,
        error_rates=(error_rate,) if error_rate else ERROR_RATES,  # type: ignore[arg-type]  # one of RATES, by the choices of the command
        what=(f"cells of {prediction}", f"cells of {label}"),
        **common,
    )
    if isinstance(report, NotMeasurable):
        return {"groups": [], "comparisons": [], **_unknown(report)}
    document = report_document(report, len(attributes), rows.edges)
    document["rank_correlations"] = ranks
    if score is not None and label is not None:
        document["calibration"] = _calibration(rows, label, groups, positive, common["deepest"])
    if baseline is not None:
        document["changes"] = _changes(rows, baseline, prediction, groups, label, common)
    return document


def _ranks(
    table: Table | RemoteTable,
    attributes: Edges,
    prediction: str,
    score: str | None,
    positive: str | None,
) -> list[Document]:
    """Rank correlations of numeric attributes with decisions, and in files with scores."""
    from guiderail.measure.attribute_ranks import score_ranks, table_ranks
    from guiderail.measure.table import Table as FileTable

    selected = positive if positive is not None else 1
    found = list(table_ranks(table, attributes, prediction, selected))
    if score is not None and isinstance(table, FileTable):
        found += score_ranks(table, attributes, score)
    return [
        {
            "attribute": one.attribute,
            "with": one.goes_with,
            "n": one.n,
            **(
                _unknown(one.found)
                if isinstance(one.found, NotMeasurable)
                else _interval(one.found)
            ),
        }
        for one in found
    ]


def groups_by(table: Table | RemoteTable, by: Sequence[str], others: Sequence[str]) -> Edges:
    """Columns that make groups with their limits. Raises InputError for one that cannot.

    A column whose whole name is written wins over a name with limits. others: columns that mean
    something else already.
    """
    found: Edges = {}
    for text in by:
        one = attribute_named(text, table.names)
        if one.column in others:
            raise InputError(
                f"the column {one.column} is a decision, label or score, and makes no groups",
                code="measure/columns",
                advice="Name protected columns with --by, and each column once.",
            )
        table.type_of(one.column)  # says that there is no such column, and which is near
        found[one.column] = one.edges
    return found


def attribute_named(text: str, columns: Sequence[str] = ()) -> ProtectedAttribute:
    """Raises InputError where the limits of the ranges do not ascend."""
    if text in columns:
        return ProtectedAttribute(text)
    try:
        return protected_attribute(text)
    except ValueError as error:
        raise InputError(
            f"{text}: {error}",
            code="measure/ranges",
            advice="Write the lower limits of the ranges from small to large, as in age:25,40.",
        ) from None


def report_document(report: GroupReport, attributes: int, edges: Any) -> Document:
    """The report with every rate as a number and, under `intervals`, with its interval."""
    from guiderail.measure.groups import RATES

    gap = report.accuracy_gap
    return {
        "n": report.n,
        "groups": [
            {
                "by": dict(cell.group),
                "n": cell.n,
                "selected": cell.selected,
                "tn": cell.tn,
                "fp": cell.fp,
                "fn": cell.fn,
                "tp": cell.tp,
                **{name: _point(cell.rate(name)) for name in RATES},
                "intervals": {name: _bounds(cell.rate(name)) for name in RATES},
            }
            for cell in report.cells
        ],
        "comparisons": [
            {
                "metric": row.rate,
                "group": dict(row.group),
                "reference": dict(row.reference),
                "ratio": _point(row.ratio),
                "difference": row.difference.value,
                "low": row.ratio.low if row.ratio else None,
                "high": row.ratio.high if row.ratio else None,
                "difference_low": row.difference.low,
                "difference_high": row.difference.high,
                "blocks": row.rate in report.deciding,
                "verdict": row.verdict,
            }
            for row in report.comparisons
        ],
        "underpowered": [
            {"metric": row.rate, "group": dict(row.group), "n": row.n}
            for row in report.underpowered
        ],
        "verdicts": {
            row.rate: {"verdict": row.verdict, "reason": row.reason} for row in report.verdicts
        },
        "accuracy_gap": None
        if gap is None
        else {"best": dict(gap.best), "worst": dict(gap.worst), **_interval(gap.gap)},
        "ranges": {name: list(limits) for name, limits in edges.items()},
        "intersections": {"attributes": attributes, "deepest": report.deepest},
    }


def flips(
    data: Path,
    *,
    old: str,
    new: str,
    by: Sequence[str],
    value: str | None = None,
    sample: int = 0,
    encoding: Encoding | None = None,
) -> Document:
    """Decisions that change between two columns, both ways, by group.

    value: a column with amounts. sample: how many flipped rows to show, without personal columns.
    """
    from guiderail.measure.distinct_rows import distinct_rows
    from guiderail.measure.flips import flips as count
    from guiderail.measure.table import Table as FileTable
    from guiderail.measure.warehouse import open_source

    with open_source(data, encoding) as table:
        attributes = groups_by(table, by, [old, new, *([value] if value else [])])
        rows = distinct_rows(table, attributes, [old, new])
        if isinstance(rows, NotMeasurable):
            return {"flips": None, **_unknown(rows)}
        found = count(
            rows.frame[old],
            rows.frame[new],
            {name: rows.frame[name] for name in attributes} or None,
            edges=rows.edges,
            counts=rows.counts,
            what=(f"cells of {old}", f"cells of {new}"),
        )
        if isinstance(found, NotMeasurable):
            return {"flips": None, **_unknown(found)}
        document = {
            "n": found.n,
            "flips": found.flips,
            "rate": _interval(found.rate),
            "directions": found.directions,
            "groups": [
                {
                    "by": dict(row.group),
                    "n": row.n,
                    "flips": row.flips,
                    "rate": _interval(row.rate),
                    "directions": row.directions,
                }
                for row in found.groups
            ],
        }
        digest = _seed(data, table, rows) if sample or value else ""
        if value is not None:
            document["value"] = _values(table, old, new, value, digest)
        if sample:
            document["sample"] = (
                _sample(table, old, new, value, digest, sample)
                if isinstance(table, FileTable)
                else {"unknown": "rows of a warehouse have no order to draw from"}
            )
    return document


def _values(table: Table | RemoteTable, old: str, new: str, value: str, digest: str) -> Document:
    from guiderail.measure.flip_rows import flipped_values
    from guiderail.measure.flip_values import flip_values

    flipped = flipped_values(table, old, new, value)
    if isinstance(flipped, NotMeasurable):
        return {"column": value, **_unknown(flipped)}
    before, after, amounts = flipped
    found = flip_values(before, after, amounts, table.rows, seed=int(digest[:16], 16))
    if isinstance(found, NotMeasurable):
        return {"column": value, "unknown": f"{value}: {found.reason}"}
    rows = {one.direction: _value(one) for one in found}
    return {"column": value, "all": rows.pop("all", None), "directions": rows}


def _value(one: FlipValue) -> Document:
    return {
        "flips": one.flips,
        "sum": {"value": one.total, **_bounds_or_none(one.total_interval)},
        "mean": {"value": one.mean, **_bounds_or_none(one.mean_interval)},
    }


def _sample(
    table: Table, old: str, new: str, value: str | None, digest: str, size: int
) -> Document:
    from guiderail.measure.columns import classify_columns
    from guiderail.measure.flip_rows import flipped_rows

    classes = {one.name: one.cls for one in classify_columns(table)}
    shown = [name for name in table.names if classes[name] == "plain" and name not in {old, new}]
    hidden = [name for name in table.names if classes[name] != "plain"]
    found = flipped_rows(table, old, new, shown, digest, size)
    return {
        "seed": f"sha256:{digest}",
        "hidden_columns": hidden,
        "rows": [
            {"row": one.row, "old": one.old, "new": one.new, "columns": one.columns}
            for one in found
        ],
    }


def _seed(path: Path, table: Table | RemoteTable, rows: DistinctRows) -> str:
    """Digest of the file, or of the counts where the rows stay in a warehouse."""
    from guiderail.measure.table import Table as FileTable

    if isinstance(table, FileTable):
        return _digest(path)
    cells = sorted(
        repr((*cells, int(count)))
        for *cells, count in zip(*rows.frame.values(), rows.counts, strict=True)
    )
    return hashlib.sha256("\n".join(cells).encode()).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _calibration(
    rows: DistinctRows, label: str, groups: Any, positive: str | None, deepest: int | None
) -> Any:
    from guiderail.measure.calibration import binned_calibration

    if rows.bins is None or rows.score_sums is None:
        raise ValueError("the rows were counted without their scores")
    found = binned_calibration(
        rows.bins,
        rows.score_sums,
        rows.counts,
        rows.frame[label],
        groups,
        positive=positive if positive is not None else 1,
        edges=rows.edges,
        deepest=deepest,
    )
    if isinstance(found, NotMeasurable):
        return _unknown(found)
    return [_group_calibration(one) for one in found]


def _group_calibration(one: GroupCalibration) -> Document:
    return {
        "by": dict(one.group),
        "n": one.n,
        "mean_score": one.mean_score,
        "observed": _interval(one.observed),
        "gap": _interval(one.gap),
        "error": one.error,
        "bins": [
            {
                "low": row.low,
                "high": row.high,
                "n": row.n,
                "mean_score": row.mean_score,
                "observed": _interval(row.observed),
            }
            for row in one.bins
        ],
    }


def _changes(
    rows: DistinctRows,
    baseline: str,
    prediction: str,
    groups: Any,
    label: str | None,
    common: dict[str, Any],
) -> Any:
    from guiderail.measure.rate_changes import rate_changes

    found = rate_changes(
        rows.frame[baseline],
        rows.frame[prediction],
        groups,
        rows.frame[label] if label else None,
        **common,
    )
    if isinstance(found, NotMeasurable):
        return _unknown(found)
    return [change_document(one) for one in found if one.n]


def change_document(one: RateChange) -> Document:
    return {
        "metric": one.rate,
        "by": dict(one.group),
        "n": one.n,
        "old": one.old,
        "new": one.new,
        "difference": _interval(one.difference) if one.difference else None,
    }


def _interval(item: Interval) -> Document:
    return {"value": item.value, "low": item.low, "high": item.high}


def _bounds(item: Interval | None) -> Document | None:
    return {"low": item.low, "high": item.high} if item is not None else None


def _bounds_or_none(item: Interval | None) -> Document:
    return {"low": item.low if item else None, "high": item.high if item else None}


def _point(item: Interval | None) -> float | None:
    return item.value if item is not None else None


def _unknown(found: NotMeasurable) -> Document:
    return {"unknown": found.reason}
