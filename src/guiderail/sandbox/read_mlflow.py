"""Read an MLflow model directory: which file holds the model, its signature, and custom code."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from guiderail.sandbox.model_summary import ModelSummary, refused

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_MLMODEL = 1024 * 1024
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
    content = _mlmodel(directory)
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
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as problem:
        return refused("mlflow", f"its MLmodel file cannot be read: {problem}")
    if not isinstance(content, dict) or not isinstance(content.get("flavors"), dict):
        return refused("mlflow", "its MLmodel file names no flavors")
    function = content["flavors"].get("python_function")
    if isinstance(function, dict):
        loader = function.get("loader_module")
        if loader not in _KNOWN_LOADERS:
            return refused("mlflow", f"it is loaded by code of its own ({loader})")
        if function.get("code"):
            return refused("mlflow", "it brings a folder with code of its own")
    file = model_file_of(directory)
    if file is None:
        return refused("mlflow", "it names no model file that lies inside the directory")
    inner = inspect(file)
    signed = _signature(content.get("signature"))
    return replace(
        inner,
        format="mlflow",
        inputs=signed or inner.inputs,
        input_count=len(signed) if signed else inner.input_count,
    )


def _mlmodel(directory: Path) -> object:
    path = directory / "MLmodel"
    if path.stat().st_size > LARGEST_MLMODEL:
        raise ValueError("it is too large")
    return yaml.safe_load(path.read_text("utf-8"))


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
