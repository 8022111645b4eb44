"""Read an MLflow model directory: which file holds the model, its signature, and custom code."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from guiderail.sandbox.model_summary import ModelSummary, refused
from guiderail.sandbox.regular_file import read_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LARGEST_MLMODEL = 1024 * 1024
_BROKEN = (OSError, ValueError, yaml.YAMLError, RecursionError)
_KNOWN_LOADERS = frozenset({"mlflow.sklearn", "mlflow.xgboost", "mlflow.lightgbm", "mlflow.onnx"})
_FLAVORS = (
    ("sklearn", "pickled_model"),
    ("xgboost", "data"),
    ("lightgbm", "data"),
    ("onnx", "data"),
)
_TYPES = {
    **dict.fromkeys(("double", "float", "integer", "long"), "number"),
    **dict.fromkeys(("string",), "text"),
    **dict.fromkeys(("boolean",), "boolean"),
}


def model_file_of(directory: Path) -> Path | None:
    """The model file inside an MLflow directory; None where it names none that lies inside it."""
    try:
        content = _mlmodel(directory)
    except _BROKEN:
        return None
    flavors = content.get("flavors") if isinstance(content, dict) else None
    for flavor, key in _FLAVORS:
        part = flavors.get(flavor) if isinstance(flavors, dict) else None
        name = part.get(key) if isinstance(part, dict) else None
        if isinstance(name, str):
            inside = (directory / name).resolve()
            if inside.is_file() and inside.is_relative_to(directory.resolve()):
                return inside
    return None


def read_mlflow(directory: Path, inspect: Callable[[Path], ModelSummary]) -> ModelSummary:
    """The summary of the model inside, refused where the directory brings code of its own."""
    try:
        content = _mlmodel(directory)
    except _BROKEN as problem:
        return refused("mlflow", f"its MLmodel file cannot be read: {_first_line(problem)}")
    if not isinstance(content, dict) or not isinstance(content.get("flavors"), dict):
        return refused("mlflow", "its MLmodel file names no flavors")
    own_code = _own_code(content["flavors"])
    if own_code is not None:
        return refused("mlflow", own_code)
    file = model_file_of(directory)
    if file is None:
        return refused("mlflow", "it names no model file that lies inside the directory")
    inner = inspect(file)
    signed = _signature(content.get("signature"))
    if signed and inner.names is not None and {name for name, _ in signed} != set(inner.names):
        # Who reads the signature alone would not see what the model is fed with.
        return refused("mlflow", "its signature names other inputs than the model itself")
    return replace(
        inner,
        format="mlflow",
        inputs=signed or inner.inputs,
        input_count=len(signed) if signed else inner.input_count,
    )


def _own_code(flavors: Mapping[object, object]) -> str | None:
    """Why the directory needs code that is in no library, as a clause; None where it does not."""
    for flavor, part in flavors.items():
        if isinstance(part, dict) and part.get("code"):
            return f"it brings a folder with code of its own (in the flavor {flavor})"
    function = flavors.get("python_function")
    if function is None:
        return None
    loader = function.get("loader_module") if isinstance(function, dict) else function
    if not isinstance(loader, str) or loader not in _KNOWN_LOADERS:
        return f"it is loaded by code of its own ({loader})"
    return None


def _mlmodel(directory: Path) -> object:
    """Raises one of `_BROKEN` for a file that is no MLmodel file of this directory."""
    path = directory / "MLmodel"
    if not path.resolve().is_relative_to(directory.resolve()):
        raise ValueError("it is a link that leads out of the directory")
    try:
        text = read_regular(path, LARGEST_MLMODEL).decode("utf-8")
    except OverflowError:
        raise ValueError("it is too large") from None
    if re.search(
        r"(?m)(^|[\s\[{,:-])[&*][A-Za-z0-9_]", re.sub(r"'[^'\n]*'|\"[^\"\n]*\"", "", text)
    ):
        raise ValueError("it refers to its own parts, which can make a small file grow without end")
    return yaml.safe_load(text)


def _first_line(problem: BaseException) -> str:
    """Never the lines of the file, which may be another file than it seems."""
    lines = str(problem).splitlines()
    return lines[0] if lines else type(problem).__name__


def _signature(part: object) -> tuple[tuple[str, str], ...] | None:
    text = part.get("inputs") if isinstance(part, dict) else None
    try:
        columns = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(columns, list) or not columns:
        return None
    pairs = [
        (column["name"], _TYPES.get(str(column.get("type")), "unknown"))
        for column in columns
        if isinstance(column, dict) and isinstance(column.get("name"), str)
    ]
    return tuple(pairs) if len(pairs) == len(columns) else None
