"""The values of a protected attribute that make groups, and the ranges that numbers fall into."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from guiderail.measure.scored_rows import as_texts, missing
from guiderail.measure.unmeasurable import NotMeasurable

UNKNOWN = "(unknown)"
"""Name of the group of rows whose attribute is null or infinite. A cell that says so itself is
quoted."""

MOST_DISTINCT_NUMBERS = 12
"""A numeric attribute with more distinct values is put into quartiles."""

MOST_VALUES = 200
"""An attribute with more values makes no groups of people and is refused."""

Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Attribute:
    """values: names of the groups, ranges in their order, UNKNOWN last. codes: one per row.

    A range that no row falls into is among the values.
    """

    name: str
    values: tuple[str, ...]
    codes: NDArray[np.int64]


def attribute(
    name: str,
    values: NDArray[Any],
    edges: Sequence[float] | None = None,
    counts: Counts | None = None,
) -> Attribute | NotMeasurable:
    """Name the group of every row.

    edges: lower limits of all ranges but the first, see `range_names`; without them, numbers with
    many distinct values fall into quartiles. counts: how many rows each entry stands for.
    """
    numeric = values.dtype.kind in "iuf"
    if values.dtype.kind == "f":
        values = np.where(np.isfinite(values), values, np.nan)
    if edges is None and numeric and len(np.unique(values)) > MOST_DISTINCT_NUMBERS:
        edges = quartile_edges(values, counts)
    if edges is not None:
        return _of_ranges(name, values, edges)
    names, codes = _coded(values)
    if len(names) > MOST_VALUES:
        return too_many_values(name)
    order = sorted(range(len(names)), key=lambda i: (names[i] == UNKNOWN, names[i]))
    place = np.empty(len(names), dtype=np.int64)
    place[order] = np.arange(len(names))
    return Attribute(name, tuple(names[i] for i in order), place[codes])


def too_many_values(name: str) -> NotMeasurable:
    return NotMeasurable(
        f"{name} has more than {MOST_VALUES} different values, too many to be groups of people; "
        f"name ranges (as in age:25,40) or another column"
    )


def ascending(edges: Sequence[float]) -> list[float]:
    """The edges as numbers. Raises ValueError where they do not ascend."""
    limits = [float(edge) for edge in edges]
    if limits != sorted(set(limits)) or not np.isfinite(limits).all():
        raise ValueError(f"the edges {limits} do not ascend")
    return limits


def range_names(edges: Sequence[float]) -> tuple[str, ...]:
    """ "under 25", "25 to under 40", "40 and over" for the edges 25 and 40; "all" without any."""
    if not edges:
        return ("all",)
    return (
        f"under {edges[0]:g}",
        *(f"{low:g} to under {high:g}" for low, high in itertools.pairwise(edges)),
        f"{edges[-1]:g} and over",
    )


def ranges(values: ArrayLike, edges: Sequence[float] | None = None) -> NDArray[Any]:
    """Numbers as names of ranges; null stays None. Without edges: quartiles.

    Infinite values are unknown, as null is. Raises ValueError for edges that do not ascend
    and for values that are not numbers.
    """
    numbers = np.asarray(values, dtype=np.float64)
    limits = ascending(quartile_edges(numbers, None) if edges is None else edges)
    names = np.array([*range_names(limits), None], dtype=object)
    return np.asarray(names[_place(numbers, limits)])


def quartile_edges(values: NDArray[Any], counts: Counts | None) -> list[float]:
    """Limits between the quarters of the rows; fewer than three where many rows are equal.

    A quartile is the smallest value that at least that share of the rows does not exceed.
    """
    numbers = np.asarray(values, dtype=np.float64)
    known = np.isfinite(numbers)
    if not known.any():
        return []
    weights = np.ones(len(numbers)) if counts is None else counts
    distinct, place = np.unique(numbers[known], return_inverse=True)
    reached = np.cumsum(np.bincount(place.reshape(-1), weights=weights[known]))
    wanted = np.ceil(np.array([0.25, 0.5, 0.75]) * reached[-1])
    found = np.unique(distinct[np.searchsorted(reached, wanted)])
    return [float(edge) for edge in found[found > distinct[0]]]


def _place(numbers: NDArray[np.float64], limits: Sequence[float]) -> NDArray[np.int64]:
    """Number of each value's range; null and infinities get the number after the last."""
    place = np.searchsorted(limits, numbers, side="right").astype(np.int64)
    place[~np.isfinite(numbers)] = len(limits) + 1
    return place


def _of_ranges(
    name: str, values: NDArray[Any], edges: Sequence[float]
) -> Attribute | NotMeasurable:
    limits = ascending(edges)
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        return NotMeasurable(f"{name} holds values that are no numbers, so it has no ranges")
    codes = _place(numbers, limits)
    names = range_names(limits)
    if (codes == len(names)).any():
        names = (*names, UNKNOWN)
    return Attribute(name, names, codes)


def _coded(values: NDArray[Any]) -> tuple[list[str], NDArray[np.int64]]:
    """Distinct values as text, and the number of each row's one."""
    if values.dtype.kind in "biuf":
        distinct, codes = np.unique(values, return_inverse=True)
        names = as_texts(distinct)
        names[missing(distinct)] = UNKNOWN
        return names.tolist(), codes.reshape(-1).astype(np.int64)
    absent = missing(values).tolist()
    numbers: dict[str, int] = {}
    found = []
    for text, is_absent in zip(as_texts(values).tolist(), absent, strict=True):
        quoted = f'"{text}"' if text == UNKNOWN else text
        found.append(numbers.setdefault(UNKNOWN if is_absent else quoted, len(numbers)))
    return list(numbers), np.array(found, dtype=np.int64)
