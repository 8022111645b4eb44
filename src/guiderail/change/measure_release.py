"""All facts about a release: what `guiderail check` decides on."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from guiderail.change.compare import COMPARISONS, compare
from guiderail.facts.cache import FactCache
from guiderail.facts.collect import Progress, collect, fill_unknown, run_providers
from guiderail.facts.evidence.security import SECURITY
from guiderail.facts.evidence.tests import TESTS
from guiderail.facts.fact import FactSet
from guiderail.facts.provider import Inputs
from guiderail.facts.registry import PROVIDERS
from guiderail.facts.standing import Standing
from guiderail.manifest.release import Release

REPORTS = (SECURITY, TESTS)
"""Providers that read reports, which are about a release and no part of it."""


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


def report_facts(release: Release, standing: Standing, now: datetime) -> FactSet:
    """What reports of others say about the release: scans and tests, read where they lie."""
    return run_providers(REPORTS, Inputs(release, standing, now, FactCache(None)))


def _part(progress: Progress | None, start: float, end: float) -> Progress | None:
    if progress is None:
        return None
    return lambda name, done: progress(name, start + (end - start) * done)
