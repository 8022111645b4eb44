"""Calibration by group against scikit-learn, and what is not measurable."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from guiderail.measure.calibration import GroupCalibration, calibration
from guiderail.measure.unmeasurable import NotMeasurable


def measured(*arguments: Any, **options: Any) -> dict[str, GroupCalibration]:
    found = calibration(*arguments, **options)
    assert not isinstance(found, NotMeasurable), found
    return {one.group[0][1]: one for one in found if len(one.group) == 1}


@pytest.fixture
def rows() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(8)
    score = random.random(5000)
    sex = random.choice(["f", "m"], 5000)
    truth = np.where(sex == "f", score, score * 0.7)
    return score, (random.random(5000) < truth).astype(int), sex


def test_bins_are_those_of_scikit_learn(rows: tuple[np.ndarray, ...]) -> None:
    score, label, sex = rows
    for name, found in measured(score, label, {"sex": sex}).items():
        chosen = sex == name
        observed, mean = calibration_curve(label[chosen], score[chosen], n_bins=10)
        assert [one.observed.value for one in found.bins] == pytest.approx(observed, abs=1e-9)
        assert [one.mean_score for one in found.bins] == pytest.approx(mean, abs=1e-9)
        assert found.n == chosen.sum()
        assert found.gap.value == pytest.approx(
            label[chosen].mean() - score[chosen].mean(), abs=1e-9
        )


def test_a_score_that_promises_too_much_for_one_group_shows(rows: tuple[np.ndarray, ...]) -> None:
    score, label, sex = rows
    found = measured(score, label, {"sex": sex})
    assert found["f"].gap.low < 0 < found["f"].gap.high
    assert found["m"].gap.high < -0.1
    assert found["m"].error > 0.1 > found["f"].error


def test_nothing_is_certain_where_all_labels_are_equal() -> None:
    found = measured([0.02] * 40, [0] * 40, {"g": ["a"] * 40}, positive=0)
    assert found["a"].gap.low < found["a"].gap.value
    silent = measured([0.02] * 40 + [0.5], [0] * 40 + [1], {"g": ["a"] * 40 + ["b"]})["a"]
    assert silent.gap.high > 0.05


def test_intersections_are_calibrated_too() -> None:
    random = np.random.default_rng(2)
    groups = {"sex": random.choice(["f", "m"], 400), "old": random.choice(["y", "n"], 400)}
    found = calibration(random.random(400), random.integers(0, 2, 400), groups)
    assert not isinstance(found, NotMeasurable)
    assert [len(one.group) for one in found] == [1] * 4 + [2] * 4
    assert sum(one.n for one in found if len(one.group) == 2) == 400


@pytest.mark.parametrize(
    ("score", "label", "says"),
    [
        ([0.5, None], [0, 1], "missing or not a number"),
        ([0.5, float("nan")], [0, 1], "missing or not a number"),
        (["high", "low"], [0, 1], "missing or not a number"),
        ([0.5, 1.5], [0, 1], "outside 0 to 1"),
        ([0.5, float("inf")], [0, 1], "outside 0 to 1"),
        ([0.5, 0.5], [0, None], "1 of 2 labels are missing"),
        ([0.5, 0.5], ["good", "bad"], 'none of the labels is "1"'),
        ([], [], "no decisions"),
    ],
)
def test_what_is_no_probability_says_so(score: Any, label: Any, says: str) -> None:
    found = calibration(score, label, {"g": ["a"] * len(score)})
    assert isinstance(found, NotMeasurable)
    assert says in found.reason
