"""The decision threshold and the performance floor that the manifest declares."""

from __future__ import annotations

from collections.abc import Iterator

from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, known, unknown
from guiderail.facts.places import written_at
from guiderail.facts.provider import Inputs, Provider


def _run(inputs: Inputs) -> Iterator[Fact]:
    manifest, release = inputs.model, inputs.release
    place = written_at(release, "model.threshold")
    if manifest.model.threshold is None:
        yield unknown("model.threshold", "none is set: the class the model names is taken", place)
    else:
        envelope = manifest.model.threshold_envelope
        detail = {"envelope": None if envelope is None else list(envelope)}
        yield known("model.threshold", manifest.model.threshold, place, KnownBy.DECLARED, detail)
    floor = manifest.evaluation.floor_percent if manifest.evaluation else None
    place = written_at(release, "evaluation.floor_percent")
    if floor is None:
        yield unknown("performance.floor", "no lowest acceptable change is declared", place)
    else:
        yield known("performance.floor", floor, place, KnownBy.DECLARED)


THRESHOLD = Provider(
    id="model.threshold",
    version=1,
    kinds=("model",),
    gives=("model.threshold", "performance.floor"),
    run=_run,
)
