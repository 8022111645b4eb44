"""`guiderail policy diff`, `replay` and what `check` shows as lighter, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.terminal import Terminal
from tests.cli.test_json_keys import each, has
from tests.policy.diff.packs import edited, own_pack, shipped
from tests.service.depot import Depot

WIDER = ("tracks/performance-medium.yaml", "high >= limit.performance_yellow", "high >= 8")


def test_diff_prints_sentences_for_people_and_ends_with_0(
    guiderail: Terminal, tmp_path: Path
) -> None:
    edited(tmp_path / "other", WIDER)
    said = guiderail("policy diff model other/model")
    assert said.code == 0
    assert "Lighter (1)" in said.out
    text = " ".join(said.out.split())
    assert "was yellow, would be green." in text
    assert "1 lighter, 0 heavier, 0 different and 0 in wording only." in text
    assert all(len(line) <= 80 for line in said.out.splitlines() if "&&" not in line)
    same = guiderail("policy diff model model")
    assert "They are the same pack." in same.out


def test_diff_as_json_has_the_keys_of_the_contract(guiderail: Terminal, tmp_path: Path) -> None:
    edited(tmp_path / "other", WIDER)
    document = guiderail("policy diff model other/model --kind model --format json").json
    has(document, "old new kinds summary changes")
    has(document["old"], "pack version digest texts_digest")
    each(document["changes"],
         "part section change direction sentence old new example decided reason")  # fmt: skip
    (example,) = (change["example"] for change in document["changes"])
    has(example, "kind at differs facts old new")
    has(example["old"], "tier track outcome reviewers")


def test_the_example_of_a_diff_can_be_evaluated(guiderail: Terminal, tmp_path: Path) -> None:
    edited(tmp_path / "other", WIDER)
    changed = tmp_path / "other" / "model"
    (change,) = guiderail(f"policy diff model {changed} --format json").json["changes"]
    facts = tmp_path / "facts.json"
    facts.write_text(json.dumps(change["example"]["facts"]), "utf-8")
    for pack, side in (("model", "old"), (changed, "new")):
        decision = guiderail(
            f"policy eval {pack} --facts {facts} --at {change['example']['at']} --format json"
        ).json
        assert decision["track"]["value"] == change["example"][side]["track"]


def test_a_name_of_nothing_ends_with_4(guiderail: Terminal) -> None:
    for line in ("policy diff model no-such-pack", "policy diff sha256:00 model",
                 "policy diff model model --kind app", "policy replay model"):  # fmt: skip
        said = guiderail(line)
        assert said.code == 4, line
        assert "Traceback" not in said.err


def test_replay_in_words_and_as_json(guiderail: Terminal, two: Depot, tmp_path: Path) -> None:
    rule = shipped("tracks/high-risk-use.yaml").replace('tier >= "high"', "baseline.exists")
    rule = rule.replace("id: high-risk-use", "id: every-change")
    folder = own_pack(tmp_path / "ours", tracks__every_change=rule)
    said = guiderail(f"policy replay {folder}")
    assert said.code == 0
    text = " ".join(said.out.split())
    assert "2 past decisions under ours 1" in text
    assert "green -> red 1" in text
    assert "Time of reviewers: +8 hours" in text
    assert "This assumes hours of work per reviewer" in text
    assert "case-0002 parcel-urgency v2: green -> red because" in text
    document = guiderail(f"policy replay {folder} --since 2026-01-01 --format json").json
    has(document, "n changed by_transition reviewer_hours_delta not_replayable incidents cases")
    each(document["cases"], "case workload version decided from to because incident old new")


def test_replay_as_decided_ends_with_0_while_everything_is_in_order(
    guiderail: Terminal, two: Depot
) -> None:
    for line in ("policy replay recorded", "policy replay --as-decided"):
        said = guiderail(line)
        assert said.code == 0
        assert "all are what their facts give" in " ".join(said.out.split())
    assert guiderail("policy replay recorded --format json").json["deviating"] == []
    assert guiderail("policy replay").code == 4


def test_check_shows_what_an_own_pack_makes_lighter_and_ends_with_0(
    guiderail: Terminal, tmp_path: Path
) -> None:
    override = shipped("tracks/performance-medium.yaml").replace(
        "high >= limit.performance_yellow", "high >= 8"
    )
    override = override.replace(
        "id: performance-medium", "id: performance-medium\noverrides: model"
    )
    folder = own_pack(tmp_path / "ours", tracks__performance_medium=override)
    said = guiderail(f"policy check {folder}")
    assert said.code == 0
    assert "is in order" in said.out
    assert "Lighter than the pack that it extends" in said.out
    document = guiderail(f"policy check {folder} --format json").json
    (change,) = document["lighter"]
    assert (change["part"], change["direction"]) == ("performance-medium", "lighter")
    assert change["example"]["old"]["track"] == "yellow"
