"""New, unapproved and removed features, by name."""

from __future__ import annotations

from collections.abc import Iterator

from guiderail.change.baselines import IN_WORDS, NOTHING_RUNS
from guiderail.core.errors import GuiderailError
from guiderail.core.scales import KnownBy
from guiderail.facts.evidence.feature_contract import input_types, type_family
from guiderail.facts.fact import Fact, Unknown, known, unknown
from guiderail.facts.model.summary import model_inputs
from guiderail.facts.provider import Inputs, Provider
from guiderail.facts.standing import Baseline
from guiderail.manifest.schema import ModelManifest


def baseline_inputs(baseline: Baseline, inputs: Inputs, words: str) -> frozenset[str] | Unknown:
    """Inputs of an earlier version: from its model file, else as recorded at its decision."""
    if not isinstance(baseline.release.manifest, ModelManifest):
        return Unknown(f"{words} is no model")
    try:
        found = model_inputs(baseline.release, inputs.cache)
    except (GuiderailError, OSError) as problem:
        recorded = baseline.facts.get("model.inputs")
        if recorded is not None and isinstance(recorded.value, tuple):
            return frozenset(recorded.value)
        return Unknown(f"{words}: {problem}")
    return Unknown(f"{words}: {found.reason}") if isinstance(found, Unknown) else frozenset(found)


def _run(inputs: Inputs) -> Iterator[Fact]:
    """New is what production or the last review lacks: what nobody reviewed stays new."""
    source = "inputs of both model files"
    production, reviewed = inputs.standing.production, inputs.standing.reviewed
    if production is None:
        yield from _unknown(NOTHING_RUNS, source)
        return
    wanted = model_inputs(inputs.release, inputs.cache)
    running = baseline_inputs(production, inputs, IN_WORDS["change"])
    seen = (
        running if reviewed is None else baseline_inputs(reviewed, inputs, IN_WORDS["since_review"])
    )
    if isinstance(wanted, Unknown):
        yield from _unknown(wanted.reason, source)
    elif isinstance(running, Unknown):
        yield from _unknown(running.reason, source)
    elif isinstance(seen, Unknown):
        yield from _unknown(seen.reason, source)
    else:
        new = [name for name in wanted if name not in running or name not in seen]
        removed = sorted(running - set(wanted))
        yield from _counted(inputs, new, removed, source)


def _counted(inputs: Inputs, new: list[str], removed: list[str], source: str) -> Iterator[Fact]:
    measured = KnownBy.MEASURED
    yield known("change.new_features", len(new), source, measured, {"features": new})
    yield known("change.removed_features", len(removed), source, measured, {"features": removed})
    types = input_types(inputs.release, inputs.release, inputs) if new else {}
    problems = {
        name: problem
        for name in new
        if (problem := _unapproved(inputs, name, types.get(name, "unknown"))) is not None
    }
    yield known(
        "change.unapproved_features",
        len(problems),
        f"{source} and features.yaml",
        measured,
        {"features": list(problems), "why": problems},
    )


def _unapproved(inputs: Inputs, name: str, kind: str) -> str | None:
    """Why the feature registry does not cover a feature; None where it does."""
    entry = inputs.standing.features.get(name)
    if entry is None:
        return "it is not in the feature registry"
    if entry.until <= inputs.now:
        return f"its approval ended on {entry.until.date().isoformat()}"
    approved = type_family(entry.type)
    if "unknown" not in (approved, kind) and approved != kind:
        return f"it is approved as {entry.type}, the model takes {kind}"
    return None


def _unknown(reason: str, source: str) -> Iterator[Fact]:
    for name in FEATURES.gives:
        yield unknown(name, reason, source)


FEATURES = Provider(
    id="change.features",
    version=1,
    kinds=("model",),
    gives=("change.new_features", "change.unapproved_features", "change.removed_features"),
    run=_run,
)
