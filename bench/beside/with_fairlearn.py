"""Fairlearn: rates of groups by `MetricFrame`, one for each set of attributes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas
from fairlearn.metrics import (
    MetricFrame,
    false_negative_rate,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from measured import Figures, Question, run
from sklearn.metrics import accuracy_score

ATTRIBUTES = ("sex", "region", "race", "age_band")
METRICS = {
    "selection_rate": selection_rate,
    "tpr": true_positive_rate,
    "fpr": false_positive_rate,
    "fnr": false_negative_rate,
    "accuracy": accuracy_score,
}


def read(folder: Path) -> pandas.DataFrame:
    return pandas.read_parquet(folder / "rows.parquet", columns=[*ATTRIBUTES, "label", "decision"])


def frames(rows: pandas.DataFrame, most: int) -> list[tuple[Sequence[str], pandas.DataFrame]]:
    """Rates by group for every set of at most so many attributes."""
    found: list[tuple[Sequence[str], pandas.DataFrame]] = []
    for size in range(1, most + 1):
        for names in combinations(ATTRIBUTES, size):
            frame = MetricFrame(
                metrics=METRICS,
                y_true=rows["label"],
                y_pred=rows["decision"],
                sensitive_features=rows[list(names)],
            )
            found.append((names, frame.by_group))
    return found


def figures(_: Any, found: list[tuple[Sequence[str], pandas.DataFrame]]) -> Figures:
    told: Figures = {}
    for names, table in found:
        for key, row in zip(table.index, table.to_dict("records"), strict=True):
            values = key if isinstance(key, tuple) else (key,)
            group = ",".join(f"{n}={v}" for n, v in zip(names, values, strict=True))
            told |= {f"{metric}|{group}": float(value) for metric, value in row.items()}
    return told


if __name__ == "__main__":
    run(
        {
            "groups": Question(read, lambda rows: frames(rows, 1), figures),
            "intersections": Question(read, lambda rows: frames(rows, 4), figures),
        }
    )
