"""Take back the permit of a case that ends before its release serves everybody.

What was withdrawn, changed or aborted needs a new review; its permit must open no door until then,
neither in the store nor at the target.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from guiderail.core.errors import ConflictError
from guiderail.core.subject import Actor
from guiderail.core.time import to_text
from guiderail.review.cases import Case
from guiderail.rollout.local import LocalTarget
from guiderail.service.journal import case_subject, record
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.transaction import Snapshot, Transaction


def take_back_permits(
    tx: Transaction, case: Case, actor: Actor, reason: str, now: datetime
) -> None:
    """Revoke every permit of the case that is in force; nothing happens where there is none."""
    table = tables.permit
    found = tx.execute(
        select(table.c.id, table.c.environment)
        .where(table.c.case_id == case.id)
        .where(table.c.revoked_at.is_(None))
    ).all()
    for permit, environment in found:
        tx.execute(update(table).where(table.c.id == permit).values(revoked_at=to_text(now)))
        record(
            tx,
            "permit.revoked",
            case_subject(case),
            actor,
            now,
            {"permit": permit, "reason": reason, "case": case.id, "environment": environment},
            outcome="revoked",
        )


def revoked_permits(tx: Snapshot) -> frozenset[str]:
    """Ids of every permit that was taken back, as a target has to know them."""
    table = tables.permit
    rows = tx.execute(select(table.c.id).where(table.c.revoked_at.is_not(None)))
    return frozenset(row[0] for row in rows)


def push_revocations(workspace: Workspace) -> None:
    """Let the target know every permit that was taken back, whether or not its gateway runs.

    A gateway that does not answer reads the list by itself as soon as it can. Raises InputError
    when the list that is there cannot be read.
    """
    with workspace.store.read() as snapshot:
        revoked = revoked_permits(snapshot)
    local = LocalTarget(workspace.home)
    if revoked <= local.revoked():
        return
    try:
        local.revoke(sorted(revoked))
    except ConflictError:
        return  # the list is written before the gateway is told
