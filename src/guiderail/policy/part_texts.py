"""The texts of one file of a pack: keys in ASCII, nothing hidden, one spelling for each letter."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import replace

from guiderail.core.errors import Place
from guiderail.manifest.strict_yaml import Document
from guiderail.policy.lookalikes import first_foreign, first_hidden, instead, what_stands
from guiderail.policy.problem import Problem


def text_problems(document: Document) -> list[Problem]:
    """What is wrong with the characters of a file, its comments and escapes included."""
    written = list(_in_lines(document))
    # An escape such as "\u200b" is plain ASCII in the file and hidden in the value.
    return written or [*_in_keys(document), *_in_values(document)]


def _in_lines(document: Document) -> Iterator[Problem]:
    for row, line in enumerate(document.lines, start=1):
        if line.isascii():
            continue  # the loader has refused control characters
        at = first_hidden(line)
        if at is not None:
            yield _problem(Place(document.file, row, at + 1), line[at])
        elif not unicodedata.is_normalized("NFC", line):
            yield Problem(Place(document.file, row, _denormal(line) + 1),
                          "A letter is written as two characters that look like one.",
                          "Write it as one character; editors call that NFC.")  # fmt: skip


def _denormal(line: str) -> int:
    """Where a line and its normal form part."""
    normal = unicodedata.normalize("NFC", line)
    pairs = zip(line, normal, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), len(normal))


def _in_keys(document: Document) -> Iterator[Problem]:
    for path in document.spots:
        key = path[-1] if path else 0
        at = first_foreign(key) if isinstance(key, str) else None
        if isinstance(key, str) and at is not None:
            place = document.place(path)
            if place.line is not None and place.column is not None:
                line = document.lines[place.line - 1]
                column = line.find(key[at], place.column - 1) + 1  # 0 where it is an escape
                place = replace(place, column=column or place.column)
            yield _problem(place, key[at])


def _in_values(document: Document) -> Iterator[Problem]:
    for path, spot in document.spots.items():
        text = spot.text
        if text is None or spot.style != '"':  # only double quotes have escapes
            continue
        at = first_hidden(text)
        if at is not None:
            yield _problem(document.value_place(path), text[at])


def _problem(place: Place, sign: str) -> Problem:
    return Problem(place, what_stands(sign), instead(sign))
