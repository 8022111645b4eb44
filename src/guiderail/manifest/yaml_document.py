"""A loaded YAML document: plain values, and where in the file each of them stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from guiderail.core.errors import Place

YamlPath = tuple[str | int, ...]
"""Keys and list positions from the root, for example ("training", 0, "data")."""

Mark = tuple[int, int]
"""Line and column, both counted from 1."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where one value stands.

    key: its key; in a list, the item itself. value: where the value begins.
    style: how a text is written: None for unquoted, a quote sign, `|` or `>`.
    text: the text of a scalar, None for a list or mapping.
    """

    key: Mark
    value: Mark
    style: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """`data` in plain Python (dict, list, str, int, float, bool, None) and the places of its parts.

    lines: the source, split at line feeds. spots: one for every value, the root under ().
    """

    file: str
    data: Any
    lines: tuple[str, ...]
    spots: Mapping[YamlPath, Spot]

    def place(self, path: YamlPath = ()) -> Place:
        """Where a key (or list item) stands; the nearest enclosing one when it is not written."""
        return Place(self.file, *self._nearest(path).key)

    def value_place(self, path: YamlPath = ()) -> Place:
        """Where a value begins; the nearest enclosing key when it is not written."""
        spot = self._nearest(path)
        return Place(self.file, *(spot.value if path in self.spots else spot.key))

    def places(self) -> dict[str, Place]:
        """Dotted path -> place of the key, for example "training.0.data"; "" is the root."""
        return {".".join(map(str, path)): self.place(path) for path in self.spots}

    def inside(self, path: YamlPath, offset: int) -> Place:
        """Where the character at `offset` of a text value stands, counted from 0.

        Exact for text on one line and for literal blocks (`|`); the beginning of the value where
        escapes or folded lines leave no exact answer.
        """
        spot = self.spots.get(path)
        exact = None
        if spot is not None and spot.text is not None:
            exact = self._in_block(spot, offset) if spot.style == "|" else self._in_line(spot)
        if exact is None:
            return self.value_place(path)
        line, column, from_offset = exact
        return Place(self.file, line, column + offset - from_offset)

    def find(self, path: YamlPath, words: str) -> Place:
        """Where words of a text value stand as they are written; else where the value begins."""
        start = self.value_place(path)
        spot = self.spots.get(path)
        if spot is None or spot.text is None or words not in spot.text or start.line is None:
            return start
        later = [one.key[0] for one in self.spots.values() if one.key[0] > spot.value[0]]
        for row in range(start.line, min(later, default=len(self.lines) + 1)):
            at = self.lines[row - 1].find(words, spot.value[1] - 1 if row == start.line else 0)
            if at >= 0:
                return Place(self.file, row, at + 1)
        return start

    def _nearest(self, path: YamlPath) -> Spot:
        while path not in self.spots:
            path = path[:-1]
        return self.spots[path]

    def _in_line(self, spot: Spot) -> tuple[int, int, int] | None:
        """Line and column of the first character, when the text stands there as it is."""
        line, column = spot.value
        column += 1 if spot.style else 0
        written = self.lines[line - 1][column - 1 :]
        text = spot.text or ""
        return (line, column, 0) if "\n" not in text and written.startswith(text) else None

    def _in_block(self, spot: Spot, offset: int) -> tuple[int, int, int] | None:
        """Line, column and offset of the beginning of the line of a block that holds `offset`."""
        text = spot.text or ""
        row = text.count("\n", 0, offset)
        start = text.rfind("\n", 0, offset) + 1
        line = spot.value[0] + 1 + row  # a block begins on the line after its sign
        if line > len(self.lines):
            return None
        written, wanted = self.lines[line - 1].rstrip("\r"), text.split("\n")[row]
        if not written.endswith(wanted):
            return None
        return line, len(written) - len(wanted) + 1, start
