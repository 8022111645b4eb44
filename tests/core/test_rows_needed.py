"""How many rows settle on which side of a limit a value lies."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from guiderail.core.interval import Interval
from guiderail.core.rows_needed import rows_to_settle

LIMITS = (-15.0, -5.0, 5.0, 15.0)


def test_a_settled_change_needs_no_more_rows() -> None:
    assert rows_to_settle(Interval(1, -2, 4), 100, LIMITS) is None
    assert rows_to_settle(Interval(8, 6, 10), 100, LIMITS) is None


def test_a_change_on_the_limit_is_never_settled() -> None:
    assert rows_to_settle(Interval(-5, -8, -2), 100, LIMITS) is None


@settings(deadline=None)
@given(st.floats(-40, 40), st.floats(0.1, 30), st.floats(0.1, 30), st.integers(10, 10**6))
def test_that_many_rows_settle_it_and_clearly_fewer_do_not(
    value: float, below: float, above: float, n: int
) -> None:
    relative = Interval(value, value - below, value + above)
    needed = rows_to_settle(relative, n, LIMITS)

    def crosses(rows: float) -> bool:
        shrink = math.sqrt(n / rows)
        low, high = value - below * shrink, value + above * shrink
        return any(low <= limit <= high for limit in LIMITS)

    if needed is None:
        assert not crosses(n) or min(abs(abs(value) - 5), abs(abs(value) - 15)) == 0
    else:
        assert needed > n
        assert not crosses(needed * 1.001)
        assert crosses(needed * 0.99 - 1) or needed <= 2
