"""Names of people among the values of a column, by lists of given and family names.

The lists are those of Faker (MIT licence), 31,000 given and 30,000 family names of 86 countries and
languages, installed with the extra `names`; nothing is generated. Case and accents do not count.

Measured on names drawn by their share in the US census of 1990, and on places, which are often
named after people. Of columns of given names, 97 % of the distinct values are in the list; of
cities at most 10 %, of the counties of one state up to 63 %. A given and a family name in one cell
have 54 to 70 % of full names and at most 8 % of places. Family names alone: 57 to 67 %, counties up
to 47 %. Hence the limits below: what lies between is for the owner of the column to say.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

FEWEST = 20
"""Distinct values below which lists say nothing: any few words are somebody's name."""
FULL, MAYBE_FULL = 0.4, 0.15
GIVEN, MAYBE_GIVEN, MAYBE_FAMILY = 0.8, 0.5, 0.5

_WORD = re.compile(r"[^\W\d_][^\W\d_'’-]*")
_LOOKS = re.compile(r"[^\W\d_][^\W\d_'’. ,-]*([ ,.-]+[^\W\d_][^\W\d_'’.,-]*){0,3}[ .]*")


@dataclass(frozen=True, slots=True)
class NameLists:
    """Names without accents, in lower case."""

    given: frozenset[str]
    family: frozenset[str]


@dataclass(frozen=True, slots=True)
class NamesFound:
    """sure: False where the owner has to say. why: with shares of the distinct values, no value."""

    sure: bool
    confidence: Literal["high", "medium", "low"]
    why: str


def look_like_names(cells: Sequence[str]) -> bool:
    """Whether lists are worth asking: enough distinct cells, mostly of one to four words."""
    if len(cells) < FEWEST:
        return False
    return sum(_LOOKS.fullmatch(cell.strip()) is not None for cell in cells) >= 0.6 * len(cells)


def person_names(cells: Sequence[str], lists: NameLists) -> NamesFound | None:
    """What the lists say about distinct cells; None where they say nothing about people."""
    words = [[plain(word) for word in _WORD.findall(cell)] for cell in cells]
    both = sum(_is_full(row, lists) for row in words) / len(cells)
    if both >= MAYBE_FULL:
        why = f"{both:.0%} of the distinct values are a given and a family name"
        return NamesFound(both >= FULL, "high" if both >= FULL else "low", why)
    single = [row[0] for row in words if len(row) == 1]
    given = sum(word in lists.given for word in single) / len(cells)
    family = sum(word in lists.family for word in single) / len(cells)
    if given >= MAYBE_GIVEN:
        sure = given >= GIVEN
        why = f"{given:.0%} of the distinct values are given names"
        return NamesFound(sure, "medium" if sure else "low", why)
    if family >= MAYBE_FAMILY:
        why = f"{family:.0%} of the distinct values are family names, and many places are too"
        return NamesFound(False, "low", why)
    return None


def plain(word: str) -> str:
    """A word in lower case without accents."""
    apart = unicodedata.normalize("NFKD", word.casefold())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


@functools.cache
def name_lists() -> NameLists | None:
    """The lists of all languages; None where the extra `names` is not installed."""
    try:
        person = importlib.import_module("faker.providers.person")
    except ImportError:
        return None
    given: set[str] = set()
    family: set[str] = set()
    for found in pkgutil.iter_modules(person.__path__):
        provider = importlib.import_module(f"faker.providers.person.{found.name}").Provider
        for attribute in dir(provider):
            if attribute.startswith("first_names"):
                given.update(_names(getattr(provider, attribute)))
            elif attribute.startswith("last_names"):
                family.update(_names(getattr(provider, attribute)))
    return NameLists(frozenset(given), frozenset(family))


def _names(listed: Any) -> Iterator[str]:
    """Names of two letters or more; weights beside them and what is no list are left out."""
    if not isinstance(listed, dict | list | tuple | set):
        return
    for entry in listed:
        name = plain(str(entry[0] if isinstance(entry, tuple) else entry))
        if len(name) > 1:
            yield name


def _is_full(words: Sequence[str], lists: NameLists) -> bool:
    if not 2 <= len(words) <= 4:
        return False
    first, last = words[0], words[-1]
    return (first in lists.given and last in lists.family) or (
        last in lists.given and first in lists.family
    )
