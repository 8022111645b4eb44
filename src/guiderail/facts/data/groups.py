"""How this version treats groups: selection rates and accuracy by protected attribute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy
from guiderail.facts.data.columns import declared_protected
from guiderail.facts.data.data_files import seen_columns
from guiderail.facts.fact import Fact, Unknown, known, unknown
from guiderail.facts.model.scored import (
    EvaluationRows,
    evaluation_key,
    evaluation_of,
    evaluation_rows,
    model_key,
    scored,
)
from guiderail.facts.provider import Inputs, Provider, failed
from guiderail.sandbox.process import Failure

if TYPE_CHECKING:
    from guiderail.measure.groups import Comparison, GroupReport
    from guiderail.measure.unmeasurable import NotMeasurable
    from guiderail.sandbox.score import Scores

MOST_ATTRIBUTES = 6
"""Above this, intersections go two attributes deep only."""
_LIMIT = 0.80


def tested_attributes(inputs: Inputs) -> tuple[str, ...]:
    """Columns of the evaluation data to test by: the declared ones and the detected ones."""
    evaluation = evaluation_of(inputs.release)
    if evaluation is None:
        return ()
    detected = [
        column.name
        for column in seen_columns(inputs.release, inputs.cache)
        if column.file == evaluation.data and column.cls == "protected" and column.certain
    ]
    outside = {evaluation.label, evaluation.cluster}
    names = dict.fromkeys((*declared_protected(inputs), *detected))
    return tuple(name for name in names if name not in outside)


def _run(inputs: Inputs) -> Iterator[Fact]:
    release = inputs.release
    evaluation = evaluation_of(release)
    source = f"{inputs.model.model.file} scored on {evaluation.data if evaluation else 'nothing'}"
    attributes = tested_attributes(inputs)
    if not attributes:
        reason = "there is no protected attribute to test by; name one under evaluation.protected"
        yield from _unknown(reason, source)
        return
    scores = scored(release, release, inputs.cache)
    if isinstance(scores, Failure):
        yield from (failed(name, scores.reason, source) for name in GROUPS.gives)
        return
    rows = evaluation_rows(release)
    if isinstance(scores, Unknown):
        yield from _unknown(scores.reason, source)
        return
    if isinstance(rows, Unknown):
        yield from _unknown(rows.reason, source)
        return
    with rows.table:
        yield from _facts(inputs, rows, scores, attributes, source)


def _facts(
    inputs: Inputs,
    rows: EvaluationRows,
    scores: Scores,
    attributes: tuple[str, ...],
    source: str,
) -> Iterator[Fact]:
    from guiderail.measure.unmeasurable import NotMeasurable

    report = _report(inputs, rows, scores, attributes)
    if isinstance(report, NotMeasurable):
        yield from _unknown(report.reason, source)
        return
    detail = _detail(report, attributes)
    weak = _underpowered(report)
    verdict = report.verdict("selection_rate")
    ratio = _worst(report)
    if ratio is None:
        yield unknown("fairness.selection_ratio", verdict.reason, source)
    else:
        yield known("fairness.selection_ratio", ratio, source, KnownBy.MEASURED, detail)
    if report.accuracy_gap is None:
        reason = rows.label_problem if rows.label is None else "no two groups have enough rows"
        yield unknown("fairness.accuracy_gap", reason, source)
    else:
        gap = report.accuracy_gap
        shown = {"best": _group(gap.best), "worst": _group(gap.worst)}
        value = round(100 * gap.gap.value, 6)
        yield known("fairness.accuracy_gap", value, source, KnownBy.MEASURED, shown)
    yield known(
        "fairness.underpowered_groups", len(weak), source, KnownBy.MEASURED, {"groups": weak}
    )


def _report(
    inputs: Inputs, rows: EvaluationRows, scores: Scores, attributes: tuple[str, ...]
) -> GroupReport | NotMeasurable:
    from guiderail.facts.model.decisions import decisions, positive_class
    from guiderail.measure.groups import group_rates
    from guiderail.measure.unmeasurable import NotMeasurable

    evaluation = evaluation_of(inputs.release)
    declared = evaluation.positive if evaluation is not None else None
    positive = positive_class(scores, declared)
    if isinstance(positive, NotMeasurable):
        return positive
    decided = decisions(scores, inputs.model.model.threshold, declared)
    if isinstance(decided, NotMeasurable):
        return decided
    if len(decided) != rows.rows:
        return NotMeasurable(f"the model scored {len(decided)} rows, the data have {rows.rows}")
    return group_rates(
        decided,
        rows.table.frame(attributes),
        rows.label,
        selected=positive,
        deepest=None if len(attributes) <= MOST_ATTRIBUTES else 2,
    )


def _worst(report: GroupReport) -> Interval | None:
    """The interval that the gate judges: the lowest ratio, and the lowest lower bound of all.

    Where the lowest ratio alone lies below the limit but Holm's correction over all comparisons
    does not confirm it, the upper bound reaches the limit: not failed, not passed.
    """
    compared = _selection(report)
    ratios = [one.ratio for one in compared if one.ratio is not None]
    if not ratios or len(ratios) < len(compared):
        return None
    lowest = min(ratios, key=lambda ratio: ratio.value)
    high = lowest.high
    if report.verdict("selection_rate").verdict != "fail":
        high = max(high, _LIMIT)
    return Interval(lowest.value, min(ratio.low for ratio in ratios), high)


def _selection(report: GroupReport) -> list[Comparison]:
    return [one for one in report.comparisons if one.rate == "selection_rate"]


def _underpowered(report: GroupReport) -> list[str]:
    """Single groups that cannot be compared: too few rows, or the only group of their attribute."""
    from guiderail.measure.cells import MISSING

    small = [
        _group(one.group)
        for one in report.underpowered
        if one.rate == "selection_rate" and len(one.group) == 1 and one.group[0][1] != MISSING
    ]
    single = [cell.group for cell in report.cells if len(cell.group) == 1]
    attributes = [group[0][0] for group in single]
    alone = [_group(group) for group in single if attributes.count(group[0][0]) == 1]
    return list(dict.fromkeys([*small, *alone]))


def _detail(report: GroupReport, attributes: tuple[str, ...]) -> dict[str, object]:
    verdict = report.verdict("selection_rate")
    return {
        "n": report.n,
        "attributes": list(attributes),
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "lowest": None
        if verdict.lowest is None
        else [_group(verdict.lowest.group), _group(verdict.lowest.reference)],
        "cells": [
            {
                "group": _group(cell.group),
                "n": cell.n,
                "selected": cell.selected,
                "correct": None if cell.tp is None or cell.tn is None else cell.tp + cell.tn,
            }
            for cell in report.cells
        ],
        "underpowered": [
            _group(one.group) for one in report.underpowered if one.rate == "selection_rate"
        ],
    }


def _group(group: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{attribute} {value}" for attribute, value in group)


def _unknown(reason: str, source: str) -> Iterator[Fact]:
    for name in GROUPS.gives:
        yield unknown(name, reason, source)


def _key(inputs: Inputs) -> Mapping[str, object]:
    return {
        "file": inputs.model.model.file,
        **evaluation_key(inputs.release),
        **model_key(inputs.release),
    }


GROUPS = Provider(
    id="data.groups",
    version=2,
    kinds=("model",),
    gives=(
        "fairness.selection_ratio",
        "fairness.accuracy_gap",
        "fairness.underpowered_groups",
    ),
    run=_run,
    key=_key,
)
