"""How far the columns of a table have moved from a stored profile.

All measures are effect sizes over the bins of the profile; no verdict is made from a p-value.
Bins of PSI, Jensen-Shannon and chi-square: for numbers, neighbouring bins of the profile joined
until each holds a tenth of the reference; for text and booleans, each category of the
reference and one bin for everything new, or hash buckets above 200 categories; numbers below and
above the whole reference are two more bins, and rows without a finite value another one.
Each column is read once, with memory that does not grow with the rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from guiderail.core.digest import Digest
from guiderail.core.interval import Interval
from guiderail.measure.column_counts import (
    category_counts,
    hashed,
)
from guiderail.measure.drift_bins import Counted, Counts, bins_of, counted_together, filled_rows
from guiderail.measure.profile import ColumnProfile, Profile, make_profile
from guiderail.measure.psi import LIMIT, Verdict, population_stability, verdict
from guiderail.measure.schema_changes import SchemaChange, schema_changes
from guiderail.measure.table import Table, open_table

PSI_BINS = 10
_NEARLY = 0.95
"""Edges lie at the limits of fine cells, so that a tenth may be a little less than one."""
MOST_NAMED = 200
"""New categories that are named; their number is always told."""


@dataclass(frozen=True, slots=True)
class ChiSquare:
    """Pearson's statistic of the 2 x bins table, its degrees of freedom and its p-value."""

    statistic: float
    degrees: int
    p: float


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """Movement of one column; None where a measure is undefined, with `reason` when all are.

    psi: population stability index in natural units, half a row added to every bin; psi_low and
        psi_high without the noise of sampling, see `psi`.
    verdict: what psi_low and psi_high say beside the limit.
    ks: largest distance of the two distribution functions, 0 to 1. Only the distances at the edges
        of the profile are known, which is value and low; high is what the bins between still allow.
    js: Jensen-Shannon divergence in bits, 0 to 1.
    wasserstein: mean distance that values moved, in the unit of the column. Exact where the profile
        holds every distinct value, else with values spread evenly inside each bin; values outside
        the reference count in the middle of their fine cells.
    new_categories, vanished_categories: values only in the current data, only in the reference.
    missing_reference, missing_current: share of rows without a finite value, 0 to 1.
    distinct_reference, distinct_current: different values of a text column, where counted.
    note: what a reader must know about the bins.
    """

    name: str
    type: str
    n_reference: int
    n_current: int
    psi: float | None = None
    psi_low: float | None = None
    psi_high: float | None = None
    verdict: Verdict = "not measured"
    ks: Interval | None = None
    js: float | None = None
    wasserstein: float | None = None
    chi2: ChiSquare | None = None
    new_categories: tuple[str, ...] = ()
    vanished_categories: tuple[str, ...] = ()
    missing_reference: float | None = None
    missing_current: float | None = None
    distinct_reference: int | None = None
    distinct_current: int | None = None
    note: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Drift:
    """columns: those of the profile. added: columns that only the current table has.

    limit: the population stability index beside which columns were judged.
    """

    columns: tuple[ColumnDrift, ...]
    added: tuple[str, ...]
    profile_digest: Digest
    schema: tuple[SchemaChange, ...] = ()
    limit: float = LIMIT


def drift(
    reference: Profile | Table | Path,
    current: Table | Path,
    columns: Sequence[str] | None = None,
    *,
    limit: float = LIMIT,
) -> Drift:
    """Measure the current table against a profile, or against a table profiled on the spot.

    columns: names to measure, all of the profile unless given; a name that the profile lacks is
    reported with a reason. limit: the index from which a column has moved. Raises InputError when
    a table cannot be read.
    """
    if not isinstance(reference, Profile):
        reference = make_profile(reference)
    if isinstance(current, Table):
        return _drift(reference, current, columns, limit)
    with open_table(current) as table:
        return _drift(reference, table, columns, limit)


