"""Proofs of packs: what ships holds, and a planted hole is found and confirmed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from guiderail.cli.main import main
from guiderail.policy import load_pack
from guiderail.policy.pack import SHIPPED
from guiderail.service.policy_prove import prove_named

NEVER_GREEN = "never-green"


@pytest.fixture
def holed(tmp_path: Path) -> Path:
    """The model pack with a rule that lets a high-risk use through after two approvals."""
    for each in SHIPPED.glob("*/pack.yaml"):
        shutil.copytree(each.parent, tmp_path / each.parent.name)
    rule = tmp_path / "model" / "tracks" / "high-risk-use.yaml"
    text = rule.read_text("utf-8")
    assert text.count('tier >= "high"') >= 1
    rule.write_text(
        text.replace('tier >= "high"', 'tier >= "high" && !(code.approvals >= 2)', 1), "utf-8"
    )
    return tmp_path / "model"


def properties(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in document["properties"]}


@pytest.mark.parametrize("name", ["model", "app", "pipeline"])
def test_what_ships_is_proved(name: str) -> None:
    document = prove_named(name)
    assert document["method"].startswith("solver")
    assert document["holds"], [
        (row["name"], row["result"], row["reason"], row["violations"])
        for row in document["properties"]
        if row["result"] not in ("proved", "not-applicable")
    ]
    assert properties(document)["unknown-safe"]["result"] == "proved"
    assert document["digest"] == load_pack(name).digest


def test_a_planted_hole_is_found_and_policy_eval_confirms_it(
    holed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = prove_named(str(holed))
    assert not document["holds"]
    found = properties(document)[NEVER_GREEN]
    assert found["result"] == "refuted"
    example = found["counterexample"]
    assert example["track"] == "green"
    assert example["facts"]["use.regulated"] is True
    assert example["facts"]["use.influence"] == "automated"
    facts = tmp_path / "facts.json"
    facts.write_text(json.dumps(example["facts"]), "utf-8")
    capsys.readouterr()
    line = ["policy", "eval", str(holed), "--facts", str(facts), "--format", "json"]
    assert main([*line, "--at", example["at"]]) == 0
    decided = json.loads(capsys.readouterr().out)
    assert decided["track"]["value"] == "green"
    assert decided["tier"]["value"] == "high"


def test_the_hole_is_found_without_the_solver_too(holed: Path) -> None:
    document = prove_named(str(holed), solver=False)
    assert not document["method"].startswith("solver")
    found = properties(document)[NEVER_GREEN]
    assert found["result"] == "refuted"
    assert found["counterexample"]["track"] == "green"


def test_what_is_not_decided_in_time_is_never_proved(holed: Path) -> None:
    document = prove_named("model", seconds=0.0)
    results = {row["result"] for row in document["properties"]}
    assert "undecided" in results
    assert not document["holds"]
    assert all(row["reason"] for row in document["properties"] if row["result"] == "undecided")


def test_the_command_fails_for_a_hole_and_names_it(
    holed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policy", "prove", str(holed)]) == 1
    said = capsys.readouterr().out
    assert "REFUTED" in said
    assert NEVER_GREEN in said
