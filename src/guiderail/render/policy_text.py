"""Problems of policy packs for a terminal, and what a pack holds when there are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from guiderail.render.diff_text import change_lines
from guiderail.render.lines import BLANK, Line, heading, paragraph

_SECTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "tiers": ("tier rule", "tier rules"),
    "tracks": ("track rule", "track rules"),
    "gates": ("gate", "gates"),
    "advice": ("piece of advice", "pieces of advice"),
    "questions": ("question", "questions"),
    "controls": ("control", "controls"),
    "facts": ("fact of its own", "facts of its own"),
}


def check_lines(document: Mapping[str, Any]) -> list[Line]:
    """The result of checking one pack or several."""
    lines: list[Line] = []
    for index, pack in enumerate(document.get("packs", [document])):
        lines += [BLANK] if index else []
        lines += problem_lines(pack) if pack["problems"] else _summary(pack)
    return lines


def problem_lines(document: Mapping[str, Any]) -> list[Line]:
    """For each problem its place and message, the line with a caret below it, and what to do."""
    lines: list[Line] = []
    for row in document["problems"]:
        where = ":".join(str(row[key]) for key in ("file", "line", "column") if row[key])
        lines += paragraph(f"{where}: {row['message']}", hang=2, style="red")
        if row.get("source"):
            margin = f"{row['line']:>6} | "
            lines.append(Line(f"{margin}{row['source']}"))
            if row.get("caret"):
                bar = " " * (len(margin) - 2) + "| "
                lines.append(Line(f"{bar}{row['caret']}", "red"))
        if row["hint"]:
            lines += paragraph(row["hint"], indent=4)
    count = len(document["problems"])
    lines.append(Line(f"{document['pack']}: {_counted(count, 'problem', 'problems')}.", "bold"))
    return lines


def _summary(pack: Mapping[str, Any]) -> list[Line]:
    holds = ", ".join(
        _counted(count, *_SECTIONS.get(name, (name, name)))
        for name, count in pack["sections"].items()
    )
    since = f"In force since {pack['effective_from']}."
    if not pack["in_force"]:
        since = f"Not in force yet: it holds from {pack['effective_from']} on."
    tried = [
        f"{_counted(pack[key], *words)}{rest}"
        for key, words, rest in (
            ("examples", ("example gives its verdict", "examples give their verdicts"), ""),
            ("mappings", ("clause was", "clauses were"), " looked up in time"),
        )
        if pack[key]
    ]
    return [
        Line(f"{pack['pack']} {pack['version']} is in order.", "green"),
        *paragraph(f"{holds}.", indent=2),
        *(paragraph(f"{'; '.join(tried)}.", indent=2) if tried else ()),
        *paragraph(since, indent=2),
        Line(f"  {pack['digest']}", "dim"),
        *_lighter(pack["lighter"]),
    ]


def _lighter(changes: Sequence[Mapping[str, Any]]) -> list[Line]:
    """What an organisation's pack makes lighter. No problem: its owner may decide so."""
    if not changes:
        return []
    lines = heading("Lighter than the pack that it extends; its owner may decide so")
    for change in changes:
        lines += change_lines(change, "yellow")
    return lines


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
