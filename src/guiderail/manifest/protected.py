"""A protected attribute as it is written: a column, or a column with the limits of its ranges.

`age:25,40,60` reads the column `age` in four ranges: under 25, 25 to under 40, 40 to under 60, and
60 and over.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

_NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_RANGES = re.compile(rf"(?P<column>.+?) *: *(?P<edges>{_NUMBER}(?: *, *{_NUMBER})*)")


@dataclass(frozen=True, slots=True)
class ProtectedAttribute:
    """edges: lower limits of all ranges but the first, ascending; None where none are named."""

    column: str
    edges: tuple[float, ...] | None = None


def protected_attribute(text: str) -> ProtectedAttribute:
    """Read one entry. Raises ValueError where the limits do not ascend."""
    found = _RANGES.fullmatch(text)
    if found is None:
        return ProtectedAttribute(text)
    edges = tuple(float(number) for number in found["edges"].split(","))
    if list(edges) != sorted(set(edges)) or not all(math.isfinite(edge) for edge in edges):
        raise ValueError(f"the limits {found['edges']} do not ascend")
    return ProtectedAttribute(found["column"], edges)


def protected_columns(entries: Iterable[str]) -> tuple[str, ...]:
    """The columns that entries are about, each once. Raises ValueError as above."""
    return tuple(dict.fromkeys(protected_attribute(entry).column for entry in entries))
