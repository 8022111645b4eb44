"""Whether the decision threshold moved, and whether inside the envelope of the last full review."""

from __future__ import annotations

from collections.abc import Iterator

from guiderail.change.baselines import IN_WORDS, NOTHING_RUNS
from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, known, unknown
from guiderail.facts.places import written_at
from guiderail.facts.provider import Inputs, Provider
from guiderail.manifest.schema import ModelManifest


def _run(inputs: Inputs) -> Iterator[Fact]:
    name, source = "change.threshold", written_at(inputs.release, "model.threshold")
    production, full = inputs.standing.production, inputs.standing.full_review
    if production is None:
        yield unknown(name, NOTHING_RUNS, source)
        return
    before = production.release.manifest
    if not isinstance(before, ModelManifest):
        yield unknown(name, f"{IN_WORDS['change']} is no model", source)
        return
    new, old = inputs.model.model.threshold, before.model.threshold
    approved = full.release.manifest if full is not None else None
    envelope = approved.model.threshold_envelope if isinstance(approved, ModelManifest) else None
    value = _move(new, old, envelope)
    detail = {
        "new": new,
        "old": old,
        "envelope": None if envelope is None else list(envelope),
    }
    yield known(
        name, value, f"{source} and {IN_WORDS['since_full_review']}", KnownBy.MEASURED, detail
    )


def _move(new: float | None, old: float | None, envelope: tuple[float, float] | None) -> str:
    """Without an approved envelope every move is outside; the release's own does not count."""
    if new == old:
        return "unchanged"
    if new is None or envelope is None:
        return "outside"
    return "inside" if envelope[0] <= new <= envelope[1] else "outside"


THRESHOLD_MOVE = Provider(
    id="change.threshold", version=1, kinds=("model",), gives=("change.threshold",), run=_run
)
