"""The types that columns of a table have, whatever the file or engine, and how they are stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ColumnType = Literal["integer", "number", "boolean", "text", "empty"]

STORED_AS = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}
"""Types of DuckDB; every other column is VARCHAR."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column, named as in the file."""

    name: str
    type: ColumnType
