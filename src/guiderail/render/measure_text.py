"""Figures for a terminal: one renderer per `measure` verb, in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from guiderail.render.isolation_text import isolation_lines
from guiderail.render.lines import Line, columns, paragraph
from guiderail.render.words import number

Document = Mapping[str, Any]


def measure_lines(kind: str, document: Document) -> list[Line]:
    """The document of `guiderail measure KIND` in words."""
    if "unknown" in document:
        return paragraph(f"Not measurable: {document['unknown']}.")
    return _RENDER[kind](document)


def _with_interval(item: Document, unit: str = "") -> str:
    return (
        f"{number(item['value'])}{unit} (95 % interval {number(item['low'])} to "
        f"{number(item['high'])})"
    )


def _performance(document: Document) -> list[Line]:
    lines = paragraph(f"{document['metric']} {_with_interval(document)}", style="bold")
    delta = document["delta"]
    if delta:
        lines += paragraph(f"change {_with_interval(delta)}", indent=2)
        if delta["relative_pct"]:
            lines += paragraph(f"relative {_with_interval(delta['relative_pct'], ' %')}", indent=2)
        if delta["rows_needed"]:
            lines += paragraph(
                f"about {delta['rows_needed']} rows would settle which band it is in", indent=2
            )
    return lines + paragraph(f"{document['n']} rows, {document['method']}", indent=2, style="dim")


def _drift(document: Document) -> list[Line]:
    rows = [("column", "type", "PSI", "KS", "JS", "")]
    for row in document["columns"]:
        ks = row["ks"]["value"] if row["ks"] else None
        rows.append(
            (
                row["name"],
                row["type"],
                _figure(row["psi"]),
                _figure(ks),
                _figure(row["js"]),
                row["reason"] or _categories(row),
            )
        )
    return columns(rows) + paragraph(f"profile {document['profile_digest']}", style="dim")


def _categories(row: Document) -> str:
    parts = []
    if row["new_categories"]:
        parts.append(f"new: {', '.join(row['new_categories'])}")
    if row["vanished_categories"]:
        parts.append(f"gone: {', '.join(row['vanished_categories'])}")
    return "; ".join(parts)


def _fingerprint(document: Document) -> list[Line]:
    return [
        Line(document["fingerprint"], "bold"),
        Line(f"  {document['rows']} rows, {document['columns']} columns", "dim"),
    ]


def _columns(document: Document) -> list[Line]:
    found = [row for row in document["columns"] if row["class"] != "plain"]
    plain = len(document["columns"]) - len(found)
    lines = columns(
        (row["name"], row["class"], row["kind"] or "", f"{row['confidence']}: {row['why']}")
        for row in found
    )
    if document["sampled"]:
        lines += paragraph(
            "The file is large: blocks from all over it were looked at, not every row.", style="dim"
        )
    others = f"{plain} other columns" if found else f"{plain} columns"
    return lines + paragraph(f"{others} show no sign of personal or protected data.", style="dim")


def _model(document: Document) -> list[Line]:
    inputs = document["inputs"]
    named = f"{len(inputs)} inputs" if inputs is not None else "inputs not named in the file"
    lines = paragraph(
        f"{document['format']}, {document['safety'].replace('_', ' ')}, {named}",
        style="bold" if document["safe"] else "red",
    )
    for reason in document["reasons"]:
        lines += paragraph(f"- {reason}", indent=2, hang=2)
    for row in inputs or ():
        lines += paragraph(f"{row['name']}: {row['type']}", indent=2)
    for key in ("architecture", "tuning", "threshold"):
        if document[key] is not None:
            lines += paragraph(f"{key} {document[key]}", indent=2, style="dim")
    if "run" in document:
        run = document["run"]
        told = run.get("unknown") or f"scored {run['rows']} rows ({run['meaning']})"
        lines += paragraph(f"run: {told}", indent=2)
        lines += isolation_lines(run["isolation"])
    return lines


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


_RENDER: dict[str, Callable[[Document], list[Line]]] = {
    "performance": _performance,
    "drift": _drift,
    "fingerprint": _fingerprint,
    "columns": _columns,
    "model": _model,
}
