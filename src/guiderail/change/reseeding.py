"""Whether a null for flips was calibrated by reseeding the recipe."""

from __future__ import annotations

from collections.abc import Iterator

from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, known, unknown
from guiderail.facts.provider import Inputs, Provider


def _run(_inputs: Inputs) -> Iterator[Fact]:
    # Reseeds are recorded nowhere yet, so there is no null, and that is certain.
    source = "recorded reseeds"
    yield known("change.flips_null_exists", False, source, KnownBy.MEASURED)
    yield unknown("change.flips_null", "no null was calibrated by reseeding", source)


RESEEDING = Provider(
    id="change.reseeding",
    version=1,
    kinds=("model",),
    gives=("change.flips_null_exists", "change.flips_null"),
    run=_run,
)
