"""Sentence templates of a pack: which placeholders they may use, parsed once.

{change.performance}        the value in words, with unit and interval
{change.performance:+}      with its sign; `abs` without it, `plain` without the interval
{change.new_features#names} an entry of the fact's details; `code` puts names into backticks
{metric}                    the primary metric's name
{unknown}                   which facts are unknown, and why
[[ ... ]]                   left out when a detail inside it does not exist
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from guiderail.policy.vocabulary import Vocabulary
from guiderail.policy.words import capitalised

SPECIAL: Final = ("metric", "unknown", "weak")
FORMATS: Final = ("", "+", "abs", "plain", "code")

_TOKEN: Final = re.compile(r"\[\[|\]\]|\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """name: a fact or one of `SPECIAL`. detail: an entry of the fact's details, or empty."""

    name: str
    detail: str
    format: str

    @property
    def words(self) -> tuple[str, ...]:
        """The words of `|one|many`; empty for every other format."""
        return tuple(self.format[1:].split("|")) if self.format.startswith("|") else ()


Piece = str | Placeholder | tuple["Piece", ...]
"""Plain text, something to fill in, or an optional section."""


def placeholders(text: str) -> list[str]:
    """What stands between the braces of a template."""
    return [found[1:-1] for found in _TOKEN.findall(text) if found.startswith("{")]


def unusable(written: str, vocabulary: Vocabulary) -> str:
    """What to do about a placeholder that cannot be filled in; empty when it can."""
    place = _placeholder(written)
    if place.format not in FORMATS and len(place.words) != 2:
        return f"Formats: {', '.join(name for name in FORMATS if name)}, or |one|many."
    if place.name in SPECIAL:
        return ""
    known = vocabulary.fact_type(place.name) is not None
    return "" if known else vocabulary.nearest(place.name)


@lru_cache(maxsize=1024)
def pieces(text: str) -> tuple[Piece, ...]:
    """A template as its pieces. Sections do not nest; an unclosed one ends with the text.

    A template that is nothing but text comes as the sentence that it makes.
    """
    if not _TOKEN.search(text):
        return (capitalised(text.strip()),)
    outer: list[Piece] = []
    inner: list[Piece] | None = None
    end = 0
    for found in _TOKEN.finditer(text):
        target = outer if inner is None else inner
        if found.start() > end:
            target.append(text[end : found.start()])
        end = found.end()
        sign = found.group()
        if sign == "[[":
            inner = []
        elif sign == "]]":
            outer.append(tuple(inner or ()))
            inner = None
        else:
            target.append(_placeholder(sign[1:-1]))
    if end < len(text):
        outer.append(text[end:])
    return tuple(outer)


def _placeholder(written: str) -> Placeholder:
    rest, _, form = written.partition(":")
    name, _, detail = rest.partition("#")
    return Placeholder(name.strip(), detail.strip(), form.strip())
