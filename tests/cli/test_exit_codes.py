"""Exit codes: 0 nothing blocks, 1 blocked, 4 wrong input; 2 and 3 only where they are asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.service import parcels
from tests.service.depot import WORKLOAD, Depot


@pytest.mark.parametrize(
    ("name", "usual", "detailed"),
    [("green", 0, 0), ("yellow", 0, 2), ("red", 0, 2), ("blocked", 1, 1)],
)
def test_a_build_fails_only_when_something_blocks(
    guiderail: Terminal, live: Depot, name: str, usual: int, detailed: int
) -> None:
    directory = getattr(live.releases, name)
    assert guiderail(f"check {directory}").code == usual
    assert guiderail(f"check {directory} --detailed-exit-code").code == detailed


def test_when_no_verdict_can_be_formed_the_detailed_code_says_so(
    guiderail: Terminal, tmp_path: Path
) -> None:
    import skops.io
    from sklearn.preprocessing import StandardScaler

    skops.io.dump(StandardScaler(), tmp_path / "model.skops")
    (tmp_path / "guiderail.yaml").write_text(
        "guiderail: 1\nkind: model\nname: bare\nversion: v1\nowner: nobody\npurpose: None yet.\n"
        "use: {prohibited: false}\nmodel: {file: model.skops}\n",
        encoding="utf-8",
    )
    document = guiderail("check . --format json").json
    expected = {"go": (0, 0), "needs_review": (0, 2), "not_measurable": (0, 3), "blocked": (1, 1)}
    usual, detailed = expected[document["outcome"]]
    assert guiderail("check .").code == usual
    assert guiderail("check . --detailed-exit-code").code == detailed
    assert document["outcome"] != "go"
    assert document["track"]["value"] == "red"


def test_facts_of_which_nothing_is_known_are_not_measurable(
    guiderail: Terminal, tmp_path: Path
) -> None:
    facts = tmp_path / "facts.json"
    facts.write_text(json.dumps({"use.prohibited": False}), encoding="utf-8")
    document = guiderail(f"policy eval model --facts {facts} --format json").json
    assert document["outcome"] == "not_measurable"
    assert document["track"]["value"] == "red"
    assert guiderail(f"policy eval model --facts {facts}").code == 0


def test_a_refusal_is_1_and_wrong_input_is_4(guiderail: Terminal, live: Depot) -> None:
    case = live.submit(live.releases.yellow).case.id
    assert guiderail(f"review approve {case} --as nora").code == 1
    assert guiderail(f"deploy {case} --as nora").code == 1
    assert guiderail("review approve case-9999 --as emil").code == 4
    assert guiderail(f"rollback {WORKLOAD} --as nora --yes").code == 1
    assert guiderail("rollback no-such-workload --as nora --yes").code == 4
    assert guiderail(f"submit {live.releases.blocked} --as nora").code == 1
    assert guiderail("submit /nowhere --as nora").code == 4


def test_the_gate_is_0_with_a_permit_and_1_in_every_other_case(
    guiderail: Terminal, live: Depot
) -> None:
    assert guiderail(f"gate {live.releases.first}").code == 0
    assert guiderail(f"gate {live.releases.red}").code == 1
    assert guiderail(f"gate --release sha256:{'0' * 64}").code == 1


def test_a_ledger_that_does_not_verify_is_1(guiderail: Terminal, live: Depot) -> None:
    assert guiderail("ledger verify").code == 0
    held = live.root / "held.txt"
    held.write_text(guiderail("ledger checkpoint").out, encoding="utf-8")
    assert guiderail(f"ledger verify --held {held}").code == 0
    held.write_text(held.read_text(encoding="utf-8").replace("\n\n", "\nx\n\n"), encoding="utf-8")
    forged = guiderail(f"ledger verify --held {held}")
    assert forged.code != 0
    assert "Traceback" not in forged.err


def test_an_audit_pack_is_0_and_one_that_cannot_be_written_is_4(
    guiderail: Terminal, live: Depot
) -> None:
    pack = live.root / "pack"
    written = guiderail(f"ledger export {pack}")
    assert written.code == 0
    assert "1 of 1 cases" in written.out
    assert guiderail(f"ledger export {pack}").code == 4
    assert guiderail(f"ledger export {live.root / 'more'} --sample 1").code == 4
    assert guiderail(f"ledger export {live.root / 'more'} --since yesterday").code == 4
    assert not (live.root / "more").exists()


def test_an_unsafe_model_is_1(guiderail: Terminal, live: Depot, tmp_path: Path) -> None:
    assert guiderail(f"measure model {live.releases.first / parcels.MODEL}").code == 0
    unsafe = tmp_path / "model.pkl"
    unsafe.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    assert guiderail(f"measure model {unsafe}").code == 1


def test_a_pack_with_problems_is_1(guiderail: Terminal, tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text("id: ours\n", encoding="utf-8")
    said = guiderail(f"policy check {tmp_path} --format json")
    assert said.code == 1
    assert said.json["problems"]


def test_the_whole_story_of_a_yellow_release_by_commands(guiderail: Terminal, live: Depot) -> None:
    submitted = guiderail(f"submit {live.releases.yellow} --as nora")
    assert submitted.code == 0
    assert "case-0002 is in-review" in submitted.out
    assert "ML platform engineer: emil, edda" in submitted.out
    assert "case-0002" in guiderail("review list --as emil").out
    assert "Nothing waits for you" in guiderail("review list --as rita").out
    assert guiderail("review show case-0002 --as emil").code == 0
    approved = guiderail('review approve case-0002 --as emil --reason "Approved feature."')
    assert approved.code == 0
    assert "permitted" in approved.out
    deployed = guiderail("deploy case-0002 --as nora")
    assert deployed.code == 0
    assert "100 % [####################] live" in deployed.out
    assert live.ask() == (200, parcels.load_release(live.releases.yellow).digest)
    assert "in production: v3" in guiderail("status").out
    back = guiderail(f"rollback {WORKLOAD} --yes --as edda")
    assert back.code == 0
    assert "serves v1 again" in back.out
    assert "Will be told: belt-team, night-shift." in back.out
    assert guiderail("ledger verify").code == 0


def test_a_green_release_deploys_itself_by_one_command(guiderail: Terminal, live: Depot) -> None:
    said = guiderail(f"submit {live.releases.green} --as nora --brief")
    assert said.code == 0
    assert "case-0002 is live" in said.out
    assert live.ask() == (200, parcels.load_release(live.releases.green).digest)


def test_no_deploy_stops_at_the_permit(guiderail: Terminal, live: Depot) -> None:
    said = guiderail(f"submit {live.releases.green} --as nora --no-deploy --format json")
    assert (said.code, said.json["state"]) == (0, "permitted")
    assert "rollout.started" not in live.event_types()[-2:]
