"""What a pipeline costs: measured runs of this code, its schedule, the one in production."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from guiderail.change.run_cost import RUN_COST_CHANGE
from guiderail.core.errors import InputError, RefusedError
from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, Unknown
from guiderail.facts.operation.cost import COST_CEILING
from guiderail.facts.operation.run_cost import PIPELINE_COST, code_digest, inputs_digest
from guiderail.facts.standing import ApprovedCeiling, Standing
from guiderail.manifest.load import load_release
from guiderail.manifest.release import Release
from guiderail.service.measure_runs import price_runs, record_runs
from tests.facts.small_release import baseline, run

PLAN = {"currency": "EUR", "schedule": "0 2 * * *", "cpus": 1, "price_per_cpu_hour": 0.1}


def pipeline(directory: Path, script: str = "pass\n", **keys: object) -> Path:
    """A pipeline of one script and one source; its runs are none yet."""
    directory.mkdir(exist_ok=True)
    (directory / "build.py").write_text(script)
    (directory / "orders.csv").write_text("amount\n1\n2\n")
    (directory / "plan.yaml").write_text(yaml.safe_dump(PLAN))
    (directory / "runs.jsonl").touch()
    manifest = {
        "guiderail": 1,
        "kind": "pipeline",
        "name": "features",
        "version": "1",
        "owner": "data",
        "purpose": "Feeds the models.",
        "code": ["build.py"],
        "sources": [{"name": "orders", "data": "orders.csv"}],
        "running": {"plan": "plan.yaml", "runs": "runs.jsonl"},
        **keys,
    }
    kept = {key: value for key, value in manifest.items() if value is not None}
    (directory / "guiderail.yaml").write_text(yaml.safe_dump(kept))
    return directory


def with_runs(directory: Path, seconds: float, *, of: Release | None = None, n: int = 7) -> Release:
    """Append runs of this release (or of another one's code), on this release's inputs."""
    mine = load_release(directory)
    line = {
        "code": code_digest(of or mine),
        "inputs": inputs_digest(mine),
        "cpu_seconds": seconds,
        "peak_bytes": 10**8,
    }
    with (directory / "runs.jsonl").open("a") as stream:
        stream.write(n * (json.dumps(line) + "\n"))
    return load_release(directory)


def why_not(fact: Fact) -> str:
    assert isinstance(fact.value, Unknown)
    return fact.value.reason


def change(new: Release, old: Release | None) -> Fact:
    standing = Standing() if old is None else Standing(production=baseline(old))
    return run(RUN_COST_CHANGE, new, standing)["cost.change"]


def test_a_month_follows_from_runs_schedule_and_price(tmp_path: Path) -> None:
    release = with_runs(pipeline(tmp_path / "p"), 36_000)
    fact = run(PIPELINE_COST, release)["cost.monthly"]

    assert isinstance(fact.value, Interval)
    # Ten processor hours at 0.10, half to twice as much on another machine.
    assert (fact.value.low, fact.value.high) == pytest.approx((28 * 0.5, 31 * 2.0))
    assert fact.value.value == pytest.approx(1461 / 48, abs=0.01)
    assert fact.known_by is KnownBy.MEASURED
    assert fact.detail["runs"] == 7
    assert {"plan.yaml", "runs.jsonl"} <= set(release.artefacts)


def test_runs_of_other_code_do_not_count(tmp_path: Path) -> None:
    directory = pipeline(tmp_path / "p")
    with_runs(directory, 3_600)
    (directory / "build.py").write_text("pass  # another version\n")

    fact = run(PIPELINE_COST, load_release(directory))["cost.monthly"]
    assert "are of other source files than those of this release" in why_not(fact)


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"running": None}, "names no run plan and no measured runs"),
        ({"code": None}, "names no source files"),
        ({}, "0 measured runs are too few for a range; 6 are not"),
    ],
)
def test_what_is_missing_is_the_why_not(tmp_path: Path, keys: dict[str, object], why: str) -> None:
    release = load_release(pipeline(tmp_path / "p", **keys))
    assert why in why_not(run(PIPELINE_COST, release)["cost.monthly"])


def test_a_pipeline_without_running_keeps_its_digest(tmp_path: Path) -> None:
    assert "running" not in load_release(pipeline(tmp_path / "p", running=None)).canonical


def test_the_ceiling_must_be_in_the_currency_of_the_plan(tmp_path: Path) -> None:
    release = load_release(pipeline(tmp_path / "p"))
    ceiling = ApprovedCeiling(50.0, "EUR", "finn", datetime(2027, 1, 1, tzinfo=UTC))
    assert run(COST_CEILING, release, Standing(ceiling=ceiling))["cost.ceiling"].value == 50.0
    other = replace(ceiling, currency="USD")
    fact = run(COST_CEILING, release, Standing(ceiling=other))["cost.ceiling"]
    assert "in USD and the run plan in EUR" in why_not(fact)


def test_the_change_is_against_the_version_in_production_on_the_same_inputs(
    tmp_path: Path,
) -> None:
    old = with_runs(pipeline(tmp_path / "old"), 1_000)
    new = with_runs(pipeline(tmp_path / "new", "pass  # new\n"), 1_300)
    fact = change(new, old)
    assert fact.value == pytest.approx(30.0)
    assert fact.detail["runs"] == [7, 7]

    (tmp_path / "new" / "orders.csv").write_text("amount\n1\n2\n3\n")
    moved = with_runs(tmp_path / "new", 1_300)
    assert "no run of the version in production on the sources" in why_not(change(moved, old))
    beside = with_runs(tmp_path / "new", 2_600, of=old)
    assert change(beside, old).value == pytest.approx(-50.0)


def test_a_schedule_that_runs_more_often_costs_more(tmp_path: Path) -> None:
    old = with_runs(pipeline(tmp_path / "old"), 1_000)
    directory = pipeline(tmp_path / "new")
    (directory / "plan.yaml").write_text(yaml.safe_dump(PLAN | {"schedule": "0 */12 * * *"}))
    new = with_runs(directory, 1_000)
    assert change(new, old).value == pytest.approx(100.0)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (None, {}, "nothing runs in production"),
        ({"running": None}, {}, "the version in production names no run plan"),
        ({}, {"running": None}, "names no run plan"),
        ({}, {"sources": None}, "names no sources"),
        ({}, {}, "no run of this version"),
    ],
)
def test_a_change_that_cannot_be_told_says_why(
    tmp_path: Path, old: dict[str, object] | None, new: dict[str, object], why: str
) -> None:
    before = None if old is None else load_release(pipeline(tmp_path / "old", **old))
    after = load_release(pipeline(tmp_path / "new", "pass  # new\n", **new))
    assert why in why_not(change(after, before))


WORK = "total = 0\nfor step in range(int({steps})):\n    total += step * step\n"


def test_measured_runs_of_a_real_command(tmp_path: Path) -> None:
    steps = {"old": 3e6, "new": 9e6}
    for name, count in steps.items():
        directory = pipeline(tmp_path / name, WORK.format(steps=count))
        document = record_runs(directory, [sys.executable, "build.py"], times=7)
        assert all(run_["cpu_seconds"] > 0 for run_ in document["runs"])
        assert all(10**6 < run_["peak_bytes"] < 10**9 for run_ in document["runs"])
    new, old = load_release(tmp_path / "new"), load_release(tmp_path / "old")

    monthly = run(PIPELINE_COST, new)["cost.monthly"]
    assert isinstance(monthly.value, Interval)
    assert 0 <= monthly.value.low <= monthly.value.value <= monthly.value.high
    assert change(new, old).value > 50, "three times the steps cost clearly more"

    priced = price_runs(
        tmp_path / "new" / "runs.jsonl",
        plan=tmp_path / "new" / "plan.yaml",
        baseline=tmp_path / "old" / "runs.jsonl",
        baseline_plan=None,
    )
    assert priced["change"]["low"] > 0
    assert priced["code"] == code_digest(new)


def test_a_run_that_fails_is_not_written_down(tmp_path: Path) -> None:
    directory = pipeline(tmp_path / "p", "raise SystemExit(3)\n")
    with pytest.raises(RefusedError, match="ended with code 3"):
        record_runs(directory, [sys.executable, "build.py"], times=1)
    assert (directory / "runs.jsonl").read_text() == ""
    with pytest.raises(InputError, match="cannot be started"):
        record_runs(directory, ["no-such-program-here"], times=1)
    for times in (0, 1_001):
        with pytest.raises(InputError, match="is not between"):
            record_runs(directory, [sys.executable, "build.py"], times=times)
    with pytest.raises(InputError, match="names no source files"):
        record_runs(pipeline(tmp_path / "q", code=None), ["true"], times=1)
