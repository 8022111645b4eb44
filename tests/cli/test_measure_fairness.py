"""`measure fairness` and `measure flips` on good and bad tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.cli.terminal import Terminal

N = 1000


@pytest.fixture
def frame() -> pd.DataFrame:
    random = np.random.default_rng(12)
    old = random.integers(0, 2, N)
    return pd.DataFrame(
        {
            "select": random.choice(["f", "m"], N),
            "race": random.choice(["A", "B", "C"], N),
            "age": random.integers(18, 80, N),
            "label": random.integers(0, 2, N),
            "old": old,
            "new": np.where(random.random(N) < 0.1, 1 - old, old),
            "score": random.random(N).round(4),
            "amount": random.gamma(2, 500, N).round(2),
            "email": [f"person{i}@example.org" for i in range(N)],
        }
    )


@pytest.fixture
def data(frame: pd.DataFrame, tmp_path: Path) -> Path:
    frame.to_csv(tmp_path / "decided.csv", index=False)
    return tmp_path / "decided.csv"


def test_a_column_called_select_makes_groups(guiderail: Terminal, data: Path) -> None:
    found = guiderail(
        f"measure fairness {data} --label label --prediction new --by select,age:25,40 "
        "--format json"
    ).json
    assert found["ranges"] == {"age": [25, 40]}
    by = [row["by"] for row in found["groups"]]
    assert {"select": "f"} in by
    assert {"age": "25 to under 40"} in by
    assert {"select": "m", "age": "40 and over"} in by
    first = found["groups"][0]
    assert first["intervals"]["tpr"]["low"] < first["tpr"] < first["intervals"]["tpr"]["high"]
    assert found["verdicts"]["tpr"]["verdict"] in {"pass", "insufficient", "fail"}
    deciding = {row["metric"] for row in found["comparisons"] if row["blocks"]}
    assert deciding == {"selection_rate", "tpr", "fpr"}


def test_calibration_and_the_earlier_version_are_added(guiderail: Terminal, data: Path) -> None:
    command = (
        f"measure fairness {data} --label label --prediction new --baseline-prediction old "
        "--score score --by select --error-rate fnr"
    )
    found = guiderail(f"{command} --format json").json
    calibration = {row["by"]["select"]: row for row in found["calibration"]}
    assert set(calibration) == {"f", "m"}
    assert sum(row["n"] for row in calibration["f"]["bins"]) == calibration["f"]["n"]
    changes = {(row["metric"], row["by"]["select"]): row for row in found["changes"]}
    one = changes["tpr", "f"]
    assert one["difference"]["value"] == pytest.approx(one["new"] - one["old"])
    assert {row["metric"] for row in found["comparisons"] if row["blocks"]} == {
        "selection_rate",
        "fnr",
    }
    words = guiderail(command)
    assert words.code == 0
    assert "Calibration" in words.out
    assert "Against the earlier version" in words.out


def test_the_tables_of_a_bias_audit(guiderail: Terminal, data: Path) -> None:
    command = f"measure fairness {data} --prediction new --by select,race --ll144"
    found = guiderail(f"{command} --format json").json
    assert [table["title"] for table in found["tables"]] == [
        "Sex Categories",
        "Race/Ethnicity Categories",
        "Intersectional Categories",
    ]
    assert [len(table["rows"]) for table in found["tables"]] == [2, 3, 6]
    assert all(max(row["impact_ratio"] for row in table["rows"]) == 1 for table in found["tables"])
    words = guiderail(command).out
    assert "# of Applicants  # Selected  Selection Rate  Impact Ratio" in words
    scores = guiderail(f"measure fairness {data} --score score --by select,race --ll144").out
    assert "# of Applicants  Scoring Rate  Impact Ratio" in scores
    assert "Median score of the full sample" in scores


def test_flips_with_money_and_a_sample(
    guiderail: Terminal, data: Path, frame: pd.DataFrame
) -> None:
    command = f"measure flips {data} --old old --new new --by select --value amount --sample 4"
    found = guiderail(f"{command} --format json").json
    flipped = frame[frame["old"] != frame["new"]]
    assert found["flips"] == len(flipped)
    total = found["value"]["all"]["sum"]
    assert total["value"] == pytest.approx(flipped["amount"].sum())
    assert total["low"] < total["value"] < total["high"]
    assert sum(row["flips"] for row in found["value"]["directions"].values()) == len(flipped)
    sample = found["sample"]
    assert len(sample["rows"]) == 4
    assert "email" in sample["hidden_columns"]
    for row in sample["rows"]:
        assert set(row["columns"]).isdisjoint(sample["hidden_columns"])
        assert frame.iloc[row["row"] - 1]["amount"] == row["columns"]["amount"]
    assert guiderail(f"{command} --format json").json == found
    words = guiderail(command).out
    assert "example.org" not in words
    assert "Not shown, because they may be personal" in words


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("fairness {} --prediction score --by select", "score has more than 200"),
        ("fairness {} --prediction new --by email", "email has more than 200"),
        ("fairness {} --prediction new --label age --by select", "cells of age"),
        ("fairness {} --prediction new --by race:1,2", "race is text, only numbers have ranges"),
        ("fairness {} --prediction new --positive yes --by race", 'cells of new is "yes"'),
        ("fairness {} --prediction new --label label --score age --by race", "outside 0 to 1"),
        ("fairness {} --prediction new --label label --score race --by select", "race is text"),
        ("flips {} --old score --new new", "score has more than 200"),
    ],
)
def test_what_is_not_measurable_names_the_column(
    guiderail: Terminal, data: Path, line: str, says: str
) -> None:
    said = guiderail(f"measure {line.format(data)} --format json")
    assert said.code == 0
    assert says in said.json["unknown"]
    words = guiderail(f"measure {line.format(data)}").out
    assert words.startswith("Not measurable:")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("fairness {} --prediction new --by sexe", "no column"),
        ("fairness {} --prediction new --by new", "new is a decision, label or score"),
        ("fairness {} --prediction new --by age:40,25", "do not ascend"),
        ("fairness {} --by race", "--prediction"),
        ("fairness {} --prediction new --score score --by race", "no label is named"),
        ("fairness {} --prediction new --by race --ll144", "two columns of categories"),
        ("fairness {} --by select,race --ll144", "selections or about scores"),
        ("fairness {} --prediction new --by race --exclude-small few", "--ll144"),
        ("flips {} --old old --new nwe", "no column"),
        ("flips {} --old old --new new --by old", "old is a decision, label or score"),
    ],
)
def test_a_wrong_command_says_what_is_wrong(
    guiderail: Terminal, data: Path, line: str, says: str
) -> None:
    said = guiderail(f"measure {line.format(data)}")
    assert said.code == 4
    assert says in said.err.replace("\n", " ")
    assert "Traceback" not in said.err


def changed(frame: pd.DataFrame, tmp_path: Path, **columns: object) -> Path:
    path = tmp_path / "bad.csv"
    frame.assign(**columns).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    ("column", "values", "says"),
    [
        ("new", None, "1000 of 1000 cells of new are missing"),
        ("new", [1] * (N - 3) + [None] * 3, "3 of 1000 cells of new are missing"),
        ("label", None, "1000 of 1000 cells of label are missing"),
        ("label", ["good", "bad"] * (N // 2), "not written with the same values"),
        ("new", ["1"] * (N - 1) + ["inf"], "cells of new are"),
        ("new", 0, ""),
        ("select", None, ""),
        ("label", 1, ""),
    ],
)
def test_bad_columns_are_never_a_wrong_number(
    guiderail: Terminal, frame: pd.DataFrame, tmp_path: Path, column: str, values: object, says: str
) -> None:
    path = changed(frame, tmp_path, **{column: values})
    said = guiderail(
        f"measure fairness {path} --label label --prediction new --by select,race --format json"
    )
    assert said.code == 0, said.err
    if says:
        assert says in said.json["unknown"]
        return
    assert said.json["verdicts"]["selection_rate"]["verdict"] == "insufficient" or column == "label"
    for row in said.json["groups"]:
        positives = row["tp"] + row["fn"]
        assert (row["tpr"] is None) == (positives == 0)
        assert (row["fpr"] is None) == (row["fp"] + row["tn"] == 0)


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        (-5.0, "amount: the value is negative"),
        (None, "missing"),
        ([1.0] * (N - 50) + [float("inf")] * 50, "infinite"),
    ],
)
def test_a_bad_value_leaves_the_flips_known(
    guiderail: Terminal, frame: pd.DataFrame, tmp_path: Path, cell: object, says: str
) -> None:
    path = changed(frame, tmp_path, amount=cell)
    found = guiderail(
        f"measure flips {path} --old old --new new --value amount --sample 0 --format json"
    ).json
    assert found["flips"] > 0
    assert says in found["value"]["unknown"]
    assert "sample" not in found


def test_a_column_name_that_occurs_twice_is_refused(guiderail: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "twice.csv"
    path.write_text("sex,new,new\nf,1,0\nm,0,1\n")
    said = guiderail(f"measure fairness {path} --prediction new --by sex")
    assert said.code == 4
    assert '"new" occurs twice' in said.err
