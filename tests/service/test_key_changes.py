"""Keys change while everything goes on: with both, without the old ones, and through any crash."""

from __future__ import annotations

import multiprocessing
import shutil
import signal
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from guiderail.attest.key_files import private_files
from guiderail.attest.keys import Keyring, files_in_use, read_chain_file, read_kept, read_trusted
from guiderail.attest.secrets import PASSPHRASE
from guiderail.core.errors import ConflictError, InputError, IntegrityError, RefusedError
from guiderail.ledger.key_versions import stored_chain
from guiderail.service import audit
from guiderail.service.key_changes import retire, rotate
from guiderail.service.key_compromise import declare_compromised
from guiderail.service.key_status import accept_chain, protect_keys, show
from guiderail.service.permit_states import current_state
from guiderail.service.set_up import new_workspace
from guiderail.service.workspace import Workspace, open_workspace
from guiderail_verify.errors import VerifyError
from guiderail_verify.key_chain import chain_bytes, follow, read_chain, whole_chain
from guiderail_verify.note import open_checkpoint
from guiderail_verify.permit_state import open_state
from guiderail_verify.trusted_keys import Role, TrustedKeys
from tests.service.key_crash_child import run
from tests.shared import made_once

BOTH: list[Role] = ["checkpoint", "permit"]


