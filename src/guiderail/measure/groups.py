"""Counts of groups and intersections, and their rates with intervals.

Selection is whatever the caller names as the selected value; a true positive is a row whose label
and decision are both that value. A rate that has no rows below the line is undefined, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from guiderail.core.interval import Interval
from guiderail.measure.attribute_values import UNKNOWN, Counts
from guiderail.measure.cells import Group, count_groups
from guiderail.measure.intervals import wilson
from guiderail.measure.scored_rows import as_texts, missing, wanted_text
from guiderail.measure.unmeasurable import NotMeasurable

RateName = Literal["selection_rate", "tpr", "fpr", "fnr", "ppv", "npv", "accuracy"]
RATES: tuple[RateName, ...] = ("selection_rate", "tpr", "fpr", "fnr", "ppv", "npv", "accuracy")
WHAT = ("decisions", "labels")
MOST_DECISIONS = 200
"""More different values than that are scores or keys, not decisions."""


@dataclass(frozen=True, slots=True)
class GroupCell:
    """Counts of one group or intersection; tn, fp, fn, tp are None without labels."""

    group: Group
    n: int
    selected: int
    tn: int | None = None
    fp: int | None = None
    fn: int | None = None
    tp: int | None = None

    @property
    def is_unknown(self) -> bool:
        """Whether an attribute of these rows is null."""
        return any(value == UNKNOWN for _, value in self.group)

    def counts(self, rate: RateName) -> tuple[int, int] | None:
        """Rows above and below the line of a rate; None without labels."""
        if rate == "selection_rate":
            return self.selected, self.n
        if self.tn is None or self.fp is None or self.fn is None or self.tp is None:
            return None
        match rate:
            case "tpr":
                return self.tp, self.tp + self.fn
            case "fpr":
                return self.fp, self.fp + self.tn
            case "fnr":
                return self.fn, self.tp + self.fn
            case "ppv":
                return self.tp, self.tp + self.fp
            case "npv":
                return self.tn, self.tn + self.fn
            case "accuracy":
                return self.tp + self.tn, self.n

    def rate(self, rate: RateName) -> Interval | None:
        """The rate, 0 to 1, with Wilson's interval; None where it is undefined."""
        counts = self.counts(rate)
        return wilson(*counts) if counts is not None and counts[1] else None


Levels = tuple[tuple[GroupCell, ...], ...]
"""One entry for each set of attributes: its groups."""


def count_cells(
    decision: ArrayLike,
    groups: Mapping[str, ArrayLike],
    label: ArrayLike | None = None,
    *,
    selected: object = 1,
    edges: Mapping[str, Sequence[float]] | None = None,
    deepest: int | None = None,
    counts: Counts | None = None,
    what: tuple[str, str] = WHAT,
) -> Levels | NotMeasurable:
    """Count decisions, and labels where they are given, in every group and intersection.

    decision, label, groups: one entry per row. A null attribute forms the group "(unknown)".
    selected: the decision that counts as selected, compared as text; labels are read the same way.
    edges: limits between the ranges of numeric attributes; others with many values are put into
        quartiles. deepest: most attributes in an intersection, 1 for none, None for all.
    counts: how many rows each entry stands for, one where it is left out.
    what: how a reason calls decisions and labels.
    """
    decisions = np.asarray(decision)
    labels = None if label is None else np.asarray(label)
    problem = decision_problem(decisions, labels, selected, counts, what)
    if problem is not None:
        return problem
    weights = np.ones(len(decisions)) if counts is None else counts
    chosen = is_selected(decisions, selected)
    addends = [weights, weights * chosen]
    if labels is not None:
        true = is_selected(labels, selected)
        addends += [weights * (1 - true) * (1 - chosen), weights * (1 - true) * chosen]
        addends += [weights * true * (1 - chosen), weights * true * chosen]
    counted = count_groups(
        groups, np.column_stack(addends), edges=edges, deepest=deepest, counts=counts
    )
    if isinstance(counted, NotMeasurable):
        return counted
    return tuple(
        tuple(
            GroupCell(group, *(int(count) for count in row))
            for group, row in zip(part.groups, part.counts.tolist(), strict=True)
        )
        for part in counted
    )


def is_selected(values: NDArray[Any], selected: object) -> NDArray[np.float64]:
    """1.0 where a cell is the selected value, as text."""
    return np.asarray(as_texts(values) == wanted_text(selected, values), dtype=np.float64)


def decision_problem(
    decisions: NDArray[Any],
    labels: NDArray[Any] | None,
    selected: object,
    counts: Counts | None = None,
    what: tuple[str, str] = WHAT,
) -> NotMeasurable | None:
    """Why rates of these decisions would be wrong numbers; None where they would not."""
    if decisions.ndim != 1 or decisions.size == 0:
        return NotMeasurable("there are no decisions, one per row")
    named = {what[0]: decisions}
    if labels is not None:
        named[what[1]] = labels
    texts: dict[str, set[str]] = {}
    for name, values in named.items():
        if values.shape != decisions.shape:
            return NotMeasurable(f"{values.size} {name} are given for {decisions.size} rows")
        problem = values_problem(name, values, counts)
        if problem is not None:
            return problem
        texts[name] = set(as_texts(np.unique(values) if _sorts(values) else values).tolist())
    wanted = {wanted_text(selected, values) for values in named.values()}
    if not any(wanted & found for found in texts.values()):
        return NotMeasurable(f'none of the {what[0]} is "{selected}", the value that is selected')
    return None if labels is None else _strangers(texts, what)


def values_problem(
    what: str, values: NDArray[Any], counts: Counts | None = None
) -> NotMeasurable | None:
    """Why a column holds no decisions or labels. what: its name for people."""
    absent = missing(values)
    if absent.any():
        rows = np.ones(values.size) if counts is None else counts
        return NotMeasurable(f"{int(rows[absent].sum())} of {int(rows.sum())} {what} are missing")
    if values.dtype.kind == "f":
        if np.isinf(values).any():
            return NotMeasurable(f"some {what} are infinite")
        distinct = np.unique(values)
        if len(distinct) > 2 and (distinct != np.floor(distinct)).any():
            return NotMeasurable(
                f"the {what} are numbers with fractions: they are scores, apply a threshold first"
            )
    if (len(np.unique(values)) if _sorts(values) else len(set(values.tolist()))) > MOST_DECISIONS:
        return NotMeasurable(f"the {what} have more than {MOST_DECISIONS} different values")
    return None


def _sorts(values: NDArray[Any]) -> bool:
    return values.dtype.kind in "biufUS"


def _strangers(texts: Mapping[str, set[str]], what: tuple[str, str]) -> NotMeasurable | None:
    """Labels written in another way than decisions would all count as not selected."""
    decisions, labels = texts[what[0]], texts[what[1]]
    both_binary = len(decisions) == 2 and len(labels) == 2 and decisions != labels
    if decisions & labels and not both_binary:
        return None
    return NotMeasurable(
        f"the {what[1]} ({_listed(labels)}) and the {what[0]} ({_listed(decisions)}) are not "
        "written with the same values"
    )


def _listed(values: set[str]) -> str:
    shown = ", ".join(f'"{value}"' for value in sorted(values)[:3])
    return f"{shown}, ..." if len(values) > 3 else shown


def group_name(group: Group) -> str:
    """For people: "sex=female, age=under 25"."""
    return ", ".join(f"{attribute}={value}" for attribute, value in group)
