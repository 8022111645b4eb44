"""Model files that would execute code, hide something, or are broken: refused, never executed."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import os
import pickle
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import skops.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from guiderail.sandbox import read_skops
from guiderail.sandbox.inspect_model import inspect_bytes
from guiderail.sandbox.load import ModelRefusedError, load_model
from guiderail.sandbox.score import Failure, score


class Payload:
    """Creates a file when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, int]]:
        return os.mkdir, (str(self.canary), 0o700)


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "executed"


def refused_everywhere(data: bytes, canary: Path, csv: Path) -> tuple[str, ...]:
    """Parent, child loader and sandboxed scoring all refuse, and nothing was executed."""
    summary = inspect_bytes(data)
    path = canary.with_name("model.bin")
    path.write_bytes(data)
    assert summary.safety == "unsafe"
    with pytest.raises(ModelRefusedError):
        load_model(path)
    result = score(path, csv, ("amount",))
    assert isinstance(result, Failure)
    assert "refused" in result.reason
    assert not canary.exists()
    return summary.reasons


def test_the_payload_does_execute_where_nobody_looks(canary: Path) -> None:
    pickle.loads(pickle.dumps(Payload(canary)))  # noqa: S301  # the test's own bytes

    assert canary.exists()


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_that_would_execute_code_is_refused(
    protocol: int, canary: Path, csv: Path
) -> None:
    reasons = refused_everywhere(pickle.dumps(Payload(canary), protocol), canary, csv)

    assert "mkdir, which is not on the allow-list" in reasons[0]


@pytest.mark.parametrize("compress", [zlib.compress, gzip.compress, bz2.compress])
def test_compression_hides_nothing(
    compress: Callable[[bytes], bytes], canary: Path, csv: Path
) -> None:
    refused_everywhere(compress(pickle.dumps(Payload(canary))), canary, csv)


def test_a_payload_beside_a_real_model_is_refused(
    canary: Path, csv: Path, pipeline: Pipeline
) -> None:
    stream = io.BytesIO()
    joblib.dump({"model": pipeline, "also": Payload(canary)}, stream)

    refused_everywhere(stream.getvalue(), canary, csv)


def test_a_payload_inside_an_array_of_objects_is_refused(canary: Path, csv: Path) -> None:
    model = LogisticRegression()
    model.extra = np.array([Payload(canary)], dtype=object)
    stream = io.BytesIO()
    joblib.dump(model, stream)

    refused_everywhere(stream.getvalue(), canary, csv)


def test_a_payload_after_array_data_is_refused(canary: Path, csv: Path) -> None:
    model = LogisticRegression()
    model.weights, model.zlast = np.arange(50.0), Payload(canary)
    stream = io.BytesIO()
    joblib.dump(model, stream)

    refused_everywhere(stream.getvalue(), canary, csv)


def test_bytes_after_the_pickle_are_refused(joblib_file: Path) -> None:
    summary = inspect_bytes(joblib_file.read_bytes() + pickle.dumps("more"))

    assert summary.safety == "unsafe"
    assert "follow the end" in summary.reasons[0]


def test_bytes_after_the_compressed_stream_are_refused(joblib_file: Path) -> None:
    summary = inspect_bytes(zlib.compress(joblib_file.read_bytes()) + b"more")

    assert "bytes follow the compressed stream" in summary.reasons[0]


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "os.system, which is not on the allow-list"),
        (b"cbuiltins\neval\n.", "builtins.eval"),
        (b"\x80\x04\x8c\x08builtins\x8c\x0adict.clear\x93.", "dict.clear"),
        (b"\x80\x04\x8c\x08builtinsK\x01\x93.", "computes the name"),
        (b"\x80\x04cbuiltins\ndict\n}b.", "changes something that it did not make"),
        (b"\x80\x04\x8c\x01xQ.", "BINPERSID"),
        (b"\x80\x02\x82\x01.", "EXT1"),
        (b"\x80\x04K\x01)R.", "not a name on the allow-list"),
        (b"\x80\x04K\x01K\x02.", "exactly one object"),
        (b"\x80\x04", "broken or cut off"),
        (b"\x80\x04N.", "no estimator"),
    ],
)
def test_tricks_with_instructions_are_refused_by_name(program: bytes, reason: str) -> None:
    summary = inspect_bytes(program)

    assert summary.safety == "unsafe"
    assert reason in summary.reasons[0]


def test_instructions_behind_an_unfinished_frame_are_refused() -> None:
    program = b"\x80\x04\x95" + (40).to_bytes(8, "little") + b"N."

    assert "inside a frame" in inspect_bytes(program + b"x" * 40).reasons[0]


def test_an_array_that_lies_about_its_size_is_refused(joblib_file: Path) -> None:
    """numpy takes the size from the state, so a lie there would hide instructions."""
    model = LogisticRegression()
    model.note = np.array([b"abcd"], dtype="S4")
    stream = io.BytesIO()
    joblib.dump(model, stream)
    honest = stream.getvalue()
    lie = honest.replace(b"K\x04K\x01K\x00t", b"K\x44K\x01K\x00t")

    assert lie != honest
    assert inspect_bytes(honest).safety == "allow_listed"
    assert "says that an item has" in inspect_bytes(lie).reasons[0]


