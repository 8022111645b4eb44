"""Pieces of Markdown: plain text made safe, tables, links between pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from posixpath import dirname, relpath
from typing import Final

_SIGNS: Final = re.compile(r"([\\`*_\[\]<>{}|#~^])")
_PERCENT: Final = re.compile(r"(\d) %")
_OPERATORS: Final = (" && ", " || ")
_WIDEST: Final = 80


def text(plain: str) -> str:
    """Text that reads as it is written, whatever signs it has, on one line. 5 % stays together."""
    safe = _SIGNS.sub(r"\\\1", " ".join(plain.split()))
    return _PERCENT.sub("\\1\u00a0%", safe.replace("\\<", "&lt;").replace("\\>", "&gt;"))


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
    yield from ("", "```text", *_broken(expression, 0), "```", "")


def _broken(expression: str, level: int) -> Iterator[str]:
    """One condition on each line; a line that is still too wide is broken inside its brackets."""
    indent = " " * 4 * level
    if len(indent) + len(expression) <= _WIDEST:
        yield indent + expression
        return
    inside = min(level, 1)
    lines, start, depth, deepest = [], 0, 0, 0
    for at, sign in enumerate(expression):
        depth += (sign in "([") - (sign in ")]")
        deepest = max(deepest, depth)
        if depth == inside and expression[at : at + 4] in _OPERATORS:
            lines.append(expression[start:at])
            start = at + 1
    lines.append(expression[start:])
    for line in lines:
        if len(indent) + len(line) <= _WIDEST or deepest <= inside:
            yield indent + line
        else:
            yield from _deeper(line, level)


def _deeper(line: str, level: int) -> Iterator[str]:
    """What stands inside brackets goes one step to the right, its first line excepted."""
    first, *rest = _broken(line, level + 1)
    yield first[4:]
    yield from rest
