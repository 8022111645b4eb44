"""The primary metric of this version on the frozen evaluation data, and whether labels exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, Unknown, known, unknown
from guiderail.facts.model.scored import (
    NO_DATA,
    EvaluationRows,
    evaluation_key,
    evaluation_of,
    evaluation_rows,
    model_key,
    scored,
)
from guiderail.facts.places import written_at
from guiderail.facts.provider import Inputs, Provider, failed
from guiderail.sandbox.process import Failure

if TYPE_CHECKING:
    from guiderail.manifest.release import Release
    from guiderail.measure.performance import Performance
    from guiderail.measure.unmeasurable import NotMeasurable
    from guiderail.sandbox.score import Scores


def _run(inputs: Inputs) -> Iterator[Fact]:
    release = inputs.release
    evaluation = evaluation_of(release)
    place = written_at(release, "evaluation")
    if evaluation is None:
        yield known("evaluation.labels", False, place, KnownBy.MEASURED, {"reason": NO_DATA})
        yield unknown("evaluation.rows", NO_DATA, place)
        yield unknown("performance.value", NO_DATA, place)
        return
    rows = evaluation_rows(release)
    if isinstance(rows, Unknown):
        raise ValueError(rows.reason)
    with rows.table:
        labelled = rows.label is not None
        detail = {} if labelled else {"reason": rows.label_problem}
        yield known("evaluation.labels", labelled, evaluation.data, KnownBy.MEASURED, detail)
        yield known("evaluation.rows", rows.rows, evaluation.data, KnownBy.MEASURED)
        yield _value(inputs, rows)


def _value(inputs: Inputs, rows: EvaluationRows) -> Fact:
    from guiderail.measure.unmeasurable import NotMeasurable

    release = inputs.release
    source = f"{inputs.model.model.file} scored on {_data(release)}"
    scores = scored(release, release, inputs.cache)
    if isinstance(scores, Failure):
        return failed("performance.value", scores.reason, source)
    if isinstance(scores, Unknown):
        return unknown("performance.value", scores.reason, source)
    found = measured_change(release, rows, scores, release, None)
    if isinstance(found, NotMeasurable):
        return unknown("performance.value", found.reason, source)
    detail = {
        "metric": found.metric,
        "n": found.n,
        "method": found.method,
        "isolation": scores.isolation.to_json(),
    }
    return known("performance.value", found.value, source, KnownBy.MEASURED, detail)


def measured_change(
    release: Release, rows: EvaluationRows, new: Scores, old_release: Release, old: Scores | None
) -> Performance | NotMeasurable:
    """The release's metric on its evaluation rows, and its change against an old version's scores.

    Each version decides with its own threshold; the metric, label and positive class are those of
    the release that is judged.
    """
    from guiderail.facts.model.metric_inputs import metric_inputs
    from guiderail.measure.performance import paired_change
    from guiderail.measure.unmeasurable import NotMeasurable

    evaluation = evaluation_of(release)
    if evaluation is None or evaluation.metric is None:
        return NotMeasurable("guiderail.yaml names no primary metric")
    if rows.label is None:
        return NotMeasurable(rows.label_problem)
    fed_new = metric_inputs(evaluation, release, rows.label, new)
    if isinstance(fed_new, NotMeasurable):
        return fed_new
    fed_old = None
    if old is not None:
        found = metric_inputs(evaluation, old_release, rows.label, old)
        if isinstance(found, NotMeasurable):
            return NotMeasurable(f"the earlier version: {found.reason}")
        fed_old = found.values
    return paired_change(
        evaluation.metric,
        rows.label,
        fed_new.values,
        fed_old,
        positive=fed_new.positive,
        clusters=rows.cluster,
        names={
            role: name
            for role, name in (("label", evaluation.label), ("clusters", evaluation.cluster))
            if name is not None
        },
    )


def _data(release: Release) -> str:
    evaluation = evaluation_of(release)
    return evaluation.data if evaluation is not None else ""


def _key(inputs: Inputs) -> Mapping[str, object]:
    return {
        "file": inputs.model.model.file,
        "place": written_at(inputs.release, "evaluation"),
        **evaluation_key(inputs.release),
        **model_key(inputs.release),
    }


PERFORMANCE = Provider(
    id="model.performance",
    version=2,
    kinds=("model",),
    gives=("evaluation.labels", "evaluation.rows", "performance.value"),
    run=_run,
    key=_key,
)
