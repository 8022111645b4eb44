"""Statements that are compiled once and then run by the driver itself.

SQLAlchemy takes 50 to 100 microseconds around a statement, several times what SQLite takes for it.
That is nothing for a use case and much for the six statements of every append.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.sql.expression import ClauseElement


class Prepared:
    """A statement whose parameters are plain numbers, text and bytes, and its rows too.

    An insert names all columns of its table.
    """

    __slots__ = ("_by_dialect", "_statement")

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._by_dialect: dict[str, tuple[str, tuple[str, ...] | None]] = {}

    def for_driver(self, dialect: Dialect, params: Mapping[str, Any]) -> tuple[str, Any]:
        """The text and the parameters as the driver takes them. KeyError: one is missing."""
        known = self._by_dialect.get(dialect.name)
        if known is None:
            compiled: Any = self._statement.compile(dialect=dialect)
            names = tuple(compiled.positiontup) if compiled.positiontup is not None else None
            known = self._by_dialect[dialect.name] = (compiled.string, names)
        sql, names = known
        return sql, params if names is None else [params[name] for name in names]
