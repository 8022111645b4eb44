"""Whether the model is built differently: class tree and settings."""

from __future__ import annotations

from collections.abc import Iterator

from guiderail.change.baselines import IN_WORDS, NOTHING_RUNS
from guiderail.core.errors import GuiderailError
from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, Unknown, known, unknown
from guiderail.facts.model.summary import model_file, model_summary
from guiderail.facts.provider import Inputs, Provider
from guiderail.facts.standing import Baseline
from guiderail.manifest.schema import ModelManifest
from guiderail.sandbox.model_summary import ModelSummary

_SOURCE = "both model files"


def _run(inputs: Inputs) -> Iterator[Fact]:
    production, full = inputs.standing.production, inputs.standing.full_review
    if production is None:
        yield unknown("change.architecture", NOTHING_RUNS, _SOURCE)
        yield unknown("change.tuning", NOTHING_RUNS, _SOURCE)
        return
    new = model_summary(inputs.release, inputs.cache)
    running = _summary_of(production, inputs, IN_WORDS["change"])
    yield _compared(inputs, "tuning", new, (running,))
    against = [running]
    if full is not None and full.digest != production.digest:
        against.append(_summary_of(full, inputs, IN_WORDS["since_full_review"]))
    yield _compared(inputs, "architecture", new, tuple(against))


def _summary_of(baseline: Baseline, inputs: Inputs, words: str) -> ModelSummary | Unknown:
    if not isinstance(baseline.release.manifest, ModelManifest):
        return Unknown(f"{words} is no model")
    try:
        return model_summary(baseline.release, inputs.cache)
    except (GuiderailError, OSError) as problem:
        return Unknown(f"{words}: {problem}")


def _compared(
    inputs: Inputs, what: str, new: ModelSummary, baselines: tuple[ModelSummary | Unknown, ...]
) -> Fact:
    """True where any baseline differs, also where another one could not be read."""
    name = f"change.{what}"
    own = _hash(new, what)
    if own is None:
        return unknown(name, f"{model_file(inputs.release)} does not say it", _SOURCE)
    unread = [one.reason for one in baselines if isinstance(one, Unknown)]
    hashes = [_hash(one, what) for one in baselines if isinstance(one, ModelSummary)]
    changed = any(other is not None and other != own for other in hashes)
    if changed or (not unread and None not in hashes):
        detail = _classes(new, baselines) if what == "architecture" else {}
        return known(name, changed, _SOURCE, KnownBy.MEASURED, detail)
    reason = unread[0] if unread else "the earlier model file does not say it"
    return unknown(name, reason, _SOURCE)


def _classes(new: ModelSummary, baselines: tuple[ModelSummary | Unknown, ...]) -> dict[str, object]:
    before = [list(one.classes) for one in baselines if isinstance(one, ModelSummary)]
    return {"new": list(new.classes), "old": before}


def _hash(summary: ModelSummary, what: str) -> str | None:
    return summary.architecture if what == "architecture" else summary.tuning


BUILD = Provider(
    id="change.build",
    version=1,
    kinds=("model",),
    gives=("change.architecture", "change.tuning"),
    run=_run,
)
