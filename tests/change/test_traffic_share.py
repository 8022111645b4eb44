"""A release may not quietly ask for more traffic than the last full review permitted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from guiderail.change.traffic_share import TRAFFIC_SHARE
from guiderail.facts.standing import Standing
from guiderail.manifest.release import Release
from tests.facts.small_release import after, baseline, reason, run

NAME = "change.traffic_share"


def asking(release: Release, *steps: int) -> Release:
    """The same release with another rollout; loading accepts full rollouts only."""
    rollout = release.manifest.rollout.model_copy(update={"steps": steps})
    return replace(release, manifest=release.manifest.model_copy(update={"rollout": rollout}))


@pytest.mark.parametrize(
    ("asked", "permitted", "more"),
    [
        ((10, 50, 100), (10, 50, 100), False),
        ((5, 20), (10, 20), False),
        ((5, 20), (10, 21), False),
        ((10, 21), (10, 20), True),
        ((10, 50, 100), (5, 20), True),
    ],
)
def test_the_highest_steps_are_compared(
    first: Release, asked: tuple[int, ...], permitted: tuple[int, ...], more: bool
) -> None:
    standing = after(first)
    full = replace(baseline(first), release=asking(first, *permitted))
    facts = run(TRAFFIC_SHARE, asking(first, *asked), replace(standing, full_review=full))
    assert facts[NAME].value is more
    assert facts[NAME].detail == {"asked": max(asked), "permitted": max(permitted)}


def test_without_production_or_a_full_review_nothing_is_known(first: Release) -> None:
    assert "nothing runs in production" in reason(run(TRAFFIC_SHARE, first), NAME)
    standing = Standing(production=baseline(first), reviewed=baseline(first))
    assert "is not recorded" in reason(run(TRAFFIC_SHARE, first, standing), NAME)
