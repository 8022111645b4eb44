"""An insider with the database and the keys, against what somebody outside remembers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from sqlalchemy import text

from guiderail.core.errors import ConflictError, InputError, IntegrityError, RefusedError
from guiderail.ledger.proof import prove_entry
from guiderail.ledger.witnesses import latest_cosigned_note
from guiderail.service.audit import checkpoint, log, verify
from guiderail.service.audit_pack import export
from guiderail.service.key_changes import retire, rotate
from guiderail.service.sealing import seal_and_ask
from guiderail.service.witnesses import (
    add_witness,
    remove_witness,
    require_witnesses,
    witnesses_document,
)
from guiderail.witness.folder import WitnessFolder
from guiderail.witness.server import application
from guiderail_verify.__main__ import main as guiderail_verify
from guiderail_verify.cosignature import cosignatures
from guiderail_verify.note import NoteKey
from guiderail_verify.proof import parse_proof
from tests.service.outside import Platform, copied, platform_template
from tests.witness.running import always, answering

COULD = "nobody outside could notice"


@dataclass
class World:
    """A platform, and witnesses that do not answer to it."""

    platform: Platform
    place: Path
    witnesses: list[WitnessFolder] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    open: ExitStack = field(default_factory=ExitStack)

    def witness(self) -> WitnessFolder:
        """One more honest witness, which the platform names."""
        number = len(self.witnesses) + 1
        made = WitnessFolder.create(self.place / f"witness-{number}", f"audit.example/w{number}")
        made.follow(self.platform.workspace.keyring.note_key)
        url = self.open.enter_context(answering(application(made, self.platform.clock.seconds)))
        add_witness(self.platform.workspace, url, made.key.to_text())
        self.witnesses.append(made)
        self.urls.append(url)
        return made


@pytest.fixture
def world(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    platform = copied(platform_template(tmp_path_factory), tmp_path / "platform")
    made = World(platform, tmp_path)
    with made.open:
        yield made


def pack_of(platform: Platform, place: Path) -> Path:
    export(platform.workspace, place)
    return place


def checked(pack: Path, *options: str | Path) -> int:
    return guiderail_verify([str(pack), *map(str, options)])


def key_of(platform: Platform) -> str:
    return platform.workspace.keyring.note_key.to_text()


def rewritten(world: World) -> Platform:
    """Somebody with the database and the keys tells another history, as long as the true one.

    Afterwards everything that lies in the workspace agrees with it.
    """
    false = world.platform.backup(world.place / "false")
    world.platform.append("true-1", "true-2")
    seal_and_ask(world.platform.workspace)
    false.append("false-1", "false-2")
    if (false.workspace.home / "keys" / "latest-checkpoint.txt").exists():
        false.forget_kept_checkpoint()
    return false


# --- Rewriting everything -----------------------------------------------------------------------


def test_without_anybody_outside_an_insider_rewrites_history_and_nothing_shows(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Honest, and said: the false ledger verifies, with the warning that nobody could notice."""
    false = rewritten(world)
    seal_and_ask(false.workspace)
    found = verify(false.workspace)
    assert found["problems"] == []
    assert COULD in found["outside"]["warnings"][0]
    pack = pack_of(false, world.place / "pack")
    assert checked(pack, "--key", key_of(false)) == 0
    assert "NOT COMPARED WITH ANYTHING OUTSIDE" in capsys.readouterr().out
    assert COULD in " ".join((pack / "README.txt").read_text("utf-8").split())
    assert COULD in (pack / "index.html").read_text("utf-8")


