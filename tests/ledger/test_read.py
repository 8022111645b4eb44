"""The ledger as people read it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import delete, text

from guiderail.core.digest import sha256_digest
from guiderail.core.errors import IntegrityError
from guiderail.core.subject import Actor, Subject
from guiderail.ledger.events import Evidence
from guiderail.ledger.read import PERSON_GONE, Entry, entries
from guiderail.store.tables import person_pseudonym, vault_salt

from .conftest import DIGEST, Workspace, submitted


def test_an_entry_says_who_did_what(workspace: Workspace) -> None:
    evidence = (Evidence("scan", "urn:guiderail:gate-result:v1", sha256_digest(b"e")),)
    workspace.append(replace(submitted(), evidence=evidence))
    with workspace.store.read() as snapshot:
        assert entries(snapshot) == [
            Entry(
                seq=0,
                at="2026-11-23T09:30:00.123456Z",
                type="case.submitted",
                subject=Subject("model", "credit", DIGEST),
                subject_no=1,
                person="ann",
                outcome="done",
                policy=None,
                evidence={"scan": sha256_digest(b"e")},
                payload={"case": "case-1"},
                sentence="ann submitted credit as case case-1.",
            )
        ]


def test_a_subject_a_case_or_a_type_can_be_picked(workspace: Workspace) -> None:
    for name, case in (("a", "1"), ("b", "2"), ("a", "3"), ("a", "3")):
        workspace.append(submitted(name, case))
    with workspace.store.read() as snapshot:
        assert [entry.seq for entry in entries(snapshot, subject=("model", "a"))] == [0, 2, 3]
        assert [entry.seq for entry in entries(snapshot, case="3")] == [2, 3]
        assert [entry.seq for entry in entries(snapshot, case="3", after=2)] == [3]
        assert [entry.seq for entry in entries(snapshot, limit=2)] == [0, 1]
        assert len(entries(snapshot, type="case.submitted")) == 4
        assert entries(snapshot, type="permit.issued") == []


def test_people_see_names_even_where_a_person_is_the_subject(workspace: Workspace) -> None:
    workspace.append(replace(submitted(), subject=Subject("person", "bob"), actor=Actor("ann")))
    with workspace.store.read() as snapshot:
        [entry] = entries(snapshot)
    assert (entry.person, entry.subject.name) == ("ann", "bob")


def test_what_was_erased_is_shown_as_erased(workspace: Workspace) -> None:
    workspace.append()
    with workspace.store.transaction() as tx:
        tx.execute(delete(person_pseudonym))
        tx.execute(delete(vault_salt))
    with workspace.store.read() as snapshot:
        [entry] = entries(snapshot)
    assert entry.person == PERSON_GONE
    assert entry.payload is None
    assert entry.sentence == f"{PERSON_GONE} submitted credit as case (erased)."


def test_bytes_that_are_no_event_are_an_error_and_not_a_traceback(workspace: Workspace) -> None:
    workspace.append()
    with workspace.store.transaction() as tx:
        tx.execute(text("DROP TRIGGER log_entry_no_update"))
        tx.execute(text("UPDATE log_entry SET body = x'7b7d'"))
    with workspace.store.read() as snapshot, pytest.raises(IntegrityError) as caught:
        entries(snapshot)
    assert caught.value.code == "ledger/unreadable-entry"
