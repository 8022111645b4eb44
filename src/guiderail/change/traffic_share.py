"""Whether the release asks for more traffic than the last full review permitted."""

from __future__ import annotations

from collections.abc import Iterator

from guiderail.change.baselines import IN_WORDS, NOTHING_RUNS
from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, known, unknown
from guiderail.facts.places import written_at
from guiderail.facts.provider import Inputs, Provider


def _run(inputs: Inputs) -> Iterator[Fact]:
    """A permit allows the rollout that it was given for, so the highest steps are compared."""
    name, source = "change.traffic_share", written_at(inputs.release, "rollout")
    if inputs.standing.production is None:
        yield unknown(name, NOTHING_RUNS, source)
        return
    full = inputs.standing.full_review
    if full is None:
        yield unknown(name, f"{IN_WORDS['since_full_review']} is not recorded", source)
        return
    asked = max(inputs.release.manifest.rollout.steps)
    permitted = max(full.release.manifest.rollout.steps)
    detail = {"asked": asked, "permitted": permitted}
    yield known(name, asked > permitted, source, KnownBy.MEASURED, detail)


TRAFFIC_SHARE = Provider(
    id="change.traffic-share",
    version=1,
    kinds=("model",),
    gives=("change.traffic_share",),
    run=_run,
)