def test_a_checkpoint_that_somebody_kept_convicts_the_insider(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    false = rewritten(world)
    kept = world.place / "kept.txt"
    kept.write_text(checkpoint(world.platform.workspace)["checkpoint"], "utf-8")
    assert verify(world.platform.workspace, held=kept)["problems"] == []
    (problem,) = verify(false.workspace, held=kept)["problems"]
    assert "the checkpoint you hold" in problem
    options = ("--key", key_of(false), "--checkpoint", kept)
    assert checked(pack_of(world.platform, world.place / "true-pack"), *options) == 0
    assert checked(pack_of(false, world.place / "false-pack"), *options) == 1
    assert "history was rewritten" in capsys.readouterr().out


def test_a_witness_convicts_the_insider(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    witness = world.witness()
    false = rewritten(world)
    assert verify(world.platform.workspace)["problems"] == []
    seal_and_ask(false.workspace)
    (problem,) = verify(false.workspace)["problems"]
    assert witness.key.name in problem
    assert "history was rewritten" in problem
    false.append("false-3", "false-4", "false-5")
    seal_and_ask(false.workspace)
    assert any("do not continue" in one for one in verify(false.workspace)["problems"])
    options = ("--key", key_of(false), "--witness", witness.key.to_text())
    assert checked(pack_of(world.platform, world.place / "true-pack"), *options) == 0
    assert checked(pack_of(false, world.place / "false-pack"), *options) == 1
    assert "0 of the 1 witnesses that you named cosigned" in capsys.readouterr().out
    log_ = witness.logs()[0]
    assert len(witness.contradictions(log_)) == 1, "the signed false checkpoint is the proof"


def test_without_the_witness_in_the_settings_the_reader_still_knows_whom_to_ask(
    world: World,
) -> None:
    """The insider takes the witness out: it is an entry of the ledger, and the reader's key."""
    witness = world.witness()
    false = rewritten(world)
    remove_witness(false.workspace, witness.key.name)
    found = verify(false.workspace)
    assert found["problems"] == []
    assert "has no witness" in found["outside"]["warnings"][0]
    assert [one["type"] for one in log(false.workspace)["entries"]][-1] == "witness.removed"
    pack = pack_of(false, world.place / "pack")
    assert checked(pack, "--key", key_of(false)) == 0
    assert checked(pack, "--key", key_of(false), "--witness", witness.key.to_text()) == 1


# --- Going back to a backup ---------------------------------------------------------------------


def rolled_back(world: World) -> Platform:
    backup = world.platform.backup(world.place / "backup")
    world.platform.append("lost-1", "lost-2")
    checkpoint(world.platform.workspace)
    return backup


def test_the_kept_checkpoint_beside_the_keys_shows_a_database_that_went_back(world: World) -> None:
    backup = rolled_back(world)
    kept = (world.platform.workspace.home / "keys" / "latest-checkpoint.txt").read_bytes()
    (backup.workspace.home / "keys" / "latest-checkpoint.txt").write_bytes(kept)
    assert any("were removed" in one for one in verify(backup.workspace)["problems"])
    with pytest.raises(IntegrityError):
        seal_and_ask(backup.workspace)


def test_a_witness_shows_a_database_that_went_back_with_its_keys(world: World) -> None:
    world.witness()
    backup = rolled_back(world)
    checkpoint(backup.workspace)
    (problem,) = verify(backup.workspace)["problems"]
    assert "entries at the end were removed" in problem


def test_a_backup_that_nobody_outside_knows_is_not_noticed(world: World) -> None:
    backup = rolled_back(world)
    found = verify(backup.workspace)
    assert found["problems"] == []
    assert "took back its newest entries" in found["outside"]["warnings"][0]


# --- Two views ----------------------------------------------------------------------------------


def test_two_views_for_two_witnesses_reach_no_quorum(world: World) -> None:
    first, second = world.witness(), world.witness()
    checkpoint(world.platform.workspace)
    false = world.platform.backup(world.place / "false")
    world.platform.append("true-1")
    false.append("false-1")
    (false.workspace.home / "keys" / "latest-checkpoint.txt").unlink()
    # The insider shows each history to one witness only.
    remove_witness(world.platform.workspace, second.key.name)
    remove_witness(false.workspace, first.key.name)
    for platform in (world.platform, false):
        checkpoint(platform.workspace)
    policy = (
        "--witness", first.key.to_text(), "--witness", second.key.to_text(), "--quorum", "2",
    )  # fmt: skip
    for name, platform in {"a": world.platform, "b": false}.items():
        pack = pack_of(platform, world.place / name)
        assert checked(pack, "--key", key_of(platform), *policy) == 1
    for witness in (first, second):
        assert witness.logs()[0].origin == world.platform.workspace.keyring.origin


# --- Warnings -----------------------------------------------------------------------------------


def warnings(platform: Platform) -> list[str]:
    found: list[str] = witnesses_document(platform.workspace)["warnings"]
    return found


def test_the_warning_goes_with_a_cosignature_and_comes_back_with_time(world: World) -> None:
    assert "has no witness" in warnings(world.platform)[0]
    world.witness()
    assert warnings(world.platform) == []
    world.platform.clock.later(hours=23, minutes=59)
    assert warnings(world.platform) == []
    world.platform.clock.later(minutes=2)
    assert "is 24 hours old" in warnings(world.platform)[0]
    world.platform.append("case-9")
    assert "the entry since then changed" in warnings(world.platform)[0]
    checkpoint(world.platform.workspace)
    assert warnings(world.platform) == []


def test_the_warning_comes_after_the_hours_that_were_chosen(world: World) -> None:
    world.witness()
    require_witnesses(world.platform.workspace, None, 2)
    world.platform.clock.later(hours=3)
    assert "more than 2" in warnings(world.platform)[0]


def test_a_quorum_is_needed_and_more_than_half_is_it_unless_chosen(world: World) -> None:
    witnesses = [world.witness() for _ in range(3)]
    found = witnesses_document(world.platform.workspace)
    assert (found["quorum"], found["warnings"]) == (2, [])
    require_witnesses(world.platform.workspace, 3, None)
    assert warnings(world.platform) == [], "all three cosigned the beginning"
    remove_witness(world.platform.workspace, witnesses[0].key.name)
    assert witnesses_document(world.platform.workspace)["quorum"] == 2
    with pytest.raises(InputError):
        require_witnesses(world.platform.workspace, 3, None)


def test_a_cosignature_from_the_future_does_not_end_the_warning(world: World) -> None:
    world.witness()
    world.platform.clock.later(hours=-2)
    assert COULD in warnings(world.platform)[0]


# --- Witnesses that fail ------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 403, 409, 500])
def test_a_witness_that_fails_blocks_nothing_and_is_shown(world: World, status: int) -> None:
    key = WitnessFolder.create(world.place / "w", "audit.example/w").key
    with answering(always(status, b"no\n")) as url:
        add_witness(world.platform.workspace, url, key.to_text())
        size = witnesses_document(world.platform.workspace)["entries"]
        world.platform.append("case-9")
        assert seal_and_ask(world.platform.workspace).size == size + 1
    found = witnesses_document(world.platform.workspace)
    assert found["witnesses"][0]["answer"]["outcome"] in ("bad-answer", "refused")
    assert found["witnessed"] is None
    assert COULD in found["warnings"][0]
    # Gone altogether, and still nothing stops.
    world.platform.append("case-10")
    assert seal_and_ask(world.platform.workspace).size == size + 2
    answer = witnesses_document(world.platform.workspace)["witnesses"][0]["answer"]
    assert answer["outcome"] == "no-answer"
    assert verify(world.platform.workspace)["problems"] == []


def test_a_stored_cosignature_that_was_changed_is_a_problem(world: World) -> None:
    world.witness()
    with world.platform.workspace.store.transaction() as tx:
        for verb in ("update", "delete"):
            tx.execute(text(f"DROP TRIGGER log_cosignature_no_{verb}"))
        tx.execute(text("UPDATE log_cosignature SET line = replace(line, ' ', ' A')"))
    found = verify(world.platform.workspace)
    assert any("does not verify" in one for one in found["problems"])
    assert COULD in found["outside"]["warnings"][0]


# --- What is stored and handed out --------------------------------------------------------------


def test_proofs_and_packs_carry_the_cosignatures(world: World) -> None:
    witness = world.witness()
    proof = parse_proof(prove_entry(world.platform.workspace.store, 5))
    assert len(cosignatures(proof.checkpoint, [witness.key])) == 1
    pack = pack_of(world.platform, world.place / "pack")
    note = (pack / "checkpoint.txt").read_text("utf-8")
    assert len(cosignatures(note, [witness.key])) == 1
    with world.platform.workspace.store.read() as snapshot:
        assert latest_cosigned_note(snapshot) == note
    policy = (pack / "witnesses.txt").read_text("utf-8")
    assert witness.key.to_text() in policy
    assert checked(pack, "--key", key_of(world.platform), "--witness", witness.key.to_text()) == 0


def test_asking_again_lately_changes_no_byte_of_a_pack(world: World) -> None:
    world.witness()
    first = pack_of(world.platform, world.place / "first")
    world.platform.clock.later(hours=2)
    second = pack_of(world.platform, world.place / "second")
    assert {path.name: path.read_bytes() for path in first.iterdir() if path.is_file()} == {
        path.name: path.read_bytes() for path in second.iterdir() if path.is_file()
    }


def test_an_earlier_witnessed_checkpoint_is_in_the_pack_and_must_fit(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    witness = world.witness()
    size = witnesses_document(world.platform.workspace)["entries"]
    world.open.close()
    world.platform.append("case-9")
    pack = pack_of(world.platform, world.place / "pack")
    (earlier,) = (pack / "checkpoints").iterdir()
    assert earlier.name == f"{size}.txt"
    options = ("--key", key_of(world.platform))
    assert checked(pack, *options, "--checkpoint", earlier) == 0
    assert checked(pack, *options, "--witness", witness.key.to_text()) == 1
    assert f"cosigned the {size + 1} entries" in capsys.readouterr().out


def test_the_ledger_records_who_chose_the_witnesses(world: World) -> None:
    witness = world.witness()
    require_witnesses(world.platform.workspace, 1, 12)
    remove_witness(world.platform.workspace, witness.key.name)
    events = [one for one in log(world.platform.workspace)["entries"] if "witness" in one["type"]]
    assert [one["type"].partition(".")[2] for one in events] == ["added", "required", "removed"]
    assert {one["person"] for one in events} == {"ann"}
    assert json.dumps(events).count(witness.key.name) >= 2
    assert verify(world.platform.workspace)["problems"] == []


# --- Keys change --------------------------------------------------------------------------------


def test_a_witness_goes_on_when_the_log_changes_its_key(world: World) -> None:
    witness, first = world.witness(), key_of(world.platform)
    rotate(world.platform.workspace, ["checkpoint"])
    after = replace(world.platform.workspace)
    checkpoint(after)
    new, old = witnesses_document(after)["log_keys"]
    assert old == first
    assert witness.logs()[0].keys == (NoteKey.from_text(old),)
    assert witnesses_document(after)["witnesses"][0]["answer"]["outcome"] == "cosigned"
    retire(after)
    alone = replace(after)
    checkpoint(alone)
    answer = witnesses_document(alone)["witnesses"][0]["answer"]
    assert answer["outcome"] == "refused"
    assert "add the key" in answer["sentence"]
    witness.follow(NoteKey.from_text(new))
    checkpoint(alone)
    assert witnesses_document(alone)["witnesses"][0]["answer"]["outcome"] == "cosigned"
    assert verify(alone)["problems"] == []


# --- Bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["", "witness.example", "ftp://w.example", "https://", "http://a b", "https://me:pw@w.example",
     "https://w.example?x", "https://w.example#x", "http://w.example:port", "http://w\n.example"],
)  # fmt: skip
def test_a_bad_address_is_refused(world: World, url: str) -> None:
    key = WitnessFolder.create(world.place / "w", "audit.example/w").key
    with pytest.raises(InputError):
        add_witness(world.platform.workspace, url, key.to_text())
    assert witnesses_document(world.platform.workspace)["witnesses"] == []


def test_the_key_of_a_log_is_no_key_of_a_witness(world: World) -> None:
    with pytest.raises(InputError):
        add_witness(world.platform.workspace, "https://w.example", key_of(world.platform))


def test_one_witness_counts_once(world: World) -> None:
    witness = world.witness()
    with pytest.raises(ConflictError):
        add_witness(world.platform.workspace, world.urls[0], witness.key.to_text())
    with pytest.raises(InputError):
        remove_witness(world.platform.workspace, "somebody")


def test_only_some_roles_choose_witnesses(world: World) -> None:
    people = world.platform.workspace.home / "people.yaml"
    people.write_text(people.read_text("utf-8").replace("ml-platform-engineer", "auditor"), "utf-8")
    key = WitnessFolder.create(world.place / "w", "audit.example/w").key
    with pytest.raises(RefusedError) as refusal:
        add_witness(world.platform.workspace, "https://w.example", key.to_text())
    assert refusal.value.code == "authz/witness-role"
