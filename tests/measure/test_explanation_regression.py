"""Explanations of two versions: eight faults alarm, twelve honest retrainings do not.

The limits were calibrated on other data (`bench/calibrate_explanations.py`); this is one split of
German Credit. It was in view when the measures were chosen: `bench/explanation_power.py` prints how
often the same faults are caught on splits that were not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from tests.facts.small_release import german
from tests.measure.explanation_faults import FAULTS, LABEL, LEAK, Study, explain, fit, leaked

from guiderail.measure.attribution_agreement import (
    Agreement,
    Explained,
    agreement,
    reasons_against,
    stable_principal,
)
from guiderail.measure.explanation_regression import (
    NEEDED,
    Null,
    Regression,
    calibrated_on,
    limits,
    null_of,
    regression,
)
from guiderail.measure.unmeasurable import NotMeasurable

INPUTS = (
    *("status", "month", "credit_history", "purpose", "credit_amount", "savings", "employment"),
    *("investment_as_income_percentage", "installment_plans", "housing", "property"),
)


@dataclass(frozen=True)
class Bench:
    study: Study
    evaluation: pd.DataFrame
    pool: pd.DataFrame
    old: Explained
    null: Null

    def verdict(self, new: Explained) -> Regression:
        found = agreement(self.old, new)
        assert isinstance(found, Agreement)
        return regression(found, self.null, 16)

    def retrained(self, seed: int, *, resampled: bool) -> pd.DataFrame:
        draw = np.random.default_rng([seed, 99])
        count = len(self.pool)
        places = draw.integers(0, count, 600) if resampled else draw.permutation(count)[:600]
        return self.pool.iloc[places]


@pytest.fixture(scope="module")
def bench() -> Bench:
    rows = german().rename(columns={"good": LABEL})
    study = Study(rows, INPUTS, "month", "credit_amount", "status", ("housing", "A152"))
    draw = np.random.default_rng(5)
    order = draw.permutation(len(rows))
    evaluation, pool = rows.iloc[order[:260]], rows.iloc[order[260:]]
    first = pool.iloc[:600]
    refits = [
        explain(fit(study, first.iloc[draw.integers(0, 600, 600)]), evaluation, 100)
        for _ in range(16)
    ]
    null = null_of(refits)
    assert isinstance(null, Null)
    return Bench(study, evaluation, pool, explain(fit(study, first), evaluation), null)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("resampled", [False, True])
def test_an_honest_retraining_does_not_alarm(bench: Bench, seed: int, resampled: bool) -> None:
    rows = bench.retrained(seed, resampled=resampled)
    found = bench.verdict(explain(fit(bench.study, rows), bench.evaluation))
    assert found.verdict == "pass", found.why


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_alarms_and_says_what_changed(bench: Bench, name: str) -> None:
    draw = np.random.default_rng(3)
    rows = FAULTS[name](bench.study, bench.retrained(0, resampled=False), draw)
    seen = bench.evaluation
    if name == "leak":
        seen = seen.assign(**{LEAK: leaked(seen, draw)})
    found = bench.verdict(explain(fit(bench.study, rows), seen))
    assert found.verdict == "fail", found.tested
    assert len(found.why) == sum(one.alarms for one in found.tested)
    assert all("limit" in sentence for sentence in found.why)


def test_a_fault_names_the_input_that_it_is_about(bench: Bench) -> None:
    rows = FAULTS["sign flipped"](bench.study, bench.pool, np.random.default_rng(3))
    found = bench.verdict(explain(fit(bench.study, rows), bench.evaluation))
    assert any("what month adds changed" in sentence for sentence in found.why)


def test_the_same_version_agrees_with_itself_completely(bench: Bench) -> None:
    found = agreement(bench.old, bench.old)
    assert isinstance(found, Agreement)
    for measure in (*bench.null.usual, "strength"):
        assert found.distance(measure) == pytest.approx(0, abs=1e-12)
    assert found.principal == found.both_adverse > 0


def test_the_limits_say_where_they_were_calibrated() -> None:
    assert "German" not in calibrated_on()
    assert "Adult" in calibrated_on()
    assert {limit.factor >= 1 for limit in limits().values()} == {True}


VALUES = np.tile([[3.0, -2.0, 0.5, 0.0]], (30, 1))
ALL = np.ones(30, dtype=bool)


def plain(values: np.ndarray, names: str = "abcd", **other: object) -> Explained:
    return replace(Explained(tuple(names), values, "margin", ALL, -1.0), **other)


def test_measures_on_attributions_that_one_can_compute_by_hand() -> None:
    old = plain(VALUES)
    new = plain(VALUES * [1, -1, 1, 1])
    found = agreement(old, new)
    assert isinstance(found, Agreement)
    assert found.cosine == pytest.approx((9 - 4 + 0.25) / (9 + 4 + 0.25))
    assert (found.top_k, found.sign) == (1.0, pytest.approx(2 / 3))
    assert (found.share_shift, found.strength) == (0.0, 0.0)
    assert found.moves == {"a": 0, "b": 4, "c": 0, "d": 0}
    # Refused by a low score: only b speaks for a refusal before, and nothing does afterwards.
    assert (found.reasons, found.both_adverse, found.principal) == (0.0, 30, 0)


def test_an_input_that_one_version_lacks_adds_nothing_there() -> None:
    found = agreement(plain(VALUES), plain(VALUES[:, 1:], "bcd"))
    assert isinstance(found, Agreement)
    assert found.shifts["a"] == pytest.approx(-3 / 5.5)
    assert found.silent == pytest.approx(3 / 5.5)
    new = agreement(plain(VALUES[:, 1:], "bcd"), plain(VALUES))
    assert isinstance(new, Agreement)
    assert new.silent == 0
    assert new.share_shift == pytest.approx(3 / 5.5)


def test_log_odds_and_probabilities_have_no_common_strength() -> None:
    found = agreement(plain(VALUES), plain(VALUES / 10, scale="probability"))
    assert isinstance(found, Agreement)
    assert found.strength is None
    assert found.cosine == pytest.approx(1)


def test_the_order_of_inputs_does_not_matter() -> None:
    found = agreement(plain(VALUES), plain(VALUES[:, ::-1], "dcba"))
    assert isinstance(found, Agreement)
    assert (found.cosine, found.share_shift, found.reasons) == (pytest.approx(1), 0, 1)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (VALUES[:19], VALUES, "19 explained rows are too few"),
        (VALUES * 0, VALUES, "of the old version"),
        (VALUES, VALUES * 0, "of the new version"),
        (np.full((30, 4), np.inf), VALUES, "not finite"),
    ],
)
def test_what_cannot_be_compared_has_a_reason(old: np.ndarray, new: np.ndarray, says: str) -> None:
    with np.errstate(invalid="ignore"):
        found = agreement(plain(old), plain(new))
    assert isinstance(found, NotMeasurable)
    assert says in found.reason


def test_too_few_trainings_calibrate_nothing() -> None:
    found = null_of([plain(VALUES)] * 3)
    assert isinstance(found, NotMeasurable)
    assert "3 trainings" in found.reason


def test_an_input_that_training_never_moves_has_moved_far() -> None:
    null = null_of([plain(VALUES)] * 4)
    assert isinstance(null, Null)
    moved = agreement(plain(VALUES), plain(VALUES * [1, -1, 1, 1]))
    assert isinstance(moved, Agreement)
    assert regression(moved, null, 4).verdict == "fail"


def test_only_what_speaks_against_a_person_is_a_reason() -> None:
    assert reasons_against(np.array([[3.0, -2.0, -4.0, 0.0]]), -1.0) == [(2, 1)]
    assert reasons_against(np.array([[3.0, -2.0, -4.0, 0.0]]), 1.0) == [(0,)]
    many = -np.arange(1.0, 8.0)[None, :]
    assert reasons_against(many, -1.0) == [(6, 5, 4, 3)]


def test_a_principal_reason_that_depends_on_the_background_is_not_stable() -> None:
    first, second = VALUES.copy(), VALUES.copy()
    second[:10, 2] = -9
    assert stable_principal(first, second, ALL, -1.0) == (30, 20)


@pytest.mark.parametrize("lacking", sorted(NEEDED))
def test_a_measure_that_cannot_be_compared_is_no_pass(lacking: str) -> None:
    values = np.random.default_rng(3).normal(size=(40, 3))
    version = Explained(("a", "b", "c"), values, "margin")
    same = agreement(version, version)
    assert isinstance(same, Agreement)
    usual = dict.fromkeys(limits(), 0.1)
    moves = dict.fromkeys(("a", "b", "c"), 0.1)
    whole = regression(same, Null(usual, moves), 16)
    assert isinstance(whole, Regression)
    assert whole.verdict == "pass"
    del usual[lacking]
    left = regression(same, Null(usual, moves), 16)
    assert isinstance(left, NotMeasurable)
    assert lacking in left.reason
