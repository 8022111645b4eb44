"""The document of `guiderail measure drift` in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guiderail.render.lines import Line, columns, paragraph

Document = Mapping[str, Any]
_FEW = 5


def drift_lines(document: Document) -> list[Line]:
    if "unknown" in document:
        return paragraph(f"Not measurable: {document['unknown']}.")
    rows = [("column", "type", "PSI", "KS", "JS", "verdict", "")]
    for row in document["columns"]:
        ks = row["ks"]["value"] if row["ks"] else None
        rows.append(
            (
                row["name"],
                row["type"],
                _figure(row["psi"]),
                _figure(ks),
                _figure(row["js"]),
                row["verdict"],
                row["reason"] or _categories(row),
            )
        )
    lines = columns(rows)
    for change in document["schema"]:
        lines += paragraph(_schema(change))
    lines += paragraph(
        f"A column has moved where its PSI is at least {document['limit_psi']:g}, whatever chance "
        "did; insufficient means that the rows leave it open."
    )
    return lines + paragraph(f"profile {document['profile_digest']}", style="dim")


def _schema(change: Document) -> str:
    match change["change"]:
        case "added":
            return f"The column {change['column']} ({change['after']}) is new."
        case "removed":
            return f"The column {change['column']} ({change['before']}) is gone."
        case "type":
            return f"The column {change['column']} was {change['before']} and is {change['after']}."
        case _:
            return (
                f"The column {change['column']} had a value in every row and now lacks one in "
                f"{change['after']} rows."
            )


def _categories(row: Document) -> str:
    parts = []
    for key, word in (("new_categories", "new"), ("vanished_categories", "gone")):
        if row[key]:
            more = f" and {len(row[key]) - _FEW} more" if len(row[key]) > _FEW else ""
            parts.append(f"{word}: {', '.join(row[key][:_FEW])}{more}")
    if row["note"]:
        parts.append(row["note"])
    return "; ".join(parts)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
