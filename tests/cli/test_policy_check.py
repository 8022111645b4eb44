"""`guiderail policy check` and `schema` as people read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.policy.seven_files import FILES, write_small_pack

TIER = FILES["tiers/regulated.yaml"]


def test_a_sound_pack_is_told_in_numbers(guiderail: Terminal) -> None:
    write_small_pack(Path("small"))
    said = guiderail("policy check small")
    assert said.code == 0
    assert said.out.startswith(
        "small 1 is in order.\n"
        "  1 tier rule, 1 track rule, 1 gate, 1 piece of advice, 1 question, 1 control.\n"
        "  3 examples give their verdicts; 1 clause was looked up in time.\n"
        "  In force since 2026-11-01.\n"
        "  sha256:"
    )


def test_a_mistake_in_a_block_is_shown_with_its_line_and_a_caret(guiderail: Terminal) -> None:
    write_small_pack(Path("small"), tiers__regulated=TIER.replace('"law"', '"lav"'))
    said = guiderail("policy check small")
    assert said.code == 1
    assert said.out == (
        'small/tiers/regulated.yaml:8:31: use.domain is never "lav".\n'
        '     8 |   || use.domain in ["credit", "lav"]\n'
        "       |                               ^^^^^\n"
        "    Did you mean law? Choices: other, operations, recommendation, marketing,\n"
        "    moderation, pricing, law, essential_services, health, education, housing,\n"
        "    employment, insurance, fraud, credit.\n"
        "small: 1 problem.\n"
    )


def test_the_caret_stands_below_wide_letters_and_in_long_lines(guiderail: Terminal) -> None:
    wide = TIER.replace("An authority", "監督 {use.domian} An authority")
    write_small_pack(Path("small"), tiers__regulated=wide)
    (problem,) = guiderail("policy check small --format json").json["problems"]
    assert problem["source"].startswith("sentence: 監督 {use.domian}")
    assert problem["caret"] == " " * 16 + "^" * 10
    far = TIER.replace("An authority", "An " + "authority " * 30 + "{use.domian}")
    write_small_pack(Path("small"), tiers__regulated=far)
    (problem,) = guiderail("policy check small --format json").json["problems"]
    assert len(problem["source"]) <= 76
    at = problem["caret"].index("^")
    assert problem["source"][at : at + 10] == "use.domian"


def test_a_pack_that_ships_is_known_by_its_name_and_all_of_them_without_one(
    guiderail: Terminal,
) -> None:
    one = guiderail("policy check model --format json").json
    assert (one["pack"], one["problems"]) == ("model", [])
    assert one["parts"] == sum(one["sections"].values()) > 50
    every = guiderail("policy check --format json")
    assert every.code == 0
    assert {"baseline", "model"} <= {pack["pack"] for pack in every.json["packs"]}
    assert every.json["problems"] == []


def test_a_name_of_nothing_is_a_problem_with_the_nearest_name(guiderail: Terminal) -> None:
    said = guiderail("policy check modle")
    assert said.code == 1
    assert "modle/pack.yaml: There is no pack.yaml here.\n    Did you mean model?" in said.out


def test_the_day_from_which_a_pack_holds_is_said(guiderail: Terminal) -> None:
    text = FILES["pack.yaml"].replace("2026-11-01", "2999-01-01")
    write_small_pack(Path("small"), pack=text)
    said = guiderail("policy check small")
    assert said.code == 0
    assert "Not in force yet: it holds from 2999-01-01 on." in said.out
    assert guiderail("policy check small --format json").json["in_force"] is False


def test_the_facts_of_a_pack_can_be_tried(guiderail: Terminal) -> None:
    fact = (
        "id: our.rating\ntype: enum\nvalues: [good, poor]\nsays: the rating\nsource: a register\n"
        "how: looked up\nowner: risk-officer\nrisk_direction: up\ncan_change: design\n"
        "kinds: [model]\n"
    )
    write_small_pack(Path("small"), facts__our=fact.replace("our.rating", "our.rating"))
    Path("small/facts/our.yaml").rename("small/facts/our.rating.yaml")
    Path("facts.json").write_text('{"our.rating": "poor", "tests.ran": 3}', "utf-8")
    said = guiderail("policy eval small --facts facts.json --format json")
    assert said.code == 0
    assert said.json["track"]["value"] == "red"
    Path("facts.json").write_text('{"our.rating": "bad"}', "utf-8")
    assert "Choices: good, poor" in guiderail("policy eval small --facts facts.json").err


@pytest.mark.parametrize("kind", ["pack", "gate", "track"])
def test_the_schema_of_a_kind_of_file_is_printed(guiderail: Terminal, kind: str) -> None:
    said = guiderail(f"policy schema {kind}")
    assert said.code == 0
    assert said.json["$id"] == f"urn:guiderail:policy:{kind}:1"


def test_the_schemas_are_written_side_by_side(guiderail: Terminal) -> None:
    said = guiderail("policy schema --into schemas")
    assert said.code == 0
    written = [Path(line) for line in said.out.splitlines()]
    assert Path("schemas/gate.schema.json") in written
    assert all(json.loads(path.read_bytes())["title"] for path in written)
    assert guiderail("policy schema").code == 4
    assert "Did you mean gate?" in guiderail("policy schema gaet").err
    Path("file").write_text("", "utf-8")
    assert guiderail("policy schema --into file/schemas").code == 4
