"""Aequitas: rates of groups by `Group.get_crosstabs`.

Aequitas counts groups of one column at a time; for intersections the worker joins the columns
before, as its documentation advises, and that is measured too.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import pandas
from aequitas.group import Group
from measured import Figures, Question, run

ATTRIBUTES = ("sex", "region", "race", "age_band")
MEASURES = {"tpr": "tpr", "fpr": "fpr", "fnr": "fnr", "accuracy": "accuracy"}
TOGETHER = " & "


def read(folder: Path) -> pandas.DataFrame:
    rows = pandas.read_parquet(folder / "rows.parquet", columns=[*ATTRIBUTES, "label", "decision"])
    return rows.rename(columns={"label": "label_value", "decision": "score"})


def crosstabs(rows: pandas.DataFrame, most: int) -> pandas.DataFrame:
    held = rows[["score", "label_value", *ATTRIBUTES]].copy()
    sets = [list(ATTRIBUTES)]
    for size in range(2, most + 1):
        for names in combinations(ATTRIBUTES, size):
            joined = held[names[0]]
            for name in names[1:]:
                joined = joined + TOGETHER + held[name]
            held[TOGETHER.join(names)] = joined
            sets.append([TOGETHER.join(names)])
    found, _ = Group().get_crosstabs(held, attr_cols=[name for part in sets for name in part])
    return found


def figures(_: Any, found: pandas.DataFrame) -> Figures:
    told: Figures = {}
    for row in found.to_dict("records"):
        names = row["attribute_name"].split(TOGETHER)
        values = row["attribute_value"].split(TOGETHER)
        group = ",".join(f"{n}={v}" for n, v in zip(names, values, strict=True))
        told |= {f"{name}|{group}": float(row[column]) for name, column in MEASURES.items()}
        told[f"selection_rate|{group}"] = row["pp"] / row["group_size"]
    return told


if __name__ == "__main__":
    run(
        {
            "groups": Question(read, lambda rows: crosstabs(rows, 1), figures),
            "intersections": Question(read, lambda rows: crosstabs(rows, 4), figures),
        }
    )
