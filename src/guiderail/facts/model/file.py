"""What the model file says about itself: format, safety, inputs, class tree, settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, Unknown, known, unknown
from guiderail.facts.model.summary import SUMMARY_VERSION, model_file, model_inputs, model_summary
from guiderail.facts.provider import Inputs, Provider
from guiderail.manifest.mlflow_uri import is_uri
from guiderail.manifest.pins import LOCK_NAME, read_pins


def _run(inputs: Inputs) -> Iterator[Fact]:
    file = model_file(inputs.release)
    summary = model_summary(inputs.release, inputs.cache)
    measured = KnownBy.MEASURED
    pin = read_pins(inputs.release.root).get(file) if is_uri(file) else None
    fetched: dict[str, object] = {}
    if pin is not None:
        fetched = {"fetched": {"pinned": pin.pinned, "model": pin.model, "run": pin.run,
                               "from": pin.source, "digest": pin.digest}}  # fmt: skip
        file = f"{file}, fetched as {pin.pinned}"
    yield known("model.format", summary.format, file, measured)
    reasons = {"reasons": list(summary.reasons)}
    yield known("model.file", summary.safety, file, measured, {**reasons, **fetched})
    names = model_inputs(inputs.release, inputs.cache)
    if isinstance(names, Unknown):
        yield unknown("model.inputs", names.reason, file)
    else:
        types = dict(summary.inputs or ())
        yield known("model.inputs", names, file, measured, {"types": types})
    for name, value in (("architecture", summary.architecture), ("tuning", summary.tuning)):
        if value is None:
            yield unknown(f"model.{name}", f"{file} does not say it in a readable form", file)
        else:
            detail = {"classes": list(summary.classes)} if name == "architecture" else {}
            yield known(f"model.{name}", value, file, measured, detail)


def _key(inputs: Inputs) -> Mapping[str, object]:
    file = model_file(inputs.release)
    return {
        "file": file,
        "digest": inputs.release.artefacts[file],
        "summary": SUMMARY_VERSION,
        **({"lock": inputs.release.artefacts[LOCK_NAME]} if is_uri(file) else {}),
    }


MODEL_FILE = Provider(
    id="model.file",
    version=1,
    kinds=("model",),
    gives=("model.format", "model.file", "model.inputs", "model.architecture", "model.tuning"),
    run=_run,
    key=_key,
)
