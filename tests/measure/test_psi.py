"""The interval of the index holds the population's index, with and without a change."""

from __future__ import annotations

import numpy as np
import pytest

from guiderail.measure.psi import population_stability, verdict


@pytest.mark.parametrize("n", [300, 5000])
@pytest.mark.parametrize("shift", [0.0, 0.1, 0.6])
def test_the_interval_holds_the_true_index_nineteen_times_in_twenty(n: int, shift: float) -> None:
    p = np.full(10, 0.1)
    q = p * np.exp(shift * np.linspace(-1, 1, 10))
    q /= q.sum()
    truth = float(np.sum((q - p) * np.log(q / p)))
    random = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        found = population_stability(
            random.multinomial(n, p).astype(float), random.multinomial(n, q).astype(float)
        )
        held += found.low <= truth <= found.high
    assert held >= 368  # 92 % of 400


def test_three_verdicts() -> None:
    same = np.full(10, 1000.0)
    assert verdict(population_stability(same, same), 0.1) == "steady"
    few = np.full(10, 4.0)
    assert verdict(population_stability(few, few), 0.1) == "insufficient"
    assert verdict(population_stability(same, same * np.linspace(0.2, 2, 10)), 0.1) == "moved"
