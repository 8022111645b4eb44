"""What was fetched from MLflow, for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guiderail.core.digest import short
from guiderail.render.lines import Line, paragraph


def fetch_lines(document: Mapping[str, Any]) -> list[Line]:
    """The document of `guiderail fetch`."""
    lines: list[Line] = []
    for row in document["fetched"]:
        how = "fetched" if row["how"] == "fetched" else "already there"
        same = "" if row["pinned"] == row["name"] else f" is {row['pinned']}"
        lines += paragraph(f"{row['name']}{same}: {short(row['digest'])}, {how}", hang=2)
        lines += paragraph(_where(row), indent=2, hang=2, style="dim")
    for row in document["moved"]:
        lines += paragraph(
            f"{row['name']} was {row['from']} before: this is another release now.", style="yellow"
        )
    if not lines:
        lines += paragraph("guiderail.yaml names nothing of MLflow.")
    return lines


def _where(row: Mapping[str, Any]) -> str:
    parts = [f"from {row['from']}"]
    parts += [f"logged as {row['model']}"] if row["model"] else []
    parts += [f"by the run {row['run']}"] if row["run"] else []
    return ", ".join(parts)
