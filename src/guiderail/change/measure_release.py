"""All facts about a release: what `guiderail check` decides on."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from guiderail.change.compare import COMPARISONS, compare
from guiderail.facts.collect import Progress, collect, fill_unknown
from guiderail.facts.fact import FactSet
from guiderail.facts.registry import PROVIDERS
from guiderail.facts.standing import Standing
from guiderail.manifest.release import Release


def release_facts(
    release: Release,
    standing: Standing,
    now: datetime,
    *,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> FactSet:
    """Measure the release, compare it with its baselines, and say unknown for everything else.

    Every fact of the catalogue for the release's kind is in the result, known or unknown with a
    reason. cache: directory for results by content; None computes everything (trusted runners).
    progress: called with a name and the share done, 0 to 1, rising.
    """
    share = len(PROVIDERS) / (len(PROVIDERS) + len(COMPARISONS))
    facts = collect(release, standing, now, cache=cache, progress=_part(progress, 0.0, share))
    facts = compare(
        release, facts, standing, now, cache=cache, progress=_part(progress, share, 1.0)
    )
    return fill_unknown(facts, release.manifest.kind)


def _part(progress: Progress | None, start: float, end: float) -> Progress | None:
    if progress is None:
        return None
    return lambda name, done: progress(name, start + (end - start) * done)
