"""AIF360: rates of groups by `ClassificationMetric`, one for each group.

AIF360 takes numbers only, so the worker codes the attributes before, and that is measured as
reading. A metric compares an unprivileged with a privileged group; each group is the former once.
"""

from __future__ import annotations

import logging
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pandas

logging.disable(logging.WARNING)  # of extras that are not installed and not needed here

from aif360.datasets import BinaryLabelDataset  # noqa: E402
from aif360.metrics import ClassificationMetric  # noqa: E402
from measured import Figures, Question, run  # noqa: E402

ATTRIBUTES = ("sex", "region", "race", "age_band")
Data = tuple[BinaryLabelDataset, BinaryLabelDataset, dict[str, list[str]]]


def read(folder: Path) -> Data:
    rows = pandas.read_parquet(folder / "rows.parquet", columns=[*ATTRIBUTES, "label", "decision"])
    names = {}
    for name in ATTRIBUTES:
        codes, values = pandas.factorize(rows[name], sort=True)
        rows[name], names[name] = codes, list(values)
    true = BinaryLabelDataset(
        df=rows.drop(columns="decision").astype(float),
        label_names=["label"],
        protected_attribute_names=list(ATTRIBUTES),
    )
    decided = true.copy(deepcopy=True)
    decided.labels = rows[["decision"]].to_numpy(dtype=float)
    return true, decided, names


def rates(data: Data, most: int) -> Figures:
    true, decided, names = data
    found: Figures = {}
    for size in range(1, most + 1):
        for chosen in combinations(ATTRIBUTES, size):
            for codes in product(*(range(len(names[name])) for name in chosen)):
                group = dict(zip(chosen, codes, strict=True))
                metric = ClassificationMetric(true, decided, unprivileged_groups=[group])
                told = ",".join(f"{name}={names[name][code]}" for name, code in group.items())
                found[f"selection_rate|{told}"] = metric.selection_rate(privileged=False)
                found[f"tpr|{told}"] = metric.true_positive_rate(privileged=False)
                found[f"fpr|{told}"] = metric.false_positive_rate(privileged=False)
                found[f"fnr|{told}"] = metric.false_negative_rate(privileged=False)
                found[f"accuracy|{told}"] = metric.accuracy(privileged=False)
    return found


def figures(_: Any, found: Figures) -> Figures:
    return found


if __name__ == "__main__":
    run(
        {
            "groups": Question(read, lambda data: rates(data, 1), figures),
            "intersections": Question(read, lambda data: rates(data, 4), figures),
        }
    )
