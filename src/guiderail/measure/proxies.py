"""How well each feature, and all of them together, give a protected attribute away.

One feature. Its values are put into cells (numbers into at most 20 ranges of equal counts, other
values by category, missing cells into a cell of their own). In five folds, each row is scored with
the share of the attribute's group among the *other* folds' rows of its cell, shrunk to the overall
share, and the AUC of these scores is taken: it is what one could guess about a person who is new,
so a column with many categories gains nothing from being long. For numbers the AUC of the number
itself is taken too, and the larger of both counts.

All together. Ridge regression on the cells of all features and on 256 random combinations of them,
in the same folds; it sees additive effects and interactions of few features.

Beside it, where both are numbers, stands their rank correlation (`rank_correlation`), which shows
the direction and needs no ranges of the attribute.

Attributes. Each group of at least 20 rows is told from everybody else, and the best told one
counts. Numbers are put into their declared ranges, else into quartiles (`attribute_values`). Rows
whose attribute is missing take no part.

The null is the same number on attributes that are exchanged between rows at random. `p` is the
share of these that reach the measured one (Phipson and Smyth 2010) or, where none does, the tail of
a normal distribution with their mean and spread; it is corrected over the whole report by Holm.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guiderail.core.interval import Interval
from guiderail.measure.attribute_values import attribute
from guiderail.measure.rank_correlation import rank_correlation
from guiderail.measure.scored_rows import as_texts, missing
from guiderail.measure.table import Table
from guiderail.measure.unmeasurable import NotMeasurable

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Values = NDArray[Any]

FOLDS, RANGES, FEWEST_IN_GROUP = 5, 20, 20
PERMUTATIONS, FEWEST_PERMUTATIONS, MOST_ROWS = 99, 20, 10_000
ROWS_PER_CATEGORY = 2
JOINT_CELLS, JOINT_RANDOM, RIDGE = 30, 256, 10.0
_AT_ONCE = 2**20
"""Counts of cells that are held together."""
SHRINK = 10.0


@dataclass(frozen=True, slots=True)
class NullAuc:
    """What the number is by chance: mean, 95 % point; p of the measured one; p_holm corrected."""

    mean: float
    high: float
    p: float
    p_holm: float


@dataclass(frozen=True, slots=True)
class Proxy:
    """One feature (None: all together) and one attribute.

    auc: None where it cannot be measured, with the reason. harmless: the reason is that the feature
    holds nothing (no value, or one value), so it can give nothing away. group: the group that is
    told best. ranks: the rank correlation of the two, where both are numbers; None elsewhere.
    """

    feature: str | None
    attribute: str
    auc: float | None
    null: NullAuc | None
    group: str | None
    n: int
    reason: str
    harmless: bool = False
    ranks: Interval | NotMeasurable | None = None


@dataclass(frozen=True, slots=True)
class ProxyReport:
    """features: one row for each feature and attribute. joint: one for each attribute."""

    features: tuple[Proxy, ...]
    joint: tuple[Proxy, ...]


@dataclass(frozen=True, slots=True)
class _Target:
    """An attribute over the rows that have it.

    columns: (groups, rows) of 0 and 1. codes: the group of each row, `len(names)` for all others.
    """

    rows: NDArray[np.bool_]
    columns: Floats
    codes: Codes
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cell of each row, and the number itself where it is one (missing at the median)."""

    codes: Codes
    count: int
    number: Floats | None


