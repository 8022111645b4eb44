"""AUC with DeLong's variance for tables of any size, from histograms, with a bound of the error.

Scores are counted in two passes: by class into a million fine cells each, from which areas come,
and by class into a joint histogram of 256 x 256 bins of equal frequency, from which the variances
and the covariance come. Pairs of rows in one cell count half, so an area is off by at most half of
their share; that bound is computed from the counts and widens every interval. In the same way the
standard errors are widened by the most that a placement can be off inside its bin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guiderail.core.interval import Interval
from guiderail.measure.distinct_rows import as_values
from guiderail.measure.fine_cells import CELLS, FineCells, cell_of, count_cells, middle_of
from guiderail.measure.intervals import Z95, around
from guiderail.measure.scored_rows import Change, Floats, positives
from guiderail.measure.table import Table
from guiderail.measure.unmeasurable import NotMeasurable

BINS = 256
_AT_ONCE = 2**16
_FINER = 4
"""Further bits of the fraction: cells at most 1/2048 of their distance from the origin wide."""
_FINE_ENOUGH = 0.005

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class BinnedAuc:
    """change: as `auc_change` gives it. error_bound: the most that an area is off, included."""

    change: Change
    error_bound: float


@dataclass(frozen=True, slots=True)
class _Area:
    """One model's area, the most it is off, and each bin's placements.

    beats, beaten: by bin, the share of negatives that a positive there beats, of positives that
    beat a negative there. off_up, off_down: how far these can be off inside the bin.
    """

    value: float
    bound: float
    beats: Floats
    beaten: Floats
    off_up: Floats
    off_down: Floats


def binned_auc(
    table: Table, label: str, new: str, old: str | None = None, *, positive: object = None
) -> BinnedAuc | NotMeasurable:
    """Two passes over the table, with memory that does not grow with the rows."""
    is_positive = _positive_test(table, label, positive)
    if isinstance(is_positive, NotMeasurable):
        return is_positive
    scores = [new] if old is None else [new, old]
    cells: list[FineCells] = []
    for name in scores:
        found = _cells(table, name)
        if isinstance(found, NotMeasurable):
            return found
        cells.append(found)
    fine, joint = _count(table, is_positive, scores, cells)
    sizes = joint.reshape(2, -1).sum(axis=1)
    if sizes.min() < 2:
        return NotMeasurable("fewer than two rows of one class")
    areas = [_area(fine[i], joint.sum(axis=2 - i)) for i in range(len(scores))]
    bound = max(area.bound for area in areas)
    if old is None:
        method = "DeLong, from histograms"
        value = _value(areas[0], joint[:, :, 0])
        return BinnedAuc(Change(value, None, None, None, None, method), bound)
    return BinnedAuc(_paired(areas[0], areas[1], joint), bound)


def _positive_test(table: Table, label: str, positive: object) -> str | NotMeasurable:
    """SQL that is true for the positive rows."""
    name = table.sql(label)
    found = table.fetch(f"{name}, count(*) FROM t GROUP BY 1 ORDER BY 1 NULLS FIRST LIMIT 5")
    what = f"labels in the column {label}"
    if found and found[0][0] is None:
        return NotMeasurable(f"{found[0][1]} of {table.rows} {what} are missing")
    if len(found) > 4:
        return NotMeasurable(f"the {what} have more than 4 classes, two are needed")
    values = as_values([value for value, _ in found], table.type_of(label))
    chosen = positives(what, values, positive)
    if isinstance(chosen, NotMeasurable):
        return chosen
    end = "max" if chosen[1] == 1.0 else "min"
    # Identifiers are c0, c1, ...: nothing from the file is in the statement.
    return f"CAST({name} = (SELECT {end}({name}) FROM t) AS UTINYINT)"  # noqa: S608 - see above


def _cells(table: Table, score: str) -> FineCells | NotMeasurable:
    if table.type_of(score) not in {"integer", "number"}:
        return NotMeasurable(f"the scores in the column {score} are no numbers")
    cells = count_cells(table, score)
    if cells.finite < table.rows:
        absent = table.rows - cells.finite
        return NotMeasurable(
            f"{absent} of {table.rows} scores in the column {score} are missing or infinite"
        )
    if cells.counts.max() > _FINE_ENOUGH * table.rows:
        cells = count_cells(table, score, middle_of(cells))
    if np.count_nonzero(cells.counts) < 2:
        return NotMeasurable(f"the scores in the column {score} are (nearly) all the same")
    return cells


def _count(
    table: Table, is_positive: str, scores: list[str], cells: list[FineCells]
) -> tuple[Counts, Counts]:
    """Rows by model, class and cell; and by class, bin of the new and bin of the old score."""
    columns = ", ".join(f"CAST({table.sql(name)} AS DOUBLE)" for name in scores)
    bins = [_bins(one) for one in cells]
    finest = CELLS << _FINER
    fine = np.zeros((len(scores), 2 * finest), dtype=np.int64)
    size = BINS if len(scores) == 2 else 1
    joint = np.zeros(2 * BINS * size, dtype=np.int64)
    for batch in table.arrays(f"{is_positive}, {columns} FROM t"):
        for start in range(0, len(batch[0][0]), _AT_ONCE):
            group = batch[0][0][start : start + _AT_ONCE].astype(np.int64)
            place = group * BINS
            for i, one in enumerate(cells):
                cell = cell_of(batch[1 + i][0][start : start + _AT_ONCE], one.origin, _FINER)
                np.add.at(fine[i], group * finest + cell, 1)
                bin_ = bins[i][cell >> _FINER]
                place = place + bin_ if i == 0 else place * BINS + bin_
            np.add.at(joint, place, 1)
    return fine.reshape(-1, 2, finest), joint.reshape(2, BINS, size)


def _bins(cells: FineCells) -> Counts:
    """The bin of every cell: about as many rows in each."""
    before = np.cumsum(cells.counts) - cells.counts
    return np.asarray(np.minimum(BINS - 1, before * BINS // max(1, cells.finite)))


def _area(fine: Counts, binned: Counts) -> _Area:
    """fine, binned: rows by class (0 negative, 1 positive) and cell or bin, lowest first."""
    negative, positive = fine.astype(np.float64)
    pairs = negative.sum() * positive.sum()
    below = np.cumsum(negative) - negative
    value = float(np.sum(positive * (below + negative / 2)) / pairs)
    bound = float(np.sum(positive * negative) / 2 / pairs)
    down, up = (side / side.sum() for side in binned.astype(np.float64))
    beats = np.cumsum(down) - down / 2
    beaten = 1 - np.cumsum(up) + up / 2
    return _Area(value, bound, beats, beaten, down / 2, up / 2)


def _value(area: _Area, binned: Counts) -> Interval:
    error = _error(area.beats, area.off_up, binned[1], area.beaten, area.off_down, binned[0])
    half = Z95 * error + area.bound
    return around(area.value, max(0.0, area.value - half), min(1.0, area.value + half))


def _paired(new: _Area, old: _Area, joint: Counts) -> Change:
    change = new.value - old.value
    error = _difference_error(new, old, joint, 1.0)
    half = Z95 * error + new.bound + old.bound
    relative = None
    if old.value > 0:
        ratio = new.value / old.value
        spread = Z95 * _difference_error(new, old, joint, ratio) + new.bound + ratio * old.bound
        reach = 100 * spread / old.value
        middle = 100 * (ratio - 1)
        relative = Interval(middle, middle - reach, middle + reach)
    return Change(
        _value(new, joint.sum(axis=2)),
        _value(old, joint.sum(axis=1)),
        Interval(change, change - half, change + half),
        relative,
        _growth(new, old, joint),
        "paired DeLong, from joint histograms",
    )


def _growth(new: _Area, old: _Area, joint: Counts) -> Interval | None:
    """Growth of the distance to a perfect area in percent of the old one."""
    before = 1 - old.value
    if before == 0:
        return Interval(0.0, 0.0, 0.0) if new.value == 1 else None
    ratio = (1 - new.value) / before
    spread = Z95 * _difference_error(new, old, joint, ratio) + new.bound + ratio * old.bound
    middle, reach = 100 * (ratio - 1), 100 * spread / before
    return Interval(middle, middle - reach, middle + reach)


def _difference_error(new: _Area, old: _Area, joint: Counts, ratio: float) -> float:
    """Standard error of new minus ratio times old."""

    def apart(ours: Floats, theirs: Floats, sign: float) -> Floats:
        return np.asarray(ours[:, None] + sign * ratio * theirs[None, :])

    return _error(
        apart(new.beats, old.beats, -1.0),
        apart(new.off_up, old.off_up, 1.0),
        joint[1],
        apart(new.beaten, old.beaten, -1.0),
        apart(new.off_down, old.off_down, 1.0),
        joint[0],
    )


def _error(
    up: Floats, off_up: Floats, positive: Counts, down: Floats, off_down: Floats, negative: Counts
) -> float:
    parts = (_spread(up, off_up, positive), _spread(down, off_down, negative))
    return math.hypot(*parts)


def _spread(placement: Floats, off: Floats, rows: Counts) -> float:
    """Standard error of a mean placement, and at most how much more it can be."""
    n = float(rows.sum())
    mean = np.sum(rows * placement) / n
    deviation = math.sqrt(float(np.sum(rows * (placement - mean) ** 2)) / (n - 1))
    return (deviation + math.sqrt(float(np.sum(rows * off**2)) / n)) / math.sqrt(n)
