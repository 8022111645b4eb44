"""How well features give a protected attribute away, and what by chance."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from tests.facts.small_release import german

from guiderail.measure.proxies import Proxy, ProxyReport, proxies

N = 1200
DRAW = np.random.default_rng(1)
SEX = DRAW.choice(np.array(["f", "m"], dtype=object), N)
TALL = np.where(SEX == "m", 178.0, 166.0) + DRAW.normal(scale=8, size=N)


def one(report: ProxyReport, name: str | None = None) -> Proxy:
    return next(row for row in (*report.features, *report.joint) if row.feature == name)


def test_a_number_has_the_auc_that_scikit_learn_computes() -> None:
    found = one(proxies({"tall": TALL}, {"sex": SEX}), "tall")
    assert found.auc is not None
    assert found.auc >= roc_auc_score(SEX == "m", TALL) - 1e-9
    assert found.auc == pytest.approx(roc_auc_score(SEX == "m", TALL), abs=0.02)
    assert found.null is not None
    assert found.null.p_holm < 0.001
    assert found.null.high < 0.56


def test_a_number_that_tells_by_being_ordinary_is_found_too() -> None:
    middle = np.where(SEX == "m", DRAW.normal(size=N), DRAW.choice([-3.0, 3.0], N))
    found = one(proxies({"middle": middle}, {"sex": SEX}), "middle")
    assert found.auc is not None
    assert found.auc > 0.95
    assert roc_auc_score(SEX == "m", middle) == pytest.approx(0.5, abs=0.06)


def test_chance_alone_is_not_significant_after_correction() -> None:
    noise = {f"x{i}": np.random.default_rng(i).normal(size=N) for i in range(12)}
    report = proxies(noise, {"sex": SEX})
    assert all(row.null is not None and row.null.p_holm > 0.05 for row in report.features)
    assert all(row.auc is not None and row.auc < 0.56 for row in report.features)
    joint = one(report)
    assert joint.auc is not None
    assert joint.null is not None
    assert abs(joint.auc - 0.5) < 0.06
    assert joint.null.p_holm > 0.05


def test_all_together_find_what_no_feature_tells_alone() -> None:
    one_half, other = DRAW.integers(0, 2, N), DRAW.integers(0, 2, N)
    hidden = np.where(one_half ^ other, "a", "b").astype(object)
    report = proxies({"one": one_half, "other": other}, {"hidden": hidden})
    assert all(row.auc is not None and row.auc < 0.56 for row in report.features)
    joint = one(report)
    assert joint.auc is not None
    assert joint.auc > 0.99


def test_each_group_of_an_attribute_is_told_from_the_others() -> None:
    race = DRAW.choice(np.array(["a", "b", "c"], dtype=object), N)
    mark = (race == "c").astype(np.int64)
    found = one(proxies({"mark": mark}, {"race": race}), "mark")
    assert (found.group, found.auc) == ("c", pytest.approx(1.0))


def test_numbers_fall_into_declared_ranges_else_quartiles() -> None:
    age = DRAW.integers(18, 80, N)
    old = (age >= 60).astype(np.int64)
    ranged = one(proxies({"old": old}, {"age": age}, edges={"age": (60,)}), "old")
    assert ranged.auc == pytest.approx(1.0)
    quartiles = one(proxies({"old": old}, {"age": age}), "old")
    assert quartiles.auc is not None
    assert 0.8 < quartiles.auc < 1.0


def test_many_categories_gain_nothing_from_being_many() -> None:
    street = DRAW.choice(np.array([f"street {i}" for i in range(300)], dtype=object), N)
    found = one(proxies({"street": street}, {"sex": SEX}), "street")
    assert found.auc is not None
    assert found.auc < 0.56


@pytest.mark.parametrize(
    ("values", "says", "harmless"),
    [
        (np.full(N, np.nan), "every cell is empty", True),
        (np.full(N, None, dtype=object), "every cell is empty", True),
        (np.full(N, 7), "same value", True),
        (np.where(np.arange(N) < 3, np.inf, 1.0), "3 of 1200 cells are infinite", False),
        (np.array([f"id {i}" for i in range(N)], dtype=object), "1200 different values", False),
    ],
)
def test_a_feature_that_says_nothing_is_unknown(
    values: np.ndarray, says: str, harmless: bool
) -> None:
    report = proxies({"x": values, "tall": TALL}, {"sex": SEX})
    found = one(report, "x")
    assert found.auc is None
    assert says in found.reason
    assert found.harmless is harmless
    joint = one(report)
    assert joint.auc is not None


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.full(N, None, dtype=object), "is not known for any row"),
        (np.full(N, "f", dtype=object), "every row has the same sex"),
        (np.where(np.arange(N) < 5, "f", "m").astype(object), "20 rows on both sides"),
        (np.array([f"p{i % 600}" for i in range(N)], dtype=object), "more than 200"),
        (np.where(np.arange(N) < 3, np.inf, 1.0), "infinite"),
    ],
)
def test_an_attribute_that_makes_no_groups_is_unknown(values: np.ndarray, says: str) -> None:
    report = proxies({"tall": TALL}, {"sex": values})
    for row in (*report.features, *report.joint):
        assert row.auc is None
        assert says in row.reason
        assert not row.harmless


def test_rows_without_the_attribute_take_no_part() -> None:
    sex = SEX.copy()
    sex[::4] = None
    assert one(proxies({"tall": TALL}, {"sex": sex}), "tall").n == N - N // 4


def test_the_same_seed_gives_the_same_report() -> None:
    first = proxies({"tall": TALL}, {"sex": SEX}, seed=4)
    assert proxies({"tall": TALL}, {"sex": SEX}, seed=4) == first


def test_marital_status_gives_the_sex_away_in_german_credit() -> None:
    rows = german()
    report = proxies(
        {
            "personal_status": rows["personal_status"].to_numpy(dtype=object),
            "housing": rows["housing"].to_numpy(dtype=object),
        },
        {"sex": rows["sex"].to_numpy(dtype=object)},
    )
    status, housing = (row.auc for row in report.features)
    assert status == pytest.approx(1.0)
    assert housing is not None
    assert 0.52 < housing < 0.65
