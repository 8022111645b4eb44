"""Canonical bytes, decimal strings, times and intervals."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guiderail.core.digest import canonical_json, decimal_string, json_digest
from guiderail.core.errors import InputError, Place
from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy, Tier, Track
from guiderail.core.time import from_text, to_text

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=6))
def test_the_order_of_keys_does_not_change_the_bytes(value: dict[str, object]) -> None:
    turned = dict(reversed(list(value.items())))
    assert canonical_json(value) == canonical_json(turned)
    assert json_digest(value) == json_digest(turned)


@pytest.mark.parametrize("value", [1.5, {"a": [0.1]}, {"a": {"b": math.nan}}])
def test_floats_have_no_canonical_form(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_json(value)


def test_an_integer_beyond_double_precision_is_refused() -> None:
    canonical_json(2**53 - 1)
    with pytest.raises(ValueError):
        canonical_json(2**53)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_decimal_string_reads_back_as_the_same_number(number: float) -> None:
    text = decimal_string(number)
    assert float(text) == number
    assert "e" not in text.lower()


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_no_number(number: float) -> None:
    with pytest.raises(ValueError):
        decimal_string(number)


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [(1, 2, 3), (math.nan, 0, 1), (0, math.nan, 1), (0, -math.inf, 1), (0, 0, math.inf)],
)
def test_an_interval_that_is_none_is_refused(value: float, low: float, high: float) -> None:
    with pytest.raises(ValueError):
        Interval(value, low, high)


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_read_back(moment: datetime) -> None:
    assert from_text(to_text(moment)) == moment


def test_times_are_written_in_utc_and_need_a_zone() -> None:
    moment = datetime(2026, 11, 23, 10, tzinfo=timezone(timedelta(hours=1)))
    assert to_text(moment) == "2026-11-23T09:00:00.000000Z"
    with pytest.raises(ValueError):
        to_text(datetime(2026, 11, 23))  # noqa: DTZ001 - a time without a zone is the point
    with pytest.raises(ValueError):
        from_text("2026-11-23T10:00:00")


def test_scales_are_ordered_from_light_to_heavy() -> None:
    assert [track.rank for track in Track] == [0, 1, 2]
    assert Tier.LOW.rank < Tier.MEDIUM.rank < Tier.HIGH.rank < Tier.PROHIBITED.rank
    assert KnownBy.DECLARED.rank < KnownBy.ATTESTED.rank


def test_an_error_says_where_what_code_and_advice() -> None:
    error = InputError(
        "the key is unknown",
        advice="Did you mean model?",
        code="manifest/unknown-key",
        place=Place("guiderail.yaml", 3, 5),
    )
    assert (
        str(error)
        == "guiderail.yaml:3:5: the key is unknown [manifest/unknown-key] Did you mean model?"
    )
