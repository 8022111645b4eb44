"""Figures for a terminal: one renderer per `measure` verb, in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from guiderail.render.drift_text import drift_lines
from guiderail.render.isolation_text import isolation_lines
from guiderail.render.lines import Line, columns, paragraph
from guiderail.render.performance_text import performance_lines

Document = Mapping[str, Any]


def measure_lines(kind: str, document: Document) -> list[Line]:
    """The document of `guiderail measure KIND` in words."""
    if "unknown" in document:
        return paragraph(f"Not measurable: {document['unknown']}.")
    return _RENDER[kind](document)


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


_RENDER: dict[str, Callable[[Document], list[Line]]] = {
    "performance": performance_lines,
    "drift": drift_lines,
    "fingerprint": _fingerprint,
    "columns": _columns,
    "model": _model,
}
