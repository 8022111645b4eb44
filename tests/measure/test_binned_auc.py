"""Histograms give the area and the interval of the exact DeLong, within the bound they state."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from guiderail.measure.binned_auc import BinnedAuc, binned_auc
from guiderail.measure.performance import Performance, paired_change
from guiderail.measure.table import open_table
from guiderail.measure.unmeasurable import NotMeasurable


def scored(n: int, seed: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    label = (random.random(n) < 0.3).astype(int)
    base = 1.2 * label + random.normal(0, 1, n)
    frame = pd.DataFrame({"label": np.where(label == 1, "bad", "good")})
    frame["new"] = 1 / (1 + np.exp(-(base + random.normal(0, 0.3, n) - 1)))
    frame["old"] = 1 / (1 + np.exp(-(base + random.normal(0, 0.5, n) - 1)))
    return frame


def measured(path: Path, *columns: str, **options: object) -> BinnedAuc | NotMeasurable:
    with open_table(path) as table:
        return binned_auc(table, *columns, **options)


@pytest.mark.parametrize("shape", ["probability", "log-odds", "near one", "tenths"])
def test_it_agrees_with_the_exact_one(tmp_path: Path, shape: str) -> None:
    frame = scored(40_000)
    for name in ("new", "old"):
        if shape == "log-odds":
            frame[name] = np.log(frame[name] / (1 - frame[name]))
        if shape == "near one":
            frame[name] = 1 - frame[name] / 1e4
        if shape == "tenths":
            frame[name] = frame[name].round(1)
    path = tmp_path / "scored.csv"
    frame.to_csv(path, index=False)
    found = measured(path, "label", "new", "old", positive="bad")
    assert isinstance(found, BinnedAuc)
    exact = paired_change("roc_auc", frame["label"], frame["new"], frame["old"], positive="bad")
    assert isinstance(exact, Performance)
    change, bound = found.change, found.error_bound
    assert bound < 0.0001 or shape == "tenths"
    assert change.value.value == pytest.approx(exact.value.value, abs=bound + 1e-12)
    assert change.old is not None
    assert exact.old is not None
    assert change.old.value == pytest.approx(exact.old.value, abs=bound + 1e-12)
    for binned, plain in (
        (change.value, exact.value),
        (change.delta, exact.delta),
        (change.relative_pct, exact.relative_pct),
    ):
        assert binned is not None
        assert plain is not None
        # the interval holds the exact one, and is little wider
        slack = 1e-9 * max(1.0, abs(plain.value))
        assert binned.low <= plain.low + slack
        assert binned.high >= plain.high - slack
        if shape != "tenths":
            assert binned.high - binned.low < 1.15 * (plain.high - plain.low)


def test_one_model_and_the_other_class(tmp_path: Path) -> None:
    frame = scored(5000)
    path = tmp_path / "scored.csv"
    frame.to_csv(path, index=False)
    bad = measured(path, "label", "new", positive="bad")
    good = measured(path, "label", "new", positive="good")
    assert isinstance(bad, BinnedAuc)
    assert isinstance(good, BinnedAuc)
    assert bad.change.value.value == pytest.approx(1 - good.change.value.value, abs=1e-12)
    assert bad.change.delta is None


@pytest.mark.parametrize(
    ("column", "cell", "says"),
    [
        ("label", None, "1 of 500 labels in the column label are missing"),
        ("label", "ugly", "labels in the column label have 3 classes"),
        ("new", None, "1 of 500 scores in the column new are missing or infinite"),
        ("new", np.inf, "1 of 500 scores in the column new are missing or infinite"),
        ("new", "high", "scores in the column new are no numbers"),
    ],
)
def test_bad_cells_are_named_with_their_column(
    tmp_path: Path, column: str, cell: object, says: str
) -> None:
    frame = scored(500).astype(object)
    frame.loc[7, column] = cell
    path = tmp_path / "scored.csv"
    frame.to_csv(path, index=False)
    found = measured(path, "label", "new", "old")
    assert isinstance(found, NotMeasurable)
    assert says in found.reason


def test_one_class_and_constant_scores_are_no_number(tmp_path: Path) -> None:
    frame = scored(500)
    frame.assign(label="good").to_csv(tmp_path / "a.csv", index=False)
    found = measured(tmp_path / "a.csv", "label", "new")
    assert isinstance(found, NotMeasurable)
    assert 'are all "good"' in found.reason
    frame.assign(new=0.5).to_csv(tmp_path / "b.csv", index=False)
    found = measured(tmp_path / "b.csv", "label", "new")
    assert isinstance(found, NotMeasurable)
    assert "all the same" in found.reason