def proxies(
    features: Mapping[str, Values],
    attributes: Mapping[str, Values],
    *,
    edges: Mapping[str, Sequence[float] | None] | None = None,
    seed: int = 0,
    permutations: int = PERMUTATIONS,
) -> ProxyReport:
    """Every feature and all together against every attribute. Columns are equally long.

    edges: limits of the ranges of numeric attributes. seed: of folds, permutations and random
    combinations; take it from the data so that a repetition gives the same numbers.
    """
    cells = {name: _cells(values) for name, values in features.items()}
    usable = {name: cell for name, cell in cells.items() if isinstance(cell, _Cells)}
    rows: list[Proxy] = []
    joint: list[Proxy] = []
    for protected, values in attributes.items():
        target = _target(protected, values, (edges or {}).get(protected))
        ranks = _rank_correlations(features, values)
        if isinstance(target, NotMeasurable):
            rows += [_unknown(name, protected, target.reason) for name in features]
            joint.append(_unknown(None, protected, target.reason))
            continue
        random = np.random.default_rng(seed)
        folds = random.permutation(int(target.rows.sum())) % FOLDS
        orders = np.array([random.permutation(len(folds)) for _ in range(permutations)])
        for name in features:
            cell = cells[name]
            if isinstance(cell, NotMeasurable):
                harmless = cell.reason in (_EMPTY, _CONSTANT)
                rows.append(_unknown(name, protected, cell.reason, harmless))
            else:
                measured = _one(name, protected, cell, target, folds, orders)
                rows.append(replace(measured, ranks=ranks.get(name)))
        joint.append(_together(protected, usable, target, folds, orders, random))
    return _corrected(ProxyReport(tuple(rows), tuple(joint)))


def table_proxies(
    table: Table,
    features: Sequence[str],
    attributes: Mapping[str, Sequence[float] | None],
    *,
    seed: int,
) -> ProxyReport:
    """`proxies` of columns of a table, on at most 10,000 rows that the seed chooses.

    attributes: column -> limits of its ranges. Raises InputError for a column that is not there.
    """
    chosen = np.arange(table.rows)
    if table.rows > MOST_ROWS:
        drawn = np.random.default_rng(seed).choice(table.rows, MOST_ROWS, replace=False)
        chosen = np.sort(drawn)
    return proxies(
        {name: table.column(name)[chosen] for name in features},
        {name: table.column(name)[chosen] for name in attributes},
        edges=attributes,
        seed=seed,
    )


def _rank_correlations(
    features: Mapping[str, Values], protected: Values
) -> dict[str, Interval | NotMeasurable]:
    if protected.dtype.kind not in "iuf":
        return {}
    return {
        name: rank_correlation(values, protected)
        for name, values in features.items()
        if values.dtype.kind in "iuf"
    }


_EMPTY = "every cell is empty"
_CONSTANT = "every row has the same value"


def _unknown(feature: str | None, protected: str, reason: str, harmless: bool = False) -> Proxy:
    return Proxy(feature, protected, None, None, None, 0, reason, harmless)


def _cells(values: Values) -> _Cells | NotMeasurable:
    absent = missing(values)
    present = values[~absent]
    if not len(present):
        return NotMeasurable(_EMPTY)
    if values.dtype.kind in "iuf":
        numbers = values.astype(np.float64)
        infinite = int(np.isinf(numbers[~absent]).sum())
        if infinite:
            return NotMeasurable(f"{infinite} of {len(values)} cells are infinite")
        distinct = np.unique(numbers[~absent])
        filled = np.where(absent, np.median(numbers[~absent]), numbers)
        limits = distinct[1:]
        if len(distinct) > RANGES:
            inner = np.linspace(0, 1, RANGES + 1)[1:-1]
            limits = np.unique(np.quantile(numbers[~absent], inner, method="higher"))
        codes = np.searchsorted(limits, filled, side="right")
        number: Floats | None = filled
        size = len(limits) + 1
    else:
        texts, codes_present = np.unique(as_texts(present).astype(str), return_inverse=True)
        distinct, size, number = texts, len(texts), None
        if size > max(RANGES, len(present) / ROWS_PER_CATEGORY):
            return NotMeasurable(
                f"it has {size} different values in {len(present)} rows, too many to learn from; "
                "what is inside the values may still give the attribute away"
            )
        codes = np.zeros(len(values), dtype=np.int64)
        codes[~absent] = codes_present
    if len(distinct) == 1 and not absent.any():
        return NotMeasurable(_CONSTANT)
    codes = np.where(absent, size, codes)
    return _Cells(codes.astype(np.int64), size + 1, number)


