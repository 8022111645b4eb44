"""`guiderail policy prove`: exit codes, keys, and a counterexample that `policy eval` confirms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Terminal
from tests.policy.test_pack import copy_of

HOLE = 'tier >= "high" && !(code.approvals >= 2)'
KEYS = {"name", "title", "kind", "day", "result", "counterexample", "seconds", "violations"}


@pytest.fixture
def pack_with_hole(tmp_path: Path) -> Path:
    """A copy of the model pack in which two approvals take the full review away."""
    pack = copy_of(tmp_path)
    rule = pack / "tracks" / "high-risk-use.yaml"
    text = rule.read_text("utf-8")
    assert 'tier >= "high"\n' in text
    rule.write_text(text.replace('tier >= "high"\n', f"{HOLE}\n", 1), "utf-8")
    return pack


def result(document: dict[str, Any], name: str) -> Any:
    return next(each for each in document["properties"] if each["name"] == name)


@pytest.mark.parametrize("option", ["", "--without-solver"])
def test_a_planted_hole_is_found_and_policy_eval_confirms_it(
    option: str, pack_with_hole: Path, guiderail: Terminal, tmp_path: Path
) -> None:
    said = guiderail(f"policy prove {pack_with_hole} {option} --format json")
    assert said.code == 1
    never_green = result(said.json, "never-green")
    assert never_green["result"] == "refuted"
    example = never_green["counterexample"]
    assert (example["facts"]["use.regulated"], example["facts"]["use.influence"]) == (
        True,
        "automated",
    )
    assert example["facts"]["code.approvals"] == 2
    facts = tmp_path / "facts.json"
    facts.write_text(json.dumps(example["facts"]), "utf-8")
    decided = guiderail(
        f"policy eval {pack_with_hole} --facts {facts} --kind {example['kind']} "
        f"--at {example['at']} --format json"
    )
    assert decided.json["track"]["value"] == example["track"] == "green"
    assert decided.json["tier"]["value"] == example["tier"] == "high"
    assert decided.json["outcome"] == example["outcome"]


def test_the_text_shows_the_facts_file_and_the_command_that_confirms_it(
    pack_with_hole: Path, guiderail: Terminal
) -> None:
    said = guiderail(f"policy prove {pack_with_hole}")
    assert said.code == 1
    assert "REFUTED  never-green" in said.out
    assert '"code.approvals": 2' in said.out
    assert f"guiderail policy eval {pack_with_hole} --facts facts.json --kind model" in said.out


def test_the_keys_of_a_proof_that_holds(guiderail: Terminal) -> None:
    said = guiderail("policy prove model --format json")
    assert said.code == 0
    assert {"pack", "version", "digest", "method", "properties"} <= set(said.json)
    assert said.json["method"].startswith("solver (Z3 ")
    assert all(set(each) >= KEYS for each in said.json["properties"])
    excepted = result(said.json, "monotone")["exceptions"]
    assert [each["about"] for each in excepted] == ["evaluation.labels"]


def test_a_proof_without_the_solver_says_so(guiderail: Terminal) -> None:
    said = guiderail("policy prove pipeline --without-solver")
    assert said.code == 0
    assert "every combination of boundary values, because the solver was" in said.out
    assert "cases tried" in said.out


def test_a_property_that_is_not_decided_in_time_is_no_success(guiderail: Terminal) -> None:
    said = guiderail("policy prove model --seconds 0.001 --format json")
    assert said.code == 1
    assert "undecided" in {each["result"] for each in said.json["properties"]}
    assert not said.json["holds"]


@pytest.mark.parametrize("pack", ["no-such-pack", "."])
def test_what_is_no_pack_is_an_input_error(pack: str, guiderail: Terminal) -> None:
    said = guiderail(f"policy prove {pack}")
    assert said.code == 4
    assert "[policy/" in said.err
