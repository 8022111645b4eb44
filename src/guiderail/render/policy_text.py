"""Problems of a policy pack for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guiderail.render.lines import Line, paragraph


def problem_lines(document: Mapping[str, Any]) -> list[Line]:
    """One paragraph per problem, as editors parse them."""
    if not document["problems"]:
        return [
            Line(f"{document['pack']} is in order: {document['parts']} rules and gates.", "green")
        ]
    lines: list[Line] = []
    for row in document["problems"]:
        where = ":".join(str(row[key]) for key in ("file", "line", "column") if row[key])
        lines += paragraph(f"{where}: {row['message']}", hang=2, style="red")
        if row["hint"]:
            lines += paragraph(row["hint"], indent=4)
    return lines
