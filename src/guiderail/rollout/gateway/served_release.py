"""Reading the release document of an arm: which model file, which threshold, under which name."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServedRelease:
    """What a target needs of a release.

    served_as: the workload's name. model_digest: of the model file or directory, as
    `core.digest.path_digest` has it. suffix: ending of the model file's name. threshold: None
    where the class is taken. positive: the label that counts as positive, None for the model's
    last class.
    """

    served_as: str
    model_digest: str
    suffix: str
    threshold: float | None
    positive: str | None


def read_release(document: bytes) -> ServedRelease:
    """Read a document that `release_document` wrote. Raises ValueError in words for anything else.

    Whether it is the right document says its digest, not this function.
    """
    body = _mapping(json.loads(document), "the document")
    manifest = _mapping(body.get("manifest"), "manifest")
    artefacts = _mapping(body.get("artefacts"), "artefacts")
    if manifest.get("kind") != "model":
        raise ValueError("the local target serves models, not other kinds")
    model = _mapping(manifest.get("model"), "model")
    file = model.get("file")
    digest = artefacts.get(file) if isinstance(file, str) else None
    if not isinstance(file, str) or not isinstance(digest, str):
        raise ValueError("the document does not say which model file it means")
    name = manifest.get("endpoint") or manifest.get("name")
    if not isinstance(name, str):
        raise ValueError("the document names no workload")
    evaluation = manifest.get("evaluation")
    positive = evaluation.get("positive") if isinstance(evaluation, dict) else None
    dot = file.rpartition("/")[2].rfind(".")
    return ServedRelease(
        served_as=name,
        model_digest=digest,
        suffix=file.rpartition("/")[2][dot:] if dot > 0 else "",
        threshold=_number(model.get("threshold")),
        positive=positive if isinstance(positive, str) else None,
    )


def _mapping(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ValueError(f"`{name}` is missing")
    return value


def _number(value: object) -> float | None:
    """A number of the canonical form: {"number": "0.5"}, or a whole number."""
    if value is None:
        return None
    if isinstance(value, dict) and isinstance(value.get("number"), str):
        value = float(value["number"])
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("the threshold is not a number")
    return float(value)
