"""Facts of many releases as columns, and what a condition says about all of them at once.

A column keeps each distinct reading of a fact once, and for every release which of them it has. A
condition about one fact is asked once for each distinct reading, by the same evaluator that decides
about a single release; only `&&`, `||` and `!` are worked out for whole columns.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from guiderail.policy.stored_readings import UNKNOWN_RANK
from guiderail_verify.evaluate import UNKNOWN, Truth, Value, compile_expression, fact_names, number
from guiderail_verify.judge import base_name
from guiderail_verify.stored_facts import Reading

Truths = NDArray[np.int8]
"""One truth for each release: `FALSE`, `OPEN` (unknown) or `TRUE`.

In this order Kleene's conjunction is the minimum and his disjunction the maximum.
"""

FALSE, OPEN, TRUE = 0, 1, 2
_EXACT: Final = 2**53
"""Up to here a float holds every whole number."""

_SIGNS: Final[Mapping[str, np.ufunc]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


class Column:
    """One fact of many releases. codes: for each release the index of its reading, shape (n,)."""

    def __init__(self, readings: Sequence[Reading], codes: NDArray[np.integer[Any]]) -> None:
        self._readings, self._codes = readings, codes
        ranks = [UNKNOWN_RANK if one.known_by is None else one.known_by for one in readings]
        self.known_by: NDArray[np.int8] = np.array(ranks, dtype=np.int8)[codes]
        """How it is known for each release; above every rank where it is unknown."""
        self._numbers: dict[str, NDArray[np.float64] | None] = {}

    @property
    def readings(self) -> Sequence[Reading]:
        return self._readings

    @property
    def codes(self) -> NDArray[np.integer[Any]]:
        return self._codes

    def reading(self, index: int) -> Reading:
        """What is known of one release."""
        return self._readings[int(self._codes[index])]

    @property
    def is_known(self) -> NDArray[np.bool_]:
        return self.known_by < UNKNOWN_RANK

    def numbers(self, name: str) -> NDArray[np.float64] | None:
        """Values under a name, NaN where unknown; None where a float does not hold them exactly."""
        if name not in self._numbers:
            values = [reading.values[name] for reading in self.readings]
            self._numbers[name] = _exact(values, self.codes)
        return self._numbers[name]


class IntervalColumn(Column):
    """An interval of many releases; they are rarely the same, so they are kept as numbers.

    bounds: value, low and high, shape (3, n). known_by: shape (n,).
    """

    def __init__(self, name: str, bounds: NDArray[np.float64], known_by: NDArray[np.int8]) -> None:
        self.known_by = known_by
        self._names = (name, f"{name}.low", f"{name}.high")
        self._bounds = bounds

    @property
    def readings(self) -> Sequence[Reading]:
        return [self.reading(index) for index in range(len(self.known_by))]

    @property
    def codes(self) -> NDArray[np.integer[Any]]:
        return np.arange(len(self.known_by))

    def numbers(self, name: str) -> NDArray[np.float64] | None:
        values: NDArray[np.float64] = self._bounds[self._names.index(name)]
        return values

    def reading(self, index: int) -> Reading:
        rank = int(self.known_by[index])
        if rank == UNKNOWN_RANK:
            return Reading(dict.fromkeys(self._names, UNKNOWN), None)
        three = self._bounds[:, index].tolist()
        return Reading(dict(zip(self._names, three, strict=True)), rank)


def _exact(values: Sequence[Value], codes: NDArray[np.integer[Any]]) -> NDArray[np.float64] | None:
    floats = []
    for value in values:
        if isinstance(value, float) or (type(value) is int and abs(value) <= _EXACT):
            floats.append(float(value))
        elif value is UNKNOWN:
            floats.append(math.nan)
        else:
            return None
    exact: NDArray[np.float64] = np.array(floats, dtype=np.float64)[codes]
    return exact


@dataclass(frozen=True, slots=True)
class Columns:
    """Facts of `count` releases. Truths that were worked out are kept for the next pack.

    before: the same releases without what a pack has added.
    """

    count: int
    facts: Mapping[str, Column]
    before: Columns | None = None
    _known: dict[str, Truths] = field(default_factory=dict, repr=False, compare=False)

    def also(self, facts: Mapping[str, Column]) -> Columns:
        """The same releases with more facts."""
        return Columns(self.count, {**self.facts, **facts}, self)

    def release(self, index: int) -> tuple[dict[str, Value], dict[str, int]]:
        """Values by name, and how each known one is known, of one release."""
        values: dict[str, Value] = {}
        known_by: dict[str, int] = {}
        for name, column in self.facts.items():
            reading = column.reading(index)
            values.update(reading.values)
            if reading.known_by is not None:
                known_by[name] = reading.known_by
        return values, known_by

    def truths(
        self, key: str, named: Sequence[str], work_out: Callable[[Columns], Truths]
    ) -> Truths:
        """What was worked out for a key, now or before. named: the facts that it depends on."""
        if self.before is not None and all(name in self.before.facts for name in named):
            return self.before.truths(key, named, work_out)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = work_out(self)
        return known


Condition = Callable[[Columns], Truths]


def condition(tree: Mapping[str, Any], facts: Mapping[str, Any]) -> Condition:
    """An expression of a pack for whole columns. facts: every fact that it may name."""
    named = sorted({base_name(name, facts) for name in fact_names(tree)})
    key = json.dumps(tree, sort_keys=True)
    work_out = _joined(tree, facts) or _compared(tree, facts) or _asked(tree, named)
    return lambda columns: columns.truths(key, named, work_out)


def _joined(tree: Mapping[str, Any], facts: Mapping[str, Any]) -> Condition | None:
    match tree:
        case {"all": list(parts)}:
            every = [condition(part, facts) for part in parts]
            return lambda columns: np.minimum.reduce([part(columns) for part in every])
        case {"any": list(parts)}:
            some = [condition(part, facts) for part in parts]
            return lambda columns: np.maximum.reduce([part(columns) for part in some])
        case {"not": dict(part)}:
            positive = condition(part, facts)
            return lambda columns: TRUE - positive(columns)
    return None


def _compared(tree: Mapping[str, Any], facts: Mapping[str, Any]) -> Condition | None:
    """A comparison of numbers; where they are too large for it, each is asked about."""
    match tree:
        case {"compare": sign, "left": {"fact": left}, "right": {"fact": right}} if len(tree) == 3:
            named = [base_name(left, facts), base_name(right, facts)]
            limit = None
        case {"compare": sign, "left": {"fact": left}, "right": {"number": text}}:
            named, right, limit = [base_name(left, facts)], "", number(text)
            if abs(limit) > _EXACT:
                return None
        case _:
            return None
    compare, one_by_one = _SIGNS[sign], _asked(tree, named)

    def truths(columns: Columns) -> Truths:
        values = columns.facts[named[0]].numbers(left)
        others = columns.facts[named[-1]].numbers(right) if limit is None else limit
        if values is None or others is None:
            return one_by_one(columns)
        is_open = np.isnan(values) | np.isnan(others)
        return np.where(is_open, OPEN, np.where(compare(values, others), TRUE, FALSE)).astype(
            np.int8
        )

    return truths


def _asked(tree: Mapping[str, Any], named: Sequence[str]) -> Condition:
    """A condition that is asked once for each distinct reading of the facts that it names."""
    holds = compile_expression(tree)

    def truths(columns: Columns) -> Truths:
        if not named:
            return np.full(columns.count, _code(holds({})), dtype=np.int8)
        readings, codes = _together([columns.facts[name] for name in named])
        told = np.array([_code(holds(values)) for values in readings], dtype=np.int8)
        truths_of_each: Truths = told[codes]
        return truths_of_each

    return truths


def _code(truth: Truth) -> int:
    return TRUE if truth is True else FALSE if truth is False else OPEN


def _together(
    columns: Sequence[Column],
) -> tuple[list[Mapping[str, Value]], NDArray[np.integer[Any]]]:
    """The distinct readings of several facts together, and which of them each release has."""
    first, *others = columns
    readings = [one.values for one in first.readings]
    codes = first.codes
    for column in others:
        width = len(column.readings)
        pairs, codes = np.unique(codes.astype(np.int64) * width + column.codes, return_inverse=True)
        readings = [{**readings[pair // width], **column.readings[pair % width].values}
                    for pair in pairs.tolist()]  # fmt: skip
    return readings, codes
