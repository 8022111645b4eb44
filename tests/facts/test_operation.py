"""Monitoring, signals, and the plan for going back."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from guiderail.facts.operation.monitoring import MONITORING
from guiderail.facts.operation.rollback import ROLLBACK_PLAN
from guiderail.facts.operation.signals import SIGNALS
from guiderail.facts.standing import Standing
from guiderail.manifest.release import Release
from tests.facts.small_release import NOW, after, edit, reason, run


def test_everything_is_watched(release: Release) -> None:
    facts = run(MONITORING, release)

    assert facts["monitoring.unwatched"].value == 0
    assert facts["monitoring.profile_stored"].value is True
    assert facts["monitoring.answered"].value is True
    assert facts["monitoring.labels"].value is True


def test_an_input_that_nobody_watches_is_named(directory: Path) -> None:
    watched = {"watched": ["status", "credit_history", "month"]}

    facts = run(MONITORING, edit(directory, monitoring={"drift": watched}))

    assert facts["monitoring.unwatched"].detail["features"] == ["credit_amount"]


def test_no_watch_leaves_every_input_unwatched(directory: Path) -> None:
    facts = run(MONITORING, edit(directory, monitoring=None))

    assert facts["monitoring.unwatched"].value == 4
    assert facts["monitoring.profile_stored"].value is False
    assert facts["monitoring.answered"].value is False
    assert facts["monitoring.labels"].value is False


def test_a_profile_without_every_input_is_not_enough(directory: Path) -> None:
    from guiderail.measure.profile import make_profile

    profile = make_profile(directory / "training.csv", ["month", "status"])
    (directory / "profile.json").write_text(profile.to_json())

    facts = run(MONITORING, edit(directory, version="v2"))

    assert facts["monitoring.profile_stored"].value is False
    lacking = facts["monitoring.profile_stored"].detail["lacking"]
    assert isinstance(lacking, list)
    assert sorted(lacking) == ["credit_amount", "credit_history"]


def test_a_changed_profile_is_unknown(directory: Path) -> None:
    path = directory / "profile.json"
    stored = json.loads(path.read_text())
    stored["rows"] = 5
    path.write_text(json.dumps(stored))

    facts = run(MONITORING, edit(directory, version="v2"))

    assert reason(facts, "monitoring.profile_stored")


@pytest.mark.parametrize(
    ("hours", "value"), [([], "none"), ([24], "open"), ([24, -1], "lapsed"), ([0], "lapsed")]
)
def test_open_signals_and_their_deadlines(release: Release, hours: list[int], value: str) -> None:
    signals = tuple(NOW + timedelta(hours=one) for one in hours)

    facts = run(SIGNALS, release, Standing(open_signals=signals))

    assert facts["monitor.breach"].value == value
    assert facts["experiment.used"].value is False


@pytest.mark.parametrize(
    ("plan", "value"),
    [
        ({"fallback": "manual"}, True),
        ({"fallback": "switch-off"}, True),
        ({"fallback": "previous"}, False),
        (None, False),
    ],
)
def test_a_first_release_needs_something_to_fall_back_to(
    directory: Path, plan: dict[str, Any] | None, value: bool
) -> None:
    facts = run(ROLLBACK_PLAN, edit(directory, rollback=plan))

    assert facts["rollback.target_exists"].value is value


def test_a_version_in_production_is_something_to_go_back_to(directory: Path) -> None:
    release = edit(directory, rollback=None)

    facts = run(ROLLBACK_PLAN, release, after(release))

    assert facts["rollback.target_exists"].value is True
    assert facts["rollback.downstream_named"].value is False


def test_days_since_the_last_rehearsal(release: Release) -> None:
    never = run(ROLLBACK_PLAN, release)
    past = Standing(last_rehearsal=NOW - timedelta(days=12))
    future = Standing(last_rehearsal=NOW + timedelta(days=1))

    assert "never rehearsed" in reason(never, "rollback.rehearsed_days")
    assert run(ROLLBACK_PLAN, release, past)["rollback.rehearsed_days"].value == 12
    assert "future" in reason(run(ROLLBACK_PLAN, release, future), "rollback.rehearsed_days")
