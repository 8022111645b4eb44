"""Open signals of monitors, and whether an experiment is part of the release."""

from __future__ import annotations

from collections.abc import Iterator

from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, known
from guiderail.facts.provider import Inputs, Provider


def _run(inputs: Inputs) -> Iterator[Fact]:
    deadlines = inputs.standing.open_signals
    value = "none"
    if deadlines:
        value = "lapsed" if min(deadlines) <= inputs.now else "open"
    detail = {"open": len(deadlines)}
    yield known("monitor.breach", value, "the workspace's signals", KnownBy.ATTESTED, detail)
    # The manifest has no place for an experiment, so none can be part of the release.
    yield known("experiment.used", False, "guiderail.yaml", KnownBy.DECLARED)


SIGNALS = Provider(
    id="operation.signals",
    version=1,
    kinds=("app", "model", "pipeline"),
    gives=("monitor.breach", "experiment.used"),
    run=_run,
)
