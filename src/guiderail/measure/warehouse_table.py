"""A `RemoteTable` in PostgreSQL or Spark, asked through Ibis.

Column types follow the stored ones, as in Parquet (see `table`). Numbers are compared as 64-bit
floating point and limits are sent as decimal texts that every engine reads to the same number, so
that counts are equal everywhere. Sums of scores may differ in their last digits: engines add in
another order.
"""

from __future__ import annotations

import contextlib
import difflib
import functools
import itertools
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import ibis
import numpy as np
from numpy.typing import NDArray

from guiderail.core.errors import InputError, Place
from guiderail.measure.remote import NumberSummary
from guiderail.measure.table import Column, ColumnType

CELLS = 2**16
_LARGEST = float(np.finfo(np.float32).max)
_NEAREST_IS_ZERO = 2.0**-150
_STORED_AS = {"integer": "int64", "number": "float64", "boolean": "boolean", "text": "string"}


class WarehouseTable:
    """place: what errors name; it must not hold a secret. Close it or use `with`."""

    def __init__(self, backend: Any, table: Any, place: str) -> None:
        self.place = place
        self._backend = backend
        self._table = table
        self.columns = tuple(Column(name, _type(kind)) for name, kind in table.schema().items())
        self._types = {column.name: column.type for column in self.columns}

    def __enter__(self) -> WarehouseTable:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """A Spark session belongs to whoever started it and stays open."""
        if self._backend.name == "postgres":
            self._backend.disconnect()

    @functools.cached_property
    def rows(self) -> int:
        return int(self._one(n=self._table.count())["n"])

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def type_of(self, name: str) -> ColumnType:
        if name in self._types:
            return self._types[name]
        near = difflib.get_close_matches(name, self.names, n=1)
        guess = f'Did you mean "{near[0]}"? ' if near else ""
        raise InputError(
            f'The table has no column "{name}".',
            advice=f"{guess}Name one of its {len(self.columns)} columns.",
            code="data/unknown-column",
            place=Place(self.place),
        )

    def distinct(self, names: Sequence[str]) -> dict[str, int]:
        unique = list(dict.fromkeys(names))
        if not unique:
            return {}
        asked = {f"d{i}": self._cell(name).approx_nunique() for i, name in enumerate(unique)}
        found = self._one(**asked)
        return {name: int(found[f"d{i}"]) for i, name in enumerate(unique)}

    def combinations(
        self,
        names: Sequence[str],
        edges: Mapping[str, Sequence[float]],
        score: str | None = None,
        score_bins: int = 1,
    ) -> list[tuple[Any, ...]]:
        keys = {
            f"k{i}": _range(self._number(name), edges[name]) if name in edges else self._cell(name)
            for i, name in enumerate(names)
        }
        if score is None:
            asked = self._table.select(**keys)
            grouped = asked.group_by(list(keys)).aggregate(n=asked.count())
            return self._rows(grouped)
        number = self._number(score)
        last = ibis.literal(score_bins - 1, "int64")
        keys["bin"] = ibis.least((number * _exact(score_bins)).floor().cast("int64"), last)
        asked = self._table.select(**keys, score=number)
        grouped = asked.group_by(list(keys)).aggregate(n=asked.count(), added=asked.score.sum())
        return self._rows(grouped)

    def values(self, name: str, most: int) -> list[tuple[Any, int]] | None:
        numeric = self.type_of(name) in {"integer", "number"}
        asked = self._table.select(value=self._number(name) if numeric else self._cell(name))
        found = self._rows(asked.group_by("value").aggregate(n=asked.count()).limit(most + 1))
        return None if len(found) > most else [(value, int(count)) for value, count in found]

    def at_ranks(self, name: str, ranks: Sequence[int]) -> list[float]:
        asked = self._table.select(value=self._number(name))
        asked = asked.filter(_is_finite(asked.value))
        placed = asked.select(
            value=asked.value, place=ibis.row_number().over(order_by=asked.value) + 1
        )
        wanted = placed.filter(placed.place.isin([int(rank) for rank in ranks]))
        return sorted(float(value) for (value,) in self._rows(wanted.select("value").distinct()))

    def outside(self, name: str, low: float, high: float) -> tuple[int, int]:
        number = self._number(name)
        beyond = (number < _exact(low)) | (number > _exact(high))
        # NaN lies above every number in PostgreSQL and Spark; it is missing, not beyond.
        found = self._one(
            missing=self._table.count(where=number.isnull() | number.isnan()),
            beyond=self._table.count(where=beyond & ~number.isnan()),
        )
        return int(found["missing"]), int(found["beyond"])

    def summary(self, name: str) -> NumberSummary:
        number = self._number(name)
        finite = _is_finite(number)
        found = self._one(
            filled=number.count(),
            finite=number.count(where=finite),
            low=number.min(where=finite),
            high=number.max(where=finite),
        )
        low, high = (None if found[end] is None else float(found[end]) for end in ("low", "high"))
        return NumberSummary(int(found["filled"]), int(found["finite"]), low, high)

    def filled(self, name: str) -> int:
        return int(self._one(n=self._cell(name).count())["n"])

    def bins(self, name: str, edges: Sequence[float]) -> tuple[int, ...]:
        counts = [0] * (len(edges) + 1)
        asked = self._finite(name)
        branches = [(asked.value <= _exact(edge), _whole(i)) for i, edge in enumerate(edges)]
        last = _whole(len(edges))
        binned = asked.select(bin=ibis.cases(*branches, else_=last) if branches else last)
        for place, count in self._rows(binned.group_by("bin").aggregate(n=binned.count())):
            counts[int(place)] = int(count)
        return tuple(counts)

    def cell_bits(self, name: str, origin: float) -> NDArray[np.int64]:
        asked = self._finite(name)
        moved = asked.value if origin == 0 else asked.value + _exact(-origin)
        bits = np.zeros(CELLS, dtype=np.int64)
        counted = asked.select(bits=_upper_bits(moved))
        for place, count in self._rows(counted.group_by("bits").aggregate(n=counted.count())):
            bits[int(place)] += int(count)
        return bits

    def differing(self, first: str, second: str, third: str) -> list[tuple[Any, Any, Any]] | None:
        kinds = {self.type_of(first), self.type_of(second)}
        if len(kinds) > 1 and kinds != {"integer", "number"}:
            return None
        cell = self._number if kinds == {"integer", "number"} else self._cell
        flipped = self._table.filter(~cell(first).identical_to(cell(second)))
        cells = {
            f"c{i}": flipped[name].cast(_STORED_AS[self.type_of(name)])
            for i, name in enumerate((first, second, third))
        }
        rows = [(old, new, value) for old, new, value in self._rows(flipped.select(**cells))]
        return sorted(rows, key=repr)  # the engine gives them in any order

    def arrow_schema(self, names: Sequence[str]) -> Any:
        """The Arrow types of the columns as `batches` gives them."""
        return self._stored(names).schema().to_pyarrow()

    def batches(self, names: Sequence[str], size: int, every: int = 1) -> Iterator[Any]:
        """The rows of some columns as Arrow record batches of at most `size`, in any order.

        every: only each so manyth row (in Spark: about so many, always the same).
        """
        asked = self._stored(names)
        if every > 1 and self._backend.name == "pyspark":
            asked = asked.sample(1 / every, seed=7)
        elif every > 1:
            placed = asked.mutate(place=ibis.row_number() + 1)
            asked = placed.filter(placed.place % every == 0).drop("place")
        with self._refusals(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the drivers, about their own internals
            if self._backend.name == "pyspark":  # Ibis would collect all rows first
                yield from self._spark_batches(asked, size)
            else:
                yield from self._backend.to_pyarrow_batches(asked, chunk_size=size)

    def _spark_batches(self, asked: Any, size: int) -> Iterator[Any]:
        import pyarrow as pa

        schema = asked.schema().to_pyarrow()
        rows = self._backend.raw_sql(self._backend.compile(asked)).toLocalIterator()
        while part := [tuple(row) for row in itertools.islice(rows, size)]:
            columns = [
                pa.array(cells, type=field.type)
                for cells, field in zip(zip(*part, strict=True), schema, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    def _stored(self, names: Sequence[str]) -> Any:
        return self._table.select(**{name: self._cell(name) for name in names})

    def _cell(self, name: str) -> Any:
        return self._table[name].cast(_STORED_AS[self.type_of(name)])

    def _number(self, name: str) -> Any:
        return self._cell(name).cast("float64")

    def _finite(self, name: str) -> Any:
        asked = self._table.select(value=self._number(name))
        return asked.filter(_is_finite(asked.value))

    def _one(self, **asked: Any) -> dict[str, Any]:
        row = self._rows(self._table.aggregate(**asked))[0]
        return dict(zip(asked, row, strict=True))

    def _rows(self, expression: Any) -> list[tuple[Any, ...]]:
        with self._refusals(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the drivers, about their own internals
            found = self._backend.to_pyarrow(expression)
        return list(zip(*(column.to_pylist() for column in found.columns), strict=True))

    @contextlib.contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001 - each engine has its own hierarchy of errors
            raise not_answered(error, self.place) from None


def not_answered(error: Exception, place: str) -> InputError:
    """What an engine refuses: its first line, which names the cause and holds no data."""
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return InputError(
        f"The question could not be answered: {first or type(error).__name__}.",
        advice="Check that the table is there and that the account may read it.",
        code="data/warehouse",
        place=Place(place),
    )


def _type(kind: Any) -> ColumnType:
    if kind.is_boolean():
        return "boolean"
    if kind.is_integer() and not kind.is_uint64():
        return "integer"
    return "number" if kind.is_floating() or kind.is_decimal() else "text"


def _exact(value: float) -> Any:
    """A limit as a text: literals with a fraction are decimals of some precision in SQL."""
    return ibis.literal(repr(float(value))).cast("float64")


def _is_finite(number: Any) -> Any:
    """Neither null nor NaN, which engines take for greater than all numbers, nor infinite."""
    return number.abs() <= _exact(float(np.finfo(np.float64).max))


def _whole(value: int) -> Any:
    return ibis.literal(value, "int64")


def _range(number: Any, edges: Sequence[float]) -> Any:
    """The number of the edge below, -1 below all, null for null, NaN and infinities."""
    unknown = number.isnull() | ~_is_finite(number)
    branches = [(number < _exact(edge), _whole(i - 1)) for i, edge in enumerate(edges)]
    nothing = ibis.null("int64")
    return ibis.cases((unknown, nothing), *branches, else_=_whole(len(edges) - 1))


def _upper_bits(number: Any) -> Any:
    """The upper 16 bits of the nearest 32-bit number, by arithmetic that every engine has.

    A number is m * 2**e with m from 1 to 2; its upper bits are its sign, e + 127 and 7 bits of m.
    Below 2**-126, e stays -126 and m falls below 1.
    """
    small = number.abs() <= _exact(_NEAREST_IS_ZERO)
    clipped = ibis.least(ibis.greatest(number, _exact(-_LARGEST)), _exact(_LARGEST))
    near = ibis.ifelse(small, _exact(0.0), clipped).cast("float32").cast("float64")
    size = near.abs()
    # The logarithm may be off by one next to a power of two; multiplying by one is exact.
    safe = ibis.greatest(size, _exact(2.0**-126))
    about = (safe.ln() / _exact(math.log(2))).floor().cast("float64")
    power = _exact(2.0) ** about
    exponent = ibis.cases(
        (safe < power, about - _exact(1)),
        (safe >= power * _exact(2), about + _exact(1)),
        else_=about,
    )
    fraction = (size / (_exact(2.0) ** exponent) * _exact(128)).floor().cast("int64")
    bits = (exponent.cast("int64") + 126) * 128 + fraction
    return bits + ibis.ifelse(near < _exact(0.0), _whole(2**15), _whole(0))