def _target(name: str, values: Values, edges: Sequence[float] | None) -> _Target | NotMeasurable:
    present = ~missing(values)
    if not present.any():
        return NotMeasurable(f"the attribute {name} is not known for any row: {_EMPTY}")
    known = values[present]
    if values.dtype.kind in "iuf" and not np.isfinite(known.astype(np.float64)).all():
        return NotMeasurable(f"some cells of the attribute {name} are infinite")
    found = attribute(name, known, edges)
    if isinstance(found, NotMeasurable):
        return found
    sizes = np.bincount(found.codes, minlength=len(found.values))
    if (sizes > 0).sum() < 2:
        return NotMeasurable(f"every row has the same {name}")
    smaller = np.minimum(sizes, len(known) - sizes)
    enough = np.flatnonzero(smaller >= FEWEST_IN_GROUP)
    if not len(enough):
        return NotMeasurable(f"no group of {name} has {FEWEST_IN_GROUP} rows on both sides")
    if (sizes > 0).sum() == 2:
        enough = enough[:1]  # the other group is the same question
    columns = np.array([found.codes == place for place in enough], dtype=np.float64)
    codes = np.full(len(found.values), len(enough), dtype=np.int64)
    codes[enough] = np.arange(len(enough))
    names = tuple(found.values[place] for place in enough)
    return _Target(present, columns, codes[found.codes], names)


