"""The split: sticky, even, and nobody changes sides twice."""

import math

from hypothesis import given
from hypothesis import strategies as st

from guiderail.rollout.split import Share, choose, unit_hash

HASHES = st.binary(min_size=8, max_size=8)


def test_the_same_unit_always_gets_the_same_version():
    shares = (Share("new", 10), Share("old", 90))
    first = [choose(shares, unit_hash("s", f"u{i}")) for i in range(500)]
    assert first == [choose(shares, unit_hash("s", f"u{i}")) for i in range(500)]


def test_the_share_of_units_is_within_binomial_bounds():
    n, p = 20_000, 0.1
    shares = (Share("new", 10), Share("old", 90))
    new = sum(choose(shares, unit_hash("salt", f"unit-{i}")) == "new" for i in range(n))
    assert abs(new - n * p) < 5 * math.sqrt(n * p * (1 - p))


def test_another_salt_draws_another_split():
    shares = (Share("new", 50), Share("old", 50))
    moved = sum(
        choose(shares, unit_hash("a", f"u{i}")) != choose(shares, unit_hash("b", f"u{i}"))
        for i in range(2_000)
    )
    assert abs(moved - 1_000) < 5 * math.sqrt(500)


@given(HASHES, st.integers(0, 100), st.integers(0, 100))
def test_a_growing_canary_only_gains_units(hashed, low, high):
    low, high = sorted((low, high))
    before = choose((Share("new", low), Share("old", 100 - low)), hashed)
    after = choose((Share("new", high), Share("old", 100 - high)), hashed)
    assert not (before == "new" and after == "old")


@given(HASHES, st.lists(st.integers(0, 100), max_size=6))
def test_a_version_without_a_share_never_answers(hashed, percents):
    shares = [Share(place, percent) for place, percent in enumerate(percents)]
    chosen = choose(shares, hashed)
    if sum(percents) == 0:
        assert chosen is None
    else:
        assert percents[chosen] > 0


def test_the_hash_does_not_name_the_unit():
    assert unit_hash("salt", "anna@example.org") != unit_hash("pepper", "anna@example.org")
    assert len(unit_hash("salt", "anna@example.org")) == 8
