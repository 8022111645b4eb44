"""Problems of a policy pack for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guiderail.render.diff_text import change_lines
from guiderail.render.lines import Line, heading, paragraph


def problem_lines(document: Mapping[str, Any]) -> list[Line]:
    """One paragraph per problem, as editors parse them; then what the pack makes lighter."""
    lines: list[Line] = []
    if not document["problems"]:
        told = f"{document['pack']} is in order: {document['parts']} rules and gates."
        lines.append(Line(told, "green"))
    for row in document["problems"]:
        where = ":".join(str(row[key]) for key in ("file", "line", "column") if row[key])
        lines += paragraph(f"{where}: {row['message']}", hang=2, style="red")
        if row["hint"]:
            lines += paragraph(row["hint"], indent=4)
    if document["lighter"]:
        lines += heading("Lighter than the pack that it extends; its owner may decide so")
        for change in document["lighter"]:
            lines += change_lines(change, "yellow")
    return lines
