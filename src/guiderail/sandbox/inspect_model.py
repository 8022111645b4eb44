"""Parent side: what a model file is and whether it may be loaded. Executes nothing of it."""

from __future__ import annotations

import os
from pathlib import Path

from guiderail.core.errors import InputError
from guiderail.sandbox import compressed
from guiderail.sandbox.estimator_tree import EndlessTreeError, describe
from guiderail.sandbox.model_summary import ModelSummary, Safety, refused
from guiderail.sandbox.pickle_machine import UnsafePickleError
from guiderail.sandbox.read_ebm import read_ebm
from guiderail.sandbox.read_lightgbm import read_lightgbm
from guiderail.sandbox.read_onnx import read_onnx
from guiderail.sandbox.read_pickle import read_pickle
from guiderail.sandbox.read_skops import UnsafeSkopsError, read_skops
from guiderail.sandbox.read_xgboost import read_xgboost_json, read_xgboost_ubj
from guiderail.sandbox.regular_file import NotRegularError, read_regular

LARGEST_FILE = 2 * 1024**3
LARGEST_UNPACKED = 4 * 1024**3

__all__ = ["ModelSummary", "inspect_bytes", "inspect_model"]


def inspect_model(path: Path) -> ModelSummary:
    """Read a model file or MLflow directory.

    A file that is broken, unknown or dangerous gives a summary with safety `unsafe` and the reason.
    Raises InputError only where there is no such file or it cannot be opened.
    """
    if path.is_dir():
        if not os.path.lexists(path / "MLmodel"):
            return refused("unknown", "a directory without an MLmodel file is no model")
        from guiderail.sandbox.read_mlflow import read_mlflow

        return read_mlflow(path, inspect_model)
    try:
        return inspect_bytes(read_model_bytes(path))
    except NotRegularError as problem:
        return refused("unknown", str(problem))


def read_model_bytes(path: Path) -> bytes:
    """The bytes of a model file.

    Raises InputError where it is missing, unreadable or too large, NotRegularError (a ValueError)
    for a pipe, a device or a socket, which may never end.
    """
    try:
        return read_regular(path, LARGEST_FILE)
    except OverflowError as problem:
        raise InputError(
            f"the model file {path.name} is larger than {LARGEST_FILE} bytes",
            advice="Save the model without training data and caches.",
            code="model/too-large",
        ) from problem
    except OSError as problem:
        raise InputError(
            f"the model file {path.name} cannot be read: {problem.strerror}",
            advice="Check model.file in guiderail.yaml and the file's permissions.",
            code="model/unreadable",
        ) from problem


def inspect_bytes(data: bytes) -> ModelSummary:
    """The summary of a model file's content, by its magic bytes and structure."""
    if not data:
        return refused("unknown", "the file is empty")
    if data.startswith(b"PK"):
        return _skops(data)
    compression = compressed.compression_of(data)
    if compression is not None:
        return _compressed(data, compression)
    if _looks_like_pickle(data):
        return _pickle(data)
    if data.startswith(b"tree\n"):
        return read_lightgbm(data)
    if data.lstrip()[:1] == b"{" and b'"learner"' in data[:4096]:
        return read_xgboost_json(data)
    if data.startswith(b"{") and b"learner" in data[:64]:
        return read_xgboost_ubj(data)
    if data.lstrip()[:1] == b"{" and b'"ebm"' in data[:4096]:
        return read_ebm(data)
    if data.startswith(b"\x08"):  # ModelProto, field 1: ir_version
        return read_onnx(data)
    return refused("unknown", "the file is of no format that can be checked")


def _looks_like_pickle(data: bytes) -> bool:
    """Protocol 2 and newer begin with PROTO; older ones are text that ends with STOP."""
    return (data[0] == 0x80 and len(data) > 1 and data[1] <= 5) or (
        data[:1] in (b"(", b"c", b"i", b"]", b"}", b"I", b"S", b"V") and data.rstrip()[-1:] == b"."
    )


def _skops(data: bytes) -> ModelSummary:
    try:
        read = read_skops(data)
    except UnsafeSkopsError as problem:
        return refused("skops", str(problem))
    return _described("skops", read.root, "safe", read.natives)


def _compressed(data: bytes, compression: str) -> ModelSummary:
    try:
        content = compressed.decompress(data, compression, largest=LARGEST_UNPACKED)
    except ValueError as problem:
        return refused("joblib", str(problem))
    if compressed.compression_of(content) is not None:
        return refused("joblib", "it is compressed twice")
    if not _looks_like_pickle(content):
        return refused("unknown", f"what is packed with {compression} is no pickle")
    return _pickle(content)


def _pickle(data: bytes) -> ModelSummary:
    try:
        read = read_pickle(data)
    except UnsafePickleError as problem:
        return refused("pickle", str(problem))
    return _described(
        "joblib" if read.joblib else "pickle", read.root, "allow_listed", read.natives
    )


def _described(
    format_name: str, root: object, safety: Safety, natives: tuple[str, ...]
) -> ModelSummary:
    try:
        description = describe(root)
    except EndlessTreeError as problem:
        return refused(format_name, str(problem))
    if description is None:
        return refused(format_name, "what it holds is no estimator of scikit-learn")
    reasons = []
    if safety == "allow_listed":
        reasons.append("a pickle loads only through an allow-list; save it with skops to be safe")
    if natives:
        safety = "allow_listed"
        reasons.append(
            f"it holds {', '.join(natives)}, whose content scikit-learn does not check; "
            "it runs in a sandbox only"
        )
    return ModelSummary(
        format=format_name,
        safety=safety,
        reasons=tuple(reasons),
        inputs=description.inputs,
        input_count=description.input_count,
        architecture=description.architecture,
        tuning=description.tuning,
        threshold=description.threshold,
        classes=description.classes,
    )
