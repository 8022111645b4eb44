"""Bad input: a code, what, where, what to do; never a traceback, nothing executed, nothing half."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Said, Terminal
from tests.service import parcels
from tests.service.depot import Depot


def words_only(said: Said, code: str) -> None:
    """A person reads what happened and what to do, and no trace of our code."""
    assert said.code == 4, said.err
    assert f"[{code}]" in said.err
    assert "Traceback" not in said.err
    assert "internal/bug" not in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("check /nowhere", "manifest/not-found"),
        ("check . --at 31.12.2026", "input/date"),
        ("submit /nowhere", "workspace/none"),
        ("status", "workspace/none"),
        ("ledger verify", "workspace/none"),
        ("ledger export pack", "workspace/none"),
        ("as-of 2026-11-30", "workspace/none"),
        ("card case-0001", "workspace/none"),
        ("gate --release x", "workspace/none"),
        ("explain no-such-rule", "page/unknown"),
        ("measure model /nowhere", "model/missing"),
        ("measure columns /nowhere.csv", "data/missing-file"),
        ("policy eval no-such-pack --facts f.json", "policy/no-such-pack"),
        ("policy eval model --facts f.json", "facts/unreadable"),
    ],
)
def test_what_is_not_there_is_said_to_be_not_there(
    guiderail: Terminal, line: str, code: str
) -> None:
    words_only(guiderail(line), code)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("guiderail: 1\nkind: model\nnmae: x\n", ":3:1", "name"),
        ("guiderail: 1\nkind: model\nname: x\nname: y\n", ":4:1", "name"),
        ("guiderail: 1\n  kind: model\n", ":2:", ""),
        ("guiderail: 1\nkind: !!python/object:os.system model\n", ":2:7", ""),
        ("guiderail: 1\nkind: &a model\nname: *a\n", ":2:7", ""),
        ("guiderail: 1\nkind: spaceship\n", ":2:7", "spaceship"),
        ("- a\n- list\n", ":1:1", ""),
        ("", "", ""),
        ("\x00\x01", "", ""),
    ],
)
def test_a_broken_manifest_is_answered_with_its_line_and_column(
    guiderail: Terminal, tmp_path: Path, text: str, place: str, words: str
) -> None:
    (tmp_path / "guiderail.yaml").write_text(text, encoding="utf-8")
    said = guiderail("check .")
    assert said.code == 4
    flat = said.err.replace("\n", " ")
    assert f"guiderail.yaml{place}" in flat
    assert words in flat
    assert "Traceback" not in said.err


def test_a_file_that_the_manifest_names_and_that_is_missing_is_named(
    guiderail: Terminal, live: Depot, tmp_path: Path
) -> None:
    directory = parcels.copy(live.releases.green, tmp_path / "gone")
    (directory / parcels.MODEL).unlink()
    said = guiderail(f"check {directory}")
    assert said.code == 4
    assert parcels.MODEL in said.err
    assert "guiderail.yaml:" in said.err


def test_a_model_that_cannot_be_read_blocks_and_says_so(
    guiderail: Terminal, live: Depot, tmp_path: Path
) -> None:
    directory = parcels.copy(live.releases.green, tmp_path / "noise")
    (directory / parcels.MODEL).write_bytes(b"not a model at all")
    parcels.report(directory)
    document = guiderail(f"check {directory} --format json")
    assert document.code == 1
    gates = {gate["id"]: gate for gate in document.json["gates"]}
    assert gates["model-file"]["verdict"] == "fail"
    assert gates["performance"]["verdict"] != "pass"


class Payload:
    """What it leaves behind says whether anybody executed it."""

    def __init__(self, trap: Path) -> None:
        self.trap = trap

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.trap,))


def test_a_pickle_that_would_execute_code_is_refused_and_nothing_is_executed(
    guiderail: Terminal, live: Depot, tmp_path: Path
) -> None:
    trap = tmp_path / "executed"
    directory = parcels.copy(live.releases.green, tmp_path / "hostile")
    (directory / parcels.MODEL).unlink()
    (directory / "model.pkl").write_bytes(pickle.dumps(Payload(trap)))
    parcels.edit(directory, {"model": {"file": "model.pkl"}})
    parcels.report(directory)
    checked = guiderail(f"check {directory}")
    assert checked.code == 1
    assert "Blocked" in checked.out
    assert "model-file" in checked.out
    submitted = guiderail(f"submit {directory} --as nora")
    assert submitted.code == 1
    assert "submit/blocked" in submitted.err
    measured = guiderail(f"measure model {directory / 'model.pkl'}")
    assert measured.code == 1
    assert guiderail(f"rollback parcel-urgency --rehearse {directory} --as nora").code != 0
    assert not trap.exists()


def test_a_damaged_people_file_is_named_with_its_place(guiderail: Terminal, live: Depot) -> None:
    people = live.home / "people.yaml"
    people.write_text("people:\n  - id: nora\n    nmae: Nora\n", encoding="utf-8")
    said = guiderail(f"submit {live.releases.green} --as nora")
    assert said.code == 4
    assert "people.yaml:" in said.err.replace("\n", "")
    assert "people/invalid" in said.err


@pytest.mark.tampers
def test_a_damaged_database_is_said_to_be_damaged(guiderail: Terminal, live: Depot) -> None:
    for name in ("guiderail.db", "guiderail.db-wal", "guiderail.db-shm"):
        (live.home / name).unlink(missing_ok=True)
    (live.home / "guiderail.db").write_bytes(b"this is no database" * 100)
    said = guiderail("status")
    assert said.code == 4
    assert "store/cannot-open" in said.err
    assert "Traceback" not in said.err
    (live.home / "guiderail.db").unlink()


def test_acting_as_somebody_else_is_refused_outside_demo_workspaces(
    guiderail: Terminal, live: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    (live.home / "workspace.yaml").write_text("guiderail: 1\ndemo: false\n", encoding="utf-8")
    said = guiderail(f"submit {live.releases.green} --as nora")
    assert said.code == 1
    assert "identity/impersonation" in said.err
    monkeypatch.setattr("guiderail.service.workspace.operating_system_user", lambda: "stranger")
    said = guiderail(f"submit {live.releases.green}")
    assert said.code == 4
    assert "identity/unmapped" in said.err
    assert "--as" not in said.err


def test_the_operating_system_user_is_the_person_that_people_yaml_says(
    guiderail: Terminal, live: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.service.depot import write_people

    write_people(live, {"nora": {"os_users": ["nora-at-work"]}})
    monkeypatch.setattr("guiderail.service.workspace.operating_system_user", lambda: "nora-at-work")
    said = guiderail(f"submit {live.releases.yellow} --format json")
    assert said.json["submitter"] == "nora"


def test_impersonation_in_a_demo_is_recorded(guiderail: Terminal, live: Depot) -> None:
    guiderail(f"submit {live.releases.yellow} --as nora")
    entry = guiderail("ledger log --limit 1 --format json").json["entries"][0]
    assert entry["person"] == "nora"
    assert "impersonat" in str(entry).lower()


def test_a_workspace_file_that_is_none_is_refused(guiderail: Terminal, live: Depot) -> None:
    (live.home / "workspace.yaml").write_text("surprise: true\n", encoding="utf-8")
    words_only(guiderail("status"), "workspace/settings")


@pytest.mark.parametrize(
    "line",
    ["check --format yaml", "check --no-such-option", "rollout abort w", "measure", "deploy"],
)
def test_a_badly_formed_command_line_is_wrong_input(guiderail: Terminal, line: str) -> None:
    said = guiderail(line)
    assert said.code == 4
    assert "Traceback" not in said.err
