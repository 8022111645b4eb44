"""NannyML: univariate drift, the whole current data as one chunk.

Its Jensen-Shannon figure is the root of the divergence to base 2; `figures` squares it.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
warnings.simplefilter("ignore")  # that one chunk is few

import nannyml  # noqa: E402
import pandas  # noqa: E402
from measured import Figures, Question, run  # noqa: E402

Frames = tuple[pandas.DataFrame, pandas.DataFrame]
NAMES = {
    "kolmogorov_smirnov": "KS",
    "wasserstein": "Wasserstein",
    "chi2": "chi-square",
    "jensen_shannon": "Jensen-Shannon of categories",
}


def read(folder: Path) -> Frames:
    return (
        pandas.read_parquet(folder / "reference.parquet"),
        pandas.read_parquet(folder / "current.parquet"),
    )


def drift(frames: Frames) -> Any:
    reference, current = frames
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=list(reference.columns),
        continuous_methods=["kolmogorov_smirnov", "wasserstein"],
        categorical_methods=["chi2", "jensen_shannon"],
        chunk_number=1,
    )
    return calculator.fit(reference).calculate(current)


def figures(_: Any, found: Any) -> Figures:
    table = found.filter(period="analysis").to_df()
    told: Figures = {}
    for column, method, what in table.columns:
        if what == "value" and method in NAMES:
            value = float(table[column, method, what].iloc[0])
            told[f"{NAMES[method]}|{column}"] = value**2 if method == "jensen_shannon" else value
    return told


if __name__ == "__main__":
    run({"drift": Question(read, drift, figures)})
