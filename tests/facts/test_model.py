"""The model file, its threshold and its performance."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score

from guiderail.core.interval import Interval
from guiderail.facts.model.file import MODEL_FILE
from guiderail.facts.model.performance import PERFORMANCE
from guiderail.facts.model.threshold import THRESHOLD
from guiderail.manifest.release import Release
from tests.facts.small_release import NUMBERS, edit, german, reason, run


def test_the_model_file_says_what_it_is(release: Release) -> None:
    facts = run(MODEL_FILE, release)

    assert facts["model.format"].value == "skops"
    assert facts["model.file"].value == "safe"
    assert set(facts["model.inputs"].value) == {"status", "credit_history", *NUMBERS}


def test_a_dangerous_model_file_is_a_known_danger_and_nothing_else_is_known(
    directory: Path,
) -> None:
    (directory / "model.skops").write_bytes(pickle.dumps(print))

    facts = run(MODEL_FILE, edit(directory, version="v2"))

    assert facts["model.file"].value == "unsafe"
    assert "print" in facts["model.file"].detail["reasons"][0]  # type: ignore[index]  # plain JSON
    for name in ("inputs", "architecture", "tuning"):
        assert facts[f"model.{name}"].is_unknown


def test_a_truncated_model_is_unsafe_and_unmeasured(directory: Path) -> None:
    path = directory / "model.skops"
    path.write_bytes(path.read_bytes()[:2000])
    release = edit(directory, version="v2")

    assert run(MODEL_FILE, release)["model.file"].value == "unsafe"
    assert "is refused" in reason(run(PERFORMANCE, release), "performance.value")


def test_a_model_without_names_has_unknown_inputs(directory: Path) -> None:
    frame = german()
    model = LogisticRegression().fit(frame[list(NUMBERS)].to_numpy(), frame["good"])
    skops.io.dump(model, directory / "model.skops")

    facts = run(MODEL_FILE, edit(directory, version="v2"))

    assert "names no inputs" in reason(facts, "model.inputs")
    assert not facts["model.architecture"].is_unknown


def test_the_threshold_is_declared_and_none_is_unknown(directory: Path, release: Release) -> None:
    assert run(THRESHOLD, release)["model.threshold"].value == 0.5
    without = edit(directory, model={"threshold": None, "threshold_envelope": None})
    assert "the class the model names" in reason(run(THRESHOLD, without), "model.threshold")


def test_the_primary_metric_is_that_of_the_oracle(directory: Path, release: Release) -> None:
    facts = run(PERFORMANCE, release)

    frame = pd.read_csv(directory / "evaluation.csv")
    model = skops.io.load(directory / "model.skops")
    chances = model.predict_proba(frame[list(model.feature_names_in_)])[:, 1]
    value = facts["performance.value"].value
    assert isinstance(value, Interval)
    assert value.value == pytest.approx(roc_auc_score(frame["good"], chances), abs=1e-12)
    assert facts["evaluation.rows"].value == 300
    assert facts["evaluation.labels"].value is True

    decided = edit(directory, evaluation={"metric": "accuracy"}, model={"threshold": 0.55})
    accuracy = run(PERFORMANCE, decided)["performance.value"].value
    assert isinstance(accuracy, Interval)
    assert accuracy.value == pytest.approx(accuracy_score(frame["good"], chances >= 0.55))


def test_the_other_class_as_positive_turns_the_scores(directory: Path, release: Release) -> None:
    one = run(PERFORMANCE, release)["performance.value"].value
    other = run(PERFORMANCE, edit(directory, evaluation={"positive": "0"}))
    turned = other["performance.value"].value

    assert isinstance(one, Interval)
    assert isinstance(turned, Interval)
    assert turned.value == pytest.approx(one.value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"evaluation": {"metric": None}}, "names no primary metric"),
        ({"evaluation": {"label": "outcome"}}, "has no column 'outcome'"),
        ({"evaluation": {"positive": "yes"}}, 'the positive class "yes" is none'),
        (
            {
                "evaluation": {"metric": "rmse", "positive": None},
                "model": {"threshold": None, "threshold_envelope": None},
            },
            "needs a model that gives numbers",
        ),
    ],
)
def test_what_the_evaluation_does_not_support_is_unknown(
    directory: Path, change: dict[str, Any], says: str
) -> None:
    facts = run(PERFORMANCE, edit(directory, **change))

    assert says in reason(facts, "performance.value")


def test_a_missing_label_column_is_no_labelled_data(directory: Path) -> None:
    facts = run(PERFORMANCE, edit(directory, evaluation={"label": "outcome"}))

    assert facts["evaluation.labels"].value is False
    assert "outcome" in str(facts["evaluation.labels"].detail["reason"])


def test_an_empty_label_column_is_no_labelled_data(directory: Path) -> None:
    path = directory / "evaluation.csv"
    pd.read_csv(path).assign(good=None).to_csv(path, index=False)

    facts = run(PERFORMANCE, edit(directory, version="v2"))

    assert facts["evaluation.labels"].value is False
    assert "is empty" in reason(facts, "performance.value")


def test_no_evaluation_data_is_no_labelled_data(directory: Path) -> None:
    facts = run(PERFORMANCE, edit(directory, evaluation=None))

    assert facts["evaluation.labels"].value is False
    assert facts["evaluation.rows"].is_unknown
    assert facts["performance.value"].is_unknown


def test_labels_of_another_coding_are_no_bad_model(directory: Path) -> None:
    path = directory / "evaluation.csv"
    frame = pd.read_csv(path)
    frame.assign(good=np.where(frame["good"] == 1, "paid", "lost")).to_csv(path, index=False)

    facts = run(PERFORMANCE, edit(directory, evaluation={"positive": None}))

    assert "the labels are lost, paid" in reason(facts, "performance.value")


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_scores_that_are_no_numbers_are_unknown(directory: Path, broken: float) -> None:
    frame = german()
    model = LogisticRegression(max_iter=500).fit(frame[list(NUMBERS)], frame["good"])
    model.coef_[0, 0] = broken
    skops.io.dump(model, directory / "model.skops")

    facts = run(PERFORMANCE, edit(directory, version="v2"))

    assert facts["performance.value"].is_unknown


def test_a_regression_is_measured_by_its_own_metric(directory: Path) -> None:
    frame = german()
    skops.io.dump(
        LinearRegression().fit(frame[["month"]], frame["credit_amount"]), directory / "model.skops"
    )
    release = edit(
        directory,
        model={"threshold": None, "threshold_envelope": None},
        evaluation={"label": "credit_amount", "positive": None, "metric": "mae"},
    )

    assert isinstance(run(PERFORMANCE, release)["performance.value"].value, Interval)


def test_an_input_missing_from_the_evaluation_data_is_named(directory: Path) -> None:
    path = directory / "evaluation.csv"
    pd.read_csv(path).drop(columns="month").to_csv(path, index=False)

    facts = run(PERFORMANCE, edit(directory, version="v2"))

    assert "lacks the model's input 'month'" in reason(facts, "performance.value")
