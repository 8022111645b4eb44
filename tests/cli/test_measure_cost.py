"""`measure cost` on good and bad input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from tests.cli.terminal import Terminal

PLAN = """\
currency: EUR
requests_per_month: {low: 800000, expected: 1000000, high: 1500000}
busiest_hour: 3
replicas: 2
cpus_per_replica: 1
utilisation: 0.5
price_per_cpu_hour: 0.04
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    random = np.random.default_rng(3)
    frame = pd.DataFrame({"select": random.random(200), "b": random.random(200)})
    truth = (frame["select"] > 0.5).astype(int)
    frame.assign(label=truth).to_csv(tmp_path / "rows.csv", index=False)
    skops.io.dump(LogisticRegression().fit(frame, truth), tmp_path / "small.skops")
    forest = RandomForestClassifier(30, random_state=0).fit(frame, truth)
    skops.io.dump(forest, tmp_path / "forest.skops")
    (tmp_path / "plan.yaml").write_text(PLAN)
    return tmp_path


def test_a_dearer_model_is_a_rise_and_a_month_has_a_range(guiderail: Terminal, place: Path) -> None:
    command = (
        f"measure cost {place}/forest.skops --data {place}/rows.csv --plan {place}/plan.yaml "
        f"--baseline {place}/small.skops --limit 25 --format json"
    )
    found = guiderail(command).json

    ratio, monthly = found["cpu_ratio"], found["monthly"]
    assert ratio["low"] <= ratio["value"] <= ratio["high"]
    assert monthly["low"] <= monthly["expected"] <= monthly["high"]
    assert monthly["currency"] == "EUR"
    assert found["single_row"]["cpu_ratio"]["value"] > ratio["value"]
    assert found["change"]["single_row"]["verdict"] == "rise"
    assert found["change"]["single_row"]["low"] > 25
    assert found["memory"]["peak_mb"] >= found["memory"]["before_mb"] > 0
    assert found["isolation"]["limits"]
    assert found["rows"] == 200


def test_the_words_name_the_cost_the_kernel_and_the_isolation(
    guiderail: Terminal, place: Path
) -> None:
    command = f"measure cost {place}/small.skops --data {place}/rows.csv"
    words = guiderail(f"{command} --plan {place}/plan.yaml").out

    assert words.startswith("58.40 to ")
    assert "EUR a month" in words
    assert "runs of the calibration kernel" in " ".join(words.split())
    assert "sandbox: limits on" in words


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("nothing.skops --data {0}/rows.csv", "model/missing"),
        ("{0}/small.skops --data {0}/nothing.csv", "data/missing-file"),
        ("{0}/rows.csv --data {0}/rows.csv", "model/refused"),
        ("{0}/small.skops --data {0}/rows.csv --plan {0}/nothing.yaml", "yaml/unreadable"),
        ("{0}/small.skops --data {0}/rows.csv --plan {0}/rows.csv", "plan/invalid"),
    ],
)
def test_what_is_missing_or_wrong_is_an_error(
    guiderail: Terminal, place: Path, line: str, says: str
) -> None:
    said = guiderail(f"measure cost {line.format(place)}")

    assert said.code == 4
    assert says in said.err


def test_rows_that_do_not_fit_the_model_are_not_measurable(
    guiderail: Terminal, place: Path
) -> None:
    (place / "other.csv").write_text("b,c\n1,2\n")
    said = guiderail(f"measure cost {place}/small.skops --data {place}/other.csv")

    assert said.code == 0
    assert said.out.startswith("Not measurable: the table lacks the model's input 'select'.")
