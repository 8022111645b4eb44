"""Somebody who was erased is gone everywhere, stays gone, and what they decided still counts."""

from __future__ import annotations

import json
import logging
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from guiderail.core.errors import ConflictError, GuiderailError, InputError, RefusedError
from guiderail.ledger.read import entries
from guiderail.people.register import load_people
from guiderail.review import cases
from guiderail.review.states import State
from guiderail.service import holds
from guiderail.service.audit import verify
from guiderail.service.erase import erase, plan
from guiderail.service.holds import place
from guiderail.store import tables
from tests.service.office import SECRET, Office, add_case, open_office, people

ROOT = Path(__file__).resolve().parents[2]
WHY = "A request."


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return open_office(tmp_path_factory.mktemp("office") / "office")


@pytest.fixture
def office(template: Office, tmp_path: Path) -> Office:
    shutil.copytree(template.folder, tmp_path / "office")
    return Office(tmp_path / "office", template.clock)


def erased(office: Office, person: str) -> None:
    assert not erase(office.acting("dora"), person, WHY)["done"]
    assert erase(office.acting("cleo"), person, WHY)["done"]


def refused(office: Office, person: str, actor: str = "dora", reason: str = WHY) -> str:
    with pytest.raises(GuiderailError) as caught:
        erase(office.acting(actor), person, reason)
    return caught.value.code


def files_with(folder: Path, *wanted: str) -> list[str]:
    texts = [one.encode() for one in wanted]
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and any(one in path.read_bytes() for one in texts)
    )


def types(office: Office) -> list[str]:
    with office.acting().store.read() as snapshot:
        return [entry.type for entry in entries(snapshot)]


def assert_gone(office: Office, person: str) -> None:
    """In the database, its log, the files and the ledger; nothing else is damaged."""
    workspace = office.acting()
    document = verify(workspace)
    assert document["problems"] == []
    words = [SECRET] if person == "gina" else []
    assert files_with(office.home, person, person.title(), *words) == []
    workspace.store.close()


def test_an_erased_reviewer_is_nowhere_and_the_review_still_counts(office: Office) -> None:
    assert any(one.startswith("guiderail.db") for one in files_with(office.home, "gina", SECRET))
    erased(office, "gina")
    assert_gone(office, "gina")
    with office.acting().store.read() as snapshot:
        [review] = cases.reviews(snapshot, "case-0001")
        shown = [entry for entry in entries(snapshot) if entry.type == "review.given"]
    assert (review.role, review.verdict, review.reason, review.conditions) == (
        "ml-governance-analyst", "approve", "", (),
    )  # fmt: skip
    assert review.person.startswith("p-")
    assert shown[0].person == "(erased person)"
    assert (shown[0].payload or {})["verdict"] == "approve"
    assert verify(office.acting())["erased"] == 1


def test_an_erased_submitter_leaves_dossiers_that_the_ledger_vouches_for(office: Office) -> None:
    erased(office, "nora")
    assert_gone(office, "nora")
    with office.acting().store.read() as snapshot:
        case = cases.load(snapshot, "case-0001")
        dossier = cases.load_dossier(snapshot, case.dossier_digest)
        [event] = [entry for entry in entries(snapshot) if entry.type == "person.erased"]
    assert dossier.erased
    assert case.submitter in dossier.contributors
    assert "email:stranger@example.org" in dossier.contributors
    assert case.source_dir == ""
    left = (event.payload or {})["dossiers"]
    assert left == {case.dossier_digest: dossier.digest}


def test_nothing_new_rests_on_a_dossier_with_erased_names(office: Office) -> None:
    from guiderail.service.redecide import refuse_other_decision

    erased(office, "nora")
    workspace = office.acting()
    with workspace.store.read() as snapshot:
        case = cases.load(snapshot, "case-0001")
        dossier = cases.load_dossier(snapshot, case.dossier_digest)
        with pytest.raises(ConflictError) as caught:
            refuse_other_decision(snapshot, workspace, case, dossier)
    assert caught.value.code == "permit/erased"


