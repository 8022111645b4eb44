"""Explainable boosting machines are run and explained from their export as InterpretML does it."""

from __future__ import annotations

import json
import pickle
from itertools import permutations
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest

from guiderail.sandbox.attribute import Attributions, Refits, attribute
from guiderail.sandbox.ebm import EbmModel, ebm_values
from guiderail.sandbox.inspect_model import inspect_bytes, inspect_model
from guiderail.sandbox.load import load_model
from guiderail.sandbox.process import Failure
from guiderail.sandbox.score import Scores, score
from guiderail.sandbox.shapley import Pool, adds_up, halves
from tests.oracles import oracle, quietly

INPUTS = ["amount", "purpose", "month", "code"]
CLOSE = 1e-9


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Numbers with gaps, texts, and whole numbers that are codes; 600 to learn from."""
    draw = np.random.default_rng(11)
    n = 900
    frame = pd.DataFrame(
        {
            "amount": draw.gamma(2, 1000, n).round(),
            "purpose": draw.choice(["car", "house", "tv"], n, p=[0.5, 0.4, 0.1]),
            "month": draw.integers(1, 60, n),
            "code": draw.choice([1, 2, 3], n),
        }
    )
    signal = (frame["amount"] / 2000 - 1) * (frame["purpose"] == "car") + frame["month"] / 30 - 1
    signal += np.where(frame["code"] == 2, frame["amount"] / 3000, 0)
    frame["paid"] = (draw.random(n) < 1 / (1 + np.exp(-signal))).astype(int)
    frame["worth"] = signal + draw.normal(0, 0.1, n)
    frame["kind"] = np.array(["a", "b", "c"])[np.clip(np.round(signal), 0, 2).astype(int)]
    frame.loc[::37, "amount"] = np.nan
    return frame


def trained(kind: str, rows: pd.DataFrame, target: str, **settings: Any) -> Any:
    glassbox = oracle("interpret.glassbox")
    types = ["continuous", "nominal", "continuous", "nominal"]
    chosen = {"outer_bags": 2, "max_rounds": 120, "random_state": 0, "n_jobs": 1, **settings}
    with quietly():
        machine = getattr(glassbox, f"ExplainableBoosting{kind}")(feature_types=types, **chosen)
        return machine.fit(rows[INPUTS][:600], rows[target][:600])


@pytest.fixture(scope="module")
def machine(rows: pd.DataFrame) -> Any:
    """Single features, two pairs, and one term of three features."""
    interactions = [("amount", "purpose"), ("amount", "code"), ("amount", "month", "code")]
    return trained("Classifier", rows, "paid", interactions=interactions)


def exported(machine: Any, path: Path, detail: str = "all") -> Path:
    with quietly():
        machine.to_json(str(path), detail=detail)
    return path


def model_of(machine: Any, folder: Path) -> EbmModel:
    found = load_model(exported(machine, folder / "ebm.json")).estimator
    assert isinstance(found, EbmModel)
    return found


def odd_cells(rows: pd.DataFrame) -> pd.DataFrame:
    """Values on limits and far outside, unknown categories, and gaps everywhere."""
    odd = rows[INPUTS][600:640].reset_index(drop=True).astype({"month": float, "code": float})
    odd.loc[0:3, "amount"] = [1e9, -1e9, np.inf, -np.inf]
    odd.loc[4:6, "purpose"] = ["boat", None, ""]
    odd.loc[7:9, "month"] = [1.5, 2.5, np.nan]
    odd.loc[10:12, "code"] = [4, np.nan, 2.5]
    return odd


def test_margins_and_terms_are_those_of_interpret(
    machine: Any, rows: pd.DataFrame, tmp_path: Path
) -> None:
    model = model_of(machine, tmp_path)
    for frame in (rows[INPUTS], odd_cells(rows)):
        with quietly():
            expected = machine.decision_function(frame)
        assert model.margins(frame) == pytest.approx(expected, abs=CLOSE)
        assert len(set(expected.round(6))) > 10


def test_values_on_the_limits_of_bins_are_those_of_interpret(
    machine: Any, rows: pd.DataFrame, tmp_path: Path
) -> None:
    model = model_of(machine, tmp_path)
    for level in (0, -1):
        limits = machine.bins_[0][level]
        frame = rows[INPUTS].iloc[np.arange(len(limits)) % 600].assign(amount=limits)
        with quietly():
            expected = machine.decision_function(frame)
        assert model.margins(frame) == pytest.approx(expected, abs=CLOSE)


@pytest.mark.parametrize(
    ("cells", "written"),
    [
        ([True, False, True, False], "bool"),
        ([1.0, 2.5, 1.0, 2.5], "float"),
        (["1", "x", "1", "x"], "text"),
        ([10, 20, 10, 20], "int"),
    ],
)
def test_categories_are_written_as_interpret_writes_them(
    cells: list[Any], written: str, tmp_path: Path
) -> None:
    glassbox = oracle("interpret.glassbox")
    frame = pd.DataFrame({"k": cells * 40})
    label = np.array(frame["k"] == cells[0], dtype=int)
    label[:20] = 1 - label[:20]
    settings = {"feature_types": ["nominal"], "outer_bags": 1, "n_jobs": 1, "max_rounds": 40}
    with quietly():
        machine = glassbox.ExplainableBoostingClassifier(**settings).fit(frame, label)
        expected = machine.decision_function(frame)
    model = model_of(machine, tmp_path)
    assert len(set(expected.tolist())) == 2, written
    assert model.margins(frame) == pytest.approx(expected, abs=CLOSE)
    table = tmp_path / "table.csv"
    frame.to_csv(table, index=False)
    assert model.margins(pd.read_csv(table)) == pytest.approx(expected, abs=CLOSE)


def by_definition(machine: Any, pool: Pool) -> np.ndarray:
    """Shapley values of InterpretML's own margin: every order, every background row."""
    names = list(pool.table.columns)
    n, m = pool.rows, pool.background
    total = np.zeros((n, len(names)))
    own, behind = np.repeat(np.arange(n), m), n + np.tile(np.arange(m), n)
    orders = list(permutations(range(len(names))))
    for order in orders:
        places = dict.fromkeys(names, behind)
        before = machine.decision_function(pool.mixed(places))
        for number in order:
            places[names[number]] = own
            after = machine.decision_function(pool.mixed(places))
            total[:, number] += (after - before).reshape(n, m).mean(axis=1)
            before = after
    return total / len(orders)


