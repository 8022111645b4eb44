"""Which inputs lie otherwise in the training data than in production's. No shipped rule reads it.

Sources are compared by their name; one that production did not have is a new source, which
`change.new_sources` tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from guiderail.change.baselines import NOTHING_RUNS
from guiderail.facts.data.data_files import data_key, sources
from guiderail.facts.data.moved import moved
from guiderail.facts.fact import Fact, Unknown, unknown
from guiderail.facts.model.summary import model_file, model_inputs
from guiderail.facts.provider import Inputs, Provider

NAME = "change.moved_columns"


def _run(inputs: Inputs) -> Iterator[Fact]:
    release, baseline = inputs.release, inputs.standing.production
    source = "training data of both versions"
    if baseline is None:
        yield unknown(NAME, NOTHING_RUNS, source)
        return
    fed = model_inputs(release, inputs.cache)
    if isinstance(fed, Unknown):
        yield unknown(NAME, fed.reason, source)
        return
    before = {one.name: one.data for one in sources(baseline.release)}
    pairs = [
        ((baseline.release, before[one.name]), (release, one.data))
        for one in sources(release)
        if one.name in before
    ]
    if not pairs:
        yield unknown(NAME, "no training source has the name of one in production", source)
        return
    yield moved(NAME, pairs, fed, source)


def _key(inputs: Inputs) -> Mapping[str, object]:
    release, baseline = inputs.release, inputs.standing.production
    return {
        **data_key(release),
        "sources": {one.name: one.data for one in sources(release)},
        "model": release.artefacts[model_file(release)],
        "before": None
        if baseline is None
        else {
            one.name: [
                baseline.release.artefacts[one.data],
                baseline.release.encoding(one.data),
            ]
            for one in sources(baseline.release)
        },
    }


MOVED_SINCE = Provider(
    id="change.moved", version=1, kinds=("model",), gives=(NAME,), run=_run, key=_key
)
