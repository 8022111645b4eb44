"""More kinds of hostile model files: things that are no files, bombs, lies and foreign code.

Together with `test_hostile_models`. Nothing here may be executed, hang, or take more memory than
the file itself explains.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import socket
import struct
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from guiderail.core.errors import InputError
from guiderail.sandbox.inspect_model import inspect_bytes, inspect_model
from guiderail.sandbox.load import ModelRefusedError, load_model
from tests.sandbox.test_hostile_models import Payload
from tests.sandbox.test_inspect_model import (
    LIGHTGBM,
    MLMODEL,
    TREE,
    XGBOOST,
    message,
    mlflow,
    ubjson,
)


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "executed"


def refused(data: bytes, says: str) -> None:
    summary = inspect_bytes(data)
    assert summary.safety == "unsafe"
    assert says in summary.reasons[0]


# --- what is no file ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: os.mkfifo(path), "a named pipe"),
        (lambda path: path.symlink_to("/dev/zero"), "a device"),
        (lambda path: path.mkdir(), "without an MLmodel file"),
    ],
)
def test_what_only_looks_like_a_file_is_refused_without_waiting_or_filling_up(
    tmp_path: Path, make: Callable[[Path], None], says: str
) -> None:
    path = tmp_path / "model.skops"
    make(path)

    assert says in inspect_model(path).reasons[0]
    with pytest.raises((ModelRefusedError, InputError)):
        load_model(path)


def test_a_socket_and_a_loop_of_links_are_errors_with_advice(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "s"))
        for name in ("s", "loop"):
            with pytest.raises(InputError) as raised:
                inspect_model(tmp_path / name)
            assert raised.value.code == "model/unreadable"


# --- pickles -----------------------------------------------------------------------------------


class Getattr(Payload):
    """The first step of every chain through attributes of something harmless."""

    def __reduce__(self) -> Any:
        return getattr, (dict, "fromkeys")


class Evaluated(Payload):
    def __reduce__(self) -> Any:
        return eval, (f"__import__('os').mkdir({str(self.canary)!r})",)


class Exec(Payload):
    def __reduce__(self) -> Any:
        return exec, (f"import os; os.mkdir({str(self.canary)!r})",)


class Imported(Payload):
    def __reduce__(self) -> Any:
        import importlib

        return importlib.import_module, ("antigravity",)


class Loaded(Payload):
    """A second pickle inside, behind numpy's own loader."""

    def __reduce__(self) -> Any:
        return pickle.loads, (pickle.dumps(Payload(self.canary)),)


class Items(Payload):
    """Hides the payload among the items of a dictionary subclass."""

    def __reduce__(self) -> Any:
        return dict, (), None, None, iter([("key", Payload(self.canary))])


class Partial(Payload):
    def __reduce__(self) -> Any:
        import functools

        return functools.partial, (os.mkdir, str(self.canary))


class Numpy(Payload):
    """numpy functions that read or write files."""

    def __reduce__(self) -> Any:
        return np.save, (str(self.canary), np.zeros(1))


@pytest.mark.parametrize(
    "kind", [Getattr, Evaluated, Exec, Imported, Loaded, Items, Partial, Numpy]
)
@pytest.mark.parametrize("beside", ["alone", "attribute", "nested"])
def test_gadgets_of_pickle_are_refused(
    kind: type[Payload], beside: str, canary: Path, tmp_path: Path
) -> None:
    planted: Any = kind(canary)
    if beside == "attribute":
        model = LogisticRegression()
        model.extra = planted
        planted = model
    elif beside == "nested":
        planted = {"a": [({"b": planted},)]}
    path = tmp_path / "model.joblib"
    joblib.dump(planted, path, compress=3 if beside == "nested" else 0)

    assert inspect_model(path).safety == "unsafe"
    with pytest.raises(ModelRefusedError):
        load_model(path)
    assert not canary.exists()