def test_every_input_gets_its_shapley_value(
    machine: Any, rows: pd.DataFrame, tmp_path: Path
) -> None:
    model = model_of(machine, tmp_path)
    pool = Pool(rows[INPUTS][600:650].reset_index(drop=True), 30, halves(20))
    scores = model.margins(pool.table)
    found = ebm_values(model, pool, scores)
    assert found is not None
    assert found.errors is None
    with quietly():
        assert found.values[0] == pytest.approx(by_definition(machine, pool), abs=CLOSE)
    assert adds_up(found.values, found.base, scores[:30])
    assert (found.values[1] + found.values[2]) / 2 == pytest.approx(found.values[0], abs=CLOSE)


def local(machine: Any, frame: pd.DataFrame) -> np.ndarray:
    """What InterpretML's own explanation says of each row: (rows, terms)."""
    with quietly():
        told = machine.explain_local(frame)
        return np.array([told.data(i)["scores"] for i in range(len(frame))])


def test_single_features_get_what_interpret_explains_relative_to_the_background(
    rows: pd.DataFrame, tmp_path: Path
) -> None:
    machine = trained("Classifier", rows, "paid", interactions=0)
    model = model_of(machine, tmp_path)
    pool = Pool(rows[INPUTS][600:650].reset_index(drop=True), 30, halves(20))
    found = ebm_values(model, pool, model.margins(pool.table))
    assert found is not None
    told = local(machine, pool.table)
    expected = told[:30] - told[30:].mean(axis=0)
    assert found.values[0] == pytest.approx(expected, abs=CLOSE)


def test_a_pair_is_shared_between_its_features_by_what_each_changes(
    machine: Any, rows: pd.DataFrame, tmp_path: Path
) -> None:
    """One background row, so that a pair's halves follow from three explanations of InterpretML."""
    model = model_of(machine, tmp_path)
    table = rows[INPUTS][600:611].reset_index(drop=True)
    table["code"] = table["code"][10]  # the term of three features then is one of two
    pool = Pool(table, 10, np.ones((1, 1)))
    found = ebm_values(model, pool, model.margins(table))
    assert found is not None
    behind = table.iloc[[10] * 10].reset_index(drop=True)
    own = table[:10]
    whole = local(machine, own).sum(axis=1)
    for other in ("purpose", "month"):
        # everything of the row but one input: what is lost is its own and half of each pair
        without = own.assign(**{other: behind[other].to_numpy()})
        alone = behind.assign(**{other: own[other].to_numpy()})
        last = whole - local(machine, without).sum(axis=1)
        first = local(machine, alone).sum(axis=1) - local(machine, behind).sum(axis=1)
        share = found.values[0][:, INPUTS.index(other)]
        assert share == pytest.approx((first + last) / 2, abs=CLOSE)


