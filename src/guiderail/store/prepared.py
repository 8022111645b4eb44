"""Statements that are compiled once and then run by the driver itself.

SQLAlchemy takes 50 to 100 microseconds around a statement, several times what SQLite takes for it.
That is nothing for a use case and much for the six statements of every append.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Dialect
from sqlalchemy.sql.expression import ClauseElement


class Prepared:
    """A statement whose parameters are plain numbers, text and bytes, and its rows too.

    An insert names all columns of its table.
    """

    __slots__ = ("_by_dialect", "statement")

    def __init__(self, statement: ClauseElement) -> None:
        self.statement = statement
        self._by_dialect: dict[str, _Compiled] = {}

    def for_driver(self, dialect: Dialect, params: Mapping[str, Any]) -> tuple[str, Any]:
        """The text and the parameters as the driver takes them. KeyError: one is missing."""
        known = self._by_dialect.get(dialect.name)
        if known is None:
            known = self._by_dialect[dialect.name] = _compile(self.statement, dialect)
        values = {**known.constants, **params} if known.constants else params
        return known.text, values if known.order is None else [values[name] for name in known.order]


class _Compiled(NamedTuple):
    """order: names of the parameters, where the driver takes them by place."""

    text: str
    order: Sequence[str] | None
    constants: Mapping[str, Any]


def _compile(statement: ClauseElement, dialect: Dialect) -> _Compiled:
    compiled: Any = statement.compile(dialect=dialect)
    constants = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
    return _Compiled(compiled.string, compiled.positiontup, constants)