@pytest.mark.parametrize(
    ("program", "says"),
    [
        # STACK_GLOBAL with a name that is put together by calling a trusted constructor
        (
            b"\x80\x04\x8c\x02os\x94c_codecs\nencode\n\x8c\x06system\x8c\x05ascii\x86R\x93.",
            "computes the name",
        ),
        # NEWOBJ_EX with keywords
        (b"\x80\x04cbuiltins\ndict\n)}\x8c\x01aK\x01s\x92.", "named arguments"),
        # INST and OBJ, the old ways to call
        (b"(S'echo'\nios\nsystem\n.", "os.system"),
        (b"(cos\nsystem\nS'echo'\no.", "os.system"),
        # a memo that does not exist, a mark that was never set, a global written with a dot
        (b"\x80\x02h\x63.", "broken or cut off"),
        (b"\x80\x02t.", "broken or cut off"),
        (b"\x80\x04\x8c\x07sklearn\x8c\x0autils.os.x\x93.", "sklearn.utils.os.x"),
        # the same name through a module that re-exports it
        (b"csklearn.utils._testing\nos\n.", "sklearn.utils._testing.os"),
        (b"cnumpy.f2py.diagnose\nos\n.", "numpy.f2py.diagnose.os"),
        # out of band buffers
        (b"\x80\x05\x97.", "NEXT_BUFFER"),
    ],
)
def test_programs_by_hand_are_refused(program: bytes, says: str) -> None:
    refused(program, says)


@pytest.mark.parametrize(
    "program",
    [
        b"\x80\x04\x8e" + struct.pack("<Q", 1 << 60) + b".",
        b"\x80\x02\x8b\xff\xff\xff\x7f.",
        b"\x80\x04\x95" + struct.pack("<Q", 1 << 60) + b"N.",
        b"I" + b"9" * 100_000 + b"\n.",
        b"\x80\x04)" + b"\x85" * 100_000 + b".",
    ],
)
def test_numbers_that_promise_more_than_there_is_are_refused_at_once(program: bytes) -> None:
    assert inspect_bytes(program).safety == "unsafe"


def test_a_small_pickle_that_unfolds_without_end_is_refused_at_once() -> None:
    model = LogisticRegression()
    part: object = (1, 2)
    for _ in range(80):
        part = (part, part)
    model.extra = part

    refused(pickle.dumps(model), "it has no end")


def test_an_array_of_more_bytes_than_the_file_has_is_refused(tmp_path: Path) -> None:
    model = LogisticRegression()
    model.weights = np.arange(50.0)
    stream = io.BytesIO()
    joblib.dump(model, stream)
    lie = stream.getvalue().replace(b"K2\x85", b"K\xff\x85")

    assert lie != stream.getvalue()
    refused(lie, "cut off")


# --- archives ----------------------------------------------------------------------------------


def test_a_zip_bomb_that_is_no_skops_file_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("arr_0.npy", bytes(50_000_000))
    monkeypatch.setattr(zipfile.ZipFile, "open", None)

    refused(out.getvalue(), "no schema.json")


def test_an_npz_with_a_pickled_array_is_refused(canary: Path) -> None:
    out = io.BytesIO()
    np.savez(out, array=np.array([Payload(canary)], dtype=object))

    refused(out.getvalue(), "no schema.json")
    assert not canary.exists()


def test_an_npy_file_is_no_model() -> None:
    out = io.BytesIO()
    np.save(out, np.zeros(3))

    refused(out.getvalue(), "of no format")


# --- ONNX --------------------------------------------------------------------------------------


def onnx_with(node: bytes = b"", graph: bytes = b"", model: bytes = b"") -> bytes:
    """A small model; the parts are appended to its node, its graph and the model itself."""
    first = message((4, b"Gemm")) + node
    entry = message((1, b"amount"), (2, message((1, message((1, 1))))))
    return message((1, 8), (7, message((1, first), (11, entry)) + graph)) + model


def tensor(*fields: tuple[int, int | bytes]) -> bytes:
    return message((8, b"weights"), (2, 1), *fields)


