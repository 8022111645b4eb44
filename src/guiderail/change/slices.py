"""Where this version is worse than the one in production. No shipped rule reads it.

An average can rise while one group loses: the slices are those of `facts.model.slices`, and each
version decides with its own threshold on the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from guiderail.change.baselines import NOTHING_RUNS
from guiderail.core.scales import KnownBy
from guiderail.facts.data.data_files import dictionary_key
from guiderail.facts.fact import Fact, Unknown, known, unknown
from guiderail.facts.model.scored import (
    NO_DATA,
    evaluation_key,
    evaluation_of,
    evaluation_rows,
    model_key,
    scored,
)
from guiderail.facts.model.slices import measured_slices, sliced_columns, slices_in_words
from guiderail.facts.provider import Inputs, Provider, failed
from guiderail.manifest.schema import ModelManifest
from guiderail.sandbox.process import Failure

NAME = "change.worse_slices"


def _run(inputs: Inputs) -> Iterator[Fact]:
    from guiderail.measure.unmeasurable import NotMeasurable

    release, baseline = inputs.release, inputs.standing.production
    evaluation = evaluation_of(release)
    if evaluation is None or baseline is None:
        reason = NO_DATA if evaluation is None else NOTHING_RUNS
        yield unknown(NAME, reason, "guiderail.yaml")
        return
    source = f"{evaluation.data} scored by both versions"
    if not isinstance(baseline.release.manifest, ModelManifest):
        yield unknown(NAME, "the version in production is no model", source)
        return
    new = scored(release, release, inputs.cache)
    old = scored(baseline.release, release, inputs.cache)
    for scores, words in ((new, ""), (old, "the version in production: ")):
        if isinstance(scores, Failure | Unknown):
            make = failed if isinstance(scores, Failure) else unknown
            yield make(NAME, f"{words}{scores.reason}", source)
            return
    rows = evaluation_rows(release)
    if isinstance(new, Failure | Unknown) or isinstance(old, Failure | Unknown):
        return
    if isinstance(rows, Unknown):
        yield unknown(NAME, rows.reason, source)
        return
    with rows.table:
        columns = sliced_columns(inputs, rows)
        found = measured_slices(inputs, rows, columns, new, baseline.release, old)
    if isinstance(found, NotMeasurable):
        yield unknown(NAME, found.reason, source)
        return
    worse = [one for one in found.slices if one.grew_worse]
    detail = {"columns": list(columns), **slices_in_words(found, worse)}
    yield known(NAME, len(worse), source, KnownBy.MEASURED, detail)


def _key(inputs: Inputs) -> Mapping[str, object]:
    baseline = inputs.standing.production
    before: Mapping[str, object] | None = None
    if baseline is not None and isinstance(baseline.release.manifest, ModelManifest):
        before = model_key(baseline.release)
    return {
        **dictionary_key(inputs),
        **evaluation_key(inputs.release),
        **model_key(inputs.release),
        "before": before,
        "exists": baseline is not None,
    }


SLICE_CHANGE = Provider(
    id="change.slices", version=1, kinds=("model",), gives=(NAME,), run=_run, key=_key
)
