"""Whether the way the model is judged, or what it is for, changed since the last full review."""

from __future__ import annotations

from collections.abc import Iterator

from guiderail.change.baselines import IN_WORDS, NOTHING_RUNS
from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, known, unknown
from guiderail.facts.model.scored import evaluation_of
from guiderail.facts.places import written_at
from guiderail.facts.provider import Inputs, Provider
from guiderail.manifest.release import Release

_INFLUENCE = ("informs", "recommends", "automated")


def _baseline(inputs: Inputs) -> Release | str:
    if inputs.standing.production is None:
        return NOTHING_RUNS
    full = inputs.standing.full_review
    if full is None:
        return f"{IN_WORDS['since_full_review']} is not recorded"
    return full.release


def _recipe(inputs: Inputs) -> Iterator[Fact]:
    """Metric, recipe, protected groups, and what counts as the truth."""
    name, source = "change.recipe", written_at(inputs.release, "evaluation")
    before = _baseline(inputs)
    if isinstance(before, str):
        yield unknown(name, before, source)
        return
    old, new = _judged(before), _judged(inputs.release)
    changed = [key for key in new if new[key] != old[key]]
    yield known(name, bool(changed), source, KnownBy.MEASURED, {"changed": changed})


def _judged(release: Release) -> dict[str, object]:
    evaluation = evaluation_of(release)
    if evaluation is None:
        return dict.fromkeys(("metric", "recipe", "protected", "error_rate", "label", "positive"))
    return {
        "metric": evaluation.metric,
        "recipe": evaluation.recipe,
        "protected": sorted(evaluation.protected),
        "error_rate": evaluation.error_rate,
        "label": evaluation.label,
        "positive": evaluation.positive,
    }


def _purpose(inputs: Inputs) -> Iterator[Fact]:
    """Whether words were widened no machine can tell, so any other wording counts as wider."""
    name, source = "change.purpose", written_at(inputs.release, "purpose")
    before = _baseline(inputs)
    if isinstance(before, str):
        yield unknown(name, before, source)
        return
    changed = _widened(before, inputs.release)
    if not changed and inputs.release.manifest.use.influence is None:
        yield unknown(name, "the owner has not said how far the output decides", source)
        return
    yield known(name, bool(changed), source, KnownBy.MEASURED, {"changed": changed})


def _widened(before: Release, after: Release) -> list[str]:
    old, new = before.manifest, after.manifest
    found = []
    if new.purpose != old.purpose:
        found.append("purpose")
    if not set(old.forbidden_uses) <= set(new.forbidden_uses):
        found.append("forbidden_uses")
    if new.use.population != old.use.population:
        found.append("population")
    if not set(new.use.jurisdictions) <= set(old.use.jurisdictions):
        found.append("jurisdictions")
    if new.use.influence is not None and (
        old.use.influence is None
        or _INFLUENCE.index(new.use.influence) > _INFLUENCE.index(old.use.influence)
    ):
        found.append("influence")
    return found


RECIPE = Provider(
    id="change.recipe", version=1, kinds=("model",), gives=("change.recipe",), run=_recipe
)
PURPOSE = Provider(
    id="change.purpose",
    version=1,
    kinds=("app", "model", "pipeline"),
    gives=("change.purpose",),
    run=_purpose,
)
