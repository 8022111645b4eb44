"""Where in the evaluation data this version is worse than elsewhere. No shipped rule reads it.

The columns are the tested protected attributes and then the inputs of the model, at most COLUMNS of
them; alone and in pairs, as in `measure.slices`, whose intervals hold for all slices together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from guiderail.core.scales import KnownBy
from guiderail.facts.data.data_files import dictionary_key
from guiderail.facts.data.protected import declared_ranges, tested_attributes
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
from guiderail.facts.model.summary import model_inputs
from guiderail.facts.provider import Inputs, Provider, failed
from guiderail.sandbox.process import Failure

if TYPE_CHECKING:
    from guiderail.manifest.release import Release
    from guiderail.measure.slices import Slice, Slices
    from guiderail.measure.unmeasurable import NotMeasurable
    from guiderail.sandbox.score import Scores

NAME = "performance.worse_slices"
COLUMNS, SHOWN = 10, 10


def _run(inputs: Inputs) -> Iterator[Fact]:
    from guiderail.measure.unmeasurable import NotMeasurable

    release, evaluation = inputs.release, evaluation_of(inputs.release)
    source = f"{inputs.model.model.file} scored on {evaluation.data if evaluation else 'nothing'}"
    if evaluation is None:
        yield unknown(NAME, NO_DATA, "guiderail.yaml")
        return
    scores = scored(release, release, inputs.cache)
    if isinstance(scores, Failure):
        yield failed(NAME, scores.reason, source)
        return
    if isinstance(scores, Unknown):
        yield unknown(NAME, scores.reason, source)
        return
    rows = evaluation_rows(release)
    if isinstance(rows, Unknown):
        yield unknown(NAME, rows.reason, source)
        return
    with rows.table:
        columns = sliced_columns(inputs, rows)
        found = measured_slices(inputs, rows, columns, scores, release, None)
    if isinstance(found, NotMeasurable):
        yield unknown(NAME, found.reason, source)
        return
    worse = [one for one in found.slices if one.worse]
    detail = {"columns": list(columns), **slices_in_words(found, found.slices)}
    yield known(NAME, len(worse), source, KnownBy.MEASURED, detail)


def sliced_columns(inputs: Inputs, rows: EvaluationRows) -> dict[str, Any]:
    """The columns to slice by, with their values: those that make groups."""
    from guiderail.measure.attribute_values import attribute
    from guiderail.measure.unmeasurable import NotMeasurable

    fed = model_inputs(inputs.release, inputs.cache)
    ranges = declared_ranges(inputs)
    found: dict[str, Any] = {}
    for name in (*tested_attributes(inputs), *(() if isinstance(fed, Unknown) else fed)):
        if name in found or name not in rows.columns or len(found) == COLUMNS:
            continue
        values = rows.table.column(name)
        if not isinstance(attribute(name, values, ranges.get(name)), NotMeasurable):
            found[name] = values
    return found


def measured_slices(
    inputs: Inputs,
    rows: EvaluationRows,
    columns: Mapping[str, Any],
    new: Scores,
    old_release: Release,
    old: Scores | None,
) -> Slices | NotMeasurable:
    """The slices of the release's evaluation rows; with an old version's scores, their change."""
    from guiderail.facts.model.metric_inputs import metric_inputs
    from guiderail.measure.scored_rows import scored_rows
    from guiderail.measure.slices import slices
    from guiderail.measure.unmeasurable import NotMeasurable

    evaluation = evaluation_of(inputs.release)
    if evaluation is None or evaluation.metric is None:
        return NotMeasurable("guiderail.yaml names no primary metric")
    if rows.label is None:
        return NotMeasurable(rows.label_problem)
    if not columns:
        return NotMeasurable("no column of the evaluation data makes slices")
    fed = metric_inputs(evaluation, inputs.release, rows.label, new)
    before = None if old is None else metric_inputs(evaluation, old_release, rows.label, old)
    if isinstance(fed, NotMeasurable):
        return fed
    if isinstance(before, NotMeasurable):
        return NotMeasurable(f"the earlier version: {before.reason}")
    checked = scored_rows(
        evaluation.metric,
        rows.label,
        fed.values,
        None if before is None else before.values,
        positive=fed.positive,
        clusters=rows.cluster,
    )
    if isinstance(checked, NotMeasurable):
        return checked
    found = slices(evaluation.metric, checked, columns, edges=declared_ranges(inputs))
    if isinstance(found, NotMeasurable) or found.tested:
        return found
    return NotMeasurable("no slice of the evaluation data has enough rows to be compared")


def slices_in_words(found: Slices, shown: tuple[Slice, ...] | list[Slice]) -> dict[str, object]:
    """Figures for reviewers: groups and numbers, no row of the data."""
    return {
        "tested": found.tested,
        "too_small": len(found.too_small),
        "worst": [
            {
                "slice": ", ".join(f"{name} {value}" for name, value in one.by),
                "n": one.n,
                "value": one.value,
                "rest": one.rest,
                "difference": [one.difference.value, one.difference.low, one.difference.high],
                "worse": one.worse,
                "change": None
                if one.change is None
                else [one.change.value, one.change.low, one.change.high],
                "grew_worse": one.grew_worse,
            }
            for one in shown[:SHOWN]
        ],
    }


def _key(inputs: Inputs) -> Mapping[str, object]:
    return {
        "file": inputs.model.model.file,
        **dictionary_key(inputs),
        **evaluation_key(inputs.release),
        **model_key(inputs.release),
    }


SLICES = Provider(id="model.slices", version=1, kinds=("model",), gives=(NAME,), run=_run, key=_key)
