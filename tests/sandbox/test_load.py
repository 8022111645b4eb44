"""Loading in the child, for the gateway: one table from rows given by name."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import joblib
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from guiderail.core.errors import InputError
from guiderail.sandbox.load import ModelRefusedError, load_model
from guiderail.sandbox.scored import label_text


def test_rows_by_name_become_the_models_table(skops_file: Path, pipeline: Pipeline) -> None:
    model = load_model(skops_file)

    frame = model.frame([{"month": 12, "amount": 90.0, "purpose": "car", "other": 1}])

    assert list(frame.columns) == ["amount", "purpose", "month"]
    scored = model.score(frame)
    assert scored.scores is not None
    assert scored.scores[0] == pytest.approx(pipeline.predict_proba(frame)[0, 1])


def test_a_missing_input_is_named(skops_file: Path) -> None:
    model = load_model(skops_file)

    with pytest.raises(InputError, match="the input 'month' is missing"):
        model.frame([{"amount": 1.0, "purpose": "car"}])


def test_a_model_without_names_takes_no_rows_by_name(tmp_path: Path) -> None:
    path = tmp_path / "unnamed.joblib"
    joblib.dump(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), path)

    with pytest.raises(InputError, match="names no inputs"):
        load_model(path).frame([{"x": 1.0}])


def test_every_compression_loads(tmp_path: Path, pipeline: Pipeline) -> None:
    for compress in ("zlib", "gzip", "bz2", "xz", "lzma"):
        path = tmp_path / f"model.{compress}"
        joblib.dump(pipeline, path, compress=(compress, 3))

        assert load_model(path).summary.format == "joblib"


def test_a_format_whose_library_is_absent_is_refused_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.json"
    path.write_text('{"learner": {"learner_model_param": {"num_feature": "1"}}}')
    monkeypatch.setitem(sys.modules, "xgboost", None)

    with pytest.raises(ModelRefusedError, match="xgboost is not installed, and it runs with it"):
        load_model(path)


def test_loading_warns_nobody(skops_file: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_model(skops_file).summary.safety == "safe"


@pytest.mark.parametrize(
    ("label", "text"), [(1, "1"), (1.0, "1"), ("1", "1"), (0.5, "0.5"), (True, "true")]
)
def test_equal_labels_are_equal_texts(label: object, text: str) -> None:
    assert label_text(label) == text
