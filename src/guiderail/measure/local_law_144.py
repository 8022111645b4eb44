"""The tables of a bias audit as 6 RCNY sections 5-300 to 5-303 (New York City) define them.

Impact ratio: the selection rate of a category divided by that of the most selected category. For
scores the scoring rate takes its place, the share of a category that scores above the median of
the full sample, and the ratio is to the highest scoring category. Sex, race/ethnicity and their
intersections are calculated separately. A person whose sex or race/ethnicity is null, or written
as "unknown", is in no calculation of that table and is counted beside it. A category with less
than 2 % of the rows of its table may be excluded from the ratios with a justification; its count
and rate are shown all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from guiderail.measure.attribute_values import UNKNOWN, Counts
from guiderail.measure.cells import Group, count_groups
from guiderail.measure.groups import decision_problem, is_selected
from guiderail.measure.scored_rows import count_missing
from guiderail.measure.unmeasurable import NotMeasurable

SMALL_CATEGORY = 0.02
"""Section 5-301(d): a category below this share may be excluded."""


@dataclass(frozen=True, slots=True)
class ImpactRow:
    """selected: selected, or scored above the median. ratio: None where excluded or undefined."""

    category: tuple[str, ...]
    applicants: int
    selected: int
    rate: float
    ratio: float | None
    excluded: bool


@dataclass(frozen=True, slots=True)
class ImpactTable:
    """unknown: people who are in no row because their category is unknown."""

    attributes: tuple[str, ...]
    rows: tuple[ImpactRow, ...]
    unknown: int


@dataclass(frozen=True, slots=True)
class BiasAudit:
    """tables: sex, race/ethnicity, intersections. median: of the full sample, for scores only."""

    applicants: int
    unknown: int
    median: float | None
    justification: str | None
    tables: tuple[ImpactTable, ...]


def audit_decisions(
    decision: ArrayLike,
    sex: tuple[str, ArrayLike],
    race: tuple[str, ArrayLike],
    *,
    selected: object = 1,
    justification: str | None = None,
    counts: Counts | None = None,
) -> BiasAudit | NotMeasurable:
    """The three tables for a tool that selects. sex, race: name of the column and its values.

    justification: why categories below 2 % are excluded; None excludes none.
    """
    decisions = np.asarray(decision)
    problem = decision_problem(decisions, None, selected, counts)
    if problem is not None:
        return problem
    weights = np.ones(len(decisions)) if counts is None else counts
    return _audit(is_selected(decisions, selected), weights, sex, race, None, justification)


def audit_scores(
    score: ArrayLike,
    sex: tuple[str, ArrayLike],
    race: tuple[str, ArrayLike],
    *,
    justification: str | None = None,
) -> BiasAudit | NotMeasurable:
    """The three tables for a tool that scores; the median is that of all rows, unknown or not."""
    scores = np.asarray(score)
    if scores.size == 0:
        return NotMeasurable("there are no scores")
    if scores.dtype.kind not in "iuf" or count_missing(scores):
        return NotMeasurable("some scores are missing or not a number")
    if scores.dtype.kind == "f" and np.isinf(scores).any():
        return NotMeasurable("some scores are infinite")
    median = float(np.median(scores))
    above = np.asarray(scores > median, dtype=np.float64)
    return _audit(above, np.ones(len(scores)), sex, race, median, justification)


def _audit(
    above: NDArray[np.float64],
    weights: Counts,
    sex: tuple[str, ArrayLike],
    race: tuple[str, ArrayLike],
    median: float | None,
    justification: str | None,
) -> BiasAudit | NotMeasurable:
    groups = {name: _without_unknown(np.asarray(values)) for name, values in (sex, race)}
    if len(groups) != 2:
        return NotMeasurable("sex and race/ethnicity are the same column")
    addends = np.column_stack([weights, weights * above])
    counted = count_groups(groups, addends, counts=weights)
    if isinstance(counted, NotMeasurable):
        return counted
    tables = tuple(
        _table(part.attributes, part.groups, part.counts.astype(np.int64).tolist(), justification)
        for part in counted
    )
    return BiasAudit(int(weights.sum()), tables[-1].unknown, median, justification, tables)


def _without_unknown(values: NDArray[Any]) -> NDArray[Any]:
    """Cells that say "unknown", in any case, become null."""
    if values.dtype.kind not in "OUS":
        return values
    cells = values.astype(object)
    says = [isinstance(cell, str) and cell.strip().lower() == "unknown" for cell in cells]
    cells[np.array(says, dtype=bool)] = None
    return cells


def _table(
    attributes: tuple[str, ...],
    groups: Sequence[Group],
    counts: Sequence[Sequence[int]],
    justification: str | None,
) -> ImpactTable:
    known, unknown = [], 0
    for group, (n, selected) in zip(groups, counts, strict=True):
        if any(value == UNKNOWN for _, value in group):
            unknown += n
        elif n:
            known.append((tuple(value for _, value in group), n, selected))
    total = sum(n for _, n, _ in known)
    aside = {
        category
        for category, n, _ in known
        if justification is not None and n < SMALL_CATEGORY * total
    }
    best = max(
        (selected / n for category, n, selected in known if category not in aside), default=0
    )
    rows = tuple(
        ImpactRow(
            category,
            n,
            selected,
            selected / n,
            None if category in aside or not best else (selected / n) / best,
            category in aside,
        )
        for category, n, selected in known
    )
    return ImpactTable(attributes, rows, unknown)
