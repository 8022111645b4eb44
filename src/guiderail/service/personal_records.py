"""Every place outside the ledger's vault where a person stands, and how it is taken out.

A name becomes the pseudonym that the ledger uses, so that a review still is one review by somebody
in that role, and two reviews by one person still are by one. What the person wrote is emptied.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Column, Table, delete, func, or_, select, update

from guiderail.core.digest import canonical_json, json_digest
from guiderail.service.answers import SAID_BY
from guiderail.service.registers import forget_salt
from guiderail.store import tables
from guiderail.store.columns import column_bytes
from guiderail.store.transaction import Snapshot, Transaction

NAMED: Final[tuple[tuple[Table, str, Mapping[str, object]], ...]] = (
    (tables.case_record, "submitter", {"source_dir": ""}),
    (tables.answer, "person", {}),
    (tables.review, "person", {"reason": None, "conditions": "[]"}),
    (tables.data_approval, "person", {}),
    (tables.confirmed_profile, "person", {}),
    (tables.policy_change, "author", {"reason": ""}),
    (tables.policy_vote, "person", {"reason": ""}),
    (tables.legal_hold, "placed_by", {}),
    (tables.erasure_request, "requester", {}),
    (tables.signer, "person", {}),
)
"""Tables with the column that names a person, and what they wrote in the same row."""

DOCUMENTS: Final = ("facts", "answers", "decision")


@dataclass(slots=True)
class Rewritten:
    """rows: table -> how many name the person. dossiers: digest -> digest of what was left."""

    rows: dict[str, int] = field(default_factory=dict)
    dossiers: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.rows.values()) + len(self.dossiers)


@dataclass(frozen=True, slots=True)
class Names:
    """How a person is written: the id, and addresses of commits."""

    person: str
    emails: tuple[str, ...] = ()

    @property
    def all(self) -> frozenset[str]:
        return frozenset((self.person, *(f"email:{one.lower()}" for one in self.emails)))


def count_rows(snapshot: Snapshot, names: Names) -> Rewritten:
    """What `rewrite` would change."""
    found = Rewritten()
    for table, column, _ in NAMED:
        statement = select(func.count()).select_from(table).where(table.c[column] == names.person)
        _note(found, table, snapshot.execute(statement).scalar_one())
    _note(found, tables.policy_change, len(list(_shared_changes(snapshot, names))))
    _note(found, tables.outbox, len(list(_notifications(snapshot, names))))
    for digest, _, left in _dossiers(snapshot, names, "(erased)"):
        found.dossiers[digest] = left
    return found


def rewrite(tx: Transaction, names: Names, pseudonym: str) -> Rewritten:
    """Take the person out of every table but those of the ledger and its vault."""
    found = Rewritten()
    for table, column, emptied in NAMED:
        changed = tx.execute(
            update(table)
            .where(table.c[column] == names.person)
            .values({column: pseudonym, **emptied})
        )
        _note(found, table, changed.rowcount)
    for change, people in list(_shared_changes(tx, names)):
        kept = sorted({pseudonym if one in names.all else one for one in people})
        table = tables.policy_change
        statement = update(table).where(table.c.id == change)
        tx.execute(statement.values(contributors=json.dumps(kept)))
        _note(found, table, 1)
    forget_salt(tx, names.person)
    hold = tables.legal_hold
    tx.execute(
        update(hold)
        .where(hold.c.kind == "person", hold.c.name == names.person)
        .values(name=pseudonym)
    )
    for row in list(_notifications(tx, names)):
        tx.execute(delete(tables.outbox).where(tables.outbox.c.id == row))
        _note(found, tables.outbox, 1)
    for digest, documents, left in list(_dossiers(tx, names, pseudonym)):
        statement = update(tables.dossier).where(tables.dossier.c.digest == digest)
        tx.execute(statement.values(left_digest=left, **documents))
        found.dossiers[digest] = left
    return found


def _note(found: Rewritten, table: Table, count: int) -> None:
    if count:
        found.rows[table.name] = found.rows.get(table.name, 0) + count


def _mentions(column: Column[Any], names: Names) -> Any:
    return or_(*(column.contains(one, autoescape=True) for one in sorted(names.all)))


def _shared_changes(snapshot: Snapshot, names: Names) -> Iterator[tuple[str, list[str]]]:
    table = tables.policy_change.c
    statement = select(table.id, table.contributors).where(_mentions(table.contributors, names))
    for change, text in snapshot.execute(statement).all():
        people = json.loads(text)
        if names.all & set(people):
            yield str(change), people


def _notifications(snapshot: Snapshot, names: Names) -> Iterator[int]:
    table = tables.outbox.c
    for row, body in snapshot.execute(
        select(table.id, table.body).where(_mentions(table.body, names))
    ).all():
        told = json.loads(body)
        if names.person in (told.get("to"), told.get("subject")):
            yield int(row)


def _dossiers(
    snapshot: Snapshot, names: Names, instead: str
) -> Iterator[tuple[str, dict[str, bytes], str]]:
    """Digest, documents without the person, and the digest that they give."""
    wanted = [one.encode("utf-8") for one in names.all]
    for row in snapshot.execute(select(tables.dossier)).mappings().all():
        before = {name: column_bytes(row[name]) for name in DOCUMENTS}
        if not any(one in data for one in wanted for data in before.values()):
            continue
        after = {
            name: canonical_json(_without(json.loads(data), names, instead))
            for name, data in before.items()
        }
        if after == before:
            continue
        people = json.loads(after["answers"])
        left = json_digest(
            {
                "release": row["release_digest"],
                "facts": json.loads(after["facts"]),
                "answers": people,
                "pack": row["pack_digest"],
                "decision": json_digest(json.loads(after["decision"])),
            }
        )
        yield str(row["digest"]), after, left


def _without(value: Any, names: Names, instead: str) -> Any:
    if isinstance(value, str):
        if value in names.all:
            return instead
        said = f"{SAID_BY} {names.person} in "
        return f"{SAID_BY} {instead} in {value[len(said) :]}" if value.startswith(said) else value
    if isinstance(value, list):
        return [_without(item, names, instead) for item in value]
    if isinstance(value, dict):
        return {key: _without(item, names, instead) for key, item in value.items()}
    return value