def test_people_yaml_loses_the_entry_and_nothing_else(office: Office) -> None:
    erased(office, "gina")
    text = (office.home / "people.yaml").read_text()
    assert text.startswith("# Written by hand.\n")
    assert sorted(load_people(office.home / "people.yaml").people) == [
        "adam", "boss", "cleo", "dora", "nora",
    ]  # fmt: skip


def test_a_dry_run_lists_everything_and_changes_nothing(office: Office) -> None:
    before = types(office)
    found = plan(office.acting(), "nora")
    assert found["rows"] == {"answer": 1, "case_record": 1}
    assert (found["dossiers"], found["listed"], found["against"]) == (1, True, [])
    assert plan(office.acting(), "gina")["words"] == 1
    assert types(office) == before


def test_two_people_are_needed_and_neither_is_the_person(office: Office) -> None:
    assert refused(office, "gina", "nora") == "authz/record-keeper"
    assert refused(office, "gina", "adam") == "authz/administrator"
    assert refused(office, "dora", "dora") == "authz/own-traces"
    assert not erase(office.acting("dora"), "gina", WHY)["done"]
    assert refused(office, "gina", "dora") == "authz/two-people"
    assert refused(office, "gina", "nora") == "authz/record-keeper"
    assert types(office).count("person.erased") == 0


def test_erasing_twice_and_erasing_nobody_are_refused(office: Office) -> None:
    assert refused(office, "nobody") == "people/unknown"
    assert refused(office, "gina", reason=" ") == "people/reason"
    erased(office, "gina")
    assert refused(office, "gina") == "people/unknown"
    assert types(office).count("person.erased") == 1


def test_somebody_who_never_did_anything_can_be_erased(office: Office) -> None:
    (office.home / "people.yaml").write_text(people(manager_of_nora=None))
    erased(office, "boss")
    assert_gone(office, "boss")


@pytest.mark.parametrize("state", [State.IN_REVIEW, State.PERMITTED, State.ROLLING])
@pytest.mark.parametrize("person", ["nora", "gina"])
def test_open_cases_stand_against_it(office: Office, state: State, person: str) -> None:
    add_case(office, 2, state)
    assert refused(office, person) == "people/duties"
    assert any("case-0002 is" in one for one in plan(office.acting(), person)["against"])


def test_reports_and_ownership_stand_against_it(office: Office) -> None:
    (office.home / "features.yaml").write_text("# approved by gina\nfeatures: []\n")
    assert "features.yaml names gina" in plan(office.acting(), "gina")["against"][0]
    assert "nora reports to boss" in plan(office.acting(), "boss")["against"][0]


@pytest.mark.parametrize(
    ("kind", "name"),
    [("person", "gina"), ("case", "case-0001"), ("workload", "credit"), ("everything", "")],
)
def test_a_legal_hold_stands_against_it_until_it_is_released(
    office: Office, kind: holds.Kind, name: str
) -> None:
    hold = place(office.acting("dora"), kind, name, "Claim 17.")["hold"]
    assert refused(office, "gina") == "people/duties"
    holds.release(office.acting("cleo"), hold, "Settled.")
    erased(office, "gina")
    assert_gone(office, "gina")


def test_a_hold_on_nothing_is_refused(office: Office) -> None:
    for kind, name in (("case", "case-9999"), ("workload", "x"), ("person", "x")):
        with pytest.raises(InputError):
            place(office.acting("dora"), kind, name, "Claim 17.")  # type: ignore[arg-type]
    with pytest.raises(RefusedError):
        place(office.acting("nora"), "everything", "", "Claim 17.")


# --- Restore ------------------------------------------------------------------------------------


def restore(office: Office, backup: Path) -> None:
    """As docs/how-to/personal-data.md says: everything but the vault's own folder."""
    for path in office.home.iterdir():
        if path.name != "vault":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in backup.iterdir():
        if path.name != "vault":
            target = office.home / path.name
            shutil.copytree(path, target) if path.is_dir() else shutil.copy2(path, target)


