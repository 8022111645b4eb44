"""A month of serving as a range: replicas dominate, unknown speed widens it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guiderail.core.errors import InputError
from guiderail.core.interval import Interval
from guiderail.measure.monthly_cost import (
    HOURS,
    MonthlyCost,
    Range,
    Serving,
    monthly_cost,
    request_seconds,
)
from guiderail.measure.serving_plan import read_plan
from guiderail.measure.unmeasurable import NotMeasurable

SERVING = Serving(
    requests=Range(1e6, 1e6, 1e6),
    rows_per_request=1,
    busiest_hour=3.0,
    replicas=Range(2, 2, 2),
    cpus=1.0,
    utilisation=0.5,
    price_per_cpu_hour=0.04,
    price_per_gb_hour=0.0,
    fixed=0.0,
    overhead_seconds=0.0,
    memory_bytes=2e9,
    kernel_seconds=0.01,
)
SINGLE, BATCH = Interval(100, 90, 120), Interval(1, 0.9, 1.2)


def month(serving: Serving, single: Interval = SINGLE, peak: int = 10**8) -> MonthlyCost:
    found = monthly_cost(
        serving, single, BATCH, batch_rows=1_000, kernel_here=0.02, peak_bytes=peak
    )
    assert isinstance(found, MonthlyCost), found
    return found


def test_what_is_kept_running_is_what_is_paid() -> None:
    found = month(SERVING)

    assert found.low == found.expected == found.high == pytest.approx(2 * HOURS * 0.04)
    assert found.cpu_ms == Range(*(pytest.approx(one) for one in (0.9, 1.0, 1.2)))


def test_memory_and_fixed_costs_are_added() -> None:
    found = month(replace(SERVING, price_per_gb_hour=0.005, fixed=20.0))

    assert found.expected == pytest.approx(2 * HOURS * (0.04 + 2 * 0.005) + 20)


def test_replicas_that_do_not_carry_the_busiest_hour_are_more() -> None:
    """3e9 requests a month at 1 ms: 1141.6 a second, times 3, at 50 %: 6.85 processors, 7."""
    found = month(replace(SERVING, requests=Range(3e9, 3e9, 3e9), busiest_hour=3.0))
    carried = 3e9 / (HOURS * 3600) * 3 * 0.001 / 0.5

    assert found.replicas.expected == -(-carried // 1)
    assert found.expected == pytest.approx(found.replicas.expected * HOURS * 0.04)
    assert any("those it needs are counted" in said for said in found.assumptions)


def test_a_kernel_not_timed_where_it_serves_widens_the_range_and_says_so() -> None:
    much = replace(SERVING, requests=Range(3e9, 3e9, 3e9))
    known, unknown = month(much), month(replace(much, kernel_seconds=None))

    assert unknown.high > 3 * known.high
    assert any("not timed on the machine that serves" in said for said in unknown.assumptions)
    assert not any("not timed on the machine" in said for said in known.assumptions)


def test_a_model_that_does_not_fit_has_no_cost() -> None:
    found = monthly_cost(
        SERVING, SINGLE, BATCH, batch_rows=1_000, kernel_here=0.01, peak_bytes=3 * 10**9
    )

    assert isinstance(found, NotMeasurable)
    assert "held 3.00 GB and a replica has 2.00 GB" in found.reason


def test_requests_beyond_any_number_of_replicas_have_no_cost() -> None:
    found = monthly_cost(
        replace(SERVING, requests=Range(1e15, 1e15, 1e15)),
        SINGLE, BATCH, batch_rows=1_000, kernel_here=0.01, peak_bytes=0,
    )  # fmt: skip

    assert isinstance(found, NotMeasurable)


def test_a_request_of_many_rows_costs_a_call_and_its_rows() -> None:
    one = request_seconds(100, 1, 1, 1_000, 0.01)
    ten = request_seconds(100, 1, 10, 1_000, 0.01)

    assert one == pytest.approx(0.001)
    assert one < ten < 1.2 * one
    assert request_seconds(100, 1, 1_000, 1_000, 0.01) == pytest.approx(0.01)


@settings(max_examples=50, deadline=None)
@given(
    st.integers(1, 5_000),
    st.floats(1, 500),
    st.floats(0.01, 500),
    st.floats(0, 1),
    st.floats(1, 1e9),
)
def test_low_is_never_above_expected_and_expected_never_above_high(
    rows: int, single: float, batch: float, spread: float, requests: float
) -> None:
    serving = replace(
        SERVING, rows_per_request=rows, requests=Range(requests / 2, requests, requests * 2)
    )
    found = monthly_cost(
        serving,
        Interval(single, single * (1 - 0.9 * spread), single * (1 + spread)),
        Interval(batch, batch * (1 - 0.9 * spread), batch * (1 + spread)),
        batch_rows=1_000,
        kernel_here=0.01,
        peak_bytes=0,
    )
    if isinstance(found, MonthlyCost):
        assert found.low <= found.expected <= found.high
        assert 0 < found.cpu_ms.low <= found.cpu_ms.expected <= found.cpu_ms.high


PLAN = """\
currency: EUR
requests_per_month: {low: 800000, expected: 1000000, high: 1500000}
busiest_hour: 3
replicas: 2
cpus_per_replica: 1
utilisation: 0.5
price_per_cpu_hour: 0.04
"""


def test_a_plan_is_read_with_one_number_or_a_range(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN + "overhead_ms: 0.5\nkernel_ms: 10\nmemory_gb_per_replica: 1.5\n")

    plan = read_plan(path)

    assert plan.currency == "EUR"
    assert plan.serving.requests == Range(800_000, 1_000_000, 1_500_000)
    assert plan.serving.replicas == Range(2, 2, 2)
    assert plan.serving.overhead_seconds == pytest.approx(0.0005)
    assert plan.serving.kernel_seconds == pytest.approx(0.01)
    assert plan.serving.memory_bytes == 1.5e9


@pytest.mark.parametrize(
    ("before", "after", "says", "line"),
    [
        ("currency: EUR", "currency: euro", "currency", 1),
        ("busiest_hour: 3", "busiest_hour: 0.5", "busiest_hour", 3),
        ("busiest_hour: 3\n", "", "busiest_hour: Field required", 1),
        ("replicas: 2", "replicas: two", "replicas", 4),
        ("replicas: 2", "replicas: {low: 3, expected: 2, high: 4}", "must not descend", 4),
        ("utilisation: 0.5", "utilisation: 50", "utilisation", 6),
        ("price_per_cpu_hour: 0.04", "price_per_cpu_hour: -1", "price_per_cpu_hour", 7),
        ("price_per_cpu_hour: 0.04", 'price_per_cpu_hour: "0.04"', "price_per_cpu_hour", 7),
        ("utilisation: 0.5", "utilisation: 0.5\nprice_per_gb_hour: 1", "needs memory_gb", 1),
        ("utilisation: 0.5", "utilisation: 0.5\nrepliccas: 3", "repliccas", 7),
    ],
)
def test_a_plan_that_is_not_right_is_an_error_at_its_place(
    tmp_path: Path, before: str, after: str, says: str, line: int
) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN.replace(before, after))

    with pytest.raises(InputError) as raised:
        read_plan(path)

    assert raised.value.code == "plan/invalid"
    assert says in raised.value.what
    assert raised.value.place is not None
    assert raised.value.place.line == line
