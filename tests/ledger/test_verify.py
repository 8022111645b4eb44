"""Whatever is done to the stored ledger behind its back, `verify` names it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from guiderail.attest.keys import KEPT_FILE, read_kept
from guiderail.ledger.proof import prove_entry
from guiderail.ledger.seal import latest_note
from guiderail.ledger.verify import MOST_OF_A_KIND
from guiderail.store import tables
from guiderail.store.tables import log_entry
from guiderail_verify.canonical import canonical_json, encode_base64
from guiderail_verify.note import Checkpoint
from guiderail_verify.tree import EMPTY_ROOT, leaf_hash

from .conftest import DIGEST, Workspace, open_workspace

ENTRIES = 12
Damage = Callable[[sqlite3.Connection], None]


@pytest.fixture
def sealed(workspace: Workspace) -> Workspace:
    workspace.fill(7)
    workspace.seal()
    workspace.fill(ENTRIES - 7)
    workspace.seal()
    return workspace


def damage(workspace: Workspace, *statements: str | Damage) -> None:
    """As an operator of the database would: the triggers go first and come back last."""
    raw = sqlite3.connect(workspace.database)
    triggers = drop_triggers(raw)
    for statement in statements:
        if isinstance(statement, str):
            raw.execute(statement)
        else:
            statement(raw)
    for trigger in triggers:
        raw.execute(trigger)
    raw.commit()
    raw.close()


def drop_triggers(raw: sqlite3.Connection) -> list[str]:
    """Their statements, to put them back with."""
    found = raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in found:
        raw.execute(f"DROP TRIGGER {name}")
    return [sql for _, sql in found]


def rewrite(seq: int, **changes: object) -> Damage:
    """Change an entry and its stored leaf hash, as somebody who knows the format would."""

    def apply(raw: sqlite3.Connection) -> None:
        [body] = raw.execute("SELECT body FROM log_entry WHERE seq = ?", (seq,)).fetchone()
        changed = canonical_json(json.loads(body) | changes)
        raw.execute(
            "UPDATE log_entry SET body = ?, leaf_hash = ? WHERE seq = ?",
            (changed, leaf_hash(changed), seq),
        )

    return apply


def swap(raw: sqlite3.Connection) -> None:
    one, two = (
        raw.execute("SELECT body, leaf_hash FROM log_entry WHERE seq = ?", (seq,)).fetchone()
        for seq in (4, 7)
    )
    raw.execute("UPDATE log_entry SET body = ?, leaf_hash = ? WHERE seq = 4", two)
    raw.execute("UPDATE log_entry SET body = ?, leaf_hash = ? WHERE seq = 7", one)


def test_an_untouched_log_has_no_problem(sealed: Workspace) -> None:
    report = sealed.verify()
    assert report.ok
    assert (report.size, report.sealed, report.notices) == (ENTRIES, ENTRIES, ())
    assert report.checkpoint is not None
    assert f"\n{ENTRIES}\n{report.root}\n" in report.checkpoint


def test_an_empty_log_has_no_problem(workspace: Workspace) -> None:
    report = workspace.verify()
    assert report.ok
    assert (report.size, report.checkpoint) == (0, None)
    assert report.root == encode_base64(EMPTY_ROOT)


def test_entries_that_are_not_sealed_yet_are_checked_too(sealed: Workspace) -> None:
    sealed.fill(2)
    assert sealed.verify().ok
    damage(sealed, "UPDATE log_entry SET body = body || x'20' WHERE seq = 13")
    assert "ledger/body-changed" in sealed.codes()


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        pytest.param(
            ["UPDATE log_entry SET body = replace(body, 'done', 'gone') WHERE seq = 3"],
            {"ledger/body-changed", "ledger/other-root", "ledger/node-changed"},
            id="an edited body under its old hash",
        ),
        pytest.param(
            [rewrite(3, outcome="refused")],
            {"ledger/other-root", "ledger/node-changed"},
            id="an edited body with a fitting hash",
        ),
        pytest.param(
            ["DELETE FROM log_entry WHERE seq = 3"],
            {"ledger/gap", "ledger/subject-gap", "ledger/head-differs", "ledger/other-root"},
            id="a deleted entry",
        ),
        pytest.param(
            [swap], {"ledger/moved", "ledger/other-root", "ledger/index-differs"}, id="a swap"
        ),
        pytest.param(
            [
                "DELETE FROM log_index WHERE seq >= 9",
                "DELETE FROM log_entry WHERE seq >= 9",
                "UPDATE log_head SET size = 9",
                "UPDATE subject_counter SET next_no = 4",
            ],
            {"ledger/truncated"},
            id="a tail that was cut off with everything around it",
        ),
        pytest.param(
            ["UPDATE log_head SET size = 13"], {"ledger/head-differs"}, id="a head that is ahead"
        ),
        pytest.param(["DELETE FROM log_head"], {"ledger/head-differs"}, id="no head"),
        pytest.param(
            ["UPDATE subject_counter SET next_no = next_no + 1 WHERE name = 'model-1'"],
            {"ledger/subject-counter"},
            id="a counter that hides an event",
        ),
        pytest.param(
            ["INSERT INTO subject_counter VALUES ('model', 'ghost', 2)"],
            {"ledger/subject-counter"},
            id="a counter of a subject without events",
        ),
        pytest.param(
            [rewrite(8, subject_no=9)], {"ledger/subject-gap"}, id="a number that was changed"
        ),
        pytest.param(
            ["UPDATE log_node SET hash = zeroblob(32) WHERE level = 1 AND position = 2"],
            {"ledger/node-changed"},
            id="a changed node",
        ),
        pytest.param(
            ["DELETE FROM log_node WHERE level = 2 AND position = 1"],
            {"ledger/node-missing"},
            id="a missing node",
        ),
        pytest.param(
            ["INSERT INTO log_node VALUES (1, 700, zeroblob(32))"],
            {"ledger/node-extra"},
            id="a node too many",
        ),
        pytest.param(
            ["UPDATE log_checkpoint SET note = note || 'garbage' || char(10)"],
            {"ledger/bad-checkpoint"},
            id="a checkpoint with garbage after the signatures",
        ),
        pytest.param(
            ["UPDATE log_checkpoint SET note = 'nothing' WHERE size = 7"],
            {"ledger/bad-checkpoint"},
            id="a checkpoint that is none",
        ),
        pytest.param(
            ["UPDATE log_checkpoint SET size = 8 WHERE size = 7"],
            {"ledger/bad-checkpoint"},
            id="a checkpoint filed under another size",
        ),
        pytest.param(
            ["UPDATE vault_salt SET value = replace(value, 'case', 'Case') WHERE seq = 2"],
            {"ledger/payload-changed"},
            id="changed details",
        ),
        pytest.param(
            ["UPDATE vault_salt SET salt = zeroblob(32) WHERE seq = 2"],
            {"ledger/payload-changed"},
            id="another salt",
        ),
        pytest.param(
            ["DELETE FROM vault_salt WHERE seq = 2"],
            {"ledger/payload-missing"},
            id="missing details",
        ),
        pytest.param(
            ["UPDATE log_index SET case_id = 'another' WHERE seq = 2"],
            {"ledger/index-differs"},
            id="an index that points elsewhere",
        ),
        pytest.param(
            ["DELETE FROM log_index WHERE seq = 2"], {"ledger/index-differs"}, id="no index"
        ),
        pytest.param(
            [rewrite(5, type="case.forgotten")],
            {"ledger/unreadable-entry"},
            id="a type that is not in the list",
        ),
        pytest.param(
            [rewrite(5, at="2026-11-23T09:30:00Z")],
            {"ledger/unreadable-entry"},
            id="a time without microseconds",
        ),
        pytest.param(
            [rewrite(5, surprise=1)], {"ledger/unreadable-entry"}, id="a field that is not known"
        ),
        pytest.param(
            ["UPDATE log_entry SET body = x'ff' WHERE seq = 5"],
            {"ledger/unreadable-entry", "ledger/body-changed"},
            id="bytes that are no event",
        ),
    ],
)
def test_damage_is_named(
    sealed: Workspace, statements: list[str | Damage], expected: set[str]
) -> None:
    damage(sealed, *statements)
    assert expected <= sealed.codes()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log_entry SET seq = 'five' WHERE seq = 5",
        "UPDATE log_entry SET body = 1000000000000 WHERE seq = 5",
        "UPDATE log_node SET hash = 7",
        "UPDATE log_entry SET body = CAST(x'80' AS TEXT) WHERE seq = 5",
        "DROP TABLE log_head",
        "UPDATE subject_counter SET next_no = 'many'",
        "UPDATE log_checkpoint SET note = x'00'",
    ],
)
def test_damage_of_any_kind_is_a_problem_and_not_a_traceback(
    sealed: Workspace, statement: str
) -> None:
    damage(sealed, "PRAGMA foreign_keys = OFF", statement)
    assert not sealed.verify().ok


def test_a_problem_says_which_entry(sealed: Workspace) -> None:
    damage(sealed, "UPDATE log_entry SET body = replace(body, 'done', 'gone') WHERE seq = 3")
    [problem] = [item for item in sealed.verify().problems if item.code == "ledger/body-changed"]
    assert problem.seq == 3
    assert problem.sentence == "The bytes of entry 3 do not match their stored hash."


def test_any_single_changed_byte_of_any_entry_is_found(sealed: Workspace) -> None:
    """What was missed elsewhere: hashes that fit each other while a body was edited."""
    with sealed.store.read() as snapshot:
        rows = snapshot.execute(select(log_entry).order_by(log_entry.c.seq)).all()
    raw = sqlite3.connect(sealed.database)
    triggers = drop_triggers(raw)
    body = bytes(rows[4].body)
    for place in range(0, len(body), 7):
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        raw.execute("UPDATE log_entry SET body = ? WHERE seq = 4", (changed,))
        raw.commit()
        assert "ledger/body-changed" in sealed.codes(), place
    raw.execute("UPDATE log_entry SET body = ? WHERE seq = 4", (body,))
    for trigger in triggers:
        raw.execute(trigger)
    raw.commit()
    raw.close()
    assert sealed.verify().ok


def test_much_damage_does_not_flood_the_report(sealed: Workspace) -> None:
    sealed.fill(40)
    damage(sealed, "DELETE FROM vault_salt")
    missing = [item for item in sealed.verify().problems if item.code == "ledger/payload-missing"]
    assert len(missing) == MOST_OF_A_KIND + 1
    assert missing[-1].sentence == "There are 32 more problems of this kind."


def held_checkpoint(workspace: Workspace) -> str:
    with workspace.store.read() as snapshot:
        note = latest_note(snapshot)
    assert note is not None
    return note


CUT_TO_7 = (
    "DELETE FROM vault_salt WHERE seq >= 7",
    "DELETE FROM log_index WHERE seq >= 7",
    "DELETE FROM log_entry WHERE seq >= 7",
    "DELETE FROM log_node WHERE ((position + 1) << level) > 7",
    "DELETE FROM log_checkpoint WHERE size > 7",
    "UPDATE log_head SET size = 7",
    "DELETE FROM subject_counter",
    "INSERT INTO subject_counter SELECT subject_kind, subject_name, max(subject_no) + 1 "
    "FROM log_index GROUP BY 1, 2",
)
"""What leaves a perfect shorter log."""


def test_who_holds_a_checkpoint_sees_that_the_end_was_removed(sealed: Workspace) -> None:
    """Even where the operator removed the checkpoint as well and left a perfect shorter log."""
    held = held_checkpoint(sealed)
    damage(sealed, *CUT_TO_7)
    assert sealed.verify().ok
    assert sealed.codes(held) == {"ledger/truncated"}


def test_the_checkpoint_beside_the_keys_shows_that_the_end_was_removed(sealed: Workspace) -> None:
    damage(sealed, *CUT_TO_7)
    [problem] = sealed.verify(kept=read_kept(sealed.home)).problems
    assert problem.sentence == (
        "A log of 12 entries is on the checkpoint beside the keys and only 7 are there: entries at "
        "the end were removed."
    )


def test_a_log_whose_end_was_removed_and_written_anew_is_found(sealed: Workspace) -> None:
    damage(sealed, *CUT_TO_7)
    sealed.fill(9)
    assert "ledger/other-root" in sealed.codes(kept=read_kept(sealed.home))


def add_permit(workspace: Workspace, proof: str) -> None:
    with workspace.store.transaction() as tx:
        tx.execute(
            insert(tables.workload).values(name="credit", kind="model", created_at="2026-11-23")
        )
        tx.execute(
            insert(tables.case_record).values(
                id="case-1",
                number=1,
                workload="credit",
                kind="model",
                release_digest=DIGEST,
                state="permitted",
                submitter="ann",
                created_at="2026-11-23",
                updated_at="2026-11-23",
            )
        )
        tx.execute(
            insert(tables.permit).values(
                id="permit-1",
                case_id="case-1",
                workload="credit",
                release_digest=DIGEST,
                environment="production",
                envelope=b"{}",
                proof=proof,
                issued_at="2026-11-23",
                expires_at="2026-12-07",
            )
        )


def test_the_proof_of_a_permit_shows_that_the_end_was_removed(sealed: Workspace) -> None:
    add_permit(sealed, prove_entry(sealed.store, 10))
    assert sealed.verify().ok
    damage(sealed, *CUT_TO_7)
    [problem] = sealed.verify().problems
    assert problem.code == "ledger/truncated"
    assert "on the checkpoint in the proof of permit-1" in problem.sentence


def test_a_permit_whose_proof_cannot_be_read_is_named(sealed: Workspace) -> None:
    add_permit(sealed, "no proof")
    assert sealed.codes() == {"ledger/bad-permit-proof"}


@pytest.mark.parametrize(
    "trigger",
    ["log_entry_no_update", "log_entry_no_delete", "log_checkpoint_no_update"],
)
@pytest.mark.parametrize("instead", ["", "CREATE TRIGGER {} BEFORE UPDATE ON log_head {}"])
def test_a_missing_or_changed_trigger_is_named(
    sealed: Workspace, trigger: str, instead: str
) -> None:
    raw = sqlite3.connect(sealed.database)
    raw.execute(f"DROP TRIGGER {trigger}")
    if instead:
        raw.execute(instead.format(trigger, "BEGIN SELECT 1; END"))
    raw.close()
    [problem] = sealed.verify().problems
    assert problem.code == "ledger/unprotected"
    assert trigger in problem.sentence


def test_who_holds_a_checkpoint_sees_that_the_log_was_written_anew(sealed: Workspace) -> None:
    """The operator has the keys and makes another log under the same name."""
    held = held_checkpoint(sealed)
    sealed.store.close()
    (sealed.home / "keys" / KEPT_FILE).unlink()
    for path in sealed.home.glob("guiderail.db*"):
        path.unlink()
    forged = open_workspace(sealed.home)
    forged.now += timedelta(days=1)
    forged.fill(ENTRIES + 3)
    forged.seal()
    assert forged.keyring.origin == sealed.keyring.origin
    assert forged.verify().ok
    assert forged.codes(held) == {"ledger/other-root"}
    forged.store.close()


def test_a_held_checkpoint_of_an_honest_log_agrees(sealed: Workspace) -> None:
    held = held_checkpoint(sealed)
    sealed.fill(4)
    sealed.seal()
    assert sealed.codes(held) == set()


def test_a_held_checkpoint_that_nobody_signed_is_named(sealed: Workspace) -> None:
    text = Checkpoint(sealed.keyring.origin, 3, bytes(32)).to_text()
    assert sealed.codes(text + "\n— nobody AAAAAAAA\n") == {"ledger/bad-held-checkpoint"}
