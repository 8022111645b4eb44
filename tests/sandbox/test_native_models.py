"""XGBoost, LightGBM and ONNX files score in the sandbox as their own libraries do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline

from guiderail.sandbox.inspect_model import inspect_model
from guiderail.sandbox.score import Failure, Scores, score

INPUTS = ["amount", "month"]


def scored(model: Path, csv: Path, exclude: tuple[str, ...] = ("paid", "purpose")) -> Scores:
    summary = inspect_model(model)
    assert summary.safety == "safe", summary.reasons
    result = score(model, csv, summary.names, exclude=exclude)
    assert isinstance(result, Scores), result
    return result


@pytest.mark.filterwarnings("ignore:.*are not used")
@pytest.mark.parametrize(("booster", "suffix"), [("gbtree", "json"), ("dart", "ubj")])
def test_an_xgboost_classifier(
    tmp_path: Path, csv: Path, table: pd.DataFrame, booster: str, suffix: str
) -> None:
    xgboost: Any = pytest.importorskip("xgboost", reason="the extra boosters is not installed")
    model = xgboost.XGBClassifier(n_estimators=5, max_depth=3, booster=booster, n_jobs=1)
    model.fit(table[INPUTS], table["paid"]).save_model(tmp_path / f"model.{suffix}")

    result = scored(tmp_path / f"model.{suffix}", csv)

    assert (result.classes, result.meaning) == (("0", "1"), "probability")
    np.testing.assert_allclose(
        result.scores, model.predict_proba(table[INPUTS])[:, 1], rtol=0, atol=1e-7
    )
    assert result.predictions.tolist() == [str(one) for one in model.predict(table[INPUTS])]


def test_an_xgboost_regression_and_one_with_several_classes(
    tmp_path: Path, csv: Path, table: pd.DataFrame
) -> None:
    xgboost: Any = pytest.importorskip("xgboost", reason="the extra boosters is not installed")
    path = tmp_path / "model.ubj"
    number = xgboost.XGBRegressor(n_estimators=5, n_jobs=1).fit(table[["month"]], table["amount"])
    number.save_model(path)
    result = scored(path, csv)
    assert (result.classes, result.meaning) == ((), "number")
    np.testing.assert_allclose(result.scores, number.predict(table[["month"]]), rtol=1e-6)

    codes = table["purpose"].map({"car": 0, "house": 1, "study": 2})
    several = xgboost.XGBClassifier(n_estimators=3, n_jobs=1).fit(table[INPUTS], codes)
    several.save_model(path)
    result = scored(path, csv)
    assert result.classes == ("0", "1", "2")
    assert result.scores is None
    np.testing.assert_allclose(
        result.probabilities, several.predict_proba(table[INPUTS]), atol=1e-7
    )


def test_stopping_early_is_respected_as_the_library_does(
    tmp_path: Path, csv: Path, table: pd.DataFrame
) -> None:
    xgboost: Any = pytest.importorskip("xgboost", reason="the extra boosters is not installed")
    model = xgboost.XGBClassifier(n_estimators=40, early_stopping_rounds=2, n_jobs=1)
    model.fit(
        table[INPUTS][:80], table["paid"][:80],
        eval_set=[(table[INPUTS][80:], table["paid"][80:])], verbose=False,
    )  # fmt: skip
    model.save_model(tmp_path / "model.json")

    result = scored(tmp_path / "model.json", csv)

    assert model.best_iteration < 39
    np.testing.assert_allclose(
        result.scores, model.predict_proba(table[INPUTS])[:, 1], rtol=0, atol=1e-7
    )


def test_a_lightgbm_classifier_with_categories(
    tmp_path: Path, csv: Path, table: pd.DataFrame
) -> None:
    lightgbm: Any = pytest.importorskip("lightgbm", reason="the extra boosters is not installed")
    rows = table[["amount", "purpose", "month"]].astype({"purpose": "category"})
    model = lightgbm.LGBMClassifier(n_estimators=5, min_child_samples=5, verbose=-1, n_jobs=1)
    model.fit(rows, table["paid"]).booster_.save_model(tmp_path / "model.txt")

    result = scored(tmp_path / "model.txt", csv)

    np.testing.assert_allclose(result.scores, model.predict_proba(rows)[:, 1], rtol=1e-12)
    assert result.predictions.tolist() == [str(one) for one in model.predict(rows)]


def test_a_lightgbm_regression_with_linear_leaves(
    tmp_path: Path, csv: Path, table: pd.DataFrame
) -> None:
    lightgbm: Any = pytest.importorskip("lightgbm", reason="the extra boosters is not installed")
    model = lightgbm.LGBMRegressor(
        n_estimators=5, min_child_samples=5, linear_tree=True, verbose=-1, n_jobs=1
    ).fit(table[["month"]].astype(float), table["amount"])
    model.booster_.save_model(tmp_path / "model.txt")

    result = scored(tmp_path / "model.txt", csv)

    assert (result.classes, result.meaning) == ((), "number")
    np.testing.assert_allclose(
        result.scores, model.predict(table[["month"]].astype(float)), rtol=1e-9
    )


def converted(model: Any, zipmap: bool, columns: bool = False) -> bytes:
    skl2onnx: Any = pytest.importorskip("skl2onnx", reason="skl2onnx is not installed")
    pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    types: list[tuple[str, Any]] = [("rows", FloatTensorType([None, 2]))]
    if columns:
        number, text = FloatTensorType([None, 1]), StringTensorType([None, 1])
        types = [("amount", number), ("purpose", text), ("month", number)]
    options = {"zipmap": zipmap} if hasattr(model, "predict_proba") else None
    made = skl2onnx.convert_sklearn(model, initial_types=types, options=options)
    return bytes(made.SerializeToString())


@pytest.mark.parametrize("zipmap", [True, False])
def test_onnx_with_one_matrix_names_no_inputs_and_scores(
    tmp_path: Path, csv: Path, table: pd.DataFrame, zipmap: bool
) -> None:
    truth = np.where(table["paid"] == 1, "good", "bad")
    model = LogisticRegression().fit(table[INPUTS].to_numpy(), truth)
    (tmp_path / "model.onnx").write_bytes(converted(model, zipmap))
    summary = inspect_model(tmp_path / "model.onnx")
    assert (summary.inputs, summary.input_count) == (None, 2)

    result = scored(tmp_path / "model.onnx", csv)

    assert result.classes == ("bad", "good")
    expected = model.predict_proba(table[INPUTS].to_numpy())[:, 1]
    np.testing.assert_allclose(result.scores, expected, atol=1e-5)


def test_onnx_with_named_columns_of_numbers_and_text(
    tmp_path: Path, csv: Path, table: pd.DataFrame, pipeline: Pipeline
) -> None:
    (tmp_path / "model.onnx").write_bytes(converted(pipeline, False, columns=True))
    summary = inspect_model(tmp_path / "model.onnx")
    assert summary.inputs == (("amount", "number"), ("purpose", "text"), ("month", "number"))

    result = scored(tmp_path / "model.onnx", csv)

    expected = pipeline.predict_proba(table[["amount", "purpose", "month"]])[:, 1]
    np.testing.assert_allclose(result.scores, expected, atol=1e-5)


def test_an_onnx_regression(tmp_path: Path, csv: Path, table: pd.DataFrame) -> None:
    model = LinearRegression().fit(table[INPUTS].to_numpy(), table["paid"])
    (tmp_path / "model.onnx").write_bytes(converted(model, False))

    result = scored(tmp_path / "model.onnx", csv)

    assert (result.classes, result.meaning) == ((), "number")
    np.testing.assert_allclose(result.scores, model.predict(table[INPUTS].to_numpy()), atol=1e-4)


def test_text_for_a_booster_of_numbers_is_a_failure_with_the_reason(
    tmp_path: Path, csv: Path, table: pd.DataFrame
) -> None:
    xgboost: Any = pytest.importorskip("xgboost", reason="the extra boosters is not installed")
    model = xgboost.XGBClassifier(n_estimators=2, n_jobs=1).fit(table[INPUTS], table["paid"])
    model.save_model(tmp_path / "model.json")
    words = tmp_path / "words.csv"
    words.write_text("amount,month\nmany,2\n")

    failed = score(tmp_path / "model.json", words, INPUTS)

    assert isinstance(failed, Failure)
    assert "could not convert string to float" in failed.reason
