"""The document of `guiderail measure performance` in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guiderail.render.lines import Line, columns, paragraph
from guiderail.render.words import number

Document = Mapping[str, Any]


def performance_lines(document: Document) -> list[Line]:
    if "unknown" in document:
        return paragraph(f"Not measurable: {document['unknown']}.")
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
    lines += paragraph(f"{document['n']} rows, {document['method']}", indent=2, style="dim")
    if document.get("slices"):
        lines += _slices(document["slices"])
    return lines


def _with_interval(item: Document, unit: str = "") -> str:
    return (
        f"{number(item['value'])}{unit} (95 % interval {number(item['low'])} to "
        f"{number(item['high'])})"
    )


def _slices(found: Document) -> list[Line]:
    if "unknown" in found:
        return paragraph(f"Slices are not measurable: {found['unknown']}.")
    small = len(found["too_small"])
    left_out = f" {small} more have too few rows to be compared." if small else ""
    if not found["tested"]:
        return paragraph(f"No slice has enough rows to be compared.{left_out}")
    lines = paragraph(
        f"{found['worse']} of {found['tested']} slices are worse than the rest, beyond chance "
        f"over all of them.{left_out}"
    )
    rows = [("slice", "rows", "here", "elsewhere", "difference", "")]
    for one in found["worst"]:
        said = [*(["worse"] if one["worse"] else []), *(["got worse"] if one["grew_worse"] else [])]
        rows.append(
            (
                ", ".join(f"{name} {value}" for name, value in one["by"].items()),
                str(one["n"]),
                number(one["value"]),
                number(one["rest"]),
                f"{number(one['difference']['low'])} to {number(one['difference']['high'])}",
                ", ".join(said),
            )
        )
    return lines + columns(rows)
