"""Training sources that the last full review did not contain."""

from __future__ import annotations

from collections.abc import Iterator

from guiderail.change.baselines import IN_WORDS, NOTHING_RUNS
from guiderail.core.scales import KnownBy
from guiderail.facts.data.data_files import sources
from guiderail.facts.data.fingerprints import content_fingerprint
from guiderail.facts.fact import Fact, known, unknown
from guiderail.facts.places import written_at
from guiderail.facts.provider import Inputs, Provider
from guiderail.facts.standing import Baseline


def _run(inputs: Inputs) -> Iterator[Fact]:
    """A source is known by its name; under a new name it is new, unless its content is the same.

    New rows of a known source are a new sample, not a new source.
    """
    name, source = "change.new_sources", written_at(inputs.release, "training")
    if inputs.standing.production is None:
        yield unknown(name, NOTHING_RUNS, source)
        return
    full = inputs.standing.full_review
    if full is None:
        yield unknown(name, f"{IN_WORDS['since_full_review']} is not recorded", source)
        return
    names = {one.name for one in sources(full.release)}
    contents = _recorded_contents(full)
    new = [
        one.name
        for one in sources(inputs.release)
        if one.name not in names
        and content_fingerprint(inputs.release, one.data, inputs.cache) not in contents
    ]
    detail = {"sources": new, "before": sorted(names)}
    yield known(name, len(new), source, KnownBy.MEASURED, detail)


def _recorded_contents(full: Baseline) -> frozenset[str]:
    """Fingerprints of the sources as they were recorded when the full review was decided."""
    recorded = full.facts.get("data.training_fingerprint")
    held = recorded.detail.get("sources") if recorded is not None else None
    declared = {one.fingerprint for one in sources(full.release) if one.fingerprint is not None}
    measured = held.values() if isinstance(held, dict) else ()
    return frozenset(declared | {one for one in measured if isinstance(one, str)})


DATA_SOURCES = Provider(
    id="change.data-sources",
    version=1,
    kinds=("model", "pipeline"),
    gives=("change.new_sources",),
    run=_run,
)