def test_an_export_is_scored_in_the_sandbox(
    machine: Any, rows: pd.DataFrame, tmp_path: Path
) -> None:
    path, table = exported(machine, tmp_path / "ebm.json"), tmp_path / "table.csv"
    rows.to_csv(table, index=False)
    summary = inspect_model(path)
    assert (summary.format, summary.safety, summary.reasons) == ("ebm-json", "safe", ())
    assert summary.names == tuple(INPUTS)
    assert summary.inputs is not None
    assert [kind for _, kind in summary.inputs] == ["number", "unknown", "number", "unknown"]

    found = score(path, table, summary.names)

    assert isinstance(found, Scores), found
    assert (found.classes, found.meaning) == (("0", "1"), "probability")
    with quietly():
        expected = machine.predict_proba(rows[INPUTS])[:, 1]
        taken = machine.predict(rows[INPUTS])
    assert found.scores == pytest.approx(expected, abs=CLOSE)
    assert found.predictions.tolist() == [str(one) for one in taken]


@pytest.mark.parametrize("objective", ["rmse", "poisson_deviance"])
def test_a_regression_predicts_numbers(objective: str, rows: pd.DataFrame, tmp_path: Path) -> None:
    counts = rows.assign(worth=np.round(np.exp(rows["worth"].clip(-3, 3))))
    machine = trained("Regressor", counts, "worth", interactions=1, objective=objective)
    found = model_of(machine, tmp_path).score(rows[INPUTS])
    assert (found.classes, found.meaning) == ((), "number")
    with quietly():
        assert found.scores == pytest.approx(machine.predict(rows[INPUTS]), abs=CLOSE)


def test_several_classes_have_a_probability_each(rows: pd.DataFrame, tmp_path: Path) -> None:
    machine = trained("Classifier", rows, "kind", interactions=0)
    found = model_of(machine, tmp_path).score(rows[INPUTS])
    assert found.classes == ("a", "b", "c")
    assert found.scores is None
    with quietly():
        expected, taken = machine.predict_proba(rows[INPUTS]), machine.predict(rows[INPUTS])
    assert found.probabilities == pytest.approx(expected, abs=CLOSE)
    assert list(found.predictions) == taken.tolist()


def test_an_export_is_explained_in_the_sandbox_and_not_trained_again(
    machine: Any, rows: pd.DataFrame, tmp_path: Path
) -> None:
    path, table = exported(machine, tmp_path / "ebm.json", "minimal"), tmp_path / "table.csv"
    rows.to_csv(table, index=False)

    found = attribute(path, table, None, exclude=["paid", "worth", "kind"],
                      refits=Refits(table, "paid"))  # fmt: skip

    assert isinstance(found, Attributions), found
    assert found.method == "exact, terms of the boosting machine"
    assert (found.names, found.scale, found.errors) == (tuple(INPUTS), "margin", None)
    with quietly():
        expected = machine.decision_function(rows[INPUTS])[found.rows]
    assert found.scores == pytest.approx(expected, abs=CLOSE)
    assert found.values.sum(axis=1) + found.base == pytest.approx(found.scores, abs=CLOSE)
    assert len(found.halves) == 2
    assert "cannot be trained again" in found.refit_problem


def test_settings_are_the_tuning_and_the_kind_is_the_architecture(
    machine: Any, rows: pd.DataFrame, tmp_path: Path
) -> None:
    one = inspect_model(exported(machine, tmp_path / "one.json"))
    slower = trained("Classifier", rows, "paid", interactions=0, learning_rate=0.005)
    two = inspect_model(exported(slower, tmp_path / "two.json"))
    number = trained("Regressor", rows, "worth", interactions=0)
    three = inspect_model(exported(number, tmp_path / "three.json"))
    assert one.architecture == two.architecture != three.architecture
    assert one.tuning != two.tuning
    minimal = inspect_model(exported(machine, tmp_path / "least.json", "minimal"))
    assert minimal.tuning is None  # the short export does not hold the settings


@pytest.mark.parametrize("way", ["joblib", "pickle"])
def test_a_pickled_machine_is_refused(way: str, machine: Any, tmp_path: Path) -> None:
    if way == "joblib":
        joblib.dump(machine, tmp_path / "ebm.pkl")
    else:
        (tmp_path / "ebm.pkl").write_bytes(pickle.dumps(machine))
    summary = inspect_model(tmp_path / "ebm.pkl")
    assert summary.safety == "unsafe"
    assert "interpret" in summary.reasons[0]


