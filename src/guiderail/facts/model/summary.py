"""The summary of a release's model file, read once per content."""

from __future__ import annotations

from guiderail.facts.cache import FactCache, cache_key
from guiderail.facts.fact import Unknown
from guiderail.manifest.release import Release
from guiderail.manifest.schema import ModelManifest
from guiderail.sandbox.model_summary import ModelSummary

SUMMARY_VERSION = 1


def model_file(release: Release) -> str:
    """The path of the model file as the manifest names it. Raises TypeError for other kinds."""
    if not isinstance(release.manifest, ModelManifest):
        raise TypeError(f"{release.manifest.kind} has no model file")
    return release.manifest.model.file


def model_summary(release: Release, cache: FactCache) -> ModelSummary:
    """What the model file says about itself. Raises InputError where it cannot be read."""
    file = model_file(release)
    key = cache_key("model-summary", SUMMARY_VERSION, {"file": release.artefacts[file]})
    stored = cache.read(key)
    if stored is not None:
        try:
            return ModelSummary.from_json(stored)
        except ValueError:
            pass  # written by another version: read the file again
    from guiderail.sandbox.inspect_model import inspect_model

    summary = inspect_model(release.path(file))
    cache.write(key, summary.to_json())
    return summary


def model_inputs(release: Release, cache: FactCache) -> tuple[str, ...] | Unknown:
    """The names of the model's inputs, or why they are not known."""
    summary = model_summary(release, cache)
    if summary.names is not None:
        return summary.names
    if summary.safety == "unsafe":
        return Unknown(f"{model_file(release)} is refused: {'; '.join(summary.reasons)}")
    return Unknown(f"{model_file(release)} names no inputs; train it on a table with column names")