def test_a_decompression_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guiderail.sandbox.inspect_model.LARGEST_UNPACKED", 1024)

    assert "expands to more than" in inspect_bytes(zlib.compress(b"\x80\x04" * 4096)).reasons[0]


def changed(skops_file: Path, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The same archive with an edited tree."""
    out = io.BytesIO()
    with zipfile.ZipFile(skops_file) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "schema.json":
                tree = json.loads(content)
                change(tree)
                content = json.dumps(tree).encode()
            new.writestr(name, content)
    return out.getvalue()


def node(module: str, name: str, loader: str, **rest: object) -> dict[str, object]:
    return {"__module__": module, "__class__": name, "__loader__": loader, **rest}


@pytest.mark.parametrize(
    ("planted", "reason"),
    [
        (node("os", "system", "FunctionNode", content=None), "the function os.system"),
        (node("subprocess", "Popen", "TypeNode"), "the type subprocess.Popen"),
        (node("builtins", "eval", "TypeNode"), "the type builtins.eval"),
        (node("sklearn.utils", "os.system", "TypeNode"), "the type sklearn.utils.os.system"),
        (node("builtins", "str", "MethodNode", content={}), "with MethodNode"),
        (node("functools", "partial", "PartialNode", content={}), "with PartialNode"),
        (node("operator", "attrgetter", "OperatorFuncNode"), "with OperatorFuncNode"),
        (node("numpy", "ndarray", "NdArrayNode", type="numpy", file="x"), "not in the archive"),
        ("text", "not a node"),
        ({"content": 1}, "without a type"),
    ],
)
def test_a_skops_tree_with_something_foreign_is_refused(
    skops_file: Path, planted: object, reason: str
) -> None:
    def plant(tree: dict[str, Any]) -> None:
        tree["content"]["content"]["extra"] = planted

    summary = inspect_bytes(changed(skops_file, plant))

    assert summary.safety == "unsafe"
    assert reason in summary.reasons[0]


def test_two_skops_nodes_with_one_identity_are_refused(skops_file: Path) -> None:
    def plant(tree: dict[str, Any]) -> None:
        for key, text in (("a", '"one"'), ("b", '"two"')):
            tree["content"]["content"][key] = node(
                "builtins", "str", "JsonNode", content=text, __id__=1
            )

    assert "the same identity" in inspect_bytes(changed(skops_file, plant)).reasons[0]


def test_a_skops_tree_nested_beyond_reason_is_refused(skops_file: Path) -> None:
    def plant(tree: dict[str, Any]) -> None:
        deep: dict[str, object] = node("builtins", "list", "ListNode", content=[])
        for _ in range(160):
            deep = node("builtins", "list", "ListNode", content=[deep])
        tree["content"]["content"]["extra"] = deep

    assert "nested too deeply" in inspect_bytes(changed(skops_file, plant)).reasons[0]


@pytest.mark.parametrize("name", ["../outside.npy", "/etc/outside", "a\\b", "C:outside"])
def test_an_archive_that_points_outside_is_refused(skops_file: Path, name: str) -> None:
    with zipfile.ZipFile(skops_file, "a") as archive:
        archive.writestr(name, b"")

    assert "points outside" in inspect_bytes(skops_file.read_bytes()).reasons[0]


def test_an_archive_with_one_name_twice_is_refused(skops_file: Path) -> None:
    with (
        zipfile.ZipFile(skops_file, "a") as archive,
        pytest.warns(UserWarning, match="Duplicate name"),
    ):
        archive.writestr("schema.json", b"{}")

    assert "twice" in inspect_bytes(skops_file.read_bytes()).reasons[0]


def test_an_archive_that_expands_too_far_is_refused(
    skops_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_skops, "LARGEST_CONTENT", 100_000)
    with zipfile.ZipFile(skops_file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.npy", bytes(200_000))

    assert "expands to more than" in inspect_bytes(skops_file.read_bytes()).reasons[0]


def test_an_archive_with_too_many_members_is_refused(
    skops_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_skops, "MOST_MEMBERS", 3)

    assert "more than 3 members" in inspect_bytes(skops_file.read_bytes()).reasons[0]


def test_a_zip_that_is_no_skops_file_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readme.txt", "hello")

    assert "no schema.json" in inspect_bytes(out.getvalue()).reasons[0]


def test_an_unknown_class_of_our_own_is_refused(tmp_path: Path) -> None:
    class Mine(LogisticRegression):
        pass

    summary = inspect_bytes(skops.io.dumps(Mine()))

    assert summary.safety == "unsafe"
    assert "Mine, which is not on the allow-list" in summary.reasons[0]


def test_a_model_cut_off_anywhere_is_refused(skops_file: Path, joblib_file: Path) -> None:
    for whole in (skops_file.read_bytes(), joblib_file.read_bytes()):
        for end in range(1, len(whole), max(1, len(whole) // 97)):
            assert inspect_bytes(whole[:end]).safety == "unsafe"


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_damaged_pickle_gives_a_summary_and_never_an_exception(
    joblib_file: Path, data: st.DataObject
) -> None:
    content = bytearray(joblib_file.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[place] = data.draw(st.integers(0, 255))

    assert inspect_bytes(bytes(content)).safety in ("allow_listed", "unsafe", "safe")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_arbitrary_instructions_give_a_summary_and_never_an_exception(program: bytes) -> None:
    assert inspect_bytes(b"\x80\x04" + program + b".").safety in ("allow_listed", "unsafe")
