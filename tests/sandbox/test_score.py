"""Scoring in the sandbox gives the numbers of the model, or a reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC

from guiderail.sandbox import score as scoring
from guiderail.sandbox.score import Failure, Scores, score

INPUTS = ("amount", "purpose", "month")


def test_scores_are_those_of_the_model_in_the_order_of_the_table(
    skops_file: Path, csv: Path, pipeline: Pipeline, table: pd.DataFrame
) -> None:
    result = score(skops_file, csv, INPUTS)

    assert isinstance(result, Scores)
    expected = pipeline.predict_proba(table[list(INPUTS)])[:, 1]
    np.testing.assert_allclose(result.scores, expected, rtol=1e-12)
    assert result.classes == ("0", "1")
    assert result.predictions.tolist() == [str(one) for one in pipeline.predict(table)]
    assert result.isolation.limits


def test_joblib_gives_the_same_scores(skops_file: Path, joblib_file: Path, csv: Path) -> None:
    one, other = score(skops_file, csv, INPUTS), score(joblib_file, csv, INPUTS)

    assert isinstance(one, Scores)
    assert isinstance(other, Scores)
    np.testing.assert_array_equal(one.scores, other.scores)


def test_columns_in_another_order_change_nothing(
    skops_file: Path, csv: Path, table: pd.DataFrame, tmp_path: Path
) -> None:
    turned = tmp_path / "turned.csv"
    table[table.columns[::-1]].to_csv(turned, index=False)

    one, other = score(skops_file, csv, INPUTS), score(skops_file, turned, INPUTS)

    assert isinstance(one, Scores)
    assert isinstance(other, Scores)
    np.testing.assert_array_equal(one.scores, other.scores)


def save(model: object, tmp_path: Path) -> Path:
    path = tmp_path / "other.skops"
    skops.io.dump(model, path)
    return path


def test_a_regression_gives_numbers(tmp_path: Path, csv: Path, table: pd.DataFrame) -> None:
    model = LinearRegression().fit(table[["month"]], table["amount"])

    result = score(save(model, tmp_path), csv, ("month",))

    assert isinstance(result, Scores)
    assert (result.meaning, result.classes) == ("number", ())
    np.testing.assert_allclose(result.scores, model.predict(table[["month"]]))


def test_a_model_without_probabilities_gives_margins(
    tmp_path: Path, csv: Path, table: pd.DataFrame
) -> None:
    model = LinearSVC().fit(table[["month"]], table["paid"])

    result = score(save(model, tmp_path), csv, ("month",))

    assert isinstance(result, Scores)
    assert result.meaning == "margin"
    np.testing.assert_allclose(result.scores, model.decision_function(table[["month"]]))


def test_several_classes_have_probabilities_and_no_single_score(
    tmp_path: Path, csv: Path, table: pd.DataFrame
) -> None:
    model = LogisticRegression().fit(table[["month"]], table["purpose"])

    result = score(save(model, tmp_path), csv, ("month",))

    assert isinstance(result, Scores)
    assert result.classes == ("car", "house", "study")
    assert result.scores is None
    assert result.probabilities is not None
    assert result.probabilities.shape == (120, 3)


def test_a_model_without_names_takes_the_remaining_columns(
    tmp_path: Path, csv: Path, table: pd.DataFrame
) -> None:
    rows = table[["amount", "month"]].to_numpy()
    path = save(LogisticRegression().fit(rows, table["paid"]), tmp_path)

    fits = score(path, csv, None, exclude=("paid", "purpose"))
    does_not = score(path, csv, None, exclude=("paid",))

    assert isinstance(fits, Scores)
    assert does_not == Failure(
        "the model names no inputs and takes 2, the table offers 3", does_not.isolation
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("amount,purpose\n1,car\n", "lacks the model's input 'month'"),
        ("amount,purpose,month\n", "has no rows"),
        ("", "cannot be read"),
        ("amount,purpose,month\nmany,car,2\n", "the model failed on the table"),
        ("amount,purpose,month\n,car,2\n", "NaN"),
    ],
)
def test_a_table_that_does_not_fit_is_a_failure_with_the_reason(
    skops_file: Path, tmp_path: Path, content: str, reason: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(content)

    failed = score(skops_file, path, INPUTS)

    assert isinstance(failed, Failure)
    assert reason in failed.reason


def test_a_result_is_kept_and_a_broken_one_made_again(
    skops_file: Path, csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    first = score(skops_file, csv, INPUTS, cache=cache)

    with monkeypatch.context() as no_child:
        no_child.setattr(scoring, "run_python", None)
        kept = score(skops_file, csv, INPUTS, cache=cache)
    (stored,) = cache.iterdir()
    (stored / "scores.npz").write_bytes(b"PK broken")
    again = score(skops_file, csv, INPUTS, cache=cache)

    for other in (kept, again):
        assert isinstance(first, Scores)
        assert isinstance(other, Scores)
        np.testing.assert_array_equal(first.scores, other.scores)


def test_another_table_is_another_result(
    skops_file: Path, csv: Path, tmp_path: Path, table: pd.DataFrame
) -> None:
    cache = tmp_path / "cache"
    score(skops_file, csv, INPUTS, cache=cache)
    table.iloc[:50].to_csv(csv, index=False)

    result = score(skops_file, csv, INPUTS, cache=cache)

    assert isinstance(result, Scores)
    assert len(result.predictions) == 50


def test_parquet_is_read_like_csv(skops_file: Path, csv: Path, tmp_path: Path) -> None:
    import duckdb

    parquet = tmp_path / "table.parquet"
    duckdb.read_csv(str(csv)).write_parquet(str(parquet))

    one, other = score(skops_file, csv, INPUTS), score(skops_file, parquet, INPUTS)

    assert isinstance(one, Scores)
    assert isinstance(other, Scores)
    np.testing.assert_array_equal(one.scores, other.scores)
