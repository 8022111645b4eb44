"""How this version treats groups: selection, errors and accuracy by protected attribute.

The error ratio is that of the rate under `evaluation.error_rate`. Where none was chosen, it is the
lower of the ratios of true and of false positive rates, so that nobody gains by not choosing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy
from guiderail.facts.data.data_files import dictionary_key
from guiderail.facts.data.protected import declared_ranges, tested_attributes
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
    from guiderail.measure.comparisons import Comparison, GroupReport
    from guiderail.measure.groups import RateName
    from guiderail.measure.unmeasurable import NotMeasurable
    from guiderail.sandbox.score import Scores


@dataclass(frozen=True, slots=True)
class Measured:
    """A report on groups and what else the facts about them need.

    unlabelled: why error rates are not measured; empty where they are.
    """

    report: GroupReport
    attributes: tuple[str, ...]
    unlabelled: str = ""
    calibration: tuple[Mapping[str, object], ...] = ()
    ranks: tuple[Mapping[str, object], ...] = ()


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
    from guiderail.measure.unmeasurable import NotMeasurable

    with rows.table:
        measured = _measured(inputs, rows, scores, attributes)
    if isinstance(measured, NotMeasurable):
        yield from _unknown(measured.reason, source)
    else:
        yield from group_facts(measured, source)


def group_facts(measured: Measured, source: str) -> Iterator[Fact]:
    """The facts of one report."""
    from guiderail.measure.comparisons import weak_groups

    report = measured.report
    errors = tuple(rate for rate in report.deciding if rate != "selection_rate")
    yield _ratio("fairness.selection_ratio", ("selection_rate",), measured, source)
    if errors:
        yield _ratio("fairness.error_ratio", errors, measured, source)
    else:
        yield unknown("fairness.error_ratio", measured.unlabelled, source)
    yield _accuracy_gap(measured, source)
    weak = {_group(group): why for group, why in weak_groups(report).items()}
    detail = {"groups": list(weak), "why": weak}
    yield known("fairness.underpowered_groups", len(weak), source, KnownBy.MEASURED, detail)


def _ratio(name: str, rates: tuple[RateName, ...], measured: Measured, source: str) -> Fact:
    """The interval that the gate judges; see `measure.comparisons.lowest_ratio`."""
    from guiderail.measure.comparisons import lowest_ratio

    found = lowest_ratio(measured.report, rates)
    if not isinstance(found, Interval):
        return unknown(name, found.reason, source)
    compared = [one for one in measured.report.comparisons if one.rate in rates]
    detail = _detail(measured, rates, compared)
    if name == "fairness.error_ratio":
        detail["calibration"] = list(measured.calibration)
    else:
        detail["cells"] = _cells(measured.report)
        detail["rank_correlations"] = list(measured.ranks)
    return known(name, found, source, KnownBy.MEASURED, detail)


def _detail(
    measured: Measured, rates: tuple[RateName, ...], compared: list[Comparison]
) -> dict[str, object]:
    report = measured.report
    defined = [one for one in compared if one.ratio is not None]
    lowest = min(defined, key=lambda one: one.ratio.value if one.ratio else 1.0)
    pair = [_group(lowest.group), _group(lowest.reference)]
    verdicts = [report.verdict(rate) for rate in rates]
    worst = min(verdicts, key=lambda one: ("fail", "insufficient", "pass").index(one.verdict))
    return {
        "n": report.n,
        "attributes": list(measured.attributes),
        "intersections_of": report.deepest,
        "rates": list(rates),
        "verdict": worst.verdict,
        "reason": worst.reason,
        "lowest": pair,
        "group": f"{lowest.rate} of {pair[0]} and {pair[1]}",
        "failing": [
            f"{one.rate} of {_group(one.group)} and {_group(one.reference)}"
            for one in compared
            if one.verdict == "fail"
        ],
        "underpowered": list(
            dict.fromkeys(_group(one.group) for one in report.underpowered if one.rate in rates)
        ),
    }


def _cells(report: GroupReport) -> list[Mapping[str, object]]:
    return [
        {
            "group": _group(cell.group),
            "n": cell.n,
            "selected": cell.selected,
            "correct": None if cell.tp is None or cell.tn is None else cell.tp + cell.tn,
            **({} if cell.tp is None else {"tn": cell.tn, "fp": cell.fp, "fn": cell.fn}),
            **({} if cell.tp is None else {"tp": cell.tp}),
        }
        for cell in report.cells
    ]


def _accuracy_gap(measured: Measured, source: str) -> Fact:
    gap = measured.report.accuracy_gap
    if gap is None:
        reason = measured.unlabelled or "no two groups have enough rows"
        return unknown("fairness.accuracy_gap", reason, source)
    shown = {
        "best": _group(gap.best),
        "worst": _group(gap.worst),
        "interval": [round(100 * bound, 6) for bound in (gap.gap.low, gap.gap.high)],
    }
    value = round(100 * gap.gap.value, 6)
    return known("fairness.accuracy_gap", value, source, KnownBy.MEASURED, shown)


def _measured(
    inputs: Inputs, rows: EvaluationRows, scores: Scores, attributes: tuple[str, ...]
) -> Measured | NotMeasurable:
    from guiderail.facts.model.decisions import decisions, positive_class
    from guiderail.measure.comparisons import ERROR_RATES
    from guiderail.measure.fairness import group_rates
    from guiderail.measure.unmeasurable import NotMeasurable

    evaluation = evaluation_of(inputs.release)
    declared = evaluation.positive if evaluation is not None else None
    chosen = evaluation.error_rate if evaluation is not None else None
    positive = positive_class(scores, declared)
    if isinstance(positive, NotMeasurable):
        return positive
    decided = decisions(scores, inputs.model.model.threshold, declared)
    if isinstance(decided, NotMeasurable):
        return decided
    if len(decided) != rows.rows:
        return NotMeasurable(f"the model scored {len(decided)} rows, the data have {rows.rows}")
    groups = rows.table.frame(attributes)
    ranges = declared_ranges(inputs)
    rates = ERROR_RATES if chosen is None else (chosen,)
    ranks = _rank_correlations(groups, decided, positive)
    problem = rows.label_problem
    if rows.label is not None:
        found = group_rates(
            decided, groups, rows.label, selected=positive, edges=ranges, error_rates=rates
        )
        if not isinstance(found, NotMeasurable):
            calibration = _calibration(rows, scores, groups, positive, ranges, declared)
            return Measured(found, attributes, calibration=calibration, ranks=ranks)
        problem = found.reason
    found = group_rates(decided, groups, selected=positive, edges=ranges)
    if isinstance(found, NotMeasurable):
        return found
    return Measured(found, attributes, unlabelled=problem, ranks=ranks)


def _rank_correlations(
    groups: Mapping[str, Any], decided: Any, positive: str
) -> tuple[Mapping[str, object], ...]:
    """Of the decision with every protected attribute that is a number, beside its ranges."""
    from guiderail.measure.attribute_ranks import decision_ranks

    found = [
        decision_ranks(name, values, decided, positive)
        for name, values in groups.items()
        if values.dtype.kind in "iuf"
    ]
    return tuple(
        {
            "attribute": one.attribute,
            "n": one.n,
            **(
                {"correlation": [one.found.value, one.found.low, one.found.high]}
                if isinstance(one.found, Interval)
                else {"unknown": one.found.reason}
            ),
        }
        for one in found
    )


def _calibration(
    rows: EvaluationRows,
    scores: Scores,
    groups: Mapping[str, object],
    positive: str,
    ranges: Mapping[str, tuple[float, ...]],
    declared: str | None,
) -> tuple[Mapping[str, object], ...]:
    """Calibration of the single groups; nothing where the model gives no probabilities."""
    from guiderail.facts.model.decisions import positive_scores
    from guiderail.measure.calibration import calibration
    from guiderail.measure.unmeasurable import NotMeasurable

    chances = positive_scores(scores, declared)
    if scores.meaning != "probability" or isinstance(chances, NotMeasurable) or rows.label is None:
        return ()
    found = calibration(
        chances,
        rows.label,
        groups,  # type: ignore[arg-type]  # arrays, as `Table.frame` gives them
        positive=positive,
        edges=ranges,
        deepest=1,
    )
    if isinstance(found, NotMeasurable):
        return ()
    return tuple(
        {
            "group": _group(one.group),
            "n": one.n,
            "mean_score": one.mean_score,
            "observed": one.observed.value,
            "gap": [one.gap.value, one.gap.low, one.gap.high],
        }
        for one in found
    )


def _group(group: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{attribute} {value}" for attribute, value in group)


def _unknown(reason: str, source: str) -> Iterator[Fact]:
    for name in GROUPS.gives:
        yield unknown(name, reason, source)


def _key(inputs: Inputs) -> Mapping[str, object]:
    return {
        "file": inputs.model.model.file,
        **dictionary_key(inputs),
        **evaluation_key(inputs.release),
        **model_key(inputs.release),
    }


GROUPS = Provider(
    id="data.groups",
    version=4,
    kinds=("model",),
    gives=(
        "fairness.selection_ratio",
        "fairness.error_ratio",
        "fairness.accuracy_gap",
        "fairness.underpowered_groups",
    ),
    run=_run,
    key=_key,
)
