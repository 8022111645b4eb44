"""Changing the policy from the command line, in a workspace where a release is live."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from guiderail.policy import load_pack
from tests.cli.terminal import Terminal
from tests.service.depot import Depot
from tests.service.own_pack import remember_proofs, write_own_pack


@pytest.fixture
def ours(live: Depot, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pack that takes effect today."""
    remember_proofs(monkeypatch)
    return write_own_pack(live.root / "ours", live.clock().date().isoformat())


def in_force(guiderail: Terminal) -> str:
    rows = guiderail("policy status --format json").json["in_force"]
    return next(row["pack"] for row in rows if row["kind"] == "model")


def test_a_change_from_the_proposal_to_the_next_check(
    guiderail: Terminal, live: Depot, ours: Path
) -> None:
    said = guiderail(f"policy propose {ours} --reason 'We were surprised' --as nora")
    assert said.code == 0, said.err
    assert "change-0001: ours 1" in said.out
    assert "waits for its owners" in said.out
    assert "ML platform engineer (waits for" in said.out
    assert guiderail("policy approve change-0001 --as nora").code == 1
    assert guiderail("policy approve change-0001 --as emil").code == 0
    assert in_force(guiderail) == "model"
    assert guiderail("policy approve change-0001 --as gina").code == 0
    assert in_force(guiderail) == "ours"
    checked = guiderail(f"check {live.releases.yellow} --format json").json
    assert checked["policy"]["pack"] == "ours"
    yesterday = (live.clock() - timedelta(days=1)).date().isoformat()
    assert guiderail("policy status change-0001").out.startswith("change-0001: ours 1")
    before = guiderail(f"check {live.releases.yellow} --at {yesterday} --format json").json
    assert before["policy"]["digest"] == load_pack("model").digest
    log = guiderail("ledger log").out
    assert "put the policy ours 1 into force" in " ".join(log.split())


def test_pages_are_those_of_the_policy_in_force(
    guiderail: Terminal, live: Depot, ours: Path
) -> None:
    shown = "raises the track to red when"
    assert shown not in guiderail("explain features-removed").out
    guiderail(f"policy propose {ours} --reason why --as nora")
    for person in ("emil", "gina"):
        guiderail(f"policy approve change-0001 --as {person}")
    assert shown in guiderail("explain features-removed").out


def test_a_case_under_the_policy_before_is_not_permitted_any_more(
    guiderail: Terminal, live: Depot, ours: Path
) -> None:
    case = live.submit(live.releases.yellow).case.id
    document = guiderail(f"policy propose {ours} --reason why --as nora --format json").json
    assert document["evidence"]["open_cases"] == [case]
    for person in ("emil", "gina"):
        guiderail(f"policy approve {document['change']} --as {person}")
    waited = guiderail(f"status {case} --format json").json["waiting"]
    for row in waited[:-1]:
        live.approve(case, row["people"][0], row["role"])
    last = waited[-1]
    said = guiderail(
        f"review approve {case} --as {last['people'][0]} --role {last['role']} --reason fine"
    )
    assert said.code == 1
    assert "[permit/policy-changed]" in said.err


def test_status_lists_history_and_how_to_go_back(
    guiderail: Terminal, live: Depot, ours: Path
) -> None:
    empty = guiderail("policy status").out
    assert "No change is proposed." in empty
    guiderail(f"policy propose {ours} --reason why --as nora")
    assert "change-0001  ours 1" in guiderail("policy status").out
    guiderail("policy reject change-0001 --as gina --reason 'Too strict'")
    assert "rejected" in guiderail("policy status").out
    guiderail(f"policy propose {ours} --reason again --as nora")
    for person in ("emil", "gina"):
        guiderail(f"policy approve change-0002 --as {person}")
    text = guiderail("policy status").out
    assert "In force before" in text
    assert load_pack("model").digest in text
    back = guiderail(f"policy propose {load_pack('model').digest} --reason back --as nora")
    assert "change-0003: model" in back.out
    assert guiderail("policy withdraw change-0003 --as nora").code == 0


def test_a_statement_that_nobody_signed_shows_and_fails_the_command(
    guiderail: Terminal, live: Depot
) -> None:
    path = live.home / "policy" / "in-force.json"
    content = json.loads(path.read_text("utf-8"))
    content["activations"][0]["signatures"] = []
    path.write_text(json.dumps(content), "utf-8")
    said = guiderail("policy status")
    assert said.code == 1
    assert "Refused: nobody in this workspace signed it" in said.out
    assert guiderail("policy status").code == 0, "the file was written again from the store"


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("policy propose nowhere --reason why --as nora", 4, "[policy/no-such-pack]"),
        ("policy propose model --as nora", 4, "[policy/reason]"),
        ("policy propose model --reason why --as nora", 1, "[policy/unchanged]"),
        ("policy propose model --reason why --effective soon --as nora", 4, "[input/date]"),
        ("policy approve change-0009 --as gina", 4, "[policy/no-such-change]"),
        ("policy status change-0009", 4, "[policy/no-such-change]"),
    ],
)
def test_bad_input_says_what_to_do(
    guiderail: Terminal, live: Depot, line: str, code: int, told: str
) -> None:
    said = guiderail(line)
    assert (said.code, told in said.err) == (code, True), said.err
