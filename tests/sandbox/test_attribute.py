"""Attributions by real models in the real sandbox."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from guiderail.sandbox.attribute import Attributions, Refits, attribute
from guiderail.sandbox.attribute import _read as read_attributions
from guiderail.sandbox.process import Failure
from guiderail.sandbox.shapley import Pool, additive, adds_up, halves, sampled
from guiderail.sandbox.tree_shapley import tree_values

INPUTS = ["amount", "purpose", "month"]


def pool_of(table: pd.DataFrame, rows: int = 30, background: int = 20) -> Pool:
    return Pool(table.iloc[: rows + background].reset_index(drop=True), rows, halves(background))


def fitted(table: pd.DataFrame, estimator: object) -> Pipeline:
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["purpose"]), remainder="passthrough"
    )
    columns.set_output(transform="default")
    return make_pipeline(columns, estimator).fit(table[INPUTS], table["paid"])


def score_of(model: Pipeline) -> object:
    if hasattr(model, "decision_function"):
        return lambda frame: np.asarray(model.decision_function(frame))
    if hasattr(model, "predict_proba"):
        return lambda frame: model.predict_proba(frame)[:, 1]
    return lambda frame: np.asarray(model.predict(frame))


def by_definition(score: object, pool: Pool) -> np.ndarray:
    """Shapley values from their definition: every order, every background row."""
    names = list(pool.table.columns)
    n, m = pool.rows, pool.background
    total = np.zeros((n, len(names)))
    own, behind = np.repeat(np.arange(n), m), n + np.tile(np.arange(m), n)
    orders = list(permutations(range(len(names))))
    for order in orders:
        places = dict.fromkeys(names, behind)
        before = score(pool.mixed(places))
        for number in order:
            places[names[number]] = own
            after = score(pool.mixed(places))
            total[:, number] += (after - before).reshape(n, m).mean(axis=1)
            before = after
    return total / len(orders)


@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeClassifier(max_depth=5, random_state=0),
        RandomForestClassifier(8, random_state=0),
        ExtraTreesClassifier(6, random_state=0),
        GradientBoostingClassifier(n_estimators=12, random_state=0),
        RandomForestRegressor(6, random_state=0),
    ],
)
def test_trees_are_explained_exactly_by_inputs(table: pd.DataFrame, estimator: object) -> None:
    model = fitted(table, estimator)
    pool = pool_of(table[INPUTS])
    score = score_of(model)
    scores = score(pool.table)
    found = tree_values(model, pool, scores)
    assert found is not None
    assert found.values[0] == pytest.approx(by_definition(score, pool), abs=1e-9)
    assert adds_up(found.values, found.base, scores[: pool.rows])


def test_trees_with_missing_cells_go_where_they_were_trained_to(table: pd.DataFrame) -> None:
    numbers = table[["amount", "month"]].astype(float)
    numbers.iloc[::5, 0] = np.nan
    model = RandomForestClassifier(8, random_state=0).fit(numbers, table["paid"])
    pool = pool_of(numbers)
    score = score_of(model)
    found = tree_values(model, pool, score(pool.table))
    assert found is not None
    assert found.values[0] == pytest.approx(by_definition(score, pool), abs=1e-9)


def test_columns_that_mix_inputs_are_not_explained_as_trees(table: pd.DataFrame) -> None:
    numbers = table[["amount", "month"]]
    model = make_pipeline(PCA(2), DecisionTreeClassifier()).fit(numbers, table["paid"])
    pool = pool_of(numbers)
    assert tree_values(model, pool, score_of(model)(pool.table)) is None


def test_an_additive_score_is_explained_exactly(table: pd.DataFrame, pipeline: Pipeline) -> None:
    pool = pool_of(table[INPUTS])
    score = score_of(pipeline)
    found = additive(score, pool, score(pool.table))
    assert found is not None
    assert found.values[0] == pytest.approx(by_definition(score, pool), abs=1e-9)


def test_a_score_with_interactions_is_not_additive(table: pd.DataFrame) -> None:
    model = fitted(table, GradientBoostingClassifier(n_estimators=12, random_state=0))
    pool = pool_of(table[INPUTS])
    score = score_of(model)
    assert additive(score, pool, score(pool.table)) is None


def test_sampling_comes_as_close_as_its_standard_errors_say(table: pd.DataFrame) -> None:
    model = fitted(table, GradientBoostingClassifier(n_estimators=12, random_state=0))
    pool = pool_of(table[INPUTS], 40, 80)
    score = score_of(model)
    scores = score(pool.table)
    found = sampled(score, pool, scores, 16, np.random.default_rng(1))
    assert found.errors is not None
    uncertain = found.errors > 1e-6
    off = (found.values[0] - by_definition(score, pool))[uncertain] / found.errors[uncertain]
    assert 0.6 < np.sqrt((off**2).mean()) < 1.5
    for layer, base in zip(found.values, found.base, strict=True):
        assert layer.sum(axis=1) + base == pytest.approx(scores[: pool.rows], abs=1e-9)


@settings(deadline=None, max_examples=12)
@given(st.lists(st.floats(-5, 5), min_size=4, max_size=4), st.integers(0, 2**16), st.floats(-3, 3))
def test_laws_of_shapley_values(weights: list[float], seed: int, mixed: float) -> None:
    """They add up; an input that changes nothing gets nothing; exchangeable inputs get the same."""
    draw = np.random.default_rng(seed)
    table = pd.DataFrame(draw.normal(size=(24, 4)), columns=list("abcd"))
    table["b"] = table["a"]

    def score(frame: pd.DataFrame) -> np.ndarray:
        cells = frame.to_numpy()
        both = cells[:, 0] + cells[:, 1]
        return weights[0] * both + mixed * cells[:, 0] * cells[:, 1] + weights[2] * cells[:, 2]

    pool = pool_of(table, 14, 10)
    values = by_definition(score, pool)
    scores = score(pool.table)
    assert values.sum(axis=1) + scores[14:].mean() == pytest.approx(scores[:14], abs=1e-8)
    assert np.abs(values[:, 3]).max() == 0
    estimate = sampled(score, pool, scores, 6, np.random.default_rng(seed))
    assert np.abs(estimate.values[0][:, 3]).max() < 1e-9
    if abs(mixed) < 1e-12:
        found = additive(score, pool, scores)
        assert found is None or found.values[0] == pytest.approx(values, abs=1e-6)


def test_a_pipeline_is_explained_in_the_sandbox_and_trained_again(
    skops_file: Path, csv: Path
) -> None:
    found = attribute(
        skops_file, csv, INPUTS, exclude=["paid"], refits=Refits(csv, "paid", draws=4)
    )
    assert isinstance(found, Attributions), found
    assert found.method == "exact, additive score"
    assert (found.scale, found.classes) == ("margin", ("0", "1"))
    assert found.values.sum(axis=1) + found.base == pytest.approx(found.scores)
    assert len(found.refits) == 4
    assert not np.allclose(found.refits[0][0], found.refits[1][0])
    assert found.isolation.limits
    halves_mean = (found.halves[0] + found.halves[1]) / 2
    assert halves_mean == pytest.approx(found.values)


def test_two_models_are_explained_on_the_same_rows_and_results_are_kept(
    skops_file: Path, table: pd.DataFrame, csv: Path, tmp_path: Path
) -> None:
    other = tmp_path / "boosted.joblib"
    joblib.dump(fitted(table, HistGradientBoostingClassifier(max_iter=10)), other)
    one = attribute(skops_file, csv, INPUTS, cache=tmp_path / "cache")
    two = attribute(other, csv, INPUTS)
    assert isinstance(one, Attributions)
    assert isinstance(two, Attributions)
    assert two.method.startswith("sampled")
    assert two.errors is not None
    assert one.rows.tolist() == two.rows.tolist()
    again = attribute(skops_file, csv, INPUTS, cache=tmp_path / "cache")
    assert isinstance(again, Attributions)
    assert again.values.tolist() == one.values.tolist()


def test_what_cannot_be_explained_says_why(
    table: pd.DataFrame, skops_file: Path, tmp_path: Path
) -> None:
    short = tmp_path / "short.csv"
    table.head(19).to_csv(short, index=False)
    found = attribute(skops_file, short, INPUTS)
    assert isinstance(found, Failure)
    assert "19 rows, at least 20" in found.reason
    wide = tmp_path / "three.joblib"
    joblib.dump(LogisticRegression().fit(table[["amount"]], np.arange(len(table)) % 3), wide)
    table.to_csv(tmp_path / "table.csv", index=False)
    found = attribute(wide, tmp_path / "table.csv", ["amount"])
    assert isinstance(found, Failure)
    assert "3 classes" in found.reason


def test_a_recipe_that_cannot_be_trained_again_is_explained_all_the_same(
    skops_file: Path, csv: Path, table: pd.DataFrame, tmp_path: Path
) -> None:
    constant = tmp_path / "one-class.csv"
    table.assign(paid=1).to_csv(constant, index=False)
    found = attribute(skops_file, csv, INPUTS, refits=Refits(constant, "paid", draws=4))
    assert isinstance(found, Attributions)
    assert found.refits == ()
    assert "could not be trained again" in found.refit_problem


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_boosters_give_their_own_contributions(
    library: str, table: pd.DataFrame, tmp_path: Path
) -> None:
    boosting = pytest.importorskip(library)
    numbers = table[["amount", "month"]]
    data = tmp_path / "numbers.csv"
    table[["amount", "month", "paid"]].to_csv(data, index=False)
    if library == "lightgbm":
        path = tmp_path / "model.txt"
        settings_ = {"objective": "binary", "verbose": -1, "num_threads": 1}
        boosting.train(settings_, boosting.Dataset(numbers, table["paid"]), 8).save_model(path)
    else:
        path = tmp_path / "model.json"
        matrix = boosting.DMatrix(numbers, table["paid"])
        boosting.train({"objective": "binary:logistic", "nthread": 1}, matrix, 8).save_model(path)
    found = attribute(path, data, ["amount", "month"], exclude=["paid"])
    assert isinstance(found, Attributions), found
    assert found.method == f"exact, contributions of {library}"
    assert found.names == ("amount", "month")
    assert found.values.sum(axis=1) + found.base == pytest.approx(found.scores, abs=1e-4)
    assert found.halves == ()
    with_refits = attribute(path, data, None, exclude=["paid"], refits=Refits(data, "paid"))
    assert isinstance(with_refits, Attributions)
    assert "cannot be trained again" in with_refits.refit_problem


def test_an_onnx_graph_is_explained_by_asking_it(table: pd.DataFrame, tmp_path: Path) -> None:
    skl2onnx = pytest.importorskip("skl2onnx", reason="skl2onnx is not installed")
    pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    from skl2onnx.common.data_types import FloatTensorType

    numbers = ["amount", "month"]
    trees = RandomForestClassifier(20, max_depth=3, random_state=1, n_jobs=1)
    trees.fit(table[numbers].to_numpy(np.float32), table["paid"])
    graph = skl2onnx.convert_sklearn(
        trees, initial_types=[("rows", FloatTensorType([None, 2]))], options={"zipmap": False}
    )
    path, data = tmp_path / "model.onnx", tmp_path / "numbers.csv"
    path.write_bytes(graph.SerializeToString())
    table[[*numbers, "paid"]].to_csv(data, index=False)
    found = attribute(path, data, None, exclude=["paid"])
    assert isinstance(found, Attributions), found
    assert (found.names, found.scale) == (("amount", "month"), "probability")
    assert found.values.sum(axis=1) + found.base == pytest.approx(found.scores, abs=1e-6)
    asked = trees.predict_proba(table[numbers].to_numpy(np.float32)[found.rows])[:, 1]
    assert found.scores == pytest.approx(asked, abs=1e-5)


LEFT = {
    "values": np.ones((3, 30, 2)), "base": np.zeros(3), "scores": np.full(30, 2.0),
    "rows": np.arange(30), "names": np.array(["a", "b"]), "method": np.array("exact"),
    "scale": np.array("margin"), "classes": np.array(["0", "1"]),
    "refit_0": np.ones((20, 2)), "refit_scores_0": np.full(20, 2.0),
}  # fmt: skip


def test_what_a_child_left_is_read_where_all_of_it_fits(tmp_path: Path) -> None:
    np.savez(tmp_path / "attributions.npz", **LEFT)
    assert isinstance(read_attributions(tmp_path), Attributions)


@pytest.mark.parametrize("name", ["values", "base", "scores", "refit_0", "refit_scores_0"])
def test_a_number_that_is_none_makes_all_of_it_unreadable(name: str, tmp_path: Path) -> None:
    broken = np.array(LEFT[name], dtype=float)
    broken.flat[0] = np.nan
    np.savez(tmp_path / "attributions.npz", **{**LEFT, name: broken})
    assert read_attributions(tmp_path) is None


def test_a_link_that_a_child_left_is_not_followed(tmp_path: Path) -> None:
    np.savez(tmp_path / "outside.npz", **LEFT)
    (tmp_path / "attributions.npz").symlink_to(tmp_path / "outside.npz")
    assert read_attributions(tmp_path) is None
