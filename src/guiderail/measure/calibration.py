"""Calibration by group: whether a score of 0.3 means 30 of 100, for everybody.

`gap` is calibration in the large: the observed share of positives minus the mean score. Its
interval is Wilson's for the observed share, moved by the mean score, which is taken as given; so
it does not shrink to nothing where all labels are equal. Bins are equally wide, and an empty bin
has no figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from guiderail.core.interval import Interval
from guiderail.measure.attribute_values import Counts
from guiderail.measure.cells import Group, finest, roll_up
from guiderail.measure.distinct_rows import BINS
from guiderail.measure.groups import decision_problem, is_selected
from guiderail.measure.intervals import around, wilson
from guiderail.measure.scored_rows import count_missing
from guiderail.measure.unmeasurable import NotMeasurable


@dataclass(frozen=True, slots=True)
class Bin:
    """Scores from `low` to below `high`; observed is the share of positives with its interval."""

    low: float
    high: float
    n: int
    mean_score: float
    observed: Interval


@dataclass(frozen=True, slots=True)
class GroupCalibration:
    """One group. error: mean distance of observed and score over the bins, weighted by rows."""

    group: Group
    n: int
    mean_score: float
    observed: Interval
    gap: Interval
    error: float
    bins: tuple[Bin, ...]


def calibration(
    score: ArrayLike,
    label: ArrayLike,
    groups: Mapping[str, ArrayLike],
    *,
    positive: object = 1,
    edges: Mapping[str, Sequence[float]] | None = None,
    deepest: int | None = None,
) -> tuple[GroupCalibration, ...] | NotMeasurable:
    """Calibration of every group and intersection that occurs, from one score and label per row.

    score: probability of `positive`; missing, infinite or outside 0 to 1 is NotMeasurable.
    """
    scores = np.asarray(score)
    if scores.dtype.kind not in "iuf" or count_missing(scores):
        return NotMeasurable("some scores are missing or not a number")
    scores = scores.astype(np.float64)
    if scores.size and (scores.min() < 0 or scores.max() > 1):
        return NotMeasurable("some scores lie outside 0 to 1, which are no probabilities")
    bins = np.minimum((scores * BINS).astype(np.int64), BINS - 1)
    return binned_calibration(
        bins, scores, np.ones(len(scores)), label, groups,
        positive=positive, edges=edges, deepest=deepest,
    )  # fmt: skip


def binned_calibration(
    bins: NDArray[np.int64],
    score_sums: Counts,
    counts: Counts,
    label: ArrayLike,
    groups: Mapping[str, ArrayLike],
    *,
    positive: object = 1,
    edges: Mapping[str, Sequence[float]] | None = None,
    deepest: int | None = None,
) -> tuple[GroupCalibration, ...] | NotMeasurable:
    """As `calibration`, from entries that stand for `counts` rows of one bin each."""
    labels = np.asarray(label)
    problem = decision_problem(labels, None, positive, counts, ("labels", "labels"))
    if problem is not None:
        return problem
    cells = finest(groups, len(labels), edges=edges, counts=counts)
    if isinstance(cells, NotMeasurable):
        return cells
    place = cells.cell_of_row * BINS + bins
    size = len(cells.codes) * BINS
    positives = counts * is_selected(labels, positive)
    sums = [
        np.bincount(place, weights=one, minlength=size).reshape(-1, BINS)
        for one in (counts, score_sums, positives)
    ]
    return tuple(
        _of_group(group, row.reshape(3, BINS))
        for part in roll_up(cells, np.hstack(sums), deepest)
        for group, row in zip(part.groups, part.counts, strict=True)
        if row[:BINS].sum()
    )


def _of_group(group: Group, table: NDArray[np.float64]) -> GroupCalibration:
    """table: rows, sums of scores and positives of each bin."""
    n, score, positives = (float(part) for part in table.sum(axis=1))
    observed, mean = wilson(positives, n), score / n
    filled = [
        Bin(i / BINS, (i + 1) / BINS, int(rows), total / rows, wilson(hits, rows))
        for i, (rows, total, hits) in enumerate(table.T.tolist())
        if rows
    ]
    error = sum(one.n * abs(one.observed.value - one.mean_score) for one in filled) / n
    gap = around(observed.value - mean, observed.low - mean, observed.high - mean)
    return GroupCalibration(group, int(n), mean, observed, gap, error, tuple(filled))
