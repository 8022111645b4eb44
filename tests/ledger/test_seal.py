"""A checkpoint signs what is stored, and never a second history."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from guiderail.attest.keys import KEPT_FILE, Keyring, read_kept
from guiderail.core.errors import ConflictError, InputError, IntegrityError
from guiderail.ledger.proof import prove_entry, prove_growth
from guiderail.ledger.seal import latest_note, seal
from guiderail.store.tables import log_checkpoint, log_node
from guiderail_verify.note import open_checkpoint
from guiderail_verify.tree import EMPTY_ROOT, completed_by

from .conftest import NOW, Workspace, open_workspace


def test_an_empty_log_can_be_sealed(workspace: Workspace) -> None:
    assert seal(workspace.store, workspace.keyring, NOW).root == EMPTY_ROOT
    assert workspace.verify().ok


def test_sealing_twice_signs_once(workspace: Workspace) -> None:
    workspace.fill(3)
    assert workspace.seal() == workspace.seal() == 3
    with workspace.store.read() as snapshot:
        assert snapshot.execute(select(func.count()).select_from(log_checkpoint)).scalar_one() == 1


def test_the_stored_note_is_signed_by_the_workspace(workspace: Workspace) -> None:
    workspace.fill(3)
    checkpoint = seal(workspace.store, workspace.keyring, NOW)
    with workspace.store.read() as snapshot:
        note = latest_note(snapshot)
        assert latest_note(snapshot, at_least=4) is None
    assert note is not None
    keyring = workspace.keyring
    assert open_checkpoint(note, keyring.trusted.checkpoint, keyring.origin) == checkpoint


@settings(max_examples=15, deadline=None)
@given(batches=st.lists(st.integers(0, 9), min_size=1, max_size=6))
def test_however_it_was_sealed_the_tree_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, batches: list[int]
) -> None:
    workspace = open_workspace(tmp_path_factory.mktemp("home"))
    for count in batches:
        workspace.fill(count)
        workspace.seal()
    total = sum(batches)
    with workspace.store.read() as snapshot:
        found = {(row.level, row.position) for row in snapshot.execute(select(log_node))}
    assert found == {node for index in range(total) for node in completed_by(index)}
    report = workspace.verify()
    assert report.problems == ()
    assert report.sealed == report.size == total
    workspace.store.close()


def test_another_workspace_cannot_seal_this_log(workspace: Workspace) -> None:
    workspace.fill(2)
    workspace.seal()
    workspace.fill(1)
    stranger = Keyring.open(workspace.home / "elsewhere")
    with pytest.raises(IntegrityError) as caught:
        seal(workspace.store, stranger, NOW)
    assert caught.value.code == "ledger/not-sealable"


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE log_node SET hash = zeroblob(32) WHERE level = 2 AND position = 0",
        "DELETE FROM log_node WHERE level = 2",
        "UPDATE log_head SET size = 3",
        "UPDATE log_head SET size = 100",
        "DELETE FROM log_entry WHERE seq = 6",
        "UPDATE log_entry SET body = body || x'20' WHERE seq = 6",
        "UPDATE log_entry SET leaf_hash = zeroblob(32) WHERE seq = 4",
        "UPDATE log_checkpoint SET note = replace(note, char(10) || '5' || char(10), '4')",
    ],
)
def test_a_damaged_log_is_not_signed(workspace: Workspace, damage: str) -> None:
    workspace.fill(5)
    workspace.seal()
    workspace.fill(3)
    with sqlite3.connect(workspace.database) as raw:
        raw.execute("DROP TRIGGER log_entry_no_update")
        raw.execute("DROP TRIGGER log_entry_no_delete")
        raw.execute("DROP TRIGGER log_checkpoint_no_update")
        raw.execute(damage)
    raw.close()
    with pytest.raises(IntegrityError) as caught:
        workspace.seal()
    assert caught.value.code == "ledger/not-sealable"
    with workspace.store.read() as snapshot:
        sizes = snapshot.execute(select(log_checkpoint.c.size)).scalars().all()
    assert sizes == [5]


def test_an_entry_that_is_not_there_or_not_sealed_has_no_proof(workspace: Workspace) -> None:
    workspace.fill(2)
    with pytest.raises(ConflictError) as unsealed:
        prove_entry(workspace.store, 1)
    assert unsealed.value.code == "ledger/not-sealed"
    with pytest.raises(InputError) as missing:
        prove_entry(workspace.store, 2)
    assert missing.value.code == "ledger/no-entry"


def test_growth_is_only_proven_between_checkpoints(workspace: Workspace) -> None:
    workspace.fill(2)
    workspace.seal()
    workspace.fill(2)
    workspace.seal()
    with pytest.raises(InputError) as caught:
        prove_growth(workspace.store, 2, 3)
    assert caught.value.code == "ledger/no-checkpoint"
    with pytest.raises(InputError) as caught:
        prove_growth(workspace.store, 4, 2)
    assert caught.value.code == "ledger/sizes-swapped"


def test_the_newest_checkpoint_is_kept_beside_the_keys(workspace: Workspace) -> None:
    assert read_kept(workspace.home) is None
    for _ in range(2):
        workspace.fill(3)
        workspace.seal()
        with workspace.store.read() as snapshot:
            assert read_kept(workspace.home) == latest_note(snapshot)
    assert [path.name for path in (workspace.home / "keys").glob(".*")] == []


def test_a_checkpoint_that_was_not_kept_is_kept_by_the_next_sealing(workspace: Workspace) -> None:
    workspace.fill(3)
    workspace.seal()
    (workspace.home / "keys" / KEPT_FILE).unlink()
    workspace.seal()
    with workspace.store.read() as snapshot:
        assert read_kept(workspace.home) == latest_note(snapshot)


@pytest.mark.parametrize("refilled", [0, 2, 8])
def test_a_log_that_was_emptied_and_refilled_is_not_signed(
    workspace: Workspace, refilled: int
) -> None:
    """Without the file, a second history would be signed here and take the place of the first."""
    workspace.fill(5)
    workspace.seal()
    kept = read_kept(workspace.home)
    workspace.store.close()
    for path in workspace.home.glob("guiderail.db*"):
        path.unlink()
    emptied = open_workspace(workspace.home)
    emptied.now += timedelta(days=1)
    emptied.fill(refilled)
    with pytest.raises(IntegrityError) as caught:
        emptied.seal()
    assert caught.value.code == "ledger/not-sealable"
    assert read_kept(workspace.home) == kept
    emptied.store.close()


def test_a_kept_checkpoint_that_nobody_signed_stops_the_sealing(workspace: Workspace) -> None:
    (workspace.home / "keys" / KEPT_FILE).write_bytes(b"\xff nothing")
    with pytest.raises(IntegrityError, match="the kept checkpoint does not verify"):
        workspace.seal()
    assert workspace.codes(kept=read_kept(workspace.home)) == {"ledger/bad-held-checkpoint"}
