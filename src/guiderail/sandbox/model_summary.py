"""What can be said about a model file without executing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

Safety = Literal["safe", "allow_listed", "unsafe"]
"""`safe`: the format and every type in it are data only. `allow_listed`: it loads only through an
allow-list (pickles, and native tree structures whose content scikit-learn does not check).
`unsafe`: it is refused."""


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """The result of reading a model file; nothing in the file has been executed.

    format: skops, joblib, pickle, onnx, xgboost-json, xgboost-ubj, lightgbm, ebm-json,
        mlflow or unknown.
    reasons: why it is not `safe`, in sentences for people; empty where it is.
    inputs: (name, type) of every input in the model's order; the type is `number`, `text`,
        `boolean` or `unknown`; None where the file names no inputs.
    input_count: how many inputs the model takes, also where it does not name them; None: not said.
    architecture: digest of the tree of classes without settings; None where it cannot be read.
    tuning: digest of the settings (hyperparameters); None where it cannot be read.
    threshold: decision threshold stored in the model itself; None where there is none.
    classes: the classes of the tree from the outside in, for people.
    """

    format: str
    safety: Safety
    reasons: tuple[str, ...] = ()
    inputs: tuple[tuple[str, str], ...] | None = None
    input_count: int | None = None
    architecture: str | None = None
    tuning: str | None = None
    threshold: float | None = None
    classes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...] | None:
        """The names of the inputs in the model's order."""
        return None if self.inputs is None else tuple(name for name, _ in self.inputs)

    def to_json(self) -> dict[str, object]:
        return {
            "format": self.format,
            "safety": self.safety,
            "reasons": list(self.reasons),
            "inputs": None if self.inputs is None else [list(pair) for pair in self.inputs],
            "input_count": self.input_count,
            "architecture": self.architecture,
            "tuning": self.tuning,
            "threshold": self.threshold,
            "classes": list(self.classes),
        }

    @classmethod
    def from_json(cls, data: object) -> ModelSummary:
        """The inverse of `to_json`. Raises ValueError for anything else."""
        if not isinstance(data, Mapping) or data.get("safety") not in (
            "safe",
            "allow_listed",
            "unsafe",
        ):
            raise ValueError("not a stored model summary")
        try:
            inputs = data["inputs"]
            return cls(
                format=str(data["format"]),
                safety=cast("Safety", data["safety"]),
                reasons=tuple(str(reason) for reason in data["reasons"]),
                inputs=None
                if inputs is None
                else tuple((str(name), str(kind)) for name, kind in inputs),
                input_count=data["input_count"],
                architecture=data["architecture"],
                tuning=data["tuning"],
                threshold=data["threshold"],
                classes=tuple(str(name) for name in data["classes"]),
            )
        except (KeyError, TypeError) as problem:
            raise ValueError("not a stored model summary") from problem


def refused(format_name: str, *reasons: str) -> ModelSummary:
    """A summary of a file that must not be loaded."""
    return ModelSummary(format=format_name, safety="unsafe", reasons=reasons)
