"""Erase a person: what they wrote and who they were goes, what they decided stays.

One person asks for it, a second one carries it out; both keep records and neither is the person. It
is refused while the person has something to do or a legal hold is in force.

Order of an erasure, so that a process may be killed at any point: the line in the list of the
erased, then one transaction, then the files. Whoever opens the workspace next finishes what was
begun (`bring_back_to_erased`): a line without its transaction is carried out, and freed pages are
overwritten.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select

from guiderail.core.errors import ConflictError, GuiderailError, InputError, RefusedError
from guiderail.core.subject import Actor, Subject
from guiderail.core.time import to_text
from guiderail.ledger import erasure
from guiderail.ledger.append import append
from guiderail.ledger.events import Event
from guiderail.ledger.tombstones import Tombstone, buried, bury
from guiderail.service.duties import duties
from guiderail.service.journal import PLATFORM, record
from guiderail.service.keepers import authorise_keeper
from guiderail.service.people_file import take_out
from guiderail.service.personal_records import Names, count_rows, rewrite
from guiderail.service.records import refresh_snapshot
from guiderail.service.registers import forget_salt, transaction
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.scrub import scrub, scrub_due
from guiderail.store.transaction import Snapshot, Transaction

MOST_IN_AN_EVENT = 1000
"""How many dossiers and old entries one event names; more go into further events."""

_LOG = logging.getLogger("guiderail.people")


def plan(workspace: Workspace, person: str) -> dict[str, Any]:
    """What an erasure would destroy, what stays, and what stands against it. Changes nothing."""
    with workspace.store.read() as snapshot:
        return _plan(snapshot, workspace, person)


def erase(workspace: Workspace, person: str, reason: str) -> dict[str, Any]:
    """Ask for an erasure, or carry out the one that somebody else asked for.

    Raises InputError for somebody who is nowhere to be found or no reason, RefusedError for who may
    not and while duties or a legal hold stand against it, ConflictError for asking twice.
    """
    if not reason.strip():
        raise InputError(
            "an erasure needs a reason",
            code="people/reason",
            advice="Give it with --reason; name the request, not the person.",
        )
    now = workspace.clock()
    with transaction(workspace, alone=True) as tx:
        found = _plan(tx, workspace, person)
        requester = _requester(tx, person)
        authorise_keeper(workspace, person, person=person, requester=requester)
        if found["against"]:
            raise RefusedError(
                f"{person} cannot be erased yet: {'; '.join(found['against'])}",
                code="people/duties",
                advice="`guiderail people erase --dry-run` lists what stands against it.",
            )
        if requester is None:
            _ask(tx, workspace, person, reason.strip(), now)
            return {**found, "done": False}
        names = _names(workspace, person)
        _erase(tx, workspace, names, workspace.actor, now)
    _finish(workspace)
    return {**found, "done": True}


def bring_back_to_erased(workspace: Workspace) -> None:
    """After a restore or a crash: whoever was erased is erased again, and it is said.

    Reads one row and one file where there is nothing to do.
    """
    tombstones = _tombstones(workspace)
    for tombstone in tombstones:
        _bring_back(workspace, tombstone)
    if scrub_due(workspace.store):
        _finish(workspace)


def _bring_back(workspace: Workspace, tombstone: Tombstone) -> None:
    with workspace.store.read() as snapshot:
        person = erasure.person_behind(snapshot, tombstone.pseudonym)
        known = erasure.is_erased(snapshot, tombstone.pseudonym)
    listed = next((one for one in workspace.everybody.people if tombstone.is_of(one)), None)
    if not known and (person or listed):
        names = _names(workspace, person or str(listed))
        with workspace.store.transaction(alone=True) as tx:
            if not erasure.is_erased(tx, tombstone.pseudonym):
                erasure.know_as(tx, names.person, tombstone.pseudonym)
                _erase(tx, workspace, names, PLATFORM, workspace.clock(), replayed=True)
        _LOG.warning(
            "Somebody who was erased on %s was in the database again, as after the restore of a "
            "backup. They were erased again, and the ledger says so.",
            tombstone.at[:10],
        )
    elif listed:
        try:
            take_out(workspace.home / "people.yaml", listed)
        except GuiderailError as error:
            _LOG.warning("%s", error)
            return
        _LOG.warning(
            "%s was erased on %s and stood in people.yaml again. The entry was taken out: an id is "
            "never used again. A new person needs another id.",
            listed,
            tombstone.at[:10],
        )


def _tombstones(workspace: Workspace) -> list[Tombstone]:
    found = buried(workspace.vault)
    if not found:
        return []
    with workspace.store.read() as snapshot:
        database = erasure.identity(snapshot)
    return [one for one in found if one.database == database]


def _plan(snapshot: Snapshot, workspace: Workspace, person: str) -> dict[str, Any]:
    names = _names(workspace, person)
    pseudonym = erasure.pseudonym_of(snapshot, person)
    rows = count_rows(snapshot, names)
    listed = person in workspace.register.people
    if pseudonym is None and not listed and not rows.total:
        raise InputError(
            f"nobody with the id {person!r} is known here, or they were erased before",
            code="people/unknown",
            advice="people.yaml lists everybody; `guiderail ledger log` shows who was erased.",
        )
    return {
        "person": person,
        "pseudonym": pseudonym,
        "words": 0 if pseudonym is None else erasure.count_words(snapshot, pseudonym),
        "rows": dict(sorted(rows.rows.items())),
        "dossiers": len(rows.dossiers),
        "listed": listed,
        "asked_by": _requester(snapshot, person),
        "against": duties(snapshot, workspace, names),
        "stays": _stays(snapshot, person),
    }


def _stays(snapshot: Snapshot, person: str) -> list[str]:
    """What is signed or hashed and cannot be changed without breaking what others hold."""
    review, permit = tables.review.c, tables.permit.c
    conditions = snapshot.execute(
        select(permit.id)
        .join(tables.review, review.case_id == permit.case_id)
        .where(review.person == person, review.verdict == "approve", review.conditions != "[]")
        .distinct()
    )
    found = [f"the conditions in {row[0]}, which targets hold signed" for row in conditions]
    return [*found, "copies of releases, their manifests and bound reports, as they were submitted"]


def _names(workspace: Workspace, person: str) -> Names:
    listed = workspace.everybody.people.get(person)
    return Names(person, () if listed is None else listed.git_emails)


def _requester(snapshot: Snapshot, person: str) -> str | None:
    table = tables.erasure_request.c
    row = snapshot.execute(select(table.requester).where(table.person == person)).first()
    return None if row is None else str(row[0])


def _ask(tx: Transaction, workspace: Workspace, person: str, reason: str, now: datetime) -> None:
    row = {"person": person, "requester": workspace.actor.person, "at": to_text(now)}
    tx.execute(insert(tables.erasure_request), row)
    record(
        tx, "erasure.requested", Subject("person", person), workspace.actor, now,
        {"reason": reason}, outcome="done", notify=("data-steward", "compliance"),
    )  # fmt: skip


def _erase(
    tx: Transaction,
    workspace: Workspace,
    names: Names,
    actor: Actor,
    now: datetime,
    *,
    replayed: bool = False,
) -> None:
    person = names.person
    request = tables.erasure_request
    tx.execute(delete(request).where(request.c.person == person))
    pseudonym = erasure.pseudonym_of(tx, person)
    if pseudonym is None:
        raise ConflictError(
            f"{person} was erased by somebody else meanwhile",
            code="people/erased",
            advice="Nothing was changed.",
        )
    words = erasure.erase_words(tx, pseudonym)
    rewritten = rewrite(tx, names, pseudonym)
    forget_salt(tx, person)
    restated, dossiers = list(words.restated.items()), list(rewritten.dossiers.items())
    first = None
    for begin in range(0, max(len(restated), len(dossiers), 1), MOST_IN_AN_EVENT):
        end = begin + MOST_IN_AN_EVENT
        payload: dict[str, object] = {
            "entries": words.entries if begin == 0 else 0,
            "rows": rewritten.total if begin == 0 else 0,
            "restated": dict(restated[begin:end]),
            "dossiers": dict(dossiers[begin:end]),
        }
        if replayed:
            payload["replayed"] = True
        subject = Subject("person", person)
        outcome = "repeated" if replayed else "done"
        appended = append(tx, Event("person.erased", subject, actor, now, payload, outcome))
        first = appended.seq if first is None else first
    erasure.forget(tx, pseudonym, first or 0, now)
    take_out(workspace.home / "people.yaml", person)
    (workspace.home / "shown" / f"{person}.json").unlink(missing_ok=True)
    bury(workspace.vault, erasure.identity(tx), person, pseudonym, to_text(now))


def _finish(workspace: Workspace) -> None:
    """Write the files that are made from the database again, and overwrite freed pages."""
    with workspace.store.read() as snapshot:
        names = [row[0] for row in snapshot.execute(select(tables.workload.c.name))]
    for name in names:
        refresh_snapshot(workspace, name)
    if not scrub(workspace.store):
        _LOG.warning(
            "What was erased may still be in old row versions, the write-ahead log, replicas and "
            "backups of PostgreSQL. See the page about personal data for what to run."
        )
