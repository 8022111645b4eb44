"""The monthly cost, its ceiling and its change: measured, approved, compared; else unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from guiderail.change.cost import COST_CHANGE
from guiderail.core.errors import InputError
from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy
from guiderail.facts.cost_ceilings import load_ceilings
from guiderail.facts.operation.cost import COST_CEILING, MODEL_COST
from guiderail.facts.standing import ApprovedCeiling, Standing
from guiderail.manifest.release import Release
from tests.facts.small_release import after, edit, reason, run, write

PLAN = """\
currency: EUR
requests_per_month: 1000000
busiest_hour: 3
replicas: 2
cpus_per_replica: 1
utilisation: 0.5
price_per_cpu_hour: 0.04
"""
CEILING = ApprovedCeiling(100.0, "EUR", "finn", datetime(2027, 1, 1, tzinfo=UTC))


@pytest.fixture
def planned(tmp_path: Path) -> Release:
    directory = write(tmp_path / "v1")
    (directory / "plan.yaml").write_text(PLAN)
    return edit(directory, serving={"plan": "plan.yaml"})


def test_a_month_is_a_measured_range_and_is_not_measured_twice(
    planned: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(MODEL_COST, planned, cache=tmp_path / "cache")["cost.monthly"]

    assert isinstance(first.value, Interval)
    assert first.value.low <= 2 * 730 * 0.04 <= first.value.high
    assert first.known_by is KnownBy.MEASURED
    assert first.detail["currency"] == "EUR"
    assert "plan.yaml" in planned.artefacts
    with monkeypatch.context() as no_child:
        no_child.setattr("guiderail.sandbox.cost.time_models", None)
        again = run(MODEL_COST, planned, cache=tmp_path / "cache")["cost.monthly"]
    assert again.value == first.value


def test_without_a_plan_nothing_is_run_and_the_reason_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = edit(write(tmp_path / "v1"))
    monkeypatch.setattr("guiderail.sandbox.cost.time_models", None)

    assert "names no serving plan" in reason(run(MODEL_COST, release), "cost.monthly")
    found = run(COST_CHANGE, release, after(release))
    assert "names no serving plan" in reason(found, "cost.change")


def test_a_broken_plan_and_a_model_that_fails_are_unknown(planned: Release) -> None:
    (planned.root / "plan.yaml").write_text("currency: EUR\n")
    assert "requests_per_month" in reason(run(MODEL_COST, planned), "cost.monthly")

    (planned.root / "plan.yaml").write_text(PLAN)
    (planned.root / "evaluation.csv").write_text("sex,good\nmale,1\n")
    failed = edit(planned.root)
    assert "could not be timed: the table lacks" in reason(run(MODEL_COST, failed), "cost.monthly")


def test_the_ceiling_is_what_the_finance_owner_approved(planned: Release) -> None:
    fact = run(COST_CEILING, planned, Standing(ceiling=CEILING))["cost.ceiling"]

    assert (fact.value, fact.known_by) == (100.0, KnownBy.ATTESTED)
    assert fact.detail["approved_by"] == "finn"


@pytest.mark.parametrize(
    ("ceiling", "says"),
    [
        (None, "has approved no ceiling"),
        (replace(CEILING, until=datetime(2026, 1, 1, tzinfo=UTC)), "ended on 2026-01-01"),
        (replace(CEILING, currency="USD"), "the ceiling is in USD and the serving plan in EUR"),
    ],
)
def test_a_ceiling_that_does_not_hold_is_unknown(
    planned: Release, ceiling: ApprovedCeiling | None, says: str
) -> None:
    assert says in reason(run(COST_CEILING, planned, Standing(ceiling=ceiling)), "cost.ceiling")


def test_the_change_is_measured_against_production(planned: Release, tmp_path: Path) -> None:
    assert "nothing runs" in reason(run(COST_CHANGE, planned), "cost.change")
    same = run(COST_CHANGE, planned, after(planned))["cost.change"]
    assert same.value == 0.0

    older = edit(write(tmp_path / "v0", inputs=("month", "credit_amount")))
    found = run(COST_CHANGE, planned, after(older))["cost.change"]

    assert isinstance(found.value, int | float)
    low, high = found.detail["low"], found.detail["high"]
    assert isinstance(low, float)
    assert isinstance(high, float)
    assert low <= found.value + 0.05
    assert found.value - 0.05 <= high


def test_ceilings_are_read_strictly(tmp_path: Path) -> None:
    path = tmp_path / "ceilings.yaml"
    assert load_ceilings(path) == {}
    row = 'workload: w, per_month: 400, currency: EUR, approved_by: finn, until: "2027-01-01"'
    path.write_text(f"ceilings:\n  - {{{row}}}\n")
    assert load_ceilings(path)["w"].per_month == 400
    path.write_text(f"ceilings:\n  - {{{row}}}\n  - {{{row}}}\n")
    with pytest.raises(InputError, match="w has two ceilings"):
        load_ceilings(path)
    path.write_text(f"ceilings:\n  - {{{row.replace('400', '-1')}}}\n")
    with pytest.raises(InputError) as raised:
        load_ceilings(path)
    assert raised.value.place is not None
    assert raised.value.place.line == 2
