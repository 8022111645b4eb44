"""CPU seconds of explaining, by kind of model, beside scoring the same rows (Linux).

Run `python bench/bench_explanations.py`. Every line is one child of the sandbox, interpreter and
libraries included, the quicker of two. Exact methods explain 400 rows against 60, sampled ones 150.
Then a whole comparison of two versions, without and with sixteen trainings on resampled rows.
"""

from __future__ import annotations

import importlib.util
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import skops.io
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from guiderail.sandbox.attribute import Attributions, attribute
from guiderail.sandbox.score import Scores, score
from guiderail.service.measure_explanations import Settings, explanations

ROWS, FEATURES = 5_000, 13
NAMES = tuple(f"f{place}" for place in range(FEATURES))
MODELS: dict[str, Any] = {
    "logistic regression": make_pipeline(StandardScaler(), LogisticRegression()),
    "random forest, 100 trees": RandomForestClassifier(100, max_depth=8, random_state=0),
    "gradient boosting, 100 trees": GradientBoostingClassifier(random_state=0),
    "support vectors": make_pipeline(StandardScaler(), SVC(random_state=0)),
}

SLOW = "support vectors"
"""No exact method explains it, and each of its scores visits every support vector: 500 rows."""


def table(seed: int) -> pd.DataFrame:
    numbers = np.random.default_rng(seed)
    rows = pd.DataFrame(numbers.normal(size=(ROWS, FEATURES)), columns=list(NAMES))
    lift = rows["f0"] + rows["f1"] * rows["f2"] + numbers.normal(0, 1, ROWS)
    return rows.assign(label=(lift > 0).astype(int))


def quicker(work: Callable[[], Any]) -> tuple[Any, float]:
    """The result, and the processor seconds of this process and its children, of two rounds."""
    spent, result = [], None
    for _ in range(2):
        before = _children() + time.process_time()
        result = work()
        spent.append(_children() + time.process_time() - before)
    return result, min(spent)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def line(name: str, model: Path, data: Path, inputs: tuple[str, ...] | None) -> None:
    scored, scoring = quicker(lambda: score(model, data, inputs, exclude=("label",)))
    assert isinstance(scored, Scores), scored
    found, explaining = quicker(lambda: attribute(model, data, inputs, exclude=("label",)))
    assert isinstance(found, Attributions), found
    print(
        f"{name:<28} {found.method:<34} {len(found.rows):>4} rows  {explaining:>7.2f} CPU s  "
        f"{explaining / scoring:>5.1f} times scoring {ROWS:,} rows ({scoring:.2f} CPU s)"
    )


def comparison(new: Path, old: Path, data: Path, training: Path) -> None:
    for title, drawn in (("two versions", None), ("two versions, 16 trainings", training)):
        settings = Settings("label", (), None, None, drawn)
        found, spent = quicker(
            lambda settings=settings: explanations(
                new, data, baseline=old, reasons=None, settings=settings, plots=None
            )
        )
        assert "unknown" not in found, found
        print(f"{title:<28} measure explanations, logistic regression        {spent:>7.2f} CPU s")


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        training, evaluation = table(1), table(2)
        data, kept = folder / "rows.parquet", folder / "training.parquet"
        evaluation.to_parquet(data)
        training.to_parquet(kept)
        for number, (name, estimator) in enumerate(MODELS.items()):
            path = folder / f"{number}.skops"
            known = training.head(500) if name == SLOW else training
            skops.io.dump(estimator.fit(known[list(NAMES)], known["label"]), path)
            line(name, path, data, NAMES)
        if importlib.util.find_spec("lightgbm"):
            import lightgbm

            booster = lightgbm.LGBMClassifier(n_estimators=100, verbose=-1)
            booster.fit(training[list(NAMES)], training["label"])
            booster.booster_.save_model(folder / "model.txt")
            line("LightGBM, 100 trees", folder / "model.txt", data, NAMES)
        old = make_pipeline(StandardScaler(), LogisticRegression(C=0.1))
        skops.io.dump(old.fit(training[list(NAMES)], training["label"]), folder / "old.skops")
        comparison(folder / "0.skops", folder / "old.skops", data, kept)


if __name__ == "__main__":
    sys.exit(main())
