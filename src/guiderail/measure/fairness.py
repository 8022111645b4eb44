"""Rates of every group and intersection of one model, compared: counting and comparing in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from numpy.typing import ArrayLike

from guiderail.measure.attribute_values import Counts
from guiderail.measure.comparisons import (
    ERROR_RATES,
    FOUR_FIFTHS,
    MINIMUM_ROWS,
    GroupReport,
    compare_cells,
)
from guiderail.measure.groups import WHAT, RateName, count_cells
from guiderail.measure.unmeasurable import NotMeasurable


def group_rates(
    decision: ArrayLike,
    groups: Mapping[str, ArrayLike],
    label: ArrayLike | None = None,
    *,
    selected: object = 1,
    edges: Mapping[str, Sequence[float]] | None = None,
    minimum_rows: int = MINIMUM_ROWS,
    ratio_limit: float = FOUR_FIFTHS,
    error_rates: Sequence[RateName] = ERROR_RATES,
    deepest: int | None = None,
    counts: Counts | None = None,
    what: tuple[str, str] = WHAT,
) -> GroupReport | NotMeasurable:
    """Count and compare; see `groups.count_cells` and `comparisons`.

    Missing, infinite or fractional decisions, labels written in another way, a selected value that
    occurs nowhere, an attribute with too many values and arrays of another length are
    NotMeasurable.
    """
    levels = count_cells(
        decision,
        groups,
        label,
        selected=selected,
        edges=edges,
        deepest=deepest,
        counts=counts,
        what=what,
    )
    if isinstance(levels, NotMeasurable):
        return levels
    return compare_cells(
        levels, minimum_rows=minimum_rows, ratio_limit=ratio_limit, error_rates=error_rates
    )
