"""A small real release on German Credit data: model, data, profile, contract and manifest."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
import yaml
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from guiderail.facts.cache import FactCache
from guiderail.facts.collect import run_providers
from guiderail.facts.fact import FactSet, Unknown
from guiderail.facts.provider import Inputs, Provider
from guiderail.facts.standing import Baseline, Standing
from guiderail.manifest.load import load_release
from guiderail.manifest.release import Release
from guiderail.measure.fingerprint import fingerprint
from guiderail.measure.profile import make_profile

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
GERMAN = Path(__file__).resolve().parents[2] / "examples" / "credit" / "data" / "german.csv"
NUMBERS = ("month", "credit_amount")
TEXTS = ("status", "credit_history")


def german() -> pd.DataFrame:
    if not GERMAN.exists():
        pytest.skip(f"the example data {GERMAN.name} are not there")
    frame = pd.read_csv(GERMAN)
    frame["good"] = (frame.pop("credit") == 1).astype(int)
    frame["sex"] = np.where(frame["personal_status"] == "A92", "female", "male")
    return frame


def train(frame: pd.DataFrame, inputs: Sequence[str], **settings: Any) -> Pipeline:
    texts = [name for name in inputs if frame[name].dtype.kind not in "if"]
    numbers = [name for name in inputs if name not in texts]
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), texts), (StandardScaler(), numbers)
    )
    model = make_pipeline(columns, LogisticRegression(max_iter=500, **settings))
    return model.fit(frame[list(inputs)], frame["good"])


def merged(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `change` laid over it; None removes a key."""
    out = dict(base)
    for key, value in change.items():
        if value is None:
            out.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(out.get(key), Mapping):
            out[key] = merged(out[key], value)
        else:
            out[key] = value
    return out


def write(directory: Path, *, inputs: Sequence[str] = (*TEXTS, *NUMBERS), **settings: Any) -> Path:
    """Write model, data, contract, profile and a complete manifest."""
    directory.mkdir(parents=True)
    frame = german()
    kept = [*TEXTS, *NUMBERS, "savings", "sex", "good"]
    training, evaluation = frame.iloc[:700], frame.iloc[700:]
    training[[*TEXTS, *NUMBERS, "savings", "good"]].to_csv(directory / "training.csv", index=False)
    evaluation[kept].to_csv(directory / "evaluation.csv", index=False)
    skops.io.dump(train(training, inputs, **settings), directory / "model.skops")
    profile = make_profile(directory / "training.csv")
    (directory / "profile.json").write_text(profile.to_json())
    offered = [
        {"name": name, "type": "number" if name in NUMBERS else "text"}
        for name in (*TEXTS, *NUMBERS, "savings")
    ]
    (directory / "features.yaml").write_text(yaml.safe_dump(offered))
    manifest(directory, inputs)
    return directory


def manifest(directory: Path, inputs: Sequence[str]) -> None:
    content = {
        "guiderail": 1,
        "kind": "model",
        "name": "small-credit",
        "version": "v1",
        "owner": "credit-team",
        "purpose": "Decides small credits.",
        "use": {
            "prohibited": False,
            "domain": "credit",
            "affects_people": True,
            "customer_facing": True,
            "decision": "significant",
            "influence": "recommends",
            "exposure": "material",
            "regulated": True,
            "reversible": True,
            "population": "applicants",
            "jurisdictions": ["DE"],
        },
        "model": {"file": "model.skops", "threshold": 0.5, "threshold_envelope": [0.45, 0.55]},
        "training": [
            {
                "name": "german-credit",
                "data": "training.csv",
                "fingerprint": fingerprint(directory / "training.csv").fingerprint,
                "permission": "CC BY 4.0",
            }
        ],
        "evaluation": {
            "data": "evaluation.csv",
            "label": "good",
            "positive": "1",
            "metric": "roc_auc",
            "recipe": "last-300",
            "protected": ["sex"],
        },
        "serving": {"features": "features.yaml"},
        "monitoring": {
            "drift": {
                "profile": "profile.json",
                "watched": list(inputs),
                "limit_psi": 0.2,
                "action": "review",
                "owner": "credit-team",
            },
            "labels": {"source": "repayments", "delay_days": 365},
        },
        "rollback": {"fallback": "manual", "downstream": ["sales"]},
        "evidence": {"security": "scan.sarif", "tests": "tests.xml"},
    }
    (directory / "guiderail.yaml").write_text(yaml.safe_dump(content))


def edit(directory: Path, **change: Any) -> Release:
    """Change keys of the manifest (None removes one) and load the release again."""
    path = directory / "guiderail.yaml"
    path.write_text(yaml.safe_dump(merged(yaml.safe_load(path.read_text()), change)))
    return load_release(directory)


def baseline(release: Release, facts: FactSet | None = None) -> Baseline:
    return Baseline(release, release.digest, facts or {})


def after(release: Release, **other: Any) -> Standing:
    """The standing of a workload whose one and only release so far is `release`."""
    one = baseline(release)
    return Standing(**{"production": one, "reviewed": one, "full_review": one, **other})


def run(
    provider: Provider,
    release: Release,
    standing: Standing | None = None,
    *,
    cache: Path | None = None,
    facts: FactSet | None = None,
    now: datetime = NOW,
) -> FactSet:
    """The facts of one provider."""
    inputs = Inputs(release, standing or Standing(), now, FactCache(cache), facts or {})
    return run_providers([provider], inputs)


def reason(facts: FactSet, name: str) -> str:
    """Why a fact is unknown."""
    value = facts[name].value
    assert isinstance(value, Unknown), f"{name} is known: {value}"
    return value.reason


def sarif(**run: Any) -> str:
    """A minimal SARIF log as a scanner writes it; keys of its one run may be replaced."""
    content = {
        "tool": {"driver": {"name": "bandit", "rules": []}},
        "invocations": [{"executionSuccessful": True, "endTimeUtc": "2026-11-22T12:00:00Z"}],
        "results": [],
    }
    return json.dumps({"version": "2.1.0", "runs": [{**content, **run}]})
