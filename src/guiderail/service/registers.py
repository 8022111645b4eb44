"""The registers of a workspace (people, features, ceilings, columns), recorded as they change.

They are YAML files that people edit. A use case must never rest on a version of them that nobody
can look at later: `transaction` begins the transaction of every use case by recording what changed
since the last one, as one event for each register. The recorded bytes name people by pseudonyms and
lie in the blob store; the ledger names them by digest.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select

from guiderail.core.digest import Digest, canonical_json, decimal_string, json_digest
from guiderail.core.errors import ConflictError
from guiderail.core.subject import Actor, Subject
from guiderail.core.time import to_text
from guiderail.ledger.append import pseudonyms
from guiderail.ledger.events import Evidence
from guiderail.people.register import Person
from guiderail.service.journal import record
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.columns import column_bytes
from guiderail.store.transaction import Snapshot, Transaction
from guiderail_verify.registers import CHANGED, REGISTER, committed, name_key

SALT_BYTES = 32


@contextmanager
def transaction(workspace: Workspace, *, alone: bool = False) -> Iterator[Transaction]:
    """The transaction of one use case, which rests on registers that the ledger knows.

    alone: for a use case that writes outside the database too, as `Store.transaction` says.
    Raises ConflictError where a register is edited at this moment, and as `Store.transaction`.
    """
    with workspace.store.transaction(alone=alone) as tx:
        record_registers(tx, workspace, workspace.actor)
        yield tx


def record_registers(tx: Transaction, workspace: Workspace, actor: Actor) -> None:
    """Record every register that differs from the version that was recorded last."""
    known = _last(tx)
    for name, register in _REGISTERS.items():
        written = register.written(workspace)
        source = json_digest(written)
        if source == known.get(name, (None, None))[0]:
            continue
        _refuse_edited(workspace, name, source)
        recorded = register.recorded(tx, written)
        digest = workspace.blobs.put_bytes(canonical_json(recorded))
        _record(tx, workspace, actor, name, source, digest, known.get(name, (None, None))[1])


def _record(
    tx: Transaction,
    workspace: Workspace,
    actor: Actor,
    name: str,
    source: Digest,
    digest: Digest,
    before: str | None,
) -> None:
    now: datetime = workspace.clock()
    tx.execute(
        insert(tables.register_version).values(
            register=name, source=source, digest=digest, at=to_text(now)
        )
    )
    record(
        tx,
        CHANGED,
        Subject("register", name, digest),
        actor,
        now,
        {"register": name, "digest": digest, "before": before},
        outcome="recorded",
        evidence=[Evidence("register", REGISTER, digest)],
    )


def _last(tx: Snapshot) -> dict[str, tuple[str, str]]:
    """Register -> source and digest of the version that was recorded last."""
    table = tables.register_version
    newest = select(func.max(table.c.id)).group_by(table.c.register)
    rows = tx.execute(select(table).where(table.c.id.in_(newest))).mappings()
    return {row["register"]: (row["source"], row["digest"]) for row in rows}


def _refuse_edited(workspace: Workspace, name: str, source: Digest) -> None:
    """What was read when the command began must still be what the file says."""
    fresh = Workspace(workspace.home, workspace.demo, workspace.act_as, workspace.clock)
    if json_digest(_REGISTERS[name].written(fresh)) != source:
        raise ConflictError(
            f"{name}.yaml was changed while the command ran",
            code="register/edited",
            advice="Repeat the command: it then rests on the file as it is now.",
        )


@dataclass(frozen=True, slots=True)
class _Register:
    """written: what the file says. recorded: the same with pseudonyms instead of people."""

    written: Callable[[Workspace], Any]
    recorded: Callable[[Transaction, Any], dict[str, Any]]


def _written_people(workspace: Workspace) -> list[dict[str, Any]]:
    people: Iterable[Person] = workspace.register.people.values()
    return [one.model_dump(mode="json") for one in people]


def _recorded_people(tx: Transaction, written: list[dict[str, Any]]) -> dict[str, Any]:
    names = pseudonyms(tx, [row["id"] for row in written])
    salts = _salts(tx, names)
    rows = [
        {
            "person": names[row["id"]],
            "roles": row["roles"],
            "competence": row["competence"],
            "manager": None if row["manager"] is None else names[row["manager"]],
            "known_as": committed(name_key(salts[row["id"]]), row["id"]),
            "identity": committed(
                salts[row["id"]], {part: row[part] for part in ("name", "os_users", "git_emails")}
            ),
        }
        for row in written
    ]
    return {"v": 1, "register": "people", "people": sorted(rows, key=lambda row: row["person"])}


def _salts(tx: Transaction, people: Iterable[str]) -> dict[str, bytes]:
    table = tables.register_salt
    rows = tx.execute(select(table.c.person, table.c.salt))
    found = {str(person): column_bytes(salt) for person, salt in rows}
    for person in sorted(set(people) - found.keys()):
        found[person] = secrets.token_bytes(SALT_BYTES)
        tx.execute(insert(table).values(person=person, salt=found[person]))
    return found


def forget_salt(tx: Transaction, person: str) -> None:
    """Recorded registers no longer show whom a pseudonym was: nobody can try names any more."""
    table = tables.register_salt
    tx.execute(delete(table).where(table.c.person == person))


def _written_features(workspace: Workspace) -> list[dict[str, Any]]:
    return [
        {"name": one.name, "type": one.type, "approved_by": one.approved_by,
         "until": to_text(one.until)}
        for one in workspace.features.values()
    ]  # fmt: skip


def _written_ceilings(workspace: Workspace) -> list[dict[str, Any]]:
    return [
        {"workload": name, "per_month": decimal_string(one.per_month), "currency": one.currency,
         "approved_by": one.approved_by, "until": to_text(one.until)}
        for name, one in workspace.written_ceilings.items()
    ]  # fmt: skip


def _written_columns(workspace: Workspace) -> dict[str, Any] | None:
    known = workspace.columns
    if known is None:
        return None
    return {
        "columns": [
            {"name": name, "class": one.cls, "kind": one.kind, "said_by": one.said_by}
            for name, one in known.columns.items()
        ],
        "words": [
            {"class": rule.cls, "kind": rule.kind, "words": list(rule.phrases)}
            for rule in known.rules
        ],
    }


def _approved(name: str) -> Callable[[Transaction, list[dict[str, Any]]], dict[str, Any]]:
    """Rows that somebody approved, with the pseudonym of that person."""

    def recorded(tx: Transaction, written: list[dict[str, Any]]) -> dict[str, Any]:
        names: Mapping[str, str] = pseudonyms(tx, [row["approved_by"] for row in written])
        rows = [{**row, "approved_by": names[row["approved_by"]]} for row in written]
        return {"v": 1, "register": name, name: rows}

    return recorded


def _columns(_: Transaction, written: dict[str, Any] | None) -> dict[str, Any]:
    return {"v": 1, "register": "columns", "columns": written}


_REGISTERS: Mapping[str, _Register] = {
    "people": _Register(_written_people, _recorded_people),
    "features": _Register(_written_features, _approved("features")),
    "ceilings": _Register(_written_ceilings, _approved("ceilings")),
    "columns": _Register(_written_columns, _columns),
}
