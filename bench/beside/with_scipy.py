"""scipy: two-sample statistics of each feature, and the area under the curve by ranks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas
from measured import Figures, Question, run
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, ks_2samp, mannwhitneyu, wasserstein_distance

Frames = tuple[pandas.DataFrame, pandas.DataFrame]


def read_features(folder: Path) -> Frames:
    return (
        pandas.read_parquet(folder / "reference.parquet"),
        pandas.read_parquet(folder / "current.parquet"),
    )


def drift(frames: Frames) -> Figures:
    reference, current = frames
    found: Figures = {}
    for name in reference.columns:
        old, new = reference[name], current[name]
        if name.startswith("n"):
            found[f"KS|{name}"] = ks_2samp(old, new, method="asymp").statistic
            found[f"Wasserstein|{name}"] = wasserstein_distance(old, new)
            continue
        both = pandas.concat([old.value_counts(), new.value_counts()], axis=1).fillna(0)
        table = both.to_numpy().T
        found[f"chi-square|{name}"] = chi2_contingency(table, correction=False).statistic
        found[f"Jensen-Shannon of categories|{name}"] = jensenshannon(*table, base=2) ** 2
    return found


def read_scores(folder: Path) -> pandas.DataFrame:
    return pandas.read_parquet(folder / "rows.parquet", columns=["label", "score"])


def area(rows: pandas.DataFrame) -> Figures:
    positive = rows["label"].to_numpy() == 1
    scores = rows["score"].to_numpy()
    up, down = scores[positive], scores[~positive]
    beaten = mannwhitneyu(up, down, method="asymptotic").statistic
    return {"AUC|": beaten / (len(up) * len(down))}


def figures(_: Any, found: Figures) -> Figures:
    return found


if __name__ == "__main__":
    run(
        {
            "drift": Question(read_features, drift, figures),
            "area": Question(read_scores, area, figures),
        }
    )