@pytest.fixture
def place(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A new workspace of this machine's user, with its first checkpoint sealed."""

    def make(root: Path) -> None:
        new_workspace(root)
        audit.checkpoint(open_workspace(root))

    template = made_once(tmp_path_factory, "keys-workspace", make)
    shutil.copytree(template, tmp_path / "place")
    return open_workspace(tmp_path / "place")


def again(place: Workspace) -> Workspace:
    """As the next command opens it."""
    return open_workspace(place.home.parent)


def problems(place: Workspace) -> list[str]:
    found: list[str] = audit.verify(again(place))["problems"]
    return found


def note(place: Workspace) -> str:
    return str(audit.checkpoint(again(place))["checkpoint"])


def opened_by(checkpoint: str, keys: TrustedKeys) -> bool:
    try:
        open_checkpoint(checkpoint, keys.note_keys, keys.origin)
    except VerifyError:
        return False
    return True


def test_while_keys_change_a_checkpoint_opens_with_either_pinned_key(place: Workspace) -> None:
    old = read_trusted(place.home)
    rotate(place, BOTH)
    new = read_trusted(place.home)
    both = note(place)
    alone = [TrustedKeys(new.origin, (key,), {}) for key in new.checkpoint]
    assert [len(alone), opened_by(both, old)] == [2, True]
    assert all(opened_by(both, keys) for keys in alone)
    assert problems(place) == []


def test_after_retirement_only_the_new_key_opens_what_is_new(place: Workspace) -> None:
    old, before = read_trusted(place.home), note(place)
    rotate(place, BOTH)
    retire(again(place))
    new = read_trusted(place.home)
    after = note(place)
    assert (opened_by(after, old), opened_by(after, new)) == (False, True)
    assert opened_by(before, new), "an old checkpoint stays good"
    assert problems(place) == []


def test_a_retired_key_that_somebody_kept_signs_nothing_anew(
    place: Workspace, tmp_path: Path
) -> None:
    shutil.copytree(place.home / "keys", tmp_path / "thief" / "keys")
    rotate(place, BOTH)
    retire(again(place))
    note(place)
    size = audit.verify(again(place))["size"]
    stolen = Keyring.open(tmp_path / "thief")
    forged = stolen.sign_note(f"{stolen.origin}\n{size}\n{'A' * 43}=\n")
    with pytest.raises(VerifyError) as caught:
        open_checkpoint(forged, read_trusted(place.home).note_keys, stolen.origin)
    assert caught.value.code == "note/ended-key"


def test_the_old_private_keys_are_destroyed(place: Workspace) -> None:
    first = set(private_files(place.home / "keys"))
    rotate(place, BOTH)
    assert first < set(private_files(place.home / "keys"))
    retire(again(place))
    left = set(private_files(place.home / "keys"))
    assert not left & first
    assert len(left) == 2


def test_each_change_is_one_event_with_the_version_as_evidence(place: Workspace) -> None:
    before = audit.log(place)["entries"]
    rotate(place, ["permit"])
    retire(again(place))
    entries = audit.log(again(place))["entries"][len(before) :]
    assert [entry["type"] for entry in entries] == ["key.rotated", "key.retired"]
    chain = read_chain(read_chain_file(place.home) or b"")
    assert len(chain) == 3
    assert whole_chain(chain).keys == read_trusted(place.home)
    assert [list(entry["evidence"]) for entry in entries] == [["keys-2"], ["keys-3"]]
    assert entries[1]["payload"]["until"] == entries[1]["seq"]


def test_a_target_that_slept_through_every_change_follows_the_chain(
    place: Workspace, tmp_path: Path
) -> None:
    pinned, chain = tmp_path / "pinned.json", tmp_path / "chain.jsonl"
    pinned.write_bytes(read_trusted(place.home).to_json())
    pinned.chmod(0o644)
    for role in BOTH:
        rotate(again(place), [role])
        retire(again(place))
    chain.write_bytes(read_chain_file(place.home) or b"")
    assert accept_chain(pinned, chain) == read_trusted(place.home)
    assert TrustedKeys.from_json(pinned.read_bytes()).version == 5


@pytest.mark.parametrize("what", ["gap", "other", "cut", "empty"])
def test_a_target_refuses_a_chain_that_does_not_continue_what_it_pinned(
    place: Workspace, tmp_path: Path, what: str
) -> None:
    rotate(place, BOTH)
    pinned, chain = tmp_path / "pinned.json", tmp_path / "chain.jsonl"
    retire(again(place))
    lines = read_chain(read_chain_file(place.home) or b"")
    kept = whole_chain(lines[:1] if what == "gap" else lines).keys.to_json()
    pinned.write_bytes(kept)
    pinned.chmod(0o644)
    new_workspace(tmp_path / "other")
    other = read_chain_file(tmp_path / "other" / ".guiderail") or b""
    content = {
        "gap": chain_bytes([lines[0], lines[2]]),
        "other": other,
        "cut": chain_bytes(lines[:2]),
        "empty": b"",
    }
    chain.write_bytes(content[what])
    with pytest.raises(RefusedError):
        accept_chain(pinned, chain)
    assert pinned.read_bytes() == kept


def test_nothing_is_retired_or_rotated_out_of_turn(place: Workspace) -> None:
    with pytest.raises(ConflictError) as caught:
        retire(place)
    assert caught.value.code == "keys/nothing-to-retire"
    rotate(again(place), ["permit"])
    with pytest.raises(ConflictError) as caught:
        rotate(again(place), BOTH)
    assert caught.value.code == "keys/overlap"
    rotate(again(place), ["checkpoint"])
    _, gone = retire(again(place))
    assert len(gone) == 2


def test_a_command_that_opened_the_old_keys_signs_nothing_with_them(place: Workspace) -> None:
    slow = again(place)
    _ = slow.keyring
    rotate(place, BOTH)
    for use in (lambda: audit.checkpoint(slow), lambda: rotate(slow, BOTH), lambda: retire(slow)):
        with pytest.raises(ConflictError) as caught:
            use()
        assert caught.value.code in ("keys/changed", "keys/nothing-to-retire")
    assert problems(place) == []


def test_new_keys_are_protected_like_the_old_ones(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSPHRASE, "correct horse battery")
    protect_keys(place)
    rotate(again(place), BOTH)
    assert {key["protected"] for key in show(again(place))["keys"]} == {True}
    monkeypatch.delenv(PASSPHRASE)
    with pytest.raises(InputError) as caught:
        note(place)
    assert caught.value.code in ("keys/no-passphrase", "keys/wrong-passphrase")
    assert problems(place) == [], "whoever only verifies needs no passphrase"


def test_unprotected_keys_are_named_plainly(place: Workspace) -> None:
    (notice,) = show(place)["notices"]
    assert notice.startswith("Not encrypted: checkpoint.pem, permit.pem")
    assert notice in audit.verify(place)["notices"]


def test_a_database_from_before_a_change_signs_nothing(place: Workspace) -> None:
    place.store.close()
    old = (place.home / "guiderail.db").read_bytes()
    rotate(again(place), BOTH)
    for path in place.home.glob("guiderail.db*"):
        path.unlink()
    (place.home / "guiderail.db").write_bytes(old)
    with pytest.raises(IntegrityError) as caught:
        note(place)
    assert caught.value.code == "keys/rolled-back"
    assert problems(place) != []


def test_a_version_cannot_be_changed_or_removed_by_a_mere_statement(place: Workspace) -> None:
    with closing(sqlite3.connect(place.home / "guiderail.db")) as database:
        for statement in ("DELETE FROM key_version", "UPDATE key_version SET at = ''"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                database.execute(statement)


def test_a_forged_version_in_the_database_changes_no_file(place: Workspace, tmp_path: Path) -> None:
    """Who can write to the database and has no key gets nowhere with it."""
    new_workspace(tmp_path / "other")
    other = open_workspace(tmp_path / "other")
    rotate(other, BOTH)
    with other.store.read() as snapshot:
        forged = stored_chain(snapshot)[1]
    before = read_trusted(place.home)
    with closing(sqlite3.connect(place.home / "guiderail.db")) as database:
        database.execute("INSERT INTO key_version VALUES (2, ?, '')", (forged,))
        database.commit()
    with pytest.raises(IntegrityError) as caught:
        _ = again(place).keyring
    assert caught.value.code == "keys/bad-chain"
    assert read_trusted(place.home) == before
    assert any("chain of keys" in sentence for sentence in problems(place))


def test_a_workspace_from_before_the_chain_gets_one_with_its_first_change(
    place: Workspace,
) -> None:
    place.store.close()
    with closing(sqlite3.connect(place.home / "guiderail.db")) as database:
        database.execute("DROP TRIGGER key_version_no_delete")
        database.execute("DELETE FROM key_version")
        database.execute(
            "CREATE TRIGGER key_version_no_delete BEFORE DELETE ON key_version "
            "BEGIN SELECT RAISE(ABORT, 'key_version is append-only'); END"
        )
        database.commit()
    (place.home / "keys" / "chain.jsonl").unlink()
    first = read_trusted(place.home)
    rotate(again(place), BOTH)
    chain = read_chain(read_chain_file(place.home) or b"")
    assert follow(first, chain) == read_trusted(place.home)
    assert problems(place) == []


def test_the_state_of_permits_is_signed_by_old_and_new_keys_when_one_ends(
    place: Workspace,
) -> None:
    """Targets with the old keys still believe that they ended."""
    old = read_trusted(place.home)
    rotate(place, ["permit"])
    retire(again(place))
    envelope = current_state(again(place), "production")
    assert envelope is not None
    for keys in (old, read_trusted(place.home)):
        told = open_state(envelope, keys, environment="production")
        assert [key.role for key in told.ended] == ["permit"]
    assert current_state(again(place), "production") == envelope


def test_a_key_cannot_be_compromised_in_the_future_or_for_no_reason(place: Workspace) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    for since, reason, code in (
        (later, "It was stolen.", "keys/since"),
        (datetime.now(UTC), "  ", "keys/no-reason"),
    ):
        with pytest.raises(InputError) as caught:
            declare_compromised(place, BOTH, since, reason)
        assert caught.value.code == code
    with pytest.raises(InputError) as caught:
        declare_compromised(place, BOTH, datetime.now(UTC), "It was stolen.", key="zzz")
    assert caught.value.code == "keys/no-such-key"
    assert read_trusted(place.home).version == 1


def test_a_retired_key_can_still_turn_out_to_be_stolen(place: Workspace) -> None:
    rotate(place, ["permit"])
    _, (old,) = retire(again(place))
    before = read_trusted(place.home)
    after = declare_compromised(
        again(place), BOTH, datetime(2020, 1, 1, tzinfo=UTC), "A backup was found.", key=old[:8]
    )
    (key,) = after.ended
    assert (key.id, key.why, key.until) == (old, "compromised", 0)
    assert (after.permit, after.checkpoint) == (before.permit, before.checkpoint)
    assert not after.counts(old, 0)
    assert before.counts(old, 0)
    assert problems(place) == []


@pytest.fixture(scope="module")
def forks() -> Any:
    """Processes that start from one clean process with everything imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.service.key_crash_child"])
    return context


@pytest.mark.slow
@pytest.mark.parametrize("command", ["rotate", "retire", "compromised"])
def test_a_kill_at_every_boundary_leaves_the_old_keys_or_the_new_ones(
    place: Workspace, forks: Any, tmp_path: Path, command: str
) -> None:
    if command == "retire":
        rotate(place, BOTH)
    place.store.close()
    template, before = place.home.parent, read_trusted(place.home)
    for kill_at in range(1, 60):
        root, reached = tmp_path / f"{command}-{kill_at}", tmp_path / f"{command}.reached"
        shutil.copytree(template, root)
        home = root / ".guiderail"
        child = forks.Process(target=run, args=(home, command, kill_at, reached))
        child.start()
        child.join(timeout=120)
        assert child.exitcode in (0, -signal.SIGKILL)
        after = open_workspace(root)
        trusted = after.keyring.trusted
        committed = trusted.version == before.version + 1
        assert trusted == read_trusted(home)
        assert committed or trusted == before
        assert set(private_files(home / "keys")) == files_in_use(home / "keys", trusted)
        note(after)
        assert problems(after) == []
        shutil.rmtree(root)
        if child.exitcode == 0:
            assert committed
            break
    assert kill_at > 8, "the boundaries were not met"
    assert read_kept(template / ".guiderail") is not None
