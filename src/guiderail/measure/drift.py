"""How far the columns of a table have moved from a stored profile.

All measures are effect sizes over the bins of the profile; no verdict is made from a p-value.
Bins of PSI, Jensen-Shannon and chi-square: for numbers, neighbouring bins of the profile joined
until each holds at least a tenth of the reference; for text and booleans, each category of the
reference and one bin for everything new; numbers below and above the whole reference are two more
bins, and rows without a finite value another one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from guiderail.core.digest import Digest
from guiderail.core.interval import Interval
from guiderail.measure.profile import (
    MOST_CATEGORIES,
    ColumnProfile,
    Profile,
    bin_counts,
    category_counts,
    make_profile,
)
from guiderail.measure.table import Table, open_table

PSI_BINS = 10
_MOST_CURRENT_CATEGORIES = 50 * MOST_CATEGORIES
_Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ChiSquare:
    """Pearson's statistic of the 2 x bins table, its degrees of freedom and its p-value."""

    statistic: float
    degrees: int
    p: float


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """Movement of one column; None where a measure is undefined, with `reason` when all are.

    psi: population stability index in natural units, half a row added to every bin.
    ks: largest distance of the two distribution functions, 0 to 1. Only the distances at the edges
        of the profile are known, which is value and low; high is what the bins between still allow.
    js: Jensen-Shannon divergence in bits, 0 to 1.
    wasserstein: mean distance that values moved, in the unit of the column. Exact where the profile
        holds every distinct value, else with values spread evenly inside each bin; values outside
        the reference count with their own mean.
    new_categories, vanished_categories: values only in the current data, only in the reference.
    missing_reference, missing_current: share of rows without a finite value, 0 to 1.
    """

    name: str
    type: str
    n_reference: int
    n_current: int
    psi: float | None = None
    ks: Interval | None = None
    js: float | None = None
    wasserstein: float | None = None
    chi2: ChiSquare | None = None
    new_categories: tuple[str, ...] = ()
    vanished_categories: tuple[str, ...] = ()
    missing_reference: float | None = None
    missing_current: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Drift:
    """columns: those of the profile. added: columns that only the current table has."""

    columns: tuple[ColumnDrift, ...]
    added: tuple[str, ...]
    profile_digest: Digest


def drift(
    reference: Profile | Table | Path,
    current: Table | Path,
    columns: Sequence[str] | None = None,
) -> Drift:
    """Measure the current table against a profile, or against a table profiled on the spot.

    columns: names to measure, all of the profile unless given; a name that the profile lacks is
    reported with a reason. Raises InputError when a table cannot be read.
    """
    if not isinstance(reference, Profile):
        reference = make_profile(reference)
    if isinstance(current, Table):
        return _drift(reference, current, columns)
    with open_table(current) as table:
        return _drift(reference, table, columns)


def _drift(reference: Profile, current: Table, columns: Sequence[str] | None) -> Drift:
    known = {column.name: column for column in reference.columns}
    wanted = list(known) if columns is None else list(columns)
    found = []
    for name in wanted:
        if name in known:
            found.append(_column(reference.rows, known[name], current))
        else:
            found.append(
                ColumnDrift(name, "unknown", 0, 0, reason="the profile does not hold this column")
            )
    added = tuple(name for name in current.names if name not in known)
    return Drift(tuple(found), added, reference.digest)


def _column(rows: int, before: ColumnProfile, current: Table) -> ColumnDrift:
    plain = ColumnDrift(before.name, before.type, rows, current.rows)
    if before.name not in current.names:
        return replace(plain, n_current=0, reason="the current data lack this column")
    if rows == 0 or current.rows == 0:
        which = "reference" if rows == 0 else "current data"
        return replace(plain, reason=f"the {which} hold no rows")
    now = current.type_of(before.name)
    if "empty" not in {before.type, now} and before.numeric != (now in {"integer", "number"}):
        return replace(plain, reason=f"the type was {before.type} and is {now}")
    if before.numeric or (before.type == "empty" and now in {"integer", "number"}):
        return _numeric(plain, before, current)
    return _categorical(plain, before, current)


def _numeric(plain: ColumnDrift, before: ColumnProfile, current: Table) -> ColumnDrift:
    old = np.array(before.counts or (0,), dtype=np.float64)
    outside = None
    if before.low is None or before.high is None:
        new = np.array(_finite(current, before.name), dtype=np.float64)
    else:
        edges = [float(np.nextafter(before.low, -np.inf)), *before.edges]
        old = np.append(0.0, old)
        if before.high > before.edges[-1]:
            edges.append(before.high)
            old = np.append(old, 0.0)
        outside = _outside(current, before.name, before.low, before.high)
        new = np.zeros(len(old))
        if current.type_of(before.name) != "empty":
            new = np.array(bin_counts(current, before.name, edges), dtype=np.float64)
    absent = (plain.n_reference - old.sum(), plain.n_current - new.sum())
    measured = _with_bins(plain, *_joined(old, new), absent)
    if outside is None or new.sum() == 0:
        which = "current data" if outside is not None else "reference"
        return replace(measured, reason=f"the {which} hold no finite value: no KS, no distance")
    f, g = np.cumsum(old / old.sum()), np.cumsum(new / new.sum())
    exact = before.exact and _only_edges(current, before.name, before.edges)
    return replace(
        measured,
        ks=_ks(f, g, exact),
        wasserstein=_wasserstein(before, edges, np.abs(f - g)[:-1], outside),
    )


