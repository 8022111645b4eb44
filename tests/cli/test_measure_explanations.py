"""`guiderail measure explanations` and `measure proxies`, with real models on German Credit."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pandas as pd
import pytest
import skops.io

from tests.cli.terminal import Terminal
from tests.facts.small_release import NUMBERS, TEXTS, german, train

INPUTS = (*TEXTS, *NUMBERS)
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions, of which the second was trained on a month with its sign turned."""
    folder = tmp_path_factory.mktemp("explained")
    rows = german()
    training, evaluation = rows.iloc[:700], rows.iloc[700:]
    kept = [*INPUTS, "sex", "age", "good"]
    training[kept].to_csv(folder / "training.csv", index=False)
    evaluation[kept].to_csv(folder / "evaluation.csv", index=False)
    skops.io.dump(train(training, INPUTS), folder / "v1.skops")
    turned = training.assign(month=80 - training["month"])
    skops.io.dump(train(turned, INPUTS), folder / "v2.skops")
    (folder / "reasons.yaml").write_text(
        "audiences: [person]\nreasons:\n"
        "  month: {person: {high: The loan runs for long., low: The loan runs for a short time.}}\n"
        "  credit_amount: Score too low.\n  status: Your account has little money in it.\n"
    )
    return folder


def test_a_regression_is_found_told_and_drawn(guiderail: Terminal, place: Path) -> None:
    said = guiderail(
        f"measure explanations {place / 'v2.skops'} --data {place / 'evaluation.csv'} "
        f"--baseline {place / 'v1.skops'} --training {place / 'training.csv'} --label good "
        f"--protected sex,age --threshold 0.7 --reasons {place / 'reasons.yaml'} "
        f"--plots {place / 'plots'} --format json"
    )
    assert said.code == 0, said.err
    found = said.json
    assert {"cosine", "top_k", "sign", "share_shift", "reasons"} <= set(found["agreement"])
    assert found["regression"]["verdict"] == "fail"
    assert any("month" in why for why in found["regression"]["why"])
    assert found["model"]["method"] == "exact, additive score"
    assert sum(row["share"] for row in found["model"]["inputs"]) == pytest.approx(1)
    assert found["model"]["isolation"]["limits"]
    for case in found["reasons"]:
        assert 0 < len(case["reasons"]) <= 4
        assert not {"sex", "age"} & {reason["input"] for reason in case["reasons"]}
        weights = [reason["weight"] for reason in case["reasons"]]
        assert weights == sorted(weights)
        assert max(weights) < 0
    faults = {(row["input"], row["fault"]) for row in found["texts"]["problems"]}
    assert faults == {("credit_amount", "vague"), ("credit_history", "missing")}
    assert found["texts"]["broken"] == 2
    assert 0 <= found["background_stability"]["percent"] <= 100
    assert "comparison.svg" in found["plots"]
    for name in found["plots"]:
        root = ET.fromstring((place / "plots" / name).read_text("utf-8"))  # noqa: S314  # our own
        assert root.find(f"{SVG}title") is not None
        assert root.find(f"{SVG}desc") is not None
        assert not list(root.iter(f"{SVG}script"))
        assert "currentColor" in ET.tostring(root, encoding="unicode")


@pytest.mark.slow
def test_without_training_data_nothing_is_calibrated(guiderail: Terminal, place: Path) -> None:
    command = (
        f"measure explanations {place / 'v1.skops'} --data {place / 'evaluation.csv'} "
        f"--baseline {place / 'v1.skops'} --label good"
    )
    words = guiderail(command).out
    assert "is not decided" in words
    assert "not calibrated" in words
    assert "100 %" in words


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("explanations {}/v9.skops --data {}/evaluation.csv", "v9.skops does not exist"),
        ("explanations {}/v1.skops --data {}/evaluation.csv --label godo", "no column"),
        ("explanations {}/v1.skops --data {}/none.csv", "no such file"),
        (
            "explanations {}/v1.skops --data {}/evaluation.csv --training {}/training.csv",
            "trained again without its label",
        ),
        ("proxies {}/evaluation.csv --by sexe", "no column"),
        ("proxies {}/evaluation.csv --by age:40,25", "do not ascend"),
        ("proxies {}/evaluation.csv --by sex --features sex", "nothing to compare"),
    ],
)
def test_a_wrong_command_says_what_is_wrong(
    guiderail: Terminal, place: Path, line: str, says: str
) -> None:
    said = guiderail("measure " + line.replace("{}", str(place)))
    assert said.code == 4
    assert says in said.err.replace("\n", " ")
    assert "Traceback" not in said.err


def test_a_table_that_does_not_fit_the_model_is_unknown(guiderail: Terminal, place: Path) -> None:
    other = place / "other.csv"
    pd.DataFrame({"status": ["A11"] * 40}).to_csv(other, index=False)
    said = guiderail(f"measure explanations {place / 'v1.skops'} --data {other} --format json")
    assert said.code == 0
    assert "lacks the model's input" in said.json["unknown"]


def test_stand_ins_are_listed_strongest_first(guiderail: Terminal, place: Path) -> None:
    table = pd.read_csv(place / "evaluation.csv")
    table["select"] = (table["sex"] == "female").astype(int)
    table["same"], table["nothing"] = 1, None
    table["code"] = [f"code {number}" for number in range(len(table))]
    path = place / "proxies.csv"
    table.to_csv(path, index=False)
    command = f"measure proxies {path} --by sex,age:25,40 --ignore good"
    found = guiderail(f"{command} --format json").json
    top = found["features"][0]
    assert (top["name"], top["attribute"], top["auc"]) == ("select", "sex", pytest.approx(1))
    assert set(top["null"]) == {"mean", "high", "p", "p_holm"}
    assert {row["attribute"] for row in found["joint"]} == {"sex", "age"}
    unknown = {row["name"]: row["unknown"] for row in found["features"] if row["auc"] is None}
    assert set(unknown) == {"same", "nothing", "code"}
    assert "different values" in unknown["code"]
    words = guiderail(command).out
    assert "select" in words
    assert "not measurable" in words
