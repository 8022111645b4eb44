"""The recorded server, asked as the environment says, and a workload that names its models."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import skops.io
import yaml
from sklearn.linear_model import LogisticRegression

from tests.fetch.recorded import Recorded, serve

TABLE = pd.DataFrame({"income": [0.0, 1.0, 2.0, 3.0], "debt": [1.0, 1.0, 0.0, 0.5]})


@pytest.fixture(scope="session")
def model() -> bytes:
    stream = io.BytesIO()
    skops.io.dump(LogisticRegression().fit(TABLE, ["bad", "bad", "good", "good"]), stream)
    return stream.getvalue()


@pytest.fixture
def mlflow(model: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    for name in ("USERNAME", "PASSWORD", "TOKEN"):
        monkeypatch.delenv(f"MLFLOW_TRACKING_{name}", raising=False)
    monkeypatch.delenv("MLFLOW_REGISTRY_URI", raising=False)
    with serve(model) as recorded:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", recorded.address)
        yield recorded


def workload(directory: Path, **keys: object) -> Path:
    """A manifest of a model that MLflow names."""
    directory.mkdir(exist_ok=True)
    manifest = {
        "guiderail": 1,
        "kind": "model",
        "name": "credit",
        "version": "1",
        "owner": "risk",
        "purpose": "Score applications for credit.",
        "model": {"file": "models:/credit@champion", "threshold": 0.5},
        **keys,
    }
    (directory / "guiderail.yaml").write_text(yaml.safe_dump(manifest))
    return directory
