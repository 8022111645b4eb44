"""Every comparison of a release with its baselines, in one tuple, and how they are run."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from guiderail.change.behaviour import BEHAVIOUR
from guiderail.change.build import BUILD
from guiderail.change.cost import COST_CHANGE
from guiderail.change.data_sources import DATA_SOURCES
from guiderail.change.exists import EXISTS
from guiderail.change.explanations import EXPLANATION_CHANGE
from guiderail.change.features import FEATURES
from guiderail.change.going_back import GOING_BACK
from guiderail.change.judged_by import PURPOSE, RECIPE
from guiderail.change.moved import MOVED_SINCE
from guiderail.change.reseeding import RESEEDING
from guiderail.change.run_cost import RUN_COST_CHANGE
from guiderail.change.slices import SLICE_CHANGE
from guiderail.change.threshold import THRESHOLD_MOVE
from guiderail.change.traffic_share import TRAFFIC_SHARE
from guiderail.facts.cache import FactCache
from guiderail.facts.collect import Progress, run_providers
from guiderail.facts.fact import FactSet
from guiderail.facts.provider import Inputs, Provider
from guiderail.facts.standing import Standing
from guiderail.manifest.release import Release

COMPARISONS: tuple[Provider, ...] = (
    EXISTS,
    FEATURES,
    THRESHOLD_MOVE,
    BUILD,
    DATA_SOURCES,
    RECIPE,
    PURPOSE,
    TRAFFIC_SHARE,
    RESEEDING,
    MOVED_SINCE,
    BEHAVIOUR,
    SLICE_CHANGE,
    EXPLANATION_CHANGE,
    GOING_BACK,
    COST_CHANGE,
    RUN_COST_CHANGE,
)


def compare(
    release: Release,
    facts: FactSet,
    standing: Standing,
    now: datetime,
    *,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> FactSet:
    """The given facts, and every fact that compares the release with its baselines."""
    inputs = Inputs(release, standing, now, FactCache(cache), facts)
    return run_providers(COMPARISONS, inputs, progress)
