"""`measure performance` and `measure drift` on good and bad tables."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from guiderail.service import measure_performance
from tests.cli.terminal import Terminal

N = 1200


@pytest.fixture
def frame() -> pd.DataFrame:
    random = np.random.default_rng(3)
    label = random.integers(0, 2, N)
    old = 1 / (1 + np.exp(-(2 * label - 1 + random.normal(0, 1, N))))
    hurt = random.random(N) < 0.4
    return pd.DataFrame(
        {
            "select": np.where(hurt, "hurt", "fine"),
            "age": random.integers(18, 80, N),
            "label": label,
            "new": np.where(hurt, 1 - old, old),
            "old": old,
            "weight": random.gamma(2, 1, N),
            "person": np.arange(N) // 2,
        }
    )


@pytest.fixture
def data(frame: pd.DataFrame, tmp_path: Path) -> Path:
    frame.to_csv(tmp_path / "scored.csv", index=False)
    return tmp_path / "scored.csv"


def refused(guiderail: Terminal, command: str) -> str:
    said = guiderail(command)
    assert said.code == 4
    return " ".join(said.err.split())


def test_slices_show_where_the_new_version_got_worse(guiderail: Terminal, data: Path) -> None:
    command = f"measure performance {data} --label label --score new --baseline-score old"
    found = guiderail(f"{command} --metric brier --slices select,age:40 --format json").json
    slices = found["slices"]
    assert slices["tested"] == 8
    assert slices["worst"][0]["by"]["select"] == "hurt"
    assert slices["worst"][0]["worse"]
    assert {"select": "hurt"} in [one["by"] for one in slices["grew_worse"]]
    text = guiderail(f"{command} --metric brier --slices select,age:40").out
    text = " ".join(text.split())
    assert "of 8 slices are worse than the rest" in text
    assert "got worse" in text


@pytest.mark.parametrize("metric", ["pr_auc", "log_loss", "roc_auc"])
def test_weights_and_persons_are_counted(guiderail: Terminal, data: Path, metric: str) -> None:
    command = f"measure performance {data} --label label --score old --metric {metric}"
    plain = guiderail(f"{command} --format json").json
    found = guiderail(f"{command} --weight weight --cluster person --format json").json
    assert found["value"] != plain["value"]
    assert "cluster" in found["method"]
    assert found["n"] == N


def test_negative_weights_are_an_error_that_names_the_column(
    guiderail: Terminal, frame: pd.DataFrame, data: Path
) -> None:
    frame.loc[3, "weight"] = -1.0
    frame.to_csv(data, index=False)
    found = refused(
        guiderail, f"measure performance {data} --label label --score new --weight weight"
    )
    assert "1 of 1200 weights in the column weight are negative" in found
    found = refused(
        guiderail, f"measure performance {data} --label label --score new --weight select"
    )
    assert "weights in the column select are text" in found


def test_what_cannot_be_measured_names_the_column(
    guiderail: Terminal, frame: pd.DataFrame, data: Path
) -> None:
    frame["new"] = 0.5
    frame["empty"] = None
    frame["day"] = "2026-01-01"
    frame.to_csv(data, index=False)
    for options, says in (
        ("--label label --score new", "new model in the column new gives every row the same"),
        ("--label empty --score old", "1200 of 1200 labels in the column empty are missing"),
        ("--label label --score day", "in the column day are not numbers"),
        ("--label day --score old", 'labels in the column day are all "2026-01-01"'),
        ("--label age --score old", "labels in the column age have 62 classes"),
    ):
        found = guiderail(f"measure performance {data} {options} --format json").json
        assert says in found["unknown"]


def test_large_tables_are_measured_from_histograms(
    guiderail: Terminal, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = f"measure performance {data} --label label --score new --baseline-score old"
    exact = guiderail(f"{command} --format json").json
    monkeypatch.setattr(measure_performance, "EXACT_UP_TO", 1000)
    found = guiderail(f"{command} --format json").json
    assert found["method"] == "paired DeLong, from joint histograms"
    assert abs(found["value"] - exact["value"]) <= found["error_bound"] <= 0.0005
    assert found["delta"]["low"] <= exact["delta"]["low"]


def test_drift_is_judged_by_size_and_changes_of_the_schema_are_told(
    guiderail: Terminal, frame: pd.DataFrame, data: Path, tmp_path: Path
) -> None:
    later = tmp_path / "later.csv"
    changed = frame.assign(age=frame["age"] + 30, extra=1).drop(columns="person")
    changed.loc[:99, "label"] = None
    changed.to_csv(later, index=False)
    command = f"measure drift {data} {later}"
    found = guiderail(f"{command} --format json").json
    verdicts = {row["name"]: row["verdict"] for row in found["columns"]}
    assert verdicts["age"] == "moved"
    assert verdicts["select"] == "steady"
    assert verdicts["person"] == "not measured"
    assert {one["change"] for one in found["schema"]} == {
        *("removed", "added", "missing values"),
        "type",  # whole numbers beside gaps are written as 1.0
    }
    text = " ".join(guiderail(command).out.split())
    assert "The column person (integer) is gone." in text
    assert "The column extra (integer) is new." in text
    assert "now lacks one in 100 of 1200 rows" in text
    lenient = guiderail(f"{command} --limit-psi 50 --format json").json
    assert {row["verdict"] for row in lenient["columns"]} == {"steady", "not measured"}


def test_a_column_that_occurs_twice_is_refused(guiderail: Terminal, tmp_path: Path) -> None:
    (tmp_path / "twice.csv").write_text("a,a\n1,2\n")
    found = refused(guiderail, f"measure drift {tmp_path}/twice.csv {tmp_path}/twice.csv")
    assert 'The column name "a" occurs twice' in found
    damaged = tmp_path / "cut.parquet"
    duckdb.sql("FROM range(100000)").write_parquet(str(damaged))
    damaged.write_bytes(damaged.read_bytes()[:2000])
    found = refused(guiderail, f"measure performance {damaged} --label a --score b")
    assert "cannot be read" in found