SMALL: dict[str, Any] = {
    "version": "1.0",
    "ebm": {
        "outputs": [{"task": "classification", "classes": [0, 1], "link": "logit"}],
        "intercept": [0.5],
        "features": [
            {"name": "x", "type": "continuous", "cuts": [[1.0, 2.0], [1.5]]},
            {"name": "k", "type": "nominal", "categories": [["a", ["b", "c"]]]},
        ],
        "terms": [
            {"term_features": ["x"], "scores": [0.0, 1.0, 2.0, 3.0, 9.0]},
            {"term_features": ["k"], "scores": [0.0, 10.0, 20.0, 90.0]},
            {"term_features": ["x", "k"], "scores": [[0.0, 0.1, 0.2, 0.3]] * 4},
        ],
    },
}


def changed(where: tuple[Any, ...], value: Any) -> bytes:
    content = json.loads(json.dumps(SMALL))
    part = content["ebm"]
    for key in where[:-1]:
        part = part[key]
    part[where[-1]] = value
    return json.dumps(content).encode()


def test_a_small_export_is_looked_up_by_hand() -> None:
    model = EbmModel(json.dumps(SMALL).encode())
    frame = pd.DataFrame({"x": [0.5, 1.0, 2.0, None], "k": ["a", "b", "c", "boat"]})
    expected = [0.5 + 1 + 10 + 0.1, 0.5 + 2 + 20 + 0.2, 0.5 + 3 + 20 + 0.2, 0.5 + 0 + 90 + 0.3]
    assert model.margins(frame) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("where", "value", "says"),
    [
        (("outputs",), [], "not one output"),
        (("outputs", 0, "link"), "vlogit", "its link is 'vlogit'"),
        (("outputs", 0, "classes"), [0, 1, 2], "3 classes for the link logit"),
        (("intercept",), [0.5, 0.5], "2 intercepts for 1 scores"),
        (("intercept",), ["nan"], "where a finite number must"),
        (("features", 0, "cuts"), [[2.0, 1.0]], "limits of x do not ascend"),
        (("features", 0, "cuts"), [], "the feature x has no bins"),
        (("features", 0, "type"), "text", "of the type 'text'"),
        (("features", 1, "name"), "x", "by a name of its own"),
        (("features", 1, "categories"), [["a", "a"]], "categories of k are not different"),
        (("features", 1, "categories"), [["a", 1]], "categories of k are not different"),
        (("terms", 0, "term_features"), ["y"], "'y', which does not exist"),
        (("terms", 0, "term_features"), ["x", "x"], "one twice"),
        (("terms", 0, "scores"), [0.0] * 4, "scores of x do not fit its bins"),
        (("terms", 0, "scores"), [0.0] * 4 + [float("inf")], "no finite number"),
        (("terms", 0, "scores"), [0.0] * 4 + [True], "no finite number"),
        (("terms", 2, "scores"), [[0.0] * 4] * 3 + [[0.0] * 3], "x & k do not fit"),
        (("terms", 2, "scores"), [0.0] * 4, "x & k do not fit"),
    ],
)
def test_an_export_that_contradicts_itself_is_refused(
    where: tuple[Any, ...], value: Any, says: str
) -> None:
    summary = inspect_bytes(changed(where, value))
    assert (summary.format, summary.safety) == ("ebm-json", "unsafe")
    assert says in summary.reasons[0]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (json.dumps({**SMALL, "version": "2.0"}).encode(), 'of version "1.0"'),
        (json.dumps(SMALL).encode()[:-20], "the file is broken"),
        (b'{"ebm": {}, "ebm": {}}', "a key twice"),
        (b'{"version": "1.0", "ebm": ' + b"[" * 100_000, "the file is broken"),
    ],
)
def test_a_broken_export_is_refused(data: bytes, says: str) -> None:
    summary = inspect_bytes(data)
    assert (summary.format, summary.safety) == ("ebm-json", "unsafe")
    assert says in summary.reasons[0]


def test_a_table_that_lacks_an_input_is_a_failure_with_the_reason(
    machine: Any, rows: pd.DataFrame, tmp_path: Path
) -> None:
    path, table = exported(machine, tmp_path / "ebm.json"), tmp_path / "table.csv"
    rows.drop(columns=["month"]).to_csv(table, index=False)
    found = attribute(path, table, INPUTS)
    assert isinstance(found, Failure)
    assert "lacks the model's input 'month'" in found.reason