def _drift(
    reference: Profile, current: Table, columns: Sequence[str] | None, limit: float
) -> Drift:
    known = {column.name: column for column in reference.columns}
    wanted = list(known) if columns is None else list(columns)
    found, nulls = [], {}
    counted = counted_together([known[name] for name in wanted if name in known], current)
    for name in wanted:
        if name not in known:
            reason = "the profile does not hold this column"
            found.append(ColumnDrift(name, "unknown", 0, 0, reason=reason))
            continue
        drifted, filled = _column(reference.rows, known[name], current, counted, limit)
        found.append(drifted)
        if filled is not None:
            nulls[name] = current.rows - filled
    added = tuple(name for name in current.names if name not in known)
    changes = schema_changes(reference, current, wanted, nulls)
    return Drift(tuple(found), added, reference.digest, changes, limit)


def _column(
    rows: int, before: ColumnProfile, current: Table, counted: Counted, limit: float
) -> tuple[ColumnDrift, int | None]:
    """The movement of one column, and how many rows have a value where that was counted."""
    plain = ColumnDrift(before.name, before.type, rows, current.rows)
    if before.name not in current.names:
        return replace(plain, n_current=0, reason="the current data lack this column"), None
    if rows == 0 or current.rows == 0:
        which = "reference" if rows == 0 else "current data"
        return replace(plain, reason=f"the {which} hold no rows"), None
    now = current.type_of(before.name)
    if "empty" not in {before.type, now} and before.numeric != (now in {"integer", "number"}):
        return replace(plain, reason=f"the type was {before.type} and is {now}"), None
    if before.numeric or (before.type == "empty" and now in {"integer", "number"}):
        return _numeric(plain, before, current, counted, limit)
    return _categorical(plain, before, current, counted, limit)


def _numeric(
    plain: ColumnDrift,
    before: ColumnProfile,
    current: Table,
    counted: Counted,
    limit: float,
) -> tuple[ColumnDrift, int]:
    bins = bins_of(before, current, counted)
    absent = (plain.n_reference - bins.old.sum(), plain.n_current - bins.new.sum())
    measured = _with_bins(plain, *_joined(bins.old, bins.new), absent, limit)
    if before.low is None or bins.new.sum() == 0:
        which = "reference" if before.low is None else "current data"
        reason = f"the {which} hold no finite value: no KS, no distance"
        return replace(measured, reason=reason), bins.filled
    f, g = np.cumsum(bins.old / bins.old.sum()), np.cumsum(bins.new / bins.new.sum())
    moved = replace(
        measured,
        ks=_ks(f, g, bins.exact),
        wasserstein=_wasserstein(before.exact, bins.edges, np.abs(f - g)[:-1], bins.outside),
    )
    return moved, bins.filled


def _categorical(
    plain: ColumnDrift,
    before: ColumnProfile,
    current: Table,
    counted: Counted,
    limit: float,
) -> tuple[ColumnDrift, int]:
    name = before.name
    empty = current.type_of(name) == "empty"
    now = {} if empty else category_counts(current, name, sampled=counted.sampled.get(name))
    if now is None or (before.categories is None and not before.buckets):
        reason = "too many distinct values to compare as categories"
        return replace(plain, reason=reason), filled_rows(current, name)
    filled = sum(now.values())
    told = replace(plain, distinct_reference=before.distinct, distinct_current=len(now))
    if before.categories is None:
        old, new = (np.array(counts, dtype=np.float64) for counts in (before.buckets, hashed(now)))
        absent = (plain.n_reference - old.sum(), plain.n_current - new.sum())
        note = (
            f"{before.distinct} different values, compared in {len(old)} buckets: a change is at "
            "least this large, and new and vanished values have no names"
        )
        return replace(_with_bins(told, old, new, absent, limit), note=note), filled
    known = dict(before.categories)
    unknown = tuple(sorted(now.keys() - known.keys()))
    unseen = sum(now[value] for value in unknown)
    old = np.array([*known.values(), 0], dtype=np.float64)
    new = np.array([*(now.get(value, 0) for value in known), unseen], dtype=np.float64)
    absent = (plain.n_reference - old.sum(), plain.n_current - new.sum())
    measured = replace(
        _with_bins(told, old, new, absent, limit),
        new_categories=unknown[:MOST_NAMED],
        vanished_categories=tuple(sorted(known.keys() - now.keys())),
    )
    if len(unknown) > MOST_NAMED:
        measured = replace(measured, note=f"{len(unknown)} new values, {MOST_NAMED} are named")
    return measured, filled


