"""A table that stays where it is: what the kernels ask of it, each question one aggregation there.

Only counts come back, never the rows, except where a question says so. Whoever answers (see
`warehouse_table`) counts exactly as the questions of `distinct_rows`, `column_counts` and
`fine_cells` are counted in DuckDB.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from guiderail.measure.table import ColumnType


@dataclass(frozen=True, slots=True)
class NumberSummary:
    """Rows with a value, and with a finite one; the smallest and largest finite value, or None."""

    filled: int
    finite: int
    low: float | None
    high: float | None


class RemoteTable(Protocol):
    """rows: how many. Every method raises InputError for an unknown column or a failed query."""

    @property
    def rows(self) -> int: ...

    @property
    def names(self) -> tuple[str, ...]: ...

    def type_of(self, name: str) -> ColumnType: ...

    def close(self) -> None: ...

    def distinct(self, names: Sequence[str]) -> dict[str, int]:
        """About how many different values each column has."""

    def combinations(
        self,
        names: Sequence[str],
        edges: Mapping[str, Sequence[float]],
        score: str | None = None,
        score_bins: int = 1,
    ) -> list[tuple[Any, ...]]:
        """Every combination of values that occurs, then its rows.

        edges: for columns in ranges, ascending; their value is the number of the edge below (-1
        below all), None where null, NaN or infinite. score: a column from 0 to 1; its bin, from 0,
        comes before the rows and the sum of the scores after them.
        """

    def values(self, name: str, most: int) -> list[tuple[Any, int]] | None:
        """Every value and its rows, null too; None where there are more than `most`."""

    def at_ranks(self, name: str, ranks: Sequence[int]) -> list[float]:
        """The different numbers at these places (from 1) of the ascending finite ones."""

    def outside(self, name: str, low: float, high: float) -> tuple[int, int]:
        """Rows that are null or NaN, and rows below low or above high."""

    def summary(self, name: str) -> NumberSummary: ...

    def filled(self, name: str) -> int:
        """Rows with a value."""

    def bins(self, name: str, edges: Sequence[float]) -> tuple[int, ...]:
        """Finite values up to each edge and above the last."""

    def cell_bits(self, name: str, origin: float) -> NDArray[np.int64]:
        """Finite values by the upper 16 bits of the 32-bit number nearest to value - origin.

        Values beyond the 32-bit range are counted as the largest one.
        """

    def differing(self, first: str, second: str, third: str) -> list[tuple[Any, Any, Any]] | None:
        """The rows, as three cells, in which the first two columns differ.

        None where the two columns have types that the place of the table cannot compare.
        """
