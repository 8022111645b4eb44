"""A small real workload for the tests: reading which parcels are urgent, from three numbers.

Every release is complete: model, data, profile, feature contract, manifest, and two reports as
scanners and test runners write them, each bound to the digest of its release.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from guiderail.facts.evidence.binding import bind
from guiderail.manifest.load import load_release
from guiderail.manifest.release import Release
from guiderail.measure.fingerprint import fingerprint
from guiderail.measure.profile import make_profile

WORKLOAD = "parcel-urgency"
INPUTS = ("weight", "distance", "waiting")
APPROVED, UNAPPROVED = "volume", "colour_code"
MODEL = "model.onnx"
"""The model file of every release. Its server starts in a quarter of the time that importing
scikit-learn takes; one test of the deployment serves a model of scikit-learn."""

EVALUATION_ROWS = 600
SAMPLE = {"weight": 1.0, "distance": 0.5, "waiting": 2.0, APPROVED: 1.0, UNAPPROVED: 1.0}


@dataclass(frozen=True, slots=True)
class Releases:
    """One directory per release; every one is a release of the same workload.

    first: needs one light review. green: a retrain in which hardly anything changes. yellow: one
    new, approved feature. red: one new feature that nobody approved. blocked: a failing test.
    credit: the same model, said to decide on credit. tree: another architecture.
    """

    first: Path
    green: Path
    yellow: Path
    red: Path
    blocked: Path
    credit: Path
    tree: Path


def releases_in(root: Path) -> Releases:
    """The releases that `build_all` wrote there."""
    return Releases(**{field.name: root / field.name for field in fields(Releases)})


def build_all(root: Path) -> None:
    """Train and write every release."""
    to = releases_in(root)
    build(to.first, "v1")
    build(to.green, "v2", rows=300)
    build(to.yellow, "v3", inputs=(*INPUTS, APPROVED), change={"rollout": {"steps": [100]}})
    build(to.red, "v4", inputs=(*INPUTS, UNAPPROVED))
    build(to.blocked, "v5", rows=290, failing_test=True)
    build(
        to.credit,
        "v1",
        change={
            "name": "parcel-credit",
            "endpoint": "parcel-credit",
            "use": {"domain": "credit", "influence": "automated", "regulated": True},
        },
    )
    build(to.tree, "v6", learner=DecisionTreeClassifier(max_depth=3))


def build(
    directory: Path,
    version: str,
    *,
    rows: int = 280,
    inputs: tuple[str, ...] = INPUTS,
    learner: Any = None,
    failing_test: bool = False,
    change: Mapping[str, Any] | None = None,
) -> Path:
    """Train on the first `rows` of the training pool and write everything a release has."""
    directory.mkdir(parents=True)
    pool, evaluation = _tables()
    training = pool.head(rows)
    training.to_csv(directory / "training.csv", index=False)
    evaluation.to_csv(directory / "evaluation.csv", index=False)
    model = (learner or LogisticRegression()).fit(training[list(inputs)], training["urgent"])
    (directory / MODEL).write_bytes(_as_onnx(model, inputs))
    profile = make_profile(directory / "training.csv", inputs)
    (directory / "profile.json").write_text(profile.to_json(), encoding="utf-8")
    offered = [{"name": name, "type": "number"} for name in (*INPUTS, APPROVED, UNAPPROVED)]
    (directory / "features.yaml").write_text(yaml.safe_dump(offered), encoding="utf-8")
    content = _merged(_manifest(version, inputs, directory), change or {})
    (directory / "guiderail.yaml").write_text(
        yaml.safe_dump(content, sort_keys=False), encoding="utf-8"
    )
    report(directory, failing_test=failing_test)
    return directory


def _as_onnx(model: Any, inputs: tuple[str, ...]) -> bytes:
    """The classifier as a graph with one named input for each column."""
    import skl2onnx
    from skl2onnx.common.data_types import FloatTensorType

    columns = ColumnTransformer([("all", "passthrough", list(inputs))])
    columns.set_output(transform="pandas")
    columns.fit(pd.DataFrame({name: [0.0, 1.0] for name in inputs}))
    made = skl2onnx.convert_sklearn(
        Pipeline([("columns", columns), ("model", model)]),
        initial_types=[(name, FloatTensorType([None, 1])) for name in inputs],
        options={"zipmap": False},
    )
    return bytes(made.SerializeToString())


def report(directory: Path, *, failing_test: bool = False, at: datetime | None = None) -> Release:
    """Write both reports as of a moment and bind them to the release as it is now."""
    release = load_release(directory)
    now = at or datetime.now(UTC)
    scan = {
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "bandit", "rules": []}},
                "invocations": [{"executionSuccessful": True, "endTimeUtc": now.isoformat()}],
                "results": [],
            }
        ],
    }
    (directory / "scan.sarif").write_text(json.dumps(scan), encoding="utf-8")
    failure = '<failure message="assert 0.4 &gt;= 0.5">assert</failure>' if failing_test else ""
    (directory / "tests.xml").write_text(
        f'<testsuites><testsuite name="pytest" tests="2" failures="{int(failing_test)}">'
        f'<testcase classname="test_model" name="test_it_answers"/>'
        f'<testcase classname="test_model" name="test_it_is_good">{failure}</testcase>'
        "</testsuite></testsuites>",
        encoding="utf-8",
    )
    for name in ("scan.sarif", "tests.xml"):
        bind(directory / name, release, now)
    return release


def write_bare(directory: Path, kind: str) -> None:
    """A manifest that says what must be said and nothing else."""
    manifest = {"guiderail": 1, "kind": kind, "name": "shop", "version": "v1", "owner": "web",
                "purpose": "Sells what is in stock."}  # fmt: skip
    (directory / "guiderail.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")


def copy(release: Path, to: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(release, to))


def edit(directory: Path, change: Mapping[str, Any] | Callable[[dict[str, Any]], None]) -> None:
    """Change the manifest (None removes a key) without writing the reports again."""
    path = directory / "guiderail.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if callable(change):
        change(content)
    else:
        content = _merged(content, change)
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def variant(release: Path, to: Path, change: Mapping[str, Any]) -> Path:
    """A copy with another manifest and with reports about it."""
    copied = copy(release, to)
    edit(copied, change)
    report(copied)
    return copied


def _tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training pool (300 rows) and frozen evaluation data (600 rows), always the same."""
    numbers = np.random.default_rng(20261123)
    rows = 300 + EVALUATION_ROWS
    table = pd.DataFrame(
        {name: numbers.normal(size=rows).round(3) for name in (*INPUTS, APPROVED, UNAPPROVED)}
    )
    signal = 3 * table["waiting"] - 2 * table["weight"] + table["distance"]
    table["urgent"] = np.where(signal + numbers.normal(scale=0.2, size=rows) > 0, "yes", "no")
    return table.iloc[:300], table.iloc[300:]


