"""Appending, sealing, erasing, removing, restoring: whatever comes in which order, it verifies."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import select

from guiderail.core.subject import Actor, Subject
from guiderail.ledger.append import append
from guiderail.ledger.erasure import is_erased, pseudonym_of
from guiderail.ledger.events import Event
from guiderail.ledger.prune import remove_entries
from guiderail.ledger.read import PERSON_GONE, entries
from guiderail.ledger.tombstones import buried, bury
from guiderail.store.tables import log_checkpoint, pruned_entry
from guiderail_verify.gone import runs_of

from .conftest import NOW, open_workspace, submitted
from .words import erase, reviewed

PEOPLE = ("ann", "bob")


class Vault(RuleBasedStateMachine):
    """The model: who wrote which entry, in which life of that id, and what is gone.

    A restore brings back the database, the keys and the kept checkpoint of an earlier moment, and
    not the tombstones; the erased are then erased again, as the service does at an opening.
    """

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(mkdtemp(prefix="guiderail-vault-"))
        self.workspace = open_workspace(self.home / "home")
        self.words: dict[int, str] = {}
        self.pseudonyms: dict[int, str] = {}
        self.erased: set[str] = set()
        self.removed: set[int] = set()
        self.saved: tuple[dict[int, str], dict[int, str], set[int]] | None = None
        self.count = 0

    def teardown(self) -> None:
        self.workspace.store.close()
        shutil.rmtree(self.home)

    @rule(person=st.sampled_from(PEOPLE))
    def write(self, person: str) -> None:
        self.count += 1
        reason = f"reason {self.count}"
        seq = self.workspace.append(reviewed(person, reason)).seq
        self.words[seq] = reason
        with self.workspace.store.read() as snapshot:
            self.pseudonyms[seq] = pseudonym_of(snapshot, person) or ""

    @rule()
    def append(self) -> None:
        self.workspace.append(submitted())

    @rule()
    def seal(self) -> None:
        self.workspace.seal()

    @rule(person=st.sampled_from(PEOPLE))
    def erase(self, person: str) -> None:
        with self.workspace.store.read() as snapshot:
            pseudonym = pseudonym_of(snapshot, person)
        if pseudonym is not None:
            bury(self.home / "vault", "db", person, pseudonym, "2026")
            assert erase(self.workspace.store, person) == pseudonym
            self.erased.add(pseudonym)

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        with self.workspace.store.read() as snapshot:
            sealed = snapshot.execute(select(log_checkpoint.c.size)).scalars().all()
            kinds = {entry.seq: entry.type for entry in entries(snapshot)}
            gone = set(snapshot.execute(select(pruned_entry.c.seq)).scalars())
        kept = ("person.erased", "records.pruned")
        size = max(sealed, default=0)
        free = [seq for seq in range(size) if seq not in gone and kinds[seq] not in kept]
        if not free:
            return
        chosen = sorted(data.draw(st.sets(st.sampled_from(free), min_size=1, max_size=3)))
        payload = {"entries": len(chosen), "runs": runs_of(chosen), "classes": {}}
        event = Event("records.pruned", Subject("log", "log"), Actor("dora"), NOW, payload)
        with self.workspace.store.transaction() as tx:
            remove_entries(tx, chosen, append(tx, event).seq)
        self.removed |= set(chosen)

    @rule()
    def back_up(self) -> None:
        self.workspace.store.close()
        shutil.rmtree(self.home / "backup", ignore_errors=True)
        shutil.copytree(self.home / "home", self.home / "backup")
        self.saved = dict(self.words), dict(self.pseudonyms), set(self.removed)
        self.workspace = open_workspace(self.home / "home")

    @precondition(lambda self: self.saved is not None)
    @rule()
    def restore(self) -> None:
        assert self.saved is not None
        self.workspace.store.close()
        shutil.rmtree(self.home / "home")
        shutil.copytree(self.home / "backup", self.home / "home")
        words, pseudonyms, removed = self.saved
        self.words, self.pseudonyms, self.removed = dict(words), dict(pseudonyms), set(removed)
        self.workspace = open_workspace(self.home / "home")
        for tombstone in buried(self.home / "vault"):
            for person in PEOPLE:
                with self.workspace.store.read() as snapshot:
                    back = pseudonym_of(snapshot, person) == tombstone.pseudonym
                    assert not (back and is_erased(snapshot, tombstone.pseudonym))
                if back:
                    assert tombstone.is_of(person)
                    erase(self.workspace.store, person)

    @invariant()
    def everything_that_is_there_verifies(self) -> None:
        report = self.workspace.verify()
        assert report.problems == ()
        wordless = {
            seq for seq in self.words.keys() - self.removed if self.pseudonyms[seq] in self.erased
        }
        assert (report.removed, report.erased) == (len(self.removed), len(wordless))

    @invariant()
    def what_is_gone_is_gone_and_the_rest_is_there(self) -> None:
        with self.workspace.store.read() as snapshot:
            told = {entry.seq: entry for entry in entries(snapshot)}
        counted: Counter[str] = Counter()
        for seq, reason in self.words.items():
            entry = told[seq]
            if seq in self.removed:
                counted["removed"] += entry.removed
            elif self.pseudonyms[seq] in self.erased:
                assert "reason" not in (entry.payload or {})
                assert entry.person == PERSON_GONE
            else:
                assert (entry.payload or {})["reason"] == reason
        assert counted["removed"] == len(self.removed & self.words.keys())


Vault.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestVault = pytest.mark.slow(Vault.TestCase)