def _joined(old: Counts, new: Counts) -> tuple[Counts, Counts]:
    """Neighbouring bins joined until each holds (nearly) a tenth of the reference.

    What is left makes a bin of its own if it is at least half of that. Empty bins at both ends stay
    alone: they hold what lies outside the reference.
    """
    held = np.flatnonzero(old)
    if len(held) == 0:
        return old, new
    first, last = int(held[0]), int(held[-1])
    starts, share, sofar = [*range(first), first], _NEARLY * old.sum() / PSI_BINS, 0.0
    for i in range(first, last):
        sofar += old[i]
        if sofar >= share:
            starts.append(i + 1)
            sofar = 0.0
    rest = old[starts[-1] : last + 1].sum()
    if starts[-1] > first and rest < share / 2:
        starts.pop()
    starts += range(last + 1, len(old))
    return np.add.reduceat(old, starts), np.add.reduceat(new, starts)


def _with_bins(
    plain: ColumnDrift, old: Counts, new: Counts, absent: tuple[float, float], limit: float
) -> ColumnDrift:
    old, new = np.append(old, absent[0]), np.append(new, absent[1])
    used = (old + new) > 0
    old, new = old[used], new[used]
    index = population_stability(old, new)
    return replace(
        plain,
        psi=index.value,
        psi_low=index.low,
        psi_high=index.high,
        verdict=verdict(index, limit),
        js=_js(old / old.sum(), new / new.sum()),
        chi2=_chi2(old, new),
        missing_reference=float(absent[0] / plain.n_reference),
        missing_current=float(absent[1] / plain.n_current),
    )


def _js(p: Counts, q: Counts) -> float:
    middle = (p + q) / 2
    divergence = 0.0
    for side in (p, q):
        held = side > 0
        divergence += float(np.sum(side[held] * np.log2(side[held] / middle[held]))) / 2
    return min(1.0, max(0.0, divergence))


def _chi2(old: Counts, new: Counts) -> ChiSquare | None:
    if len(old) < 2:
        return None
    from scipy.special import chdtrc

    table = np.vstack([old, new])
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    statistic = float(np.sum((table - expected) ** 2 / expected))
    degrees = len(old) - 1
    return ChiSquare(statistic, degrees, float(chdtrc(degrees, statistic)))


def _ks(f: Counts, g: Counts, exact: bool) -> Interval:
    """Bounds of the distance: inside a bin either function may already be at its upper end."""
    value = min(1.0, float(np.abs(f - g)[:-1].max(initial=0.0)))
    if exact:
        return Interval(value, value, value)
    f_before, g_before = np.append(0.0, f[:-1]), np.append(0.0, g[:-1])
    high = float(max((f - g_before).max(), (g - f_before).max()))
    return Interval(value, value, min(1.0, max(value, high)))


def _wasserstein(
    exact: bool, edges: Sequence[float], apart: Counts, outside: tuple[float, float]
) -> float | None:
    """Area between the two distribution functions; apart: their distance at each edge."""
    with np.errstate(over="ignore", invalid="ignore"):
        widths = np.diff(np.array(edges))
        heights = apart[:-1] if exact else (apart[:-1] + apart[1:]) / 2
        distance = float((heights * widths).sum()) + sum(outside)
    return distance if math.isfinite(distance) else None
