"""A ledger that anything may happen to, in any order: the machine behind `test_life`.

A new thing that can happen to a ledger is one more method with `@rule`. Whatever it is, the
invariants at the end hold after it.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import func, select

from guiderail.attest.keys import read_kept
from guiderail.attest.permit import sign_permit
from guiderail.core.digest import sha256_digest
from guiderail.core.errors import IntegrityError
from guiderail.core.subject import Actor, Subject
from guiderail.ledger.append import append_all
from guiderail.ledger.erasure import pseudonym_of
from guiderail.ledger.events import Event, Evidence
from guiderail.ledger.proof import prove_entry, prove_growth
from guiderail.ledger.prune import remove_entries
from guiderail.ledger.seal import latest_note, seal
from guiderail.ledger.verify import verify
from guiderail.service.audit_pack import export
from guiderail.service.key_changes import retire, rotate
from guiderail.service.workspace import Workspace
from guiderail.store.database import DATABASE_FILE, Store
from guiderail.store.tables import log_entry, log_head, log_index, pruned_entry
from guiderail_verify.audit import verify_pack
from guiderail_verify.gone import runs_of
from guiderail_verify.note import parse_checkpoint
from guiderail_verify.permit import VERIFICATION_RESULT, open_permit
from guiderail_verify.tree import verify_consistency
from guiderail_verify.trusted_keys import Role
from tests.verify.conftest import PERMIT, Issued

from .conftest import NOW
from .words import erase

NAMES = ("credit", "fraud", "churn")
PRUNABLE = ("rollback.rehearsed", "team.acknowledged")


def rehearsed(name: str, at: datetime, person: str) -> Event:
    digest = sha256_digest(name.encode())
    payload = {"outcome": "passed", "from_digest": None, "to_digest": digest, "seconds": "1.5"}
    return Event("rollback.rehearsed", Subject("model", name, digest), Actor(person), at, payload)


def acknowledged(person: str, at: datetime) -> Event:
    payload = {"team": "collections", "note": "Jo tells the branch on Monday"}
    subject = Subject("model", "credit", sha256_digest(b"credit"))
    return Event("team.acknowledged", subject, Actor(person), at, payload)


class LedgerLife(RuleBasedStateMachine):
    """template: a workspace to begin with. database: an address, None for the file in it."""

    template: Path
    database: str | None = None

    def __init__(self) -> None:
        super().__init__()
        self.room = TemporaryDirectory(prefix="guiderail-life-")
        self.home = Path(self.room.name) / "home"
        shutil.copytree(self.template, self.home)
        self.now = NOW
        self.signed = 0
        self.held: list[str] = []
        self.permits: list[Issued] = []
        self.backups: list[Path] = []
        self.open()

    # --- What can happen ----------------------------------------------------------------------

    @rule(
        names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=4),
        person=st.sampled_from(("ann", "ben")),
        seconds=st.integers(-7200, 7200),
    )
    def append(self, names: list[str], person: str, seconds: int) -> None:
        """Events of one change, dated by a clock that may go backwards."""
        self.now += timedelta(seconds=seconds)
        with self.store.transaction() as tx:
            append_all(tx, [rehearsed(name, self.now, person) for name in names])

    @rule(name=st.sampled_from(NAMES))
    def change_that_fails(self, name: str) -> None:
        with contextlib.suppress(ZeroDivisionError), self.store.transaction() as tx:
            append_all(tx, [rehearsed(name, self.now, "ann")])
            raise ZeroDivisionError

    @rule(person=st.sampled_from(("ann", "ben")))
    def write(self, person: str) -> None:
        """An event with words of a person, which an erasure takes."""
        with self.store.transaction() as tx:
            append_all(tx, [acknowledged(person, self.now)])

    @rule()
    def erase(self) -> None:
        """Only ben: ann is who acts in this workspace."""
        with self.store.read() as snapshot:
            known = pseudonym_of(snapshot, "ben")
        if known is not None:
            erase(self.store, "ben")

    @precondition(lambda self: self.signed)
    @rule(data=st.data())
    def prune(self, data: st.DataObject) -> None:
        """The time of some sealed entries is over; what says so, and keys, stay."""
        with self.store.read() as snapshot:
            rows = snapshot.execute(select(log_index.c.seq, log_index.c.type)).all()
            gone = set(snapshot.execute(select(pruned_entry.c.seq)).scalars())
        free = [seq for seq, type_ in rows
                if seq < self.signed and seq not in gone and type_ in PRUNABLE]  # fmt: skip
        if not free:
            return
        chosen = sorted(data.draw(st.sets(st.sampled_from(free), min_size=1, max_size=3)))
        payload = {"entries": len(chosen), "runs": runs_of(chosen), "classes": {}}
        event = Event("records.pruned", Subject("log", "log"), Actor("ann"), self.now, payload)
        with self.store.transaction() as tx:
            [appended] = append_all(tx, [event])
            remove_entries(tx, chosen, appended.seq)

    @precondition(lambda self: self.database is None)
    @rule(roles=st.sampled_from((["checkpoint"], ["permit"], ["checkpoint", "permit"])))
    def rotate(self, roles: list[Role]) -> None:
        """New keys sign beside the old ones, and then alone.

        A backup from before it would come back without the keys of its time: not part of this.
        """
        rotate(self.workspace, roles)
        self.sign()
        retire(self.workspace)
        self.sign()
        self.backups.clear()

    @rule(hold=st.booleans())
    def seal(self, hold: bool) -> None:
        """hold: somebody outside keeps the checkpoint."""
        self.sign()
        if hold:
            self.held.append(self.newest())

    @rule()
    def issue_permit(self) -> None:
        number = len(self.permits)
        permit = replace(PERMIT, id=f"permit-{number}", case=f"case-{number}")
        envelope = sign_permit(permit, self.workspace.keyring)
        event = Event(
            "permit.issued",
            Subject(permit.kind, permit.workload, permit.digest),
            Actor("ann"),
            self.now,
            {"case": permit.case, "permit": permit.id, "environment": permit.environment,
             "dossier": permit.dossier, "start_until": "2026-11-30"},
            evidence=(Evidence("permit", VERIFICATION_RESULT, sha256_digest(envelope)),),
        )  # fmt: skip
        with self.store.transaction() as tx:
            [appended] = append_all(tx, [event])
        self.sign()
        self.permits.append(Issued(permit, envelope, prove_entry(self.store, appended.seq)))

    @rule()
    def open_again(self) -> None:
        self.store.close()
        self.open()

    @precondition(lambda self: self.database is None and not self.permits)
    @rule()
    def export(self) -> None:
        """What an auditor gets verifies, also against what was held.

        The permits of this machine have no case, and no pack is written about such a thing.
        """
        with TemporaryDirectory(prefix="guiderail-pack-") as room:
            pack = Path(room) / "pack"
            assert export(self.workspace, pack)["problems"] == []
            self.signed = self.size()
            for older in [None, *self.held[-2:]]:
                audit = verify_pack(pack, key=self.workspace.keyring.note_key, older=older)
                assert audit.ok, [check.failures for check in audit.checks]

    @precondition(lambda self: self.database is None)
    @rule()
    def back_up(self) -> None:
        self.backups.append(self.copy(f"backup-{len(self.backups)}"))

    @precondition(lambda self: self.backups)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        """An older database comes back: shown by what was kept outside it, unless nothing was
        signed in between; then the log goes on from there. Otherwise the newest one comes back."""
        chosen = data.draw(st.sampled_from(self.backups))
        newest = self.copy("newest")
        self.put_back(chosen)
        if self.signed <= self.size():
            self.sign()  # a checkpoint that came later than the backup is signed again
            return
        kept = read_kept(self.home)
        assert {problem.code for problem in self.verify(kept)} == {"ledger/truncated"}
        assert {problem.code for problem in self.verify(None)} <= {"ledger/truncated"}
        with pytest.raises(IntegrityError, match="only"):
            seal(self.store, self.workspace.keyring, self.now)
        self.put_back(newest)

    @precondition(lambda self: self.database is None and self.size())
    @rule(data=st.data())
    def tamper(self, data: st.DataObject) -> None:
        """One byte of one entry is changed behind the product's back, and put right again."""
        with self.store.read() as snapshot:
            there = snapshot.execute(select(log_entry.c.seq).where(log_entry.c.body != b""))
            seq = data.draw(st.sampled_from(sorted(there.scalars())))
        raw = sqlite3.connect(self.home / DATABASE_FILE)
        [trigger] = raw.execute(
            "SELECT sql FROM sqlite_master WHERE name = 'log_entry_no_update'"
        ).fetchone()
        raw.execute("DROP TRIGGER log_entry_no_update")
        [body] = raw.execute("SELECT body FROM log_entry WHERE seq = ?", (seq,)).fetchone()
        place = data.draw(st.integers(0, len(body) - 1))
        other = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        change = "UPDATE log_entry SET body = ? WHERE seq = ?"
        raw.execute(change, (other, seq))
        raw.commit()
        assert "ledger/body-changed" in {problem.code for problem in self.verify(None)}
        raw.execute(change, (body, seq))
        raw.execute(trigger)
        raw.commit()
        raw.close()

    # --- What always holds --------------------------------------------------------------------

    @invariant()
    def everything_verifies(self) -> None:
        assert self.verify(read_kept(self.home)) == ()

    @invariant()
    def the_newest_checkpoint_is_kept_outside_the_database(self) -> None:
        kept = read_kept(self.home)
        assert (0 if kept is None else parse_checkpoint(_text(kept)).size) == self.signed

    @invariant()
    def numbers_are_dense(self) -> None:
        with self.store.read() as snapshot:
            entries = [row[0] for row in snapshot.execute(select(log_entry.c.seq))]
            index = select(
                log_index.c.subject_name, func.count(), func.max(log_index.c.subject_no)
            ).group_by(log_index.c.subject_kind, log_index.c.subject_name)
            subjects = snapshot.execute(index).all()
            size = snapshot.execute(select(log_head.c.size)).scalar_one()
        assert sorted(entries) == list(range(size))
        assert all(count == last for _, count, last in subjects)

    @invariant()
    def what_was_held_is_the_beginning(self) -> None:
        """The newest checkpoint continues every one that somebody holds, by a proof."""
        for note in self.held:
            old, new = (parse_checkpoint(_text(one)) for one in (note, self.newest()))
            growth = prove_growth(self.store, old.size, new.size)
            verify_consistency(old.size, new.size, growth.path, old.root, new.root)

    @invariant()
    def permits_stay_valid(self) -> None:
        for issued in self.permits:
            found = open_permit(issued.envelope, issued.proof, self.workspace.keyring.trusted)
            assert found == issued.permit

    # --- How it is done -----------------------------------------------------------------------

    def open(self) -> None:
        self.workspace = Workspace(self.home, True, "ann", lambda: self.now)
        if self.database is None:
            self.store = self.workspace.store
        else:
            self.store = Store.open_url(self.database)

    def teardown(self) -> None:
        self.store.close()
        self.room.cleanup()

    def verify(self, kept: str | None) -> tuple[Any, ...]:
        """The problems found, also against everything that is held."""
        keys = self.workspace.keyring.trusted
        found = [verify(self.store, keys, held=note, kept=kept) for note in [None, *self.held[-1:]]]
        return tuple(problem for report in found for problem in report.problems)

    def newest(self) -> str:
        with self.store.read() as snapshot:
            note = latest_note(snapshot)
        assert note is not None
        return note

    def sign(self) -> None:
        self.signed = seal(self.store, self.workspace.keyring, self.now).size
        assert self.signed == self.size()

    def size(self) -> int:
        with self.store.read() as snapshot:
            return int(snapshot.execute(select(log_head.c.size)).scalar_one())

    def copy(self, name: str) -> Path:
        """A backup as SQLite itself makes one."""
        path = Path(self.room.name) / name
        with (
            contextlib.closing(sqlite3.connect(self.home / DATABASE_FILE)) as source,
            contextlib.closing(sqlite3.connect(path)) as target,
        ):
            source.backup(target)
        return path

    def put_back(self, backup: Path) -> None:
        self.store.close()
        for path in self.home.glob(f"{DATABASE_FILE}*"):
            path.unlink()
        shutil.copyfile(backup, self.home / DATABASE_FILE)
        self.open()


def _text(note: str) -> str:
    return note.rpartition("\n\n")[0] + "\n"