@pytest.fixture
def heard(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> pytest.LogCaptureFixture:
    """What is said to whoever opens the workspace, whatever a library did to the loggers before."""
    logger = logging.getLogger("guiderail.people")
    monkeypatch.setattr(logger, "disabled", False)
    monkeypatch.setattr(logger, "propagate", True)
    caplog.set_level(logging.WARNING, logger=logger.name)
    return caplog


@pytest.mark.parametrize("person", ["nora", "gina"])
def test_after_a_restore_the_erased_are_erased_again_and_it_is_said(
    office: Office, tmp_path: Path, person: str, heard: pytest.LogCaptureFixture
) -> None:
    backup = tmp_path / "backup"
    shutil.copytree(office.home, backup)
    erased(office, person)
    restore(office, backup)
    assert files_with(office.home, person)
    workspace = office.acting()
    with workspace.store.read() as snapshot:
        last = entries(snapshot)[-1]
    assert (last.type, last.person, last.outcome) == ("person.erased", "platform", "repeated")
    assert "erased again" in heard.text
    assert_gone(office, person)
    assert types(office).count("person.erased") == 1


def test_a_restored_people_yaml_brings_nobody_back(
    office: Office, tmp_path: Path, heard: pytest.LogCaptureFixture
) -> None:
    old = (office.home / "people.yaml").read_text()
    erased(office, "gina")
    (office.home / "people.yaml").write_text(old)
    workspace = office.acting("gina")
    with pytest.raises(InputError):
        _ = workspace.actor
    _ = workspace.store
    assert "an id is never used again" in heard.text
    assert_gone(office, "gina")


def test_the_tombstones_name_nobody(office: Office) -> None:
    erased(office, "gina")
    [line] = (office.home / "vault" / "erased.jsonl").read_text().splitlines()
    assert json.loads(line).keys() == {"at", "database", "person", "pseudonym", "salt"}
    assert "gina" not in line


def test_a_tombstone_that_a_crash_cut_off_spoils_no_other(office: Office) -> None:
    from guiderail.ledger.tombstones import buried, bury

    folder = office.home / "vault"
    bury(folder, "db", "one", "p-1", "2026")
    (folder / "erased.jsonl").open("ab").write(b'{"at": "20')
    bury(folder, "db", "two", "p-2", "2026")
    assert [one.pseudonym for one in buried(folder)] == ["p-1", "p-2"]


# --- Killed in the middle -----------------------------------------------------------------------


def killed(home: Path, command: str, at: int) -> bool:
    """Whether the process reached boundary `at` and died there."""
    arguments = [sys.executable, "-m", "tests.service.erase_child", str(home), command, str(at)]
    run = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode in (0, -signal.SIGKILL), run.stderr
    return run.returncode != 0


@pytest.mark.slow
def test_an_erasure_killed_anywhere_is_finished_or_never_began(
    office: Office, tmp_path: Path
) -> None:
    erase(office.acting("dora"), "gina", WHY)
    states = set()
    for at in range(1, 20):
        copy = Office(tmp_path / f"at-{at}", office.clock)
        shutil.copytree(office.folder, copy.folder)
        reached = killed(copy.home, "erase", at)
        with copy.acting().store.read() as snapshot:
            begun = "person.erased" in [entry.type for entry in entries(snapshot)]
            names = set(snapshot.execute(select(tables.review.c.person)).scalars())
        states.add(begun)
        if begun:
            assert_gone(copy, "gina")
        else:
            assert names == {"gina"}
            assert verify(copy.acting())["problems"] == []
            assert erase(copy.acting("cleo"), "gina", WHY)["done"]
            assert_gone(copy, "gina")
        if not reached:
            break
    assert not reached
    assert states == {True, False}


def test_an_old_backup_still_opens_with_its_master_key(office: Office, tmp_path: Path) -> None:
    """What the page about personal data says of backups: they hold it until they expire."""
    backup = tmp_path / "backup"
    shutil.copytree(office.home, backup)
    erased(office, "gina")
    with sqlite3.connect(backup / "guiderail.db") as raw:
        assert raw.execute("SELECT count(*) FROM vault_words").fetchone() != (0,)
