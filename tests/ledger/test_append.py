"""One event, fixed bytes, in the transaction of the change, or no change at all."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import func, insert, select, update

from guiderail.core.digest import sha256_digest
from guiderail.core.errors import ConflictError, IntegrityError, RefusedError
from guiderail.core.subject import Actor, Subject
from guiderail.ledger.append import LARGEST_BODY, append, append_all
from guiderail.ledger.events import Event, Evidence
from guiderail.ledger.read import entries
from guiderail.store.tables import log_entry, log_head, outbox, person_pseudonym, vault_salt
from guiderail_verify.canonical import parse_object
from guiderail_verify.tree import leaf_hash

from .conftest import DIGEST, NOW, Workspace, submitted


def stored(workspace: Workspace) -> list[tuple[int, bytes, bytes]]:
    with workspace.store.read() as snapshot:
        rows = snapshot.execute(select(log_entry).order_by(log_entry.c.seq)).all()
    return [(row.seq, bytes(row.body), bytes(row.leaf_hash)) for row in rows]


def test_the_event_has_exactly_this_shape(workspace: Workspace) -> None:
    event = Event(
        "case.decided",
        Subject("model", "credit", DIGEST),
        Actor("ann"),
        NOW,
        {"case": "c", "dossier": "d", "track": "red", "tier": "high", "outcome": "needs_review"},
        outcome="needs_review",
        policy=sha256_digest(b"pack"),
        evidence=(Evidence("security", "urn:guiderail:gate-result:v1", sha256_digest(b"e")),),
    )
    with workspace.store.transaction() as tx:
        appended = append(tx, event, entropy=lambda count: b"\x05" * count)
    payload = json.dumps(dict(event.payload), sort_keys=True, separators=(",", ":")).encode()
    assert parse_object(appended.body) == {
        "v": 2,
        "seq": 0,
        "at": "2026-11-23T09:30:00.123456Z",
        "type": "case.decided",
        "subject": {"kind": "model", "name": "credit", "digest": DIGEST},
        "subject_no": 1,
        "actor": "p-" + "05" * 12,
        "outcome": "needs_review",
        "policy": sha256_digest(b"pack"),
        "evidence": [
            {
                "name": "security",
                "predicateType": "urn:guiderail:gate-result:v1",
                "sha256": hashlib.sha256(b"e").hexdigest(),
            }
        ],
        "payload": {
            "alg": "hmac-sha256",
            "value": hmac.new(b"\x05" * 32, payload, hashlib.sha256).hexdigest(),
            "words": None,
        },
    }
    assert stored(workspace) == [(0, appended.body, leaf_hash(appended.body))]


def test_nothing_personal_is_in_the_entry(workspace: Workspace) -> None:
    event = replace(submitted(), actor=Actor("ann.smith@example.com", impersonated_by="root.user"))
    body = workspace.append(event).body
    assert b"ann" not in body
    assert b"root" not in body
    assert b"case-1" not in body
    with workspace.store.read() as snapshot:
        clear = snapshot.execute(select(vault_salt.c.value)).scalar_one()
        assert json.loads(clear) == {"case": "case-1"}
        [entry] = entries(snapshot)
    assert entry.payload == {"case": "case-1", "impersonated_by": "root.user"}


def test_a_person_who_is_the_subject_is_a_pseudonym_too(workspace: Workspace) -> None:
    event = replace(submitted(), subject=Subject("person", "bob.jones"))
    first, second = workspace.append(event), workspace.append(event)
    assert b"bob" not in first.body
    assert (first.subject_no, second.subject_no) == (1, 2)
    assert workspace.codes() == set()


def test_a_person_keeps_one_pseudonym(workspace: Workspace) -> None:
    workspace.fill(3)
    actors = {json.loads(body)["actor"] for _, body, _ in stored(workspace)}
    assert len(actors) == 1
    with workspace.store.read() as snapshot:
        assert snapshot.execute(select(person_pseudonym.c.person)).scalars().all() == ["ann"]


def test_the_same_event_twice_gives_two_commitments(workspace: Workspace) -> None:
    one, two = (json.loads(workspace.append().body)["payload"]["value"] for _ in range(2))
    assert one != two


def test_the_numbers_of_a_subject_have_no_gaps(workspace: Workspace) -> None:
    numbers = [workspace.append(submitted(name)).subject_no for name in "aabab"]
    assert numbers == [1, 2, 1, 3, 2]


def test_the_numbers_after_a_rollback_have_no_gaps(workspace: Workspace) -> None:
    def fail() -> None:
        with workspace.store.transaction() as tx:
            append(tx, submitted())
            raise ZeroDivisionError

    workspace.append()
    with pytest.raises(ZeroDivisionError):
        fail()
    again = workspace.append()
    assert (again.seq, again.subject_no) == (1, 2)
    assert workspace.codes() == set()


def test_several_events_of_one_change_stay_in_order(workspace: Workspace) -> None:
    with workspace.store.transaction() as tx:
        appended = append_all(tx, [submitted("b"), submitted("a"), submitted("b")])
    assert [(item.seq, item.subject_no) for item in appended] == [(0, 1), (1, 1), (2, 2)]
    assert workspace.codes() == set()


def test_the_change_and_its_event_commit_together(workspace: Workspace) -> None:
    row = {"topic": "a", "body": "{}", "created_at": "x"}
    with workspace.store.transaction() as tx:
        tx.execute(insert(outbox), row)
        append(tx, submitted())
    with workspace.store.read() as snapshot:
        assert snapshot.execute(select(func.count()).select_from(outbox)).scalar_one() == 1
        assert snapshot.execute(select(log_head.c.size)).scalar_one() == 1


@pytest.mark.parametrize(
    "event",
    [
        replace(submitted(), payload={"case": "c", "track": 0.5}),
        replace(submitted(), payload={"surprise": 1}),
        replace(submitted(), outcome="x" * LARGEST_BODY),
        replace(submitted(), payload={"case": "c" * 300_000}),
        replace(submitted(), at=datetime(2026, 11, 23)),  # noqa: DTZ001 # a time without a zone
    ],
)
def test_an_event_that_cannot_be_recorded_stops_the_change(
    workspace: Workspace, event: Event
) -> None:
    """Closed on failure: even a caller that swallows the error keeps nothing."""

    def change_anyway() -> None:
        with workspace.store.transaction() as tx:
            tx.execute(insert(outbox), {"topic": "a", "body": "{}", "created_at": "x"})
            with pytest.raises((ValueError, TypeError, RefusedError)):
                append(tx, event)

    with pytest.raises(ConflictError) as caught:
        change_anyway()
    assert caught.value.code == "store/failed-transaction"
    with workspace.store.read() as snapshot:
        assert snapshot.execute(select(func.count()).select_from(outbox)).scalar_one() == 0
    assert stored(workspace) == []


def test_an_event_that_is_too_large_is_refused_in_words(workspace: Workspace) -> None:
    with pytest.raises(RefusedError) as caught:
        workspace.append(replace(submitted(), outcome="x" * LARGEST_BODY))
    assert caught.value.code == "ledger/too-large"
    assert str(LARGEST_BODY) in caught.value.what


def test_a_lost_head_stops_every_change(workspace: Workspace) -> None:
    with workspace.store.transaction() as tx:
        tx.execute(update(log_head).values(id=1, size=0))
        tx.execute(log_head.delete())
    with pytest.raises(IntegrityError) as caught:
        workspace.append()
    assert caught.value.code == "ledger/no-head"


def test_what_is_hashed_is_what_is_stored_to_the_microsecond(workspace: Workspace) -> None:
    """No column holds a time that the hash knows more precisely."""
    zone = timezone(timedelta(hours=5, minutes=30))
    moment = datetime(2026, 11, 23, 15, 0, 0, 999_999, tzinfo=zone)
    workspace.append(submitted(at=moment))
    [(_, body, leaf)] = stored(workspace)
    assert json.loads(body)["at"] == "2026-11-23T09:30:00.999999Z"
    assert leaf_hash(body) == leaf


def test_a_clock_that_goes_back_is_recorded_and_changes_no_order(workspace: Workspace) -> None:
    workspace.append(submitted(at=NOW))
    workspace.append(submitted(at=NOW - timedelta(days=3)))
    workspace.append(submitted(at=NOW))
    report = workspace.verify()
    assert report.ok
    assert report.size == 3
    assert len(report.notices) == 1
    assert "Entry 1" in report.notices[0]