def _manifest(version: str, inputs: tuple[str, ...], directory: Path) -> dict[str, Any]:
    return {
        "guiderail": 1,
        "kind": "model",
        "name": WORKLOAD,
        "version": version,
        "owner": "depot",
        "purpose": "Puts urgent parcels on the first belt.",
        "use": {
            "prohibited": False,
            "domain": "operations",
            "affects_people": False,
            "customer_facing": False,
            "decision": "minor",
            "influence": "automated",
            "exposure": "small",
            "regulated": False,
            "reversible": True,
            "population": "Parcels of one depot",
            "jurisdictions": ["DE"],
        },
        "model": {"file": MODEL},
        "training": [
            {
                "name": "depot-parcels",
                "data": "training.csv",
                "fingerprint": fingerprint(directory / "training.csv").fingerprint,
                "permission": "Our own measurements.",
            }
        ],
        "evaluation": {
            "data": "evaluation.csv",
            "label": "urgent",
            "positive": "yes",
            "metric": "accuracy",
            "recipe": "last-600-parcels",
            "floor_percent": -10,
        },
        "serving": {"features": "features.yaml"},
        "monitoring": {
            "drift": {
                "profile": "profile.json",
                "watched": list(inputs),
                "limit_psi": 0.2,
                "action": "review",
                "owner": "depot",
            },
            "labels": {"source": "The belt counts what was moved by hand.", "delay_days": 1},
        },
        "rollback": {"fallback": "manual", "downstream": ["belt-team", "night-shift"]},
        "rollout": {"steps": [10, 50, 100], "hold_seconds": 0},
        "evidence": {"security": "scan.sarif", "tests": "tests.xml"},
    }


def _merged(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `change` laid over it; None removes a key."""
    out = dict(base)
    for key, value in change.items():
        if value is None:
            out.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(out.get(key), Mapping):
            out[key] = _merged(out[key], value)
        else:
            out[key] = value
    return out
