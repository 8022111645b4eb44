"""Pieces of Markdown: plain text made safe, tables, links between pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from posixpath import dirname, relpath
from typing import Final

_SIGNS: Final = re.compile(r"([\\`*_\[\]{}|#])")
_ENTITIES: Final = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
_CODE: Final = re.compile(r"(`[^`\n]+`)")
_PERCENT: Final = re.compile(r"(\d) %")
_OPERATORS: Final = (" && ", " || ")
_WIDEST: Final = 80


def text(plain: str) -> str:
    """Text that reads as it is written, whatever signs it has, on one line. 5 % stays together."""
    safe = " ".join(plain.split())
    for sign, entity in _ENTITIES:
        safe = safe.replace(sign, entity)
    return _PERCENT.sub("\\1\u00a0%", _SIGNS.sub(r"\\\1", safe))


def prose(plain: str) -> str:
    """Text in which `names between these signs` are code."""
    parts = _CODE.split(plain)
    return "".join(part if index % 2 else _inside(part) for index, part in enumerate(parts))


def _inside(part: str) -> str:
    """Text with the spaces at its ends, where it meets code."""
    before, after = part[:1].isspace(), part[-1:].isspace()
    return f"{' ' * before}{text(part)}{' ' * (after and bool(part.strip()))}"


def code(plain: str) -> str:
    return f"`{plain}`"


def link(words: str, target: str, page: str) -> str:
    """A link from one page to another; both are paths from the root of the site."""
    return f"[{words}]({relpath(target, dirname(page) or '.')})"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Cells are Markdown already."""
    yield ""
    yield "| " + " | ".join(heads) + " |"
    yield "|" + " --- |" * len(heads)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def badge(words: str, kind: str) -> str:
    """A word in the colour of its track or verdict; the word itself says all."""
    return f'<span class="badge badge-{kind}">{words}</span>'


def formula(expression: str) -> Iterator[str]:
    """An expression of the policy language in a block of its own, broken where it is too wide."""
    yield from ("", "```text", *_broken(expression, _depths(expression), 0, 0), "```", "")


def _depths(expression: str) -> list[int]:
    """In how many brackets each sign stands."""
    depths, depth = [], 0
    for sign in expression:
        depth += (sign in "([") - (sign in ")]")
        depths.append(depth)
    return depths


def _broken(expression: str, depths: Sequence[int], level: int, indent: int) -> Iterator[str]:
    """One condition on each line; a line that is still too wide is broken inside its brackets."""
    if indent + len(expression) <= _WIDEST or level > max(depths):
        yield " " * indent + expression
        return
    breaks = [
        at
        for at, depth in enumerate(depths)
        if depth == level and expression[at : at + 4] in _OPERATORS
    ]
    starts = [0, *(at + 1 for at in breaks)]
    for start, end in zip(starts, [*breaks, len(expression)], strict=True):
        at_margin = indent if start == 0 else 4 * level
        yield from _broken(expression[start:end], depths[start:end], level + 1, at_margin)