def _one(
    name: str, protected: str, cell: _Cells, target: _Target, folds: Codes, orders: Codes
) -> Proxy:
    places = folds * cell.count + cell.codes[target.rows]
    size, groups = FOLDS * cell.count, len(target.names)
    sizes: Floats = np.bincount(places, minlength=size).astype(np.float64)
    ranks = None if cell.number is None else _ranks(cell.number[target.rows])
    everybody = np.arange(len(folds))[None, :]
    aucs = []
    step = max(1, _AT_ONCE // (size * groups))
    for start in range(0, 1 + len(orders), step):
        some = np.vstack([everybody, orders[: step - 1]]) if start == 0 else orders[start - 1 :]
        given = target.codes[some[:step]]
        aucs.append(_alone(places, sizes, ranks, given, groups))
    found = np.concatenate(aucs)
    best = int(np.argmax(found[0]))
    auc = float(found[0, best])
    null = _null(auc, found[1:].max(axis=1).tolist())
    return Proxy(name, protected, auc, null, target.names[best], len(folds), "")


def _alone(places: Codes, sizes: Floats, ranks: Floats | None, given: Codes, groups: int) -> Floats:
    """AUC by each row of `given` (groups of all rows, in some order) and group."""
    size = len(sizes)
    counted = [np.bincount(places + size * codes, minlength=size * (groups + 1)) for codes in given]
    inside: Floats = np.array(counted, dtype=np.float64)[:, : size * groups].reshape(-1, size)
    by_fold, shape = inside.reshape(len(inside), FOLDS, -1), sizes.reshape(FOLDS, -1)
    others, left = by_fold.sum(axis=1, keepdims=True) - by_fold, shape.sum(axis=0) - shape
    usual = others.sum(axis=2, keepdims=True) / left.sum(axis=1, keepdims=True)
    # Centred in each fold: the overall share of a fold says nothing about a person.
    scores = (others + SHRINK * usual) / (left + SHRINK) - usual
    filled = sizes > 0
    found = _auc_of_cells(scores.reshape(-1, size)[:, filled], inside[:, filled], sizes[filled])
    found = found.reshape(-1, groups)
    if ranks is None:
        return found
    summed = [np.bincount(codes, weights=ranks, minlength=groups + 1)[:groups] for codes in given]
    m = inside.sum(axis=1).reshape(-1, groups)
    raw = (np.array(summed) - m * (m + 1) / 2) / (m * (len(places) - m))
    return np.asarray(np.maximum(found, np.maximum(raw, 1.0 - raw)))


def _auc_of_cells(scores: Floats, positives: Floats, sizes: Floats) -> Floats:
    """AUC by row of `scores`; cells share a score, and equal scores count half."""
    rounded = scores.round(12)
    order = np.argsort(rounded, axis=1)
    ascending = np.take_along_axis(rounded, order, axis=1)
    first = np.ones(ascending.shape, dtype=bool)  # of its score, in its row
    first[:, 1:] = ascending[:, 1:] != ascending[:, :-1]
    starts = np.flatnonzero(first)
    up = np.add.reduceat(np.take_along_axis(positives, order, axis=1).reshape(-1), starts)
    down = np.add.reduceat(np.take_along_axis(sizes - positives, order, axis=1).reshape(-1), starts)
    ups, downs = positives.sum(axis=1), (sizes - positives).sum(axis=1)
    before = np.repeat(np.cumsum(downs) - downs, first.sum(axis=1))  # of the rows above
    below = np.cumsum(down) - down / 2 - before
    pairs = np.add.reduceat(up * below, np.flatnonzero(starts % scores.shape[1] == 0))
    return np.asarray(pairs / (ups * downs))


def _auc_of_ranks(ranks: Floats, column: Floats) -> float:
    m = column.sum()
    n = len(column) - m
    return float((ranks @ column - m * (m + 1) / 2) / (m * n))


def _ranks(values: Floats) -> Floats:
    """Ranks from 1 on, ties sharing the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2.0)[inverse])


def _together(
    protected: str,
    cells: Mapping[str, _Cells],
    target: _Target,
    folds: Codes,
    orders: Codes,
    random: np.random.Generator,
) -> Proxy:
    if not cells:
        return _unknown(None, protected, "no feature can be measured")
    design = _design([cell.codes[target.rows] for cell in cells.values()], random)
    groups = len(target.columns)
    asked = np.vstack([target.columns, *(target.columns[:, order] for order in orders)])
    scores = np.empty(asked.shape)
    # What the other folds hold is the whole without this one: each row is multiplied twice.
    gram, product = design.T @ design + RIDGE * np.eye(design.shape[1]), design.T @ asked.T
    for fold in range(FOLDS):
        held = folds == fold
        part, given = design[held], asked[:, held]
        usual = (asked.sum(axis=1) - given.sum(axis=1)) / (len(folds) - len(part))
        of_others = design.sum(axis=0) - part.sum(axis=0)
        right = product - part.T @ given.T - np.outer(of_others, usual)
        weights = np.linalg.solve(gram - part.T @ part, right)
        scores[:, held] = (part @ weights).T
    aucs = [_auc_of_ranks(_ranks(scores[i]), asked[i]) for i in range(len(asked))]
    found = np.array(aucs).reshape(-1, groups)
    place = int(np.argmax(found[0]))
    auc = float(found[0, place])
    null = _null(auc, found[1:].max(axis=1).tolist())
    return Proxy(None, protected, auc, null, target.names[place], len(folds), "")


def _design(codes: Sequence[Codes], random: np.random.Generator) -> Floats:
    """The cells of all features (the 30 largest of each) and random combinations, centred."""
    parts = []
    for one in codes:
        named, counts = np.unique(one, return_counts=True)
        kept = named[np.argsort(-counts, kind="stable")[:JOINT_CELLS]]
        parts.append((one[:, None] == kept[None, :]).astype(np.float64))
    plain = np.hstack(parts)
    weights = random.normal(size=(plain.shape[1], JOINT_RANDOM)) / np.sqrt(len(parts))
    mixed = np.tanh(2 * (plain @ weights) + random.normal(size=JOINT_RANDOM))
    whole = np.hstack([plain, mixed])
    return np.asarray(whole - whole.mean(axis=0))


def _null(auc: float, by_chance: Sequence[float]) -> NullAuc | None:
    if len(by_chance) < FEWEST_PERMUTATIONS:
        return None
    found = np.asarray(by_chance)
    reached = int((found >= auc).sum())
    p = (1 + reached) / (len(found) + 1)
    spread = float(found.std(ddof=1))
    if not reached and spread > 0:
        p = min(p, math.erfc((auc - float(found.mean())) / spread / math.sqrt(2)) / 2)
    return NullAuc(float(found.mean()), float(np.quantile(found, 0.95)), p, p)


def _corrected(report: ProxyReport) -> ProxyReport:
    """Holm over every number of the report."""
    rows = [*report.features, *report.joint]
    found = [(row.null.p, place) for place, row in enumerate(rows) if row.null is not None]
    reached = 0.0
    for rank, (p, place) in enumerate(sorted(found)):
        reached = max(reached, min(1.0, p * (len(found) - rank)))
        null = rows[place].null
        rows[place] = replace(
            rows[place], null=None if null is None else replace(null, p_holm=reached)
        )
    cut = len(report.features)
    return ProxyReport(tuple(rows[:cut]), tuple(rows[cut:]))
