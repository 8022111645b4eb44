"""Evidently: a report of drift tests by feature.

Its Kolmogorov-Smirnov and chi-square tests give p-values, so those figures are not compared. Its
Wasserstein distance is divided by the standard deviation of the reference and its Jensen-Shannon
figure is the root of the divergence to base e; `figures` undoes both.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas
from evidently import DataDefinition, Dataset, Report
from evidently.metrics import ValueDrift
from measured import Figures, Question, run

Frames = tuple[pandas.DataFrame, pandas.DataFrame]


def read(folder: Path) -> Frames:
    return (
        pandas.read_parquet(folder / "reference.parquet"),
        pandas.read_parquet(folder / "current.parquet"),
    )


def drift(frames: Frames) -> Any:
    reference, current = frames
    numbers = [name for name in reference.columns if name.startswith("n")]
    texts = [name for name in reference.columns if name.startswith("t")]
    asked = [ValueDrift(column=n, method=m) for n in numbers for m in ("ks", "wasserstein")]
    asked += [ValueDrift(column=n, method=m) for n in texts for m in ("chisquare", "jensenshannon")]
    kinds = DataDefinition(numerical_columns=numbers, categorical_columns=texts)
    return Report(asked).run(
        Dataset.from_pandas(current, data_definition=kinds),
        Dataset.from_pandas(reference, data_definition=kinds),
    )


def figures(frames: Frames, found: Any) -> Figures:
    told: Figures = {}
    for metric in found.dict()["metrics"]:
        name, method = metric["config"]["column"], metric["config"]["method"]
        if method == "wasserstein":
            spread = float(np.std(frames[0][name].to_numpy()))
            told[f"Wasserstein|{name}"] = metric["value"] * spread
        elif method == "jensenshannon":
            told[f"Jensen-Shannon of categories|{name}"] = metric["value"] ** 2 / math.log(2)
    return told


if __name__ == "__main__":
    run({"drift": Question(read, drift, figures)})
