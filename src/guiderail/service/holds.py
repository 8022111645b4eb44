"""Legal holds: what a court or an authority may ask for is neither erased nor removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, cast

from sqlalchemy import func, insert, select, update

from guiderail.core.errors import ConflictError, InputError
from guiderail.core.subject import Subject
from guiderail.core.time import to_text
from guiderail.ledger.erasure import pseudonym_of
from guiderail.service.journal import record
from guiderail.service.keepers import authorise_keeper
from guiderail.service.registers import transaction
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.transaction import Snapshot

Kind = Literal["case", "workload", "person", "everything"]


@dataclass(frozen=True, slots=True)
class Hold:
    """name: of the case, workload or person; empty for everything."""

    id: str
    kind: Kind
    name: str

    @property
    def covers(self) -> str:
        return f"{self.kind} {self.name}".strip()


def in_force(snapshot: Snapshot) -> list[Hold]:
    """Holds that nobody released, oldest first."""
    table = tables.legal_hold
    rows = snapshot.execute(
        select(table).where(table.c.released_at.is_(None)).order_by(table.c.number)
    ).mappings()
    return [Hold(row["id"], cast(Kind, row["kind"]), row["name"]) for row in rows]


def place(workspace: Workspace, kind: Kind, name: str, reason: str) -> dict[str, Any]:
    """Hold everything about a case, a workload or a person, or all there is.

    Raises RefusedError for who does not keep records, InputError for a name that is not known or
    no reason.
    """
    _refuse_no_reason(reason)
    authorise_keeper(workspace, "a legal hold")
    now, table = workspace.clock(), tables.legal_hold
    with transaction(workspace) as tx:
        _refuse_unknown(tx, workspace, kind, name)
        number = (tx.execute(select(func.max(table.c.number))).scalar() or 0) + 1
        hold = Hold(f"hold-{number:04d}", kind, name)
        tx.execute(
            insert(table).values(
                id=hold.id,
                number=number,
                kind=kind,
                name=name,
                placed_by=workspace.actor.person,
                placed_at=to_text(now),
            )
        )
        covers = hold.covers
        if kind == "person":
            covers = f"person {pseudonym_of(tx, name) or 'without entries'}"
        record(
            tx, "hold.placed", Subject("log", workspace.keyring.origin), workspace.actor, now,
            {"hold": hold.id, "covers": covers, "reason": reason.strip()}, outcome="done",
        )  # fmt: skip
    return {"hold": hold.id, "covers": hold.covers}


def release(workspace: Workspace, hold_id: str, reason: str) -> dict[str, Any]:
    """End a hold. Raises as `place`, and ConflictError where it was released before."""
    _refuse_no_reason(reason)
    authorise_keeper(workspace, hold_id)
    now, table = workspace.clock(), tables.legal_hold
    with transaction(workspace) as tx:
        row = tx.execute(select(table).where(table.c.id == hold_id)).mappings().first()
        if row is None:
            raise InputError(
                f"there is no legal hold {hold_id!r}",
                code="hold/unknown",
                advice="`guiderail ledger holds` lists them.",
            )
        if row["released_at"] is not None:
            raise ConflictError(
                f"{hold_id} was released before",
                code="hold/released",
                advice="Nothing was changed.",
            )
        tx.execute(update(table).where(table.c.id == hold_id).values(released_at=to_text(now)))
        record(
            tx, "hold.released", Subject("log", workspace.keyring.origin), workspace.actor, now,
            {"hold": hold_id, "reason": reason.strip()}, outcome="done",
        )  # fmt: skip
    return {"hold": hold_id, "covers": Hold(hold_id, row["kind"], row["name"]).covers}


def list_holds(workspace: Workspace) -> dict[str, Any]:
    with workspace.store.read() as snapshot:
        return {"holds": [{"hold": one.id, "covers": one.covers} for one in in_force(snapshot)]}


def _refuse_unknown(tx: Snapshot, workspace: Workspace, kind: Kind, name: str) -> None:
    if kind == "person":
        known = name in workspace.register.people or pseudonym_of(tx, name) is not None
    elif kind == "everything":
        known = not name
    else:
        column = tables.case_record.c.id if kind == "case" else tables.workload.c.name
        known = tx.execute(select(column).where(column == name)).first() is not None
    if not known:
        raise InputError(
            f"there is no {kind} {name!r}".strip(),
            code="hold/nothing",
            advice="`guiderail status` lists workloads and cases, people.yaml the people.",
        )


def _refuse_no_reason(reason: str) -> None:
    if not reason.strip():
        raise InputError(
            "a legal hold needs a reason",
            code="hold/reason",
            advice="Give it with --reason; name the proceeding, not the people in it.",
        )
