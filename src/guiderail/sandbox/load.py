"""Child side only: load a model file that `inspect_model` accepts, and score rows with it.

Whoever imports this module runs inside the sandbox. The file is read once; what was inspected is
what is loaded. pandas and scikit-learn are imported here and nowhere in the parent.
"""

from __future__ import annotations

import io
import pickle
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from guiderail.core.errors import InputError
from guiderail.sandbox import compressed
from guiderail.sandbox.inspect_model import LARGEST_UNPACKED, inspect_bytes, read_model_bytes
from guiderail.sandbox.model_summary import ModelSummary
from guiderail.sandbox.native_models import NativeModel, native_model
from guiderail.sandbox.read_mlflow import model_file_of, read_mlflow
from guiderail.sandbox.read_skops import read_skops
from guiderail.sandbox.regular_file import NotRegularError
from guiderail.sandbox.scored import Scored, label_text
from guiderail.sandbox.trusted_types import is_trusted_global


class ModelRefusedError(InputError):
    """The model must not be loaded, or cannot be."""

    code = "model/refused"


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in memory: what was read about it beforehand, and the thing itself."""

    summary: ModelSummary
    estimator: Any

    def frame(self, rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
        """Rows given by name as a table with the model's inputs in its order.

        Raises InputError where the model names no inputs or a row lacks one.
        """
        names = self.summary.names
        if names is None:
            raise InputError(
                "the model names no inputs",
                advice="Train it on a table with column names.",
                code="model/unnamed-inputs",
            )
        for row in rows:
            missing = [name for name in names if name not in row]
            if missing:
                raise InputError(
                    f"the input {missing[0]!r} is missing",
                    advice=f"Send all {len(names)} inputs of the model.",
                    code="model/missing-input",
                )
        return pd.DataFrame({name: [row[name] for row in rows] for name in names})

    def answer(self, frame: pd.DataFrame) -> object:
        """The one call that a service makes for these rows: probabilities where there are any."""
        model = self.estimator
        if isinstance(model, NativeModel):
            return model.raw(frame)
        table: Any = frame if self.summary.names is not None else frame.to_numpy()
        for method in ("predict_proba", "decision_function"):
            if hasattr(model, method):
                return getattr(model, method)(table)
        return model.predict(table)

    def score(self, frame: pd.DataFrame) -> Scored:
        """Score a table whose columns are the model's inputs in its order.

        Whatever the model raises comes through: the caller is a sandboxed child.
        """
        model = self.estimator
        if isinstance(model, NativeModel):
            return model.score(frame)
        table: Any = frame if self.summary.names is not None else frame.to_numpy()
        if not hasattr(model, "classes_") and not _is_classifier(model):
            numbers = np.asarray(model.predict(table), dtype=np.float64).reshape(-1)
            return Scored((), "number", numbers, None, ())
        raw_classes = list(np.asarray(model.classes_).tolist())
        classes = tuple(label_text(item) for item in raw_classes)
        predictions = tuple(label_text(item) for item in np.asarray(model.predict(table)).tolist())
        two = len(classes) == 2
        if hasattr(model, "predict_proba"):
            shares = np.asarray(model.predict_proba(table), dtype=np.float64)
            scores = shares[:, 1] if two else None
            return Scored(classes, "probability", scores, shares, predictions)
        if two and hasattr(model, "decision_function"):
            margins = np.asarray(model.decision_function(table), dtype=np.float64).reshape(-1)
            return Scored(classes, "margin", margins, None, predictions)
        return Scored(classes, "none", None, None, predictions)


def load_model(path: Path) -> LoadedModel:
    """Load a model file of a format that `inspect_model` reads, or one in an MLflow directory.

    Raises ModelRefusedError with the reason where the file is unsafe, of a format that this
    process cannot run, or does not load; InputError where it cannot be read.
    """
    signed = None
    if path.is_dir():
        signed = read_mlflow(path, lambda inner: inspect_bytes(read_model_bytes(inner)))
        inside = model_file_of(path)
        if signed.safety == "unsafe" or inside is None:
            raise _refusal(path, signed.reasons)
        path = inside
    try:
        data = read_model_bytes(path)
    except NotRegularError as problem:
        raise _refusal(path, (str(problem),)) from problem
    summary = inspect_bytes(data)
    if summary.safety == "unsafe":
        raise _refusal(path, summary.reasons)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator = _load(summary.format, data)
    except ImportError as problem:
        raise _refusal(
            path, (f"{problem.name} is not installed, and it runs with it",)
        ) from problem
    except (
        ValueError,
        TypeError,
        AttributeError,
        KeyError,
        EOFError,
        pickle.PickleError,
    ) as problem:
        raise _refusal(path, (f"it does not load: {problem}",)) from problem
    return LoadedModel(signed or summary, estimator)


def _load(format_name: str, data: bytes) -> Any:
    if format_name == "skops":
        import skops.io

        accepted = list(read_skops(data).natives)
        return skops.io.loads(data, trusted=accepted)
    if format_name in ("joblib", "pickle"):
        compression = compressed.compression_of(data)
        if compression is not None:
            data = compressed.decompress(data, compression, largest=LARGEST_UNPACKED)
        return _unpickle(data)
    return native_model(format_name, data)


def _unpickle(data: bytes) -> Any:
    """Unpickle with the allow-list enforced once more, at every look-up of a name."""
    from joblib.numpy_pickle import NumpyUnpickler

    class AllowListUnpickler(NumpyUnpickler):  # type: ignore[misc]  # joblib has no type stubs
        def find_class(self, module: str, name: str) -> Any:
            if not is_trusted_global(module, name):
                raise pickle.UnpicklingError(f"{module}.{name} is not on the allow-list")
            return super().find_class(module, name)

        def persistent_load(self, _pid: object) -> Any:
            raise pickle.UnpicklingError("references to outside objects are not allowed")

    stream = io.BytesIO(data)
    return AllowListUnpickler("model", stream, ensure_native_byte_order=True).load()


def _is_classifier(model: Any) -> bool:
    from sklearn.base import is_classifier

    return bool(is_classifier(model))


def _refusal(path: Path, reasons: tuple[str, ...]) -> ModelRefusedError:
    return ModelRefusedError(
        f"the model {path.name} is refused: {'; '.join(reasons)}",
        advice="Save it with skops from a plain scikit-learn estimator.",
    )
