"""German Credit, drawn to the size of the budget: 10,000 rows and 13 features, two models.

Rows are drawn from the 1,000 applications of `examples/credit` with replacement, and amounts and
months are moved by up to a tenth, so that rows differ. Text features are their place in the
alphabet. Models are logistic regressions of scikit-learn; the older one is regularised more.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

SOURCE = Path(__file__).resolve().parents[2] / "examples" / "credit" / "data" / "german.csv"
ROWS = 10_000
FEATURES = (
    "status", "month", "credit_history", "purpose", "credit_amount", "savings", "employment",
    "investment_as_income_percentage", "residence_since", "property", "housing",
    "number_of_credits", "people_liable_for",
)  # fmt: skip
PROTECTED = ("sex", "age_band")
_MOVED = ("month", "credit_amount")
_BANDS = (25, 40, 60)


def credit_rows(folder: Path) -> None:
    """train.parquet, rows.parquet (scores and decisions too) and models.json (coefficients)."""
    source = pandas.read_csv(SOURCE)
    drawn = np.random.default_rng(2026)
    half = len(source) // 2
    train = _drawn(source.iloc[:half], drawn)
    rows = _drawn(source.iloc[half:], drawn)
    features = list(FEATURES)
    scaler = StandardScaler().fit(train[features])
    models = {}
    for name, strength in (("new", 1.0), ("old", 0.002)):
        model = LogisticRegression(C=strength, max_iter=1000)
        model.fit(scaler.transform(train[features]), train["label"])
        weights = model.coef_[0] / scaler.scale_
        start = float(model.intercept_[0] - weights @ scaler.mean_)
        models[name] = {"weights": weights.tolist(), "start": start}
        rows[f"{name}_score"] = 1 / (1 + np.exp(-(rows[features].to_numpy() @ weights + start)))
        rows[f"{name}_decision"] = (rows[f"{name}_score"] >= 0.5).astype(int)
    rows.to_parquet(folder / "rows.parquet")
    train.to_parquet(folder / "train.parquet")
    (folder / "models.json").write_text(json.dumps(models), encoding="utf-8")


def _drawn(source: pandas.DataFrame, drawn: np.random.Generator) -> pandas.DataFrame:
    found = source.iloc[drawn.integers(0, len(source), ROWS)].reset_index(drop=True)
    rows = pandas.DataFrame()
    for name in FEATURES:
        values = found[name]
        if not pandas.api.types.is_numeric_dtype(values):
            values = values.astype("category").cat.codes
        rows[name] = values.astype(float)
        if name in _MOVED:
            rows[name] = (rows[name] * drawn.uniform(0.9, 1.1, ROWS)).round(2)
    rows["sex"] = np.where(found["personal_status"].isin(["A92", "A95"]), "female", "male")
    names = [f"under {_BANDS[0]}", *(f"{edge} and over" for edge in _BANDS)]
    rows["age_band"] = np.array(names)[np.searchsorted(_BANDS, found["age"], side="right")]
    rows["label"] = (found["credit"] == 1).astype(int)
    return rows
