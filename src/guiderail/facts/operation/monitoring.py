"""What is watched in production: inputs against a stored profile, outcomes, open signals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from guiderail.core.errors import GuiderailError
from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, Unknown, known, unknown
from guiderail.facts.model.summary import model_inputs
from guiderail.facts.places import written_at
from guiderail.facts.provider import Inputs, Provider, failed


def _run(inputs: Inputs) -> Iterator[Fact]:
    release, monitoring = inputs.release, inputs.model.monitoring
    place = written_at(release, "monitoring.drift")
    drift = monitoring.drift
    answered = drift is not None and bool(drift.owner.strip())
    yield known("monitoring.answered", answered, place, KnownBy.DECLARED)
    labels = written_at(release, "monitoring.labels")
    yield known("monitoring.labels", monitoring.labels is not None, labels, KnownBy.DECLARED)
    wanted = model_inputs(release, inputs.cache)
    if isinstance(wanted, Unknown):
        yield unknown("monitoring.unwatched", wanted.reason, place)
        yield unknown("monitoring.profile_stored", wanted.reason, place)
        return
    watched = drift.watched if drift is not None else ()
    blind = [name for name in wanted if name not in watched]
    source = f"{inputs.model.model.file} and {place}"
    yield known("monitoring.unwatched", len(blind), source, KnownBy.MEASURED, {"features": blind})
    yield _profile(inputs, wanted, place)


def _profile(inputs: Inputs, wanted: tuple[str, ...], place: str) -> Fact:
    """A stored profile that can be read and holds every input of the model."""
    from guiderail.measure.profile import read_profile

    name, drift = "monitoring.profile_stored", inputs.model.monitoring.drift
    if drift is None:
        return known(name, False, place, KnownBy.MEASURED, {"reason": "no profile is named"})
    try:
        profile = read_profile(inputs.release.path(drift.profile))
    except GuiderailError as problem:
        return failed(name, problem.what, drift.profile)
    held = {column.name for column in profile.columns}
    lacking = [feature for feature in wanted if feature not in held]
    detail = {"lacking": lacking, "rows": profile.rows}
    return known(name, not lacking, drift.profile, KnownBy.MEASURED, detail)


def _key(inputs: Inputs) -> Mapping[str, object]:
    release, manifest = inputs.release, inputs.model
    drift = manifest.monitoring.drift
    return {
        "file": manifest.model.file,
        "model": release.artefacts[manifest.model.file],
        "monitoring": manifest.monitoring.model_dump(mode="json"),
        "profile": None if drift is None else release.artefacts[drift.profile],
        "places": [written_at(release, f"monitoring.{part}") for part in ("drift", "labels")],
    }


MONITORING = Provider(
    id="operation.monitoring",
    version=2,
    kinds=("model",),
    gives=(
        "monitoring.answered",
        "monitoring.labels",
        "monitoring.unwatched",
        "monitoring.profile_stored",
    ),
    run=_run,
    key=_key,
)
