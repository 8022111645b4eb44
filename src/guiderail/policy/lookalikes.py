"""Characters that hide or that look like others, named so that a person can find them.

What decides (ids, roles, names of facts, members of enums, expressions) is written in ASCII: a
Cyrillic `а` in the name of a fact or a role looks like the Latin one and is another text. Prose may
hold the letters of any script, but nothing that is invisible or turns the reading direction.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

_TWINS: Final = str.maketrans(
    # Cyrillic, then Greek, then signs that editors and word processors put in by themselves.
    "асԁеһіјӏоԛрѕԝхуАВСЕНІЈКМОРЅТХУԌαικνορτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧı‘’‚′“”„″«»‐‑‒–—−×＿∕⁄∶",
    'acdehijloqpswxyABCEHIJKMOPSTXYGaikvoptuxABEZHIKMNOPTYXi\'\'\'\'""""""------*_//:',
)
_WORDS: Final = {"≤": "<=", "≥": ">=", "≠": "!=", "∧": "&&", "∨": "||", "¬": "!", "…": "..."}

_INVISIBLE_LETTERS: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
)
"""Letters and marks that show nothing: joiners of graphemes, fillers, the empty braille cell."""

_INVISIBLE_CATEGORIES: Final = ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")

_CONTROL: Final = re.compile(r"[^\n\x20-\x7e]")


def is_hidden(sign: str) -> bool:
    """Does a character show nothing, or change how its neighbours are read? Line feeds do not."""
    if "\ufe00" <= sign <= "\ufe0f" or "\U000e0100" <= sign <= "\U000e01ef":
        return True  # selectors of variants
    if sign in _INVISIBLE_LETTERS:
        return True
    return sign != "\n" and unicodedata.category(sign) in _INVISIBLE_CATEGORIES


def first_hidden(text: str) -> int | None:
    """Where the first hidden character of a text stands; None where there is none."""
    for found in _CONTROL.finditer(text):
        if is_hidden(found.group()):
            return found.start()
    return None


def first_foreign(text: str) -> int | None:
    """Where the first character outside printable ASCII stands; None where there is none."""
    found = _CONTROL.search(text)
    return found.start() if found else None


def what_stands(sign: str) -> str:
    """A sentence that shows a character with its name, or with its number where it hides."""
    name = unicodedata.name(sign, "")
    if is_hidden(sign) or unicodedata.combining(sign):
        return f"There is a character that cannot be seen, U+{ord(sign):04X} {name}".strip() + "."
    return f"`{sign}` is {name or f'U+{ord(sign):04X}'}."


def twin(sign: str) -> str:
    """The ASCII text that a character is easily taken for; empty where there is none."""
    if sign in _WORDS:
        return _WORDS[sign]
    parts = unicodedata.normalize("NFKD", sign.translate(_TWINS))
    plain = "".join(part for part in parts if not unicodedata.combining(part)).translate(_TWINS)
    return plain if plain.isascii() else ""


def instead(sign: str) -> str:
    """What to write in place of a character that is not accepted where it stands."""
    if is_hidden(sign) or unicodedata.combining(sign):
        return "Remove it."
    plain = twin(sign)
    if plain == " ":
        return "Write a plain space."
    if plain:
        return f"Write `{plain}`."
    return "Write ASCII letters, digits and signs only."


def look_alike(texts: Sequence[str]) -> tuple[int, int] | None:
    """The first two texts of a list that a reader takes for one another, by their positions.

    Equal ones count; so do ones that differ only in case, in spaces, hyphens and underscores, or in
    `0` and `O`, `1`, `l` and `I`, `rn` and `m`, `vv` and `w`.
    """
    seen: dict[str, int] = {}
    for index, text in enumerate(texts):
        shape = _shape(text)
        if shape in seen:
            return seen[shape], index
        seen[shape] = index
    return None


_SHAPES: Final = str.maketrans("01I|", "olll", " -_")


def _shape(text: str) -> str:
    return text.translate(_SHAPES).lower().replace("rn", "m").replace("vv", "w")
