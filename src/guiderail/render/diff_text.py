"""Differences between two packs for a terminal: what gets lighter first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from guiderail.core.digest import short
from guiderail.render.lines import BLANK, Line, Style, heading, paragraph

_GROUPS: Final[tuple[tuple[str, str, Style], ...]] = (
    ("lighter", "Lighter", "yellow"),
    ("heavier", "Heavier", "plain"),
    ("other", "Different", "plain"),
)
_LONGEST: Final = 220
"""A condition longer than this is named by what differs in it, in the sentence."""


def diff_lines(document: Mapping[str, Any]) -> list[Line]:
    """Every change with its sentence, what both packs say, and why an example is missing."""
    old, new = document["old"], document["new"]
    lines = [
        Line(f"Old  {_pack(old)}"),
        Line(f"New  {_pack(new)}"),
    ]
    changes = document["changes"]
    if not changes:
        same = "They are the same pack." if old["digest"] == new["digest"] else "Nothing differs."
        return [*lines, BLANK, Line(same, "green")]
    if not document["kinds"]:
        lines += paragraph("No kind of workload is decided by both packs; conditions could not be "
                           "compared.", style="yellow")  # fmt: skip
    for direction, title, style in _GROUPS:
        found = [change for change in changes if change["direction"] == direction]
        if found:
            lines += heading(f"{title} ({len(found)})")
            for change in found:
                lines += change_lines(change, style)
    quiet = [change for change in changes if change["direction"] == "none"]
    if quiet:
        lines += heading(f"No decision changes ({len(quiet)})")
        for change in quiet:
            lines += paragraph(change["sentence"], indent=2, hang=2, style="dim")
    return [*lines, BLANK, *paragraph(_summary(document["summary"]))]


def change_lines(change: Mapping[str, Any], style: Style = "plain") -> list[Line]:
    """One change: its sentence, then old and new, then the reason."""
    lines = paragraph(change["sentence"], indent=2, hang=2, style=style)
    for title, text in (("old", change["old"]), ("new", change["new"])):
        for row in text.splitlines() if len(text) <= _LONGEST else ():
            lines += paragraph(f"{title}: {row}", indent=6, hang=5, style="dim")
    if not change["decided"]:
        lines += paragraph(f"Not decided. {change['reason']}", indent=6, style="red")
    elif change["reason"]:
        lines += paragraph(change["reason"], indent=6, style="dim")
    return lines


def _pack(ref: Mapping[str, Any]) -> str:
    return f"{ref['pack']} {ref['version']} ({short(ref['digest'])})"


def _summary(summary: Mapping[str, int]) -> str:
    told = (
        f"{summary['lighter']} lighter, {summary['heavier']} heavier, {summary['other']} different "
        f"and {summary['wording']} in wording only."
    )
    if summary["not_decided"]:
        told += f" {summary['not_decided']} could not be decided: read them yourself."
    return told
