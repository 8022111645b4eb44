"""What the manifest tells reviewers already, so that the interview need not ask it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, known, unknown
from guiderail.facts.places import written_at
from guiderail.facts.provider import Inputs, Provider
from guiderail.manifest.release import Release
from guiderail.manifest.schema import DataSource, PipelineManifest

NOT_ANSWERED = "nobody has answered it"


def _shared(inputs: Inputs) -> Iterator[Fact]:
    release = inputs.release
    manifest = release.manifest
    yield _told(release, "context.purpose", "purpose", manifest.purpose)
    forbidden = "; ".join(manifest.forbidden_uses)
    yield _told(release, "context.forbidden_uses", "forbidden_uses", forbidden)
    yield _told(release, "context.population", "use.population", manifest.use.population or "")
    places = ", ".join(manifest.use.jurisdictions)
    yield _told(release, "context.jurisdictions", "use.jurisdictions", places)


def _of_a_model(inputs: Inputs) -> Iterator[Fact]:
    release, manifest = inputs.release, inputs.model
    yield _data_sets(release, "training", manifest.training)
    tested = manifest.evaluation.protected if manifest.evaluation else ()
    yield _told(release, "context.groups", "evaluation.protected", ", ".join(tested))
    labels, drift = manifest.monitoring.labels, manifest.monitoring.drift
    source = f"{labels.source}, after {labels.delay_days} days" if labels else ""
    yield _told(release, "context.label_source", "monitoring.labels", source)
    watch = ""
    if drift is not None and drift.owner.strip():
        watch = (
            f"{len(drift.watched)} inputs; a stability index above {drift.limit_psi:g} means "
            f"{drift.action}; {drift.owner} answers"
        )
    yield _told(release, "context.watch", "monitoring.drift", watch)


def _of_a_pipeline(inputs: Inputs) -> Iterator[Fact]:
    manifest = inputs.release.manifest
    if isinstance(manifest, PipelineManifest):
        yield _data_sets(inputs.release, "sources", manifest.sources)


def _data_sets(release: Release, key: str, sources: Sequence[DataSource]) -> Fact:
    told = "; ".join(_data_set(source) for source in sources)
    return _told(release, "release.data_sets", key, told)


def _data_set(source: DataSource) -> str:
    said = [source.permission] if source.permission else []
    if source.permitted is not None:
        given = source.permitted
        said.append(f"permitted by {given.by} for {given.purpose} until {given.until}")
    return f"{source.name}: {', '.join(said) or 'no permission is recorded'}"


def _told(release: Release, name: str, key: str, text: str) -> Fact:
    """What stands in the manifest; an empty text is no answer."""
    place = written_at(release, key)
    if not text.strip():
        return unknown(name, NOT_ANSWERED, place)
    return known(name, text, place, KnownBy.DECLARED)


CONTEXT = Provider(
    id="use.context",
    version=1,
    kinds=("app", "model", "pipeline"),
    gives=(
        "context.purpose",
        "context.forbidden_uses",
        "context.population",
        "context.jurisdictions",
    ),
    run=_shared,
)
MODEL_CONTEXT = Provider(
    id="use.model_context",
    version=1,
    kinds=("model",),
    gives=("release.data_sets", "context.groups", "context.label_source", "context.watch"),
    run=_of_a_model,
)
PIPELINE_CONTEXT = Provider(
    id="use.pipeline_context",
    version=1,
    kinds=("pipeline",),
    gives=("release.data_sets",),
    run=_of_a_pipeline,
)
