"""The monthly range of a pipeline, by hand, and its change between two versions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from guiderail.core.digest import sha256_digest
from guiderail.core.errors import InputError
from guiderail.core.interval import Interval
from guiderail.measure.monthly_cost import Range
from guiderail.measure.run_cost import (
    MonthOfRuns,
    Run,
    Running,
    change_percent_of_month,
    month_of_runs,
)
from guiderail.measure.run_plan import read_run_plan
from guiderail.measure.run_records import RunRecord, read_runs, runs_of, to_line
from guiderail.measure.unmeasurable import NotMeasurable

PLAN = Running(
    runs=Range(28, 30, 31),
    cpus=2,
    utilisation=0.5,
    price_per_cpu_hour=0.1,
    memory_bytes=4e9,
    price_per_gb_hour=0.05,
    price_per_tb_read=0,
    fixed=10,
    kernel_seconds=0.02,
)
HOURS = (3_600, 7_200, 5_400, 5_400, 5_400, 5_400)
RUNS = [Run(seconds, 1_000_000_000, None, 0.01) for seconds in HOURS]


def test_a_month_by_hand() -> None:
    """One processor hour here is two on the slower machine, and keeps two half-busy ones for 2 h:
    2 h x (2 x 0.10 + 4 x 0.05) = 0.80 for the cheapest run.
    """
    found = month_of_runs(PLAN, RUNS)
    assert isinstance(found, MonthOfRuns)
    assert found.run == Range(pytest.approx(0.8), pytest.approx(1.2), pytest.approx(1.6))
    assert found.low == pytest.approx(28 * 0.8 + 10)
    assert found.expected == pytest.approx(30 * 1.2 + 10)
    assert found.high == pytest.approx(31 * 1.6 + 10)
    assert found.assumptions == ()


def test_without_the_kernel_on_both_sides_the_range_is_wider_and_says_so() -> None:
    for plan, runs in (
        (replace(PLAN, kernel_seconds=None), RUNS),
        (PLAN, [replace(run, kernel_seconds=None) for run in RUNS]),
    ):
        found = month_of_runs(plan, runs)
        assert isinstance(found, MonthOfRuns)
        assert found.run == Range(pytest.approx(0.2), pytest.approx(0.6), pytest.approx(1.6))
        assert "times what was measured" in found.assumptions[0]


def test_bytes_read_are_paid_for_where_they_have_a_price() -> None:
    priced = replace(PLAN, price_per_tb_read=5)
    read = [replace(run, read_bytes=200_000_000_000) for run in RUNS]
    found = month_of_runs(priced, read)
    assert isinstance(found, MonthOfRuns)
    assert found.run.low == pytest.approx(0.8 + 1)
    unsaid = month_of_runs(priced, [*read[:-1], RUNS[-1]])
    assert isinstance(unsaid, NotMeasurable)
    assert "how many it read" in unsaid.reason


@pytest.mark.parametrize(
    ("runs", "why"),
    [
        (RUNS[:5], "5 measured runs are too few for a range; 6 are not"),
        ([], "0 measured runs"),
        ([*RUNS[:5], replace(RUNS[5], peak_bytes=5_000_000_000)], "held 5.00 GB"),
    ],
)
def test_what_has_no_cost_says_why(runs: list[Run], why: str) -> None:
    for found in (month_of_runs(PLAN, runs), change_percent_of_month(PLAN, runs, PLAN, RUNS * 2)):
        assert isinstance(found, NotMeasurable)
        assert why in found.reason


def test_a_change_is_that_of_runs_and_of_the_schedule() -> None:
    plan, steady = replace(PLAN, fixed=0), [Run(3_600, None, None, 0.01)] * 7
    slower = [replace(run, cpu_seconds=4_500) for run in steady]
    change = change_percent_of_month(plan, slower, plan, steady)
    assert isinstance(change, Interval)
    assert (change.low, change.value, change.high) == pytest.approx((25, 25, 25))
    twice = replace(plan, runs=Range(56, 60, 62))
    change = change_percent_of_month(twice, steady, plan, steady)
    assert isinstance(change, Interval)
    assert change.value == pytest.approx(100)
    dearer = replace(plan, price_per_cpu_hour=9.0)
    change = change_percent_of_month(dearer, steady, plan, steady)
    assert isinstance(change, Interval)
    assert change.value == pytest.approx(0), "a new price is no change of the pipeline"


def test_a_slower_day_of_the_machine_is_no_change_of_the_pipeline() -> None:
    old = [Run(1_000 + 10 * place, None, None, 0.01) for place in range(7)]
    new = [Run(2 * run.cpu_seconds, None, None, 0.02) for run in old]
    change = change_percent_of_month(PLAN, new, PLAN, old)
    assert isinstance(change, Interval)
    assert change.value == pytest.approx(0, abs=1e-9)


def test_six_runs_are_too_few_for_a_change() -> None:
    found = change_percent_of_month(PLAN, RUNS, PLAN, RUNS)
    assert isinstance(found, NotMeasurable)
    assert found.reason == "6 runs are too few for an interval; 7 are not"


def test_the_interval_of_a_change_holds_as_often_as_it_says() -> None:
    """Two versions of equal cost, log-normal noise of 20 %: zero lies inside in 95 % at least."""
    numbers, inside, plan = np.random.default_rng(7), 0, replace(PLAN, fixed=0)
    for _ in range(400):
        sides = [
            [Run(float(seconds)) for seconds in numbers.lognormal(7, 0.2, 9)] for _ in range(2)
        ]
        change = change_percent_of_month(plan, sides[0], plan, sides[1])
        assert isinstance(change, Interval)
        inside += change.low <= 0 <= change.high
    assert inside / 400 >= 0.95


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    code, data = sha256_digest(b"code"), sha256_digest(b"data")
    records = [
        RunRecord(code, data, Run(1.5, 10, 20, 0.01), 1),
        RunRecord(code, None, Run(2.5), None),
        RunRecord(data, data, Run(3.5, None, None, 0.01), 0),
    ]
    path = tmp_path / "runs.jsonl"
    path.write_text("\n".join(map(to_line, records)))
    assert list(read_runs(path)) == records
    assert runs_of(records, code, kernel=1) == [Run(1.5, 10, 20, 0.01), Run(2.5)]
    assert runs_of(records, code, kernel=1, inputs=data) == [Run(1.5, 10, 20, 0.01)]
    assert runs_of(records, data, kernel=1) == [Run(3.5)], "another kernel does not count"


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "{}", '{"code": "%s"}', '{"code": "x", "cpu_seconds": 1}',
     '{"code": "%s", "cpu_seconds": 0}', '{"code": "%s", "cpu_seconds": -1}',
     '{"code": "%s", "cpu_seconds": NaN}', '{"code": "%s", "cpu_seconds": Infinity}',
     '{"code": "%s", "cpu_seconds": "1"}', '{"code": "%s", "cpu_seconds": true}',
     '{"code": "%s", "cpu_seconds": 1, "more": 1}', '{"code": "%s", "cpu_seconds": 1, "inputs": 3}',
     '{"code": "%s", "cpu_seconds": 1, "kernel_seconds": 1}',
     '{"code": "%s", "cpu_seconds": 1, "kernel_seconds": 0, "kernel_version": 1}',
     '{"code": "%s", "cpu_seconds": 1, "kernel_seconds": 1, "kernel_version": "1"}'],
)  # fmt: skip
def test_a_line_that_is_no_run_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "runs.jsonl"
    good = f'{{"code": "{sha256_digest(b"")}", "cpu_seconds": 1}}\n'
    path.write_text(good + line.replace("%s", sha256_digest(b"")))
    with pytest.raises(InputError) as refused:
        read_runs(path)
    assert refused.value.place is not None
    assert refused.value.place.line == 2


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("currency: EUR\ncpus: 1\nprice_per_cpu_hour: 1\n", "either schedule or runs_per_month"),
        ("currency: EUR\ncpus: 1\nprice_per_cpu_hour: 1\nschedule: '@daily'\nruns_per_month: 3\n",
         "either schedule or runs_per_month"),
        ("currency: EUR\ncpus: 1\nprice_per_cpu_hour: 1\nschedule: nightly\n", "five fields"),
        ("currency: EUR\ncpus: 1\nprice_per_cpu_hour: 1\nschedule: '@daily'\n"
         "price_per_gb_hour: 1\n", "needs memory_gb"),
        ("currency: euro\ncpus: 1\nprice_per_cpu_hour: 1\nschedule: '@daily'\n", "currency"),
        ("currency: EUR\ncpus: 0\nprice_per_cpu_hour: 1\nschedule: '@daily'\n", "cpus"),
        ("currency: EUR\ncpus: 1\nschedule: '@daily'\n", "price_per_cpu_hour"),
    ],
)  # fmt: skip
def test_a_plan_that_is_not_right_is_said(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=why):
        read_run_plan(path)