OUTSIDE = message((1, b"location"), (2, b"../../etc/passwd"))
EXTERNAL = tensor((13, OUTSIDE), (14, 1))
INNER = message((1, message((4, b"Run"), (7, b"our.plugin"))))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (onnx_with(graph=message((5, EXTERNAL))), "other files"),
        (onnx_with(node=message((5, message((1, b"value"), (5, EXTERNAL))))), "other files"),
        (onnx_with(graph=message((15, message((1, EXTERNAL))))), "other files"),
        (onnx_with(node=message((5, message((22, message((2, EXTERNAL))))))), "other files"),
        (onnx_with(node=message((5, message((6, message((5, EXTERNAL))))))), "other files"),
        (onnx_with(node=message((5, message((1, b"body"), (6, INNER))))), "our.plugin"),
        (onnx_with(node=message((5, message((11, INNER))))), "our.plugin"),
        (onnx_with(model=message((25, message((1, b"f"), (7, INNER[2:]))))), "our.plugin"),
        (onnx_with(graph=message((5, tensor((1, 1 << 40))))), "larger than what the file holds"),
        (onnx_with(graph=message((5, tensor((1, 1 << 20), (1, 1 << 20))))), "larger than"),
        (onnx_with(graph=message((5, tensor((1, (1 << 64) - 1))))), "larger than"),
        (onnx_with(model=message((7, b""))), "no graph"),
    ],
)
def test_onnx_that_hides_code_files_or_size_is_refused(data: bytes, says: str) -> None:
    refused(data, says)


def test_onnx_graphs_nested_beyond_reason_are_refused() -> None:
    graph = message((1, message((4, b"Gemm"))))
    for _ in range(40):
        graph = message((1, message((4, b"If"), (5, message((6, graph))))))

    refused(message((1, 8), (7, graph)), "nested too deeply")


def test_functions_that_the_file_itself_defines_are_no_foreign_code() -> None:
    function = message((1, b"Twice"), (7, message((4, b"Add"))), (10, b"local"))
    call = message((1, message((4, b"Twice"), (7, b"local"))))

    assert inspect_bytes(onnx_with(graph=call, model=message((25, function)))).safety == "safe"


# --- boosters ----------------------------------------------------------------------------------


def forest(**change: object) -> dict[str, Any]:
    """The XGBoost model with keys of its one tree replaced."""
    content: dict[str, Any] = json.loads(json.dumps(XGBOOST))
    content["learner"]["gradient_booster"]["model"]["trees"][0] |= change
    return content


@pytest.mark.parametrize("write", [lambda it: json.dumps(it).encode(), ubjson])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"left_children": [70, -1, -1]}, "a child that does not exist"),
        ({"right_children": [-7, -1, -1]}, "a child that does not exist"),
        ({"left_children": [0, -1, -1]}, "in a circle"),
        ({"right_children": [1, -1, -1]}, "in a circle"),
        ({"split_indices": [900, 0, 0]}, "a feature that does not exist"),
        ({"split_conditions": [0.5]}, "nodes and lists others"),
        ({"tree_param": {"num_nodes": "2147483647"}}, "nodes and lists others"),
        ({"left_children": "none"}, "lists no nodes"),
    ],
)
def test_xgboost_trees_that_point_outside_are_refused(
    write: Callable[[object], bytes], change: dict[str, object], says: str
) -> None:
    assert inspect_bytes(write(forest())).safety == "safe"
    refused(write(forest(**change)), says)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'{"learner":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "broken or cut off"),
        (b'{"learner":' + b"9" * 10_000 + b"}", "broken or cut off"),
        (b'{"learner": {}, "learner": {}}', "a key twice"),
        (b'{"learner": {"learner_model_param": {"num_feature": "999999999"}}}', "features"),
        (b"{L" + struct.pack(">q", 7) + b"learner[$Z#L" + struct.pack(">q", 1 << 40), "content"),
        (b"{L" + struct.pack(">q", 7) + b"learnerSL" + struct.pack(">q", 1 << 60), "too early"),
        (b"{L" + struct.pack(">q", 7) + b"learner" + b"[" * 100, "nested too deeply"),
    ],
)
def test_xgboost_files_that_would_fill_the_memory_are_refused(data: bytes, says: str) -> None:
    refused(data, says)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("num_leaves=3", "num_leaves=2147483647", "does not list so many"),
        ("num_leaves=3", "num_leaves=99999999999999", "no usable whole number"),
        ("left_child=1 -1", "left_child=5 -1", "a child that does not exist"),
        ("right_child=-2 -3", "right_child=-2 -9", "a child that does not exist"),
        ("left_child=1 -1", "left_child=0 -1", "in a circle"),
        ("split_feature=0 1", "split_feature=0 7", "a feature that does not exist"),
        ("cat_boundaries=0 1", "cat_boundaries=0 9", "sets of categories"),
        ("threshold=4.5 0", "threshold=4.5 3", "a set of categories that does not exist"),
        ("decision_type=2 1", "decision_type=2", "entries of decision_type"),
        ("is_linear=0", "is_linear=1", "linear leaves"),
        ("max_feature_idx=1", "max_feature_idx=2000000", "and lists 2 feature_names"),
        ("num_class=1", "num_class=1000000", "trees in a round"),
        (f"tree_sizes={len(TREE)}", "tree_sizes=999999999", "outside of it"),
        (f"tree_sizes={len(TREE)}", "tree_sizes=10", "num_leaves"),
        (f"tree_sizes={len(TREE)}", "tree_sizes=", "more follows"),
    ],
)
def test_lightgbm_files_that_point_outside_are_refused(before: str, after: str, says: str) -> None:
    content = LIGHTGBM
    if before not in ("max_feature_idx=1", "num_class=1") and not before.startswith("tree_sizes"):
        tree = TREE.replace(before, after)
        assert tree != TREE
        content = content.replace(TREE, tree).replace(
            f"tree_sizes={len(TREE)}", f"tree_sizes={len(tree)}"
        )
    else:
        content = content.replace(before, after)

    refused(content.encode(), says)


