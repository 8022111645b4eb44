"""Remove records whose time is over. A case goes as a whole or not at all."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select

from guiderail.core.subject import Subject
from guiderail.core.time import from_text, to_text
from guiderail.ledger.append import append
from guiderail.ledger.events import Event
from guiderail.ledger.prune import remove_entries
from guiderail.ledger.seal import seal
from guiderail.review.states import ENDS, State
from guiderail.service.holds import in_force
from guiderail.service.keepers import authorise_keeper
from guiderail.service.registers import transaction
from guiderail.service.retention import Retention, load_retention
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.columns import column_bytes
from guiderail.store.scrub import mark_scrub, scrub
from guiderail.store.transaction import Snapshot, Transaction
from guiderail_verify.gone import runs_of

MOST_RUNS = 5000
"""How many runs one event names; more go into further events."""

_ENDED = ENDS | {State.RETIRED, State.ROLLED_BACK}
_BASELINES = (
    "production_digest", "previous_digest", "reviewed_digest", "full_review_digest", "first_digest",
)  # fmt: skip
_OF_A_CASE = (
    tables.answer, tables.review, tables.permit, tables.rollout, tables.dossier, tables.evidence,
)  # fmt: skip


@dataclass(slots=True)
class Expired:
    """entries: ascending. classes: class -> entries. held: cases that only a hold keeps."""

    entries: list[int] = field(default_factory=list)
    cases: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    notifications: int = 0
    classes: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Row:
    seq: int
    type: str
    at: datetime
    case: str | None
    workload: str


def prune(
    workspace: Workspace, *, at: datetime | None = None, dry_run: bool = False
) -> dict[str, Any]:
    """Remove what has expired by now, or by an earlier moment `at`.

    Only what a checkpoint covers is removed, so the log is sealed first. Kept as a whole: cases
    that are open or live, what a workload is compared with, the newest case, and whatever a legal
    hold covers. Raises RefusedError for who does not keep records.
    """
    authorise_keeper(workspace, "old records")
    now = workspace.clock()
    moment = min(at or now, now)
    loaded = load_retention(workspace.home)
    if dry_run:
        with workspace.store.read() as snapshot:
            found = _expired(snapshot, loaded.retention, moment)
    else:
        seal(workspace.store, workspace.keyring, now)
        with transaction(workspace) as tx:
            found = _expired(tx, loaded.retention, moment)
            if found.entries or found.notifications:
                _remove(tx, workspace, loaded.retention, found, moment, now)
        if found.entries or found.notifications:
            scrub(workspace.store)
    return {
        "at": to_text(moment),
        "retention": str(loaded.path),
        "verified_on": loaded.retention.verified_on.isoformat(),
        "entries": len(found.entries),
        "cases": found.cases,
        "held": found.held,
        "notifications": found.notifications,
        "classes": dict(sorted(found.classes.items())),
        "done": not dry_run,
    }


def _expired(tx: Snapshot, retention: Retention, moment: datetime) -> Expired:
    found = Expired()
    by_case: dict[str, list[_Row]] = {}
    for row in _entries(tx):
        if row.case is not None:
            by_case.setdefault(row.case, []).append(row)
        elif _is_over(retention, [row], moment):
            _take(found, retention, [row])
    holds = in_force(tx)
    if any(hold.kind == "everything" for hold in holds):
        return Expired(held=["everything"])
    held_people = {hold.name for hold in holds if hold.kind == "person"}
    held = {(hold.kind, hold.name) for hold in holds}
    found.entries = [] if held_people else found.entries
    found.classes = Counter() if held_people else found.classes
    kept = _kept_cases(tx)
    for case, rows in by_case.items():
        if case in kept or not _is_over(retention, rows, moment):
            continue
        if ("case", case) in held or ("workload", rows[0].workload) in held or held_people:
            found.held.append(case)
            continue
        found.cases.append(case)
        _take(found, retention, rows)
    found.entries.sort()
    found.notifications = len(_notifications(tx, retention, moment))
    return found


def _entries(tx: Snapshot) -> Iterable[_Row]:
    """What is still there and sealed."""
    sealed = tx.execute(select(func.max(tables.log_checkpoint.c.size))).scalar() or 0
    entry, index = tables.log_entry.c, tables.log_index.c
    rows = tx.execute(
        select(entry.seq, entry.body, index.type, index.case_id, index.subject_name)
        .join(tables.log_index, index.seq == entry.seq)
        .where(entry.seq < sealed)
        .order_by(entry.seq)
    )
    for seq, body, type_, case, name in rows:
        if content := column_bytes(body):
            yield _Row(int(seq), type_, from_text(json.loads(content)["at"]), case, name)


def _is_over(retention: Retention, rows: list[_Row], moment: datetime) -> bool:
    """Has every class of these entries expired since the last of them?"""
    last = max(row.at for row in rows)
    classes = [retention.of_event(row.type) for row in rows]
    return all(one is not None and last < one.kept_since(moment) for one in classes)


def _take(found: Expired, retention: Retention, rows: list[_Row]) -> None:
    for row in rows:
        found.entries.append(row.seq)
        one = retention.of_event(row.type)
        found.classes[one.id if one else ""] += 1


def _kept_cases(tx: Snapshot) -> set[str]:
    """Cases that something still rests on."""
    workload, case = tables.workload.c, tables.case_record.c
    baselines = {
        digest
        for row in tx.execute(select(*(workload[name] for name in _BASELINES)))
        for digest in row
        if digest is not None
    }
    rows = tx.execute(select(case.id, case.state, case.release_digest).order_by(case.number)).all()
    kept = {
        str(id_) for id_, state, digest in rows if State(state) not in _ENDED or digest in baselines
    }
    return kept | {str(rows[-1][0])} if rows else kept


def _notifications(tx: Snapshot, retention: Retention, moment: datetime) -> list[int]:
    one = next((one for one in retention.classes if "outbox" in one.tables), None)
    if one is None:
        return []
    table = tables.outbox.c
    before = to_text(one.kept_since(moment))
    return [row[0] for row in tx.execute(select(table.id).where(table.created_at < before))]


def _remove(
    tx: Transaction,
    workspace: Workspace,
    retention: Retention,
    found: Expired,
    moment: datetime,
    now: datetime,
) -> None:
    for case in found.cases:
        for table in _OF_A_CASE:
            tx.execute(delete(table).where(table.c.case_id == case))
        tx.execute(delete(tables.case_record).where(tables.case_record.c.id == case))
    for row in _notifications(tx, retention, moment):
        tx.execute(delete(tables.outbox).where(tables.outbox.c.id == row))
    runs = runs_of(found.entries)
    subject = Subject("log", workspace.keyring.origin)
    for begin in range(0, max(len(runs), 1), MOST_RUNS):
        part = runs[begin : begin + MOST_RUNS]
        removed = [seq for first, last in part for seq in range(first, last + 1)]
        payload: Mapping[str, object] = {
            "entries": len(removed),
            "runs": part,
            "classes": dict(sorted(found.classes.items())),
            "cases": len(found.cases),
        }
        event = Event("records.pruned", subject, workspace.actor, now, payload)
        remove_entries(tx, removed, append(tx, event).seq)
    mark_scrub(tx)
