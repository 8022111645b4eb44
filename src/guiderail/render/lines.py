"""Lines of styled text, 80 columns wide, readable without colour."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

WIDTH = 80

Style = Literal["plain", "bold", "dim", "green", "yellow", "red"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of output; the style is a hint that a terminal without colour drops."""

    text: str
    style: Style = "plain"


BLANK = Line("")


def paragraph(text: str, *, indent: int = 0, hang: int = 0, style: Style = "plain") -> list[Line]:
    """Text wrapped to the width; `hang` is the extra indent of the second line and later ones."""
    wrapped = textwrap.wrap(
        text,
        width=WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hang),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [Line(row, style) for row in wrapped] or [BLANK]


def heading(text: str) -> list[Line]:
    return [BLANK, Line(text, "bold")]


def columns(rows: Iterable[tuple[str, ...]], *, indent: int = 2) -> list[Line]:
    """Rows as aligned columns; the last column is wrapped below itself."""
    table = list(rows)
    if not table:
        return []
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]) - 1)]
    lines: list[Line] = []
    for row in table:
        lead = "".join(cell.ljust(width + 2) for cell, width in zip(row, widths, strict=False))
        lines += paragraph(lead + row[-1], indent=indent, hang=len(lead))
    return lines


def plain_text(lines: Iterable[Line]) -> str:
    return "\n".join(line.text for line in lines) + "\n"
