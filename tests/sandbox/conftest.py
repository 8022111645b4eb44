"""Small real models, trained once per test run."""

from __future__ import annotations

from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    draw = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "amount": draw.normal(100, 20, 120).round(2),
            "purpose": draw.choice(["car", "house", "study"], 120),
            "month": draw.integers(1, 48, 120),
            "paid": draw.integers(0, 2, 120),
        }
    )


@pytest.fixture(scope="session")
def pipeline(table: pd.DataFrame) -> Pipeline:
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["purpose"]),
        (StandardScaler(), ["amount", "month"]),
    )
    model = make_pipeline(columns, LogisticRegression(C=0.5))
    return model.fit(table[["amount", "purpose", "month"]], table["paid"])


@pytest.fixture
def skops_file(tmp_path: Path, pipeline: Pipeline) -> Path:
    path = tmp_path / "model.skops"
    skops.io.dump(pipeline, path)
    return path


@pytest.fixture
def joblib_file(tmp_path: Path, pipeline: Pipeline) -> Path:
    path = tmp_path / "model.joblib"
    joblib.dump(pipeline, path)
    return path


@pytest.fixture
def csv(tmp_path: Path, table: pd.DataFrame) -> Path:
    path = tmp_path / "table.csv"
    table.to_csv(path, index=False)
    return path
