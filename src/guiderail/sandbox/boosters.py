"""Child side only: contributions that LightGBM and XGBoost compute themselves, from native files.

Both give path-dependent Shapley values of the raw score (Lundberg et al. 2020): what an unrevealed
input would have been is taken from the rows that the trees were grown on, not from a background.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from guiderail.core.errors import InputError
from guiderail.sandbox.load import LoadedModel
from guiderail.sandbox.native_models import LightgbmModel, XgboostModel
from guiderail.sandbox.shapley import Floats

_BINARY_LIGHTGBM = ("binary", "cross_entropy")
_BINARY_XGBOOST = ("binary:logistic", "binary:logitraw")


@dataclass(frozen=True, slots=True)
class Booster:
    """A loaded booster. names: its inputs in its order. objective: as its library writes it."""

    library: Literal["lightgbm", "xgboost"]
    booster: Any
    names: tuple[str, ...]
    objective: str

    @property
    def _binary(self) -> bool:
        return self.objective in (*_BINARY_LIGHTGBM, *_BINARY_XGBOOST)

    @property
    def method(self) -> str:
        return f"exact, contributions of {self.library}"

    @property
    def scale(self) -> str:
        return "margin" if self._binary else "number"

    @property
    def classes(self) -> tuple[str, ...]:
        return ("0", "1") if self._binary else ()

    def frame(self, table: pd.DataFrame, exclude: Sequence[str]) -> pd.DataFrame:
        """The booster's inputs, in its order. Raises InputError where the table lacks one."""
        offered = [name for name in table.columns if name not in exclude]
        if not self.names:
            return table.loc[:, offered]
        missing = [name for name in self.names if name not in table.columns]
        if missing:
            raise InputError(
                f"the table lacks the model's input {missing[0]!r}",
                advice="Give a table with every input of the model.",
            )
        texts = [name for name in self.names if table[name].dtype.kind not in "biuf"]
        if texts:
            raise InputError(
                f"the input {texts[0]!r} is text, and a {self.library} file knows numbers only",
                advice="Give the table as the booster was trained on, with numbers.",
            )
        return table.loc[:, list(self.names)]

    def contributions(self, frame: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
        """(values (rows, inputs), base as a 0-dimensional array, raw scores).

        Raises InputError for boosters of several outputs.
        """
        if self.library == "lightgbm":
            whole = self.booster.predict(frame.to_numpy(dtype=np.float64), pred_contrib=True)
            scores = self.booster.predict(frame.to_numpy(dtype=np.float64), raw_score=True)
        else:
            import xgboost

            given = xgboost.DMatrix(frame.astype(np.float32))
            whole = self.booster.predict(given, pred_contribs=True)
            scores = self.booster.predict(given, output_margin=True)
        whole = np.asarray(whole, dtype=np.float64)
        scores = np.asarray(scores, dtype=np.float64)
        if scores.ndim != 1 or whole.shape != (len(frame), frame.shape[1] + 1):
            raise InputError(
                "the booster has several outputs; one can be explained",
                advice="Explain each output with a booster of its own.",
            )
        gap = np.abs(whole.sum(axis=1) - scores).max(initial=0.0)
        if not gap <= 1e-3 * max(1.0, float(np.abs(scores).max(initial=0.0))):
            raise InputError(
                "the booster's contributions do not add up to its score",
                advice="Save the booster again with a current version of its library.",
            )
        return whole[:, :-1], np.asarray(whole[0, -1]), scores


def booster_of(model: LoadedModel) -> Booster | None:
    """The booster inside a loaded native file; None for models of other libraries."""
    native = model.estimator
    if isinstance(native, LightgbmModel):
        names = tuple(native.booster.feature_name())
        return Booster("lightgbm", native.booster, names, native.objective)
    if isinstance(native, XgboostModel):
        names = tuple(native.booster.feature_names or ())
        return Booster("xgboost", native.booster, names, native.objective)
    return None
