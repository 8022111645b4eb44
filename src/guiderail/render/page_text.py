"""Pages of rules, gates, facts and questions for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from guiderail.render.lines import Line, columns, heading, paragraph

_SECTIONS = (
    ("what", "What it checks"),
    ("why", "Why it matters"),
    ("good", "What good looks like"),
    ("fix", "How to fix it"),
    ("evidence", "Evidence"),
)


def page_lines(document: Mapping[str, Any]) -> list[Line]:
    """The page, in the order in which a reader needs it."""
    lines = [Line(f"{document['title']} ({document['id']})", "bold")]
    for key, title in _SECTIONS:
        if document.get(key):
            lines += heading(title)
            for part in str(document[key]).split("\n\n"):
                lines += paragraph(part, indent=2)
    if document.get("tools"):
        lines += heading("Tools")
        lines += [
            line for tool in document["tools"] for line in paragraph(f"- {tool}", indent=2, hang=2)
        ]
    details = [
        (key, str(document[key])) for key in ("owner", "since", "waiver") if document.get(key)
    ]
    if details:
        lines += heading("Details")
        lines += columns(details)
    if document.get("refs"):
        lines += heading("References")
        for ref in document["refs"]:
            lines += paragraph(f"- {ref}", indent=2, hang=2)
    return lines


def fact_lines(rows: Sequence[Mapping[str, Any]]) -> list[Line]:
    """One fact per row."""
    table = [("name", "type", "riskier", "what it says")]
    for row in rows:
        kind = row["type"] + (f" ({row['unit']})" if row["unit"] else "")
        table.append((row["name"], kind, row["risk_direction"], row["says"]))
    return columns(table, indent=0)
