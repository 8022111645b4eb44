"""Schedules are counted as crontab(5) reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guiderail.measure.monthly_cost import Range
from guiderail.measure.schedule import runs_per_month

DAYS = 1461 / 48  # the mean month of four years


@pytest.mark.parametrize(
    ("schedule", "low", "mean", "high"),
    [
        ("0 2 * * *", 28, DAYS, 31),
        ("@daily", 28, DAYS, 31),
        ("*/15 * * * *", 28 * 96, DAYS * 96, 31 * 96),
        ("@hourly", 28 * 24, DAYS * 24, 31 * 24),
        ("0 6,18 * * *", 56, 2 * DAYS, 62),
        ("0 8-17/3 * * *", 4 * 28, 4 * DAYS, 4 * 31),
        ("0 20/2 * * *", 2 * 28, 2 * DAYS, 2 * 31),
        ("0 0 1 * *", 1, 1, 1),
        ("@monthly", 1, 1, 1),
        ("0 0 31 * *", 0, 7 / 12, 1),
        ("0 0 29 FEB *", 0, 1 / 48, 1),
        ("@yearly", 0, 1 / 12, 1),
        ("0 0 * * 7", 4, 209 / 48, 5),
        ("0 0 * * sun", 4, 209 / 48, 5),
        ("@weekly", 4, 209 / 48, 5),
    ],
)
def test_what_a_schedule_starts_in_a_month(
    schedule: str, low: float, mean: float, high: float
) -> None:
    found = runs_per_month(schedule)
    assert (found.low, found.high) == (low, high)
    assert found.expected == pytest.approx(mean, abs=1e-9)


def test_two_restricted_days_are_enough_one_by_one_and_a_star_is_no_restriction() -> None:
    first_or_monday = runs_per_month("0 0 1 * 1")
    assert first_or_monday.expected > runs_per_month("0 0 * * 1").expected
    assert runs_per_month("0 0 */1 * 1") == runs_per_month("0 0 * * 1")


@pytest.mark.parametrize(
    ("schedule", "why"),
    [
        ("0 2 * *", "five fields"),
        ("", "five fields"),
        ("@often", "five fields"),
        ("60 * * * *", "no minute from 0 to 59"),
        ("0 24 * * *", "no hour"),
        ("0 0 0 * *", "no day of the month"),
        ("0 0 * 13 *", "no month"),
        ("0 0 * * 8", "no day of the week"),
        ("0 0 * * mo", "no day of the week"),
        ("-1 * * * *", "no minute"),
        ("5-1 * * * *", "runs backwards"),
        ("*/0 * * * *", "the step"),
        ("*/x * * * *", "the step"),
        ("1,,2 * * * *", "no minute"),
        ("0 0 31 2 *", "never starts"),
    ],
)
def test_what_is_no_schedule_is_said(schedule: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        runs_per_month(schedule)


@given(
    st.sets(st.integers(0, 59), min_size=1, max_size=4),
    st.sets(st.integers(0, 23), min_size=1, max_size=4),
    st.sets(st.integers(1, 28), min_size=1, max_size=6),
)
def test_counting_every_minute_gives_the_same(
    minutes: set[int], hours: set[int], days: set[int]
) -> None:
    text = " ".join(",".join(map(str, sorted(part))) for part in (minutes, hours, days)) + " * *"
    moment, counted = datetime(2026, 2, 1, tzinfo=UTC), 0
    while moment.month == 2:
        counted += moment.minute in minutes and moment.hour in hours and moment.day in days
        moment += timedelta(minutes=1)
    assert runs_per_month(text) == Range(counted, counted, counted)