# --- MLflow ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("loader_module: mlflow.sklearn", "loader_module: mlflow.pyfunc.model", "code of its own"),
        ("loader_module: mlflow.sklearn", "loader_module: [mlflow.sklearn]", "code of its own"),
        ("python_function: {", "python_function: 5\n  other: {", "code of its own"),
        ("pickled_model: model.pkl,", "code: code, pickled_model: model.pkl,", "code of its own"),
        ("pickled_model: model.pkl", "pickled_model: /etc/passwd", "inside the directory"),
        ("pickled_model: model.pkl", "pickled_model: link.pkl", "inside the directory"),
        ("pickled_model: model.pkl", "pickled_model: {a: 1}", "inside the directory"),
        ('"name": "amount"', '"name": "harmless"', "names other inputs"),
        ("flavors:", "model_uuid: &a ../../x\nother: *a\nflavors:", "its own parts"),
    ],
)
def test_mlflow_directories_with_tricks_are_refused(
    tmp_path: Path, pipeline: Pipeline, before: str, after: str, says: str
) -> None:
    assert before in MLMODEL
    directory = mlflow(tmp_path / "m", pipeline, MLMODEL.replace(before, after))
    joblib.dump(pipeline, tmp_path / "outside.pkl")
    (directory / "link.pkl").symlink_to(tmp_path / "outside.pkl")

    summary = inspect_model(directory)

    assert summary.safety == "unsafe"
    assert says in summary.reasons[0]
    with pytest.raises(ModelRefusedError):
        load_model(directory)


def test_an_identifier_of_mlflow_is_never_used_as_a_path(
    tmp_path: Path, pipeline: Pipeline
) -> None:
    text = f"model_uuid: ../../outside\nartifact_path: /etc\nrun_id: ../..{MLMODEL}"

    assert inspect_model(mlflow(tmp_path / "m", pipeline, text)).safety == "allow_listed"


def test_code_beside_a_harmless_model_is_never_imported(
    tmp_path: Path, pipeline: Pipeline, canary: Path
) -> None:
    directory = mlflow(tmp_path / "m", pipeline)
    (directory / "mlflow.py").write_text(f"import os; os.mkdir({str(canary)!r})")
    (directory / "sklearn.py").write_text(f"import os; os.mkdir({str(canary)!r})")

    load_model(directory)

    assert not canary.exists()
    assert str(directory) not in sys.path


@pytest.mark.parametrize("kind", ["pipe", "link", "huge"])
def test_an_mlmodel_that_is_no_plain_small_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "MLmodel"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to("/etc/passwd")
    else:
        path.write_bytes(b"flavors: {}\n" + b"#" * 2_000_000)

    summary = inspect_model(tmp_path)

    assert summary.safety == "unsafe"
    assert "cannot be read" in summary.reasons[0]
    assert "root:" not in summary.reasons[0]
