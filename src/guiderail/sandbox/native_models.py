"""Child side only: models outside of scikit-learn: XGBoost, LightGBM, ONNX Runtime, and EBMs.

The libraries are optional extras and imported when a model of theirs is loaded. What each gives
back is brought into the one form of `Scored`.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from guiderail.sandbox.read_onnx import class_labels
from guiderail.sandbox.scored import Meaning, Scored, label_text

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_NO_PROBABILITY = frozenset({"binary:logitraw"})
_CELLS = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(bool)": "bool",
}
_CLASS_ONLY = frozenset({"binary:hinge", "multi:softmax"})


class NativeModel(ABC):
    """A model outside of scikit-learn. The columns of a frame are its inputs in its order."""

    @abstractmethod
    def raw(self, frame: pd.DataFrame) -> Any:
        """What the library itself gives for the rows."""

    @abstractmethod
    def score(self, frame: pd.DataFrame) -> Scored:
        """The same as classes, scores and predictions."""


def native_model(format_name: str, data: bytes) -> NativeModel:
    """Raises ImportError where the library is not installed, ValueError where it refuses."""
    match format_name:
        case "xgboost-json" | "xgboost-ubj":
            return XgboostModel(data)
        case "lightgbm":
            return LightgbmModel(data)
        case "onnx":
            return OnnxModel(data)
        case "ebm-json":
            from guiderail.sandbox.ebm import EbmModel

            return EbmModel(data)
    raise ValueError(f"there is nothing here that runs {format_name}")


class XgboostModel(NativeModel):
    def __init__(self, data: bytes) -> None:
        import xgboost

        self.library = xgboost
        self.booster = xgboost.Booster({"nthread": 1})
        try:
            self.booster.load_model(bytearray(data))
        except xgboost.core.XGBoostError as problem:
            raise ValueError(_first_line(problem)) from problem
        learner = json.loads(self.booster.save_config())["learner"]
        self.objective = str(learner["objective"]["name"])
        self.classes = max(2, int(learner["learner_model_param"]["num_class"]))
        if "c" in (self.booster.feature_types or ()):
            raise ValueError("it takes categories, whose codes the file does not name")
        self.rounds = (0, 0)
        best = self.booster.attr("best_iteration")
        if best is not None and self.booster.attr("scikit_learn") is not None:
            self.rounds = (0, int(best) + 1)  # what the scikit-learn interface would take

    def raw(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        matrix = self.library.DMatrix(
            frame.to_numpy(dtype=np.float64),
            feature_names=self.booster.feature_names,
            feature_types=self.booster.feature_types,
            nthread=1,
        )
        found = self.booster.predict(matrix, iteration_range=self.rounds)
        return np.asarray(found, dtype=np.float64)

    def score(self, frame: pd.DataFrame) -> Scored:
        found = self.raw(frame)
        if self.objective in _CLASS_ONLY:
            taken = tuple(str(int(one)) for one in found)
            return Scored(tuple(map(str, range(self.classes))), "none", None, None, taken)
        if self.objective.startswith("multi:"):
            return _probabilities(tuple(map(str, range(found.shape[1]))), found)
        if self.objective.startswith("binary:"):
            return _two_classes(
                found, "margin" if self.objective in _NO_PROBABILITY else "probability"
            )
        return _numbers(found)


class LightgbmModel(NativeModel):
    def __init__(self, data: bytes) -> None:
        import lightgbm

        text = data.decode("utf-8")
        try:
            self.booster = lightgbm.Booster(model_str=text)
        except lightgbm.basic.LightGBMError as problem:
            raise ValueError(_first_line(problem)) from problem
        head = text.partition("\nTree=")[0].splitlines()
        said = next((line for line in head if line.startswith("objective=")), "objective=")
        self.objective = said.partition("=")[2].partition(" ")[0]
        self.categories = bool(getattr(self.booster, "pandas_categorical", None))

    def raw(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        if self.categories:
            texts = [name for name in frame.columns if frame[name].dtype.kind not in "biuf"]
            table: Any = frame.astype(dict.fromkeys(texts, "category"))
        else:
            table = frame.to_numpy(dtype=np.float64)
        return np.asarray(self.booster.predict(table, num_threads=1), dtype=np.float64)

    def score(self, frame: pd.DataFrame) -> Scored:
        found = self.raw(frame)
        if self.objective in ("multiclass", "multiclassova"):
            return _probabilities(tuple(map(str, range(found.shape[1]))), found)
        return _two_classes(found, "probability") if self.objective == "binary" else _numbers(found)


class OnnxModel(NativeModel):
    """Outputs as scikit-learn, XGBoost and LightGBM converters write them: label and scores."""

    def __init__(self, data: bytes) -> None:
        import onnxruntime

        self.labels = class_labels(data)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self.session = onnxruntime.InferenceSession(
                data, options, providers=["CPUExecutionProvider"]
            )
        except Exception as problem:  # the runtime raises classes of its own, without a base
            raise ValueError(_first_line(problem)) from problem
        self.inputs = self.session.get_inputs()

    def raw(self, frame: pd.DataFrame) -> list[Any]:
        if len(self.inputs) == 1:
            fed = {self.inputs[0].name: _typed(frame.to_numpy(), self.inputs[0].type)}
        else:
            fed = {one.name: _typed(frame[[one.name]].to_numpy(), one.type) for one in self.inputs}
        return list(self.session.run(None, fed))

    def score(self, frame: pd.DataFrame) -> Scored:
        outputs = self.raw(frame)
        if len(outputs) == 1:
            found = np.asarray(outputs[0], dtype=np.float64)
            if found.size != len(frame):
                raise ValueError("its one output has several numbers for a row and no labels")
            return _numbers(found.reshape(-1))
        predictions = tuple(label_text(one) for one in np.asarray(outputs[0]).reshape(-1).tolist())
        classes, shares = self._shares(outputs[1])
        if len(predictions) != len(frame) or shares.shape != (len(frame), len(classes)):
            raise ValueError("its outputs are not a label and a score of each class for each row")
        if ((shares < 0) | (shares > 1)).any():
            raise ValueError("its second output holds no probabilities")
        scores = shares[:, 1] if len(classes) == 2 else None
        return Scored(classes, "probability", scores, shares, predictions)

    def _shares(self, output: Any) -> tuple[tuple[str, ...], NDArray[np.float64]]:
        if isinstance(output, list):  # a mapping of class to probability for each row
            keys = tuple(output[0]) if output else ()
            rows = [[row[key] for key in keys] for row in output]
            return tuple(label_text(key) for key in keys), np.asarray(rows, dtype=np.float64)
        shares = np.asarray(output, dtype=np.float64)
        if not self.labels:
            raise ValueError("it does not say which classes it has")
        return self.labels, shares


def _typed(cells: NDArray[Any], kind: str) -> NDArray[Any]:
    """Cells as the input wants them; whole numbers must be whole."""
    if kind == "tensor(string)":
        return cells.astype(str).astype(object)
    if kind not in _CELLS:
        raise ValueError(f"an input is of the type {kind}, which no table holds")
    if kind not in ("tensor(float)", "tensor(double)") and (cells.astype(np.float64) % 1).any():
        raise ValueError("an input takes whole numbers, and the table holds others")
    return cells.astype(_CELLS[kind])


def _two_classes(scores: NDArray[np.float64], meaning: Meaning) -> Scored:
    cut = 0.5 if meaning == "probability" else 0.0
    shares = np.column_stack([1 - scores, scores]) if meaning == "probability" else None
    predictions = tuple("1" if one > cut else "0" for one in scores)
    return Scored(("0", "1"), meaning, scores, shares, predictions)


def _probabilities(classes: tuple[str, ...], shares: NDArray[np.float64]) -> Scored:
    predictions = tuple(classes[one] for one in shares.argmax(axis=1))
    scores = shares[:, 1] if len(classes) == 2 else None
    return Scored(classes, "probability", scores, shares, predictions)


def _numbers(found: NDArray[np.float64]) -> Scored:
    if found.ndim != 1:
        raise ValueError("it predicts several numbers for a row")
    return Scored((), "number", found, None, ())


def _first_line(problem: BaseException) -> str:
    lines = str(problem).strip().splitlines()
    return lines[0][:300] if lines else type(problem).__name__
