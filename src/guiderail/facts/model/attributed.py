"""A version explained on the evaluation data of the release that is judged, in the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guiderail.facts.fact import Unknown
from guiderail.facts.model.scored import NO_DATA, evaluation_of, not_fed, scored
from guiderail.facts.model.summary import model_file, model_summary
from guiderail.manifest.release import Release
from guiderail.manifest.schema import ModelManifest
from guiderail.sandbox.process import Failure

if TYPE_CHECKING:
    from guiderail.facts.cache import FactCache
    from guiderail.facts.model.explained import Version
    from guiderail.sandbox.attribute import Refits


def explained_version(
    model: Release, data: Release, cache: FactCache, *, recipe: bool = False
) -> Version | Failure | Unknown:
    """recipe: also train it again on its own training data, to learn what that changes.

    Each version decides with its own threshold. Raises InputError where a file cannot be read.
    """
    from guiderail.facts.model.explained import Decides, version
    from guiderail.sandbox.attribute import attribute

    evaluation = evaluation_of(data)
    if evaluation is None:
        return Unknown(NO_DATA)
    summary = model_summary(model, cache)
    if summary.safety == "unsafe":
        return Unknown(f"{model_file(model)} is refused: {'; '.join(summary.reasons)}")
    found = attribute(
        model.path(model_file(model)),
        data.path(evaluation.data),
        summary.names,
        exclude=not_fed(evaluation),
        encoding=data.encoding(evaluation.data),
        refits=_refits(model) if recipe else None,
        cache=cache.scores,
    )
    if isinstance(found, Failure):
        return Failure(f"{model_file(model)}: {found.reason}", found.isolation)
    scores = scored(model, data, cache)
    known = scores.reason if isinstance(scores, Failure | Unknown) else scores
    manifest = model.manifest
    threshold = manifest.model.threshold if isinstance(manifest, ModelManifest) else None
    return version(found, known, Decides(threshold, evaluation.positive))


def _refits(model: Release) -> Refits | None:
    """Training again needs one training source and the name of the label."""
    from guiderail.sandbox.attribute import Refits

    manifest, evaluation = model.manifest, evaluation_of(model)
    if not isinstance(manifest, ModelManifest) or evaluation is None or evaluation.label is None:
        return None
    if len(manifest.training) != 1:
        return None
    return Refits(model.path(manifest.training[0].data), evaluation.label)