def _finite(current: Table, column: str) -> tuple[int, ...]:
    return (0,) if current.type_of(column) == "empty" else bin_counts(current, column, ())


def _outside(current: Table, column: str, low: float, high: float) -> tuple[float, float]:
    """How far the mean row moved out of the reference, below and above, in the column's unit."""
    number = f"CAST({current.sql(column)} AS DOUBLE)"
    finite, below, above = current.fetch(
        f"count(*), sum({low:.17e} - {number}) FILTER ({number} < {low:.17e}), "
        f"sum({number} - {high:.17e}) FILTER ({number} > {high:.17e}) "
        f"FROM t WHERE isfinite({number})"
    )[0]
    rows = max(1, int(finite))
    return float(below or 0.0) / rows, float(above or 0.0) / rows


def _only_edges(current: Table, column: str, edges: Sequence[float]) -> bool:
    """Whether every finite value of the current data is one that the profile knows."""
    number = f"CAST({current.sql(column)} AS DOUBLE)"
    cut = ", ".join(f"{edge:.17e}" for edge in edges)
    found = current.fetch(f"count(*) FROM t WHERE isfinite({number}) AND {number} NOT IN ({cut})")
    return int(found[0][0]) == 0


def _categorical(plain: ColumnDrift, before: ColumnProfile, current: Table) -> ColumnDrift:
    now = category_counts(current, before.name, _MOST_CURRENT_CATEGORIES)
    if before.categories is None or now is None:
        return replace(plain, reason="too many distinct values to compare as categories")
    known = dict(before.categories)
    new = tuple(sorted(now.keys() - known.keys()))
    old_counts = np.array([*known.values(), 0], dtype=np.float64)
    unseen = sum(now[value] for value in new)
    new_counts = np.array([*(now.get(value, 0) for value in known), unseen], dtype=np.float64)
    absent = (plain.n_reference - old_counts.sum(), plain.n_current - new_counts.sum())
    return replace(
        _with_bins(plain, old_counts, new_counts, absent),
        new_categories=new,
        vanished_categories=tuple(sorted(known.keys() - now.keys())),
    )


def _joined(old: _Counts, new: _Counts) -> tuple[_Counts, _Counts]:
    """Neighbouring bins joined until each holds a tenth of the reference; what is left goes last.

    Empty bins at both ends stay alone: they hold what lies outside the reference.
    """
    held = np.flatnonzero(old)
    if len(held) == 0:
        return old, new
    first, last = int(held[0]), int(held[-1])
    starts, share, sofar = [*range(first), first], old.sum() / PSI_BINS, 0.0
    for i in range(first, last):
        sofar += old[i]
        if sofar >= share:
            starts.append(i + 1)
            sofar = 0.0
    starts += range(last + 1, len(old))
    return np.add.reduceat(old, starts), np.add.reduceat(new, starts)


def _with_bins(
    plain: ColumnDrift, old: _Counts, new: _Counts, absent: tuple[float, float]
) -> ColumnDrift:
    old, new = np.append(old, absent[0]), np.append(new, absent[1])
    used = (old + new) > 0
    old, new = old[used], new[used]
    return replace(
        plain,
        psi=_psi(old, new),
        js=_js(old / old.sum(), new / new.sum()),
        chi2=_chi2(old, new),
        missing_reference=float(absent[0] / plain.n_reference),
        missing_current=float(absent[1] / plain.n_current),
    )


def _psi(old: _Counts, new: _Counts) -> float:
    bins = len(old)
    p = (old + 0.5) / (old.sum() + 0.5 * bins)
    q = (new + 0.5) / (new.sum() + 0.5 * bins)
    return float(np.sum((q - p) * np.log(q / p)))


def _js(p: _Counts, q: _Counts) -> float:
    middle = (p + q) / 2
    divergence = 0.0
    for side in (p, q):
        held = side > 0
        divergence += float(np.sum(side[held] * np.log2(side[held] / middle[held]))) / 2
    return min(1.0, max(0.0, divergence))


def _chi2(old: _Counts, new: _Counts) -> ChiSquare | None:
    if len(old) < 2:
        return None
    from scipy.special import chdtrc

    table = np.vstack([old, new])
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    statistic = float(np.sum((table - expected) ** 2 / expected))
    degrees = len(old) - 1
    return ChiSquare(statistic, degrees, float(chdtrc(degrees, statistic)))


def _ks(f: _Counts, g: _Counts, exact: bool) -> Interval:
    """Bounds of the distance: inside a bin either function may already be at its upper end."""
    value = min(1.0, float(np.abs(f - g)[:-1].max(initial=0.0)))
    if exact:
        return Interval(value, value, value)
    f_before, g_before = np.append(0.0, f[:-1]), np.append(0.0, g[:-1])
    high = float(max((f - g_before).max(), (g - f_before).max()))
    return Interval(value, value, min(1.0, max(value, high)))


def _wasserstein(
    before: ColumnProfile, edges: Sequence[float], apart: _Counts, outside: tuple[float, float]
) -> float | None:
    """Area between the two distribution functions; apart: their distance at each edge."""
    with np.errstate(over="ignore", invalid="ignore"):
        widths = np.diff(np.array(edges))
        heights = apart[:-1] if before.exact else (apart[:-1] + apart[1:]) / 2
        distance = float((heights * widths).sum()) + sum(outside)
    return distance if math.isfinite(distance) else None
