"""What the parent reads from model files of every format, without executing them."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import joblib
import pandas as pd
import pytest
import skops.io
from sklearn.base import clone
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.pipeline import Pipeline

from guiderail.core.errors import InputError
from guiderail.sandbox.inspect_model import inspect_bytes, inspect_model
from guiderail.sandbox.model_summary import ModelSummary

INPUTS = ("amount", "purpose", "month")


def saved(model: object) -> ModelSummary:
    return inspect_bytes(skops.io.dumps(model))


def test_a_skops_pipeline_is_safe_and_names_its_inputs_with_types(skops_file: Path) -> None:
    summary = inspect_model(skops_file)

    assert (summary.format, summary.safety, summary.reasons) == ("skops", "safe", ())
    assert summary.inputs == (("amount", "number"), ("purpose", "text"), ("month", "number"))
    assert summary.input_count == 3
    assert summary.classes[0] == "sklearn.pipeline.Pipeline"
    assert "sklearn.linear_model.LogisticRegression" in summary.classes


def test_joblib_and_skops_say_the_same_about_the_same_model(
    skops_file: Path, joblib_file: Path
) -> None:
    one, other = inspect_model(skops_file), inspect_model(joblib_file)

    assert (other.format, other.safety) == ("joblib", "allow_listed")
    assert other.inputs == one.inputs
    assert other.architecture == one.architecture
    assert other.tuning == one.tuning


def test_a_retrain_changes_neither_architecture_nor_tuning(
    pipeline: Pipeline, table: pd.DataFrame
) -> None:
    again = clone(pipeline).fit(table[list(INPUTS)].iloc[:60], table["paid"].iloc[:60])

    assert saved(again).architecture == saved(pipeline).architecture
    assert saved(again).tuning == saved(pipeline).tuning


def test_another_setting_changes_the_tuning_only(pipeline: Pipeline, table: pd.DataFrame) -> None:
    tuned = clone(pipeline).set_params(logisticregression__C=2.0)
    tuned.fit(table[list(INPUTS)], table["paid"])

    assert saved(tuned).architecture == saved(pipeline).architecture
    assert saved(tuned).tuning != saved(pipeline).tuning


def test_another_class_changes_the_architecture(pipeline: Pipeline, table: pd.DataFrame) -> None:
    other = Pipeline([*clone(pipeline).steps[:-1], ("last", RidgeClassifier())])
    other.fit(table[list(INPUTS)], table["paid"])

    assert saved(other).architecture != saved(pipeline).architecture


def test_the_number_of_trees_is_tuning_and_not_architecture(table: pd.DataFrame) -> None:
    rows, truth = table[["amount", "month"]], table["paid"]
    few = saved(RandomForestClassifier(2, random_state=0).fit(rows, truth))
    many = saved(RandomForestClassifier(5, random_state=0).fit(rows, truth))

    assert few.architecture == many.architecture
    assert few.tuning != many.tuning


def test_native_trees_are_allow_listed_and_the_reason_is_said(table: pd.DataFrame) -> None:
    model = GradientBoostingClassifier(n_estimators=2).fit(table[["amount"]], table["paid"])

    summary = saved(model)

    assert summary.safety == "allow_listed"
    assert "sklearn.tree._tree.Tree" in summary.reasons[0]


def test_a_model_trained_without_names_says_how_many_inputs_it_takes(table: pd.DataFrame) -> None:
    model = LogisticRegression().fit(table[["amount", "month"]].to_numpy(), table["paid"])

    summary = saved(model)

    assert summary.inputs is None
    assert summary.input_count == 2


@pytest.mark.parametrize("compress", [("zlib", 3), ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)])
def test_compressed_joblib_is_looked_into(
    tmp_path: Path, pipeline: Pipeline, compress: tuple[str, int]
) -> None:
    path = tmp_path / "model.joblib"
    joblib.dump(pipeline, path, compress=compress)

    summary = inspect_model(path)

    assert (summary.format, summary.safety) == ("joblib", "allow_listed")
    assert summary.names == INPUTS


def test_a_summary_survives_being_stored(skops_file: Path) -> None:
    summary = inspect_model(skops_file)

    assert ModelSummary.from_json(json.loads(json.dumps(summary.to_json()))) == summary


@pytest.mark.parametrize("stored", [None, [], {}, {"safety": "safe"}, {"safety": "fine"}])
def test_something_else_is_no_stored_summary(stored: object) -> None:
    with pytest.raises(ValueError, match="not a stored model summary"):
        ModelSummary.from_json(stored)


def test_a_missing_file_is_an_error_with_advice(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        inspect_model(tmp_path / "none.skops")

    assert raised.value.code == "model/unreadable"
    assert raised.value.advice


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"\x04\x22\x4d\x18rest", "lz4"),
        (b"# not a model\n", "of no format that can be checked"),
        (b"PK\x03\x04nothing", "broken or cut off"),
    ],
)
def test_what_is_no_model_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    summary = inspect_bytes(content)

    assert summary.safety == "unsafe"
    assert reason in summary.reasons[0]


def message(*fields: tuple[int, int | bytes]) -> bytes:
    """Protobuf bytes of (field number, value) pairs."""

    def varint(value: int) -> bytes:
        out = b""
        while value > 0x7F:
            out += bytes([value & 0x7F | 0x80])
            value >>= 7
        return out + bytes([value])

    return b"".join(
        varint(number << 3) + varint(value)
        if isinstance(value, int)
        else varint(number << 3 | 2) + varint(len(value)) + value
        for number, value in fields
    )


def onnx(domain: bytes = b"", tensor: bytes = b"") -> bytes:
    node = message((4, b"Gemm"), (7, domain))
    entry = message((1, b"amount"), (2, message((1, message((1, 1))))))
    stored = message((1, b"weights"), (2, message((1, message((1, 1))))))
    weights = message((8, b"weights")) + tensor
    graph = message((1, node), (5, weights), (11, entry), (11, stored))
    return message((1, 8), (7, graph))


def test_onnx_names_the_inputs_that_are_not_stored_weights() -> None:
    summary = inspect_bytes(onnx())

    assert (summary.format, summary.safety) == ("onnx", "safe")
    assert summary.inputs == (("amount", "number"),)
    assert summary.classes == ("ai.onnx.Gemm",)


def test_onnx_with_foreign_operators_needs_code_and_is_refused() -> None:
    summary = inspect_bytes(onnx(domain=b"our.plugin"))

    assert summary.safety == "unsafe"
    assert "our.plugin" in summary.reasons[0]


def test_onnx_with_weights_in_other_files_is_refused() -> None:
    summary = inspect_bytes(onnx(tensor=message((14, 1))))

    assert summary.safety == "unsafe"
    assert "other files" in summary.reasons[0]


def test_onnx_cut_off_anywhere_is_never_another_model() -> None:
    whole = onnx()
    for end in range(1, len(whole)):
        assert inspect_bytes(whole[:end]).safety == "unsafe"


XGBOOST = {
    "learner": {
        "feature_names": ["amount", "month"],
        "feature_types": ["float", "int"],
        "gradient_booster": {
            "name": "gbtree",
            "model": {
                "trees": [
                    {
                        "tree_param": {"num_nodes": "3"},
                        "left_children": [1, -1, -1],
                        "right_children": [2, -1, -1],
                        "split_indices": [1, 0, 0],
                        "split_conditions": [12.5, 0.25, -0.25],
                    }
                ]
            },
        },
        "learner_model_param": {"num_feature": "2"},
        "objective": {"name": "binary:logistic"},
    },
    "version": [3, 2, 0],
}


def ubjson(value: object) -> bytes:
    """The forms that XGBoost writes: objects, typed float arrays, lists, texts, numbers."""
    match value:
        case dict():
            parts = b"".join(
                b"L" + struct.pack(">q", len(key)) + key.encode() + ubjson(item)
                for key, item in value.items()
            )
            return b"{" + parts + b"}"
        case list() if value and all(isinstance(item, float) for item in value):
            items = b"".join(struct.pack(">f", item) for item in value)
            return b"[$d#L" + struct.pack(">q", len(value)) + items
        case list():
            return b"[" + b"".join(map(ubjson, value)) + b"]"
        case str():
            return b"SL" + struct.pack(">q", len(value)) + value.encode()
        case int():
            return b"L" + struct.pack(">q", value)
    raise TypeError(value)


@pytest.mark.parametrize(
    ("content", "format_name"),
    [(json.dumps(XGBOOST).encode(), "xgboost-json"), (ubjson(XGBOOST), "xgboost-ubj")],
)
def test_xgboost_files_are_data_and_name_their_inputs(content: bytes, format_name: str) -> None:
    summary = inspect_bytes(content)

    assert (summary.format, summary.safety) == (format_name, "safe")
    assert summary.inputs == (("amount", "number"), ("month", "number"))
    assert summary.classes == ("xgboost.gbtree",)


def test_bytes_after_an_xgboost_model_are_refused() -> None:
    assert inspect_bytes(ubjson(XGBOOST) + b"x").safety == "unsafe"


TREE = (
    "Tree=0\nnum_leaves=3\nnum_cat=1\nsplit_feature=0 1\nthreshold=4.5 0\ndecision_type=2 1\n"
    "left_child=1 -1\nright_child=-2 -3\nleaf_value=0.5 0.25 -0.5\ncat_boundaries=0 1\n"
    "cat_threshold=4\nis_linear=0\nshrinkage=1\n\n\n"
)
LIGHTGBM = (
    "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=1\n"
    "objective=binary sigmoid:1\nfeature_names=amount purpose\nfeature_infos=[1:9] 0:1:2\n"
    f"tree_sizes={len(TREE)}\n\n{TREE}end of trees\n\n"
    "parameters:\n[num_leaves: 31]\nend of parameters\n"
)


def test_lightgbm_text_is_data_and_names_its_inputs() -> None:
    summary = inspect_bytes(LIGHTGBM.encode())

    assert (summary.format, summary.safety) == ("lightgbm", "safe")
    assert summary.inputs == (("amount", "number"), ("purpose", "unknown"))


def test_lightgbm_settings_are_its_tuning() -> None:
    other = LIGHTGBM.replace("num_leaves: 31", "num_leaves: 15")

    assert inspect_bytes(other.encode()).tuning != inspect_bytes(LIGHTGBM.encode()).tuning
    assert (
        inspect_bytes(other.encode()).architecture == inspect_bytes(LIGHTGBM.encode()).architecture
    )


def test_a_cut_off_lightgbm_file_is_refused() -> None:
    assert inspect_bytes(LIGHTGBM[:120].encode()).safety == "unsafe"


MLMODEL = """
flavors:
  python_function: {loader_module: mlflow.sklearn, model_path: model.pkl}
  sklearn: {pickled_model: model.pkl, serialization_format: cloudpickle}
