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
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from guiderail.core.errors import InputError
from guiderail.sandbox import compressed
from guiderail.sandbox.inspect_model import LARGEST_UNPACKED, inspect_bytes, read_model_bytes
from guiderail.sandbox.model_summary import ModelSummary
from guiderail.sandbox.read_mlflow import model_file_of, read_mlflow
from guiderail.sandbox.read_skops import read_skops
from guiderail.sandbox.trusted_types import is_trusted_global

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BROKEN = (ValueError, TypeError, AttributeError, LookupError, EOFError)

Meaning = Literal["probability", "margin", "number", "none"]
"""What a score says: probability or margin of the second class, a predicted number, or nothing."""


class ModelRefusedError(InputError):
    """The model must not be loaded, or cannot be."""

    code = "model/refused"


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores of some rows, in their order.

    classes: the classes as texts, `probabilities` has one column for each; empty for a regression.
    scores: for two classes the score of the *second*, for a regression the number, else None.
    predictions: the class the model itself takes, as text (empty for a regression).
    """

    classes: tuple[str, ...]
    meaning: Meaning
    scores: NDArray[np.float64] | None
    probabilities: NDArray[np.float64] | None
    predictions: tuple[str, ...]


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

    def score(self, frame: pd.DataFrame) -> Scored:
        """Score a table whose columns are the model's inputs in its order.

        Whatever the model raises comes through: the caller is a sandboxed child.
        """
        table: Any = frame if self.summary.names is not None else frame.to_numpy()
        model = self.estimator
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


def label_text(value: object) -> str:
    """A label as text; a whole number loses its `.0`, so 1, 1.0 and "1" are the same label."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def load_model(path: Path) -> LoadedModel:
    """Load a skops, joblib or pickle file, or the one inside an MLflow directory.

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
    data = read_model_bytes(path)
    summary = inspect_bytes(data)
    if summary.safety == "unsafe":
        raise _refusal(path, summary.reasons)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator = _load(summary.format, data)
    except ImportError as problem:
        raise _refusal(path, (f"{problem.name} is not installed",)) from problem
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
    raise ValueError(f"this version of Guiderail scores skops and joblib models, not {format_name}")


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