signature:
  inputs: '[{"name": "amount", "type": "double"}, {"name": "purpose", "type": "string"},
    {"name": "month", "type": "long"}]'
"""


def mlflow(directory: Path, model: object, text: str = MLMODEL) -> Path:
    directory.mkdir()
    joblib.dump(model, directory / "model.pkl")
    (directory / "MLmodel").write_text(text)
    return directory


def test_an_mlflow_directory_is_its_model_with_the_signature(
    tmp_path: Path, pipeline: Pipeline
) -> None:
    summary = inspect_model(mlflow(tmp_path / "m", pipeline))

    assert (summary.format, summary.safety) == ("mlflow", "allow_listed")
    assert summary.inputs == (("amount", "number"), ("purpose", "text"), ("month", "number"))


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("loader_module: mlflow.sklearn", "loader_module: our_loader", "code of its own"),
        ("model_path: model.pkl", "model_path: model.pkl, code: code", "code of its own"),
        ("pickled_model: model.pkl", "pickled_model: ../model.pkl", "inside the directory"),
        ("flavors:", "flavours:", "names no flavors"),
        ("flavors:", "flavors: !!python/object:os.system", "cannot be read"),
    ],
)
def test_an_mlflow_directory_with_code_or_outside_files_is_refused(
    tmp_path: Path, pipeline: Pipeline, before: str, after: str, reason: str
) -> None:
    joblib.dump(pipeline, tmp_path / "model.pkl")

    summary = inspect_model(mlflow(tmp_path / "m", pipeline, MLMODEL.replace(before, after)))

    assert summary.safety == "unsafe"
    assert reason in summary.reasons[0]


def test_a_directory_without_mlmodel_is_no_model(tmp_path: Path) -> None:
    assert inspect_model(tmp_path).safety == "unsafe"
