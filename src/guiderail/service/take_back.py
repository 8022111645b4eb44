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
from guiderail.service.permit_states import current_state
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.transaction import Transaction


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
        take_back_permit(tx, case, permit, environment, actor, reason, now)


def take_back_permit(
    tx: Transaction,
    case: Case,
    permit: str,
    environment: str,
    actor: Actor,
    reason: str,
    now: datetime,
) -> None:
    """Revoke one permit that is in force."""
    table = tables.permit
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


def push_revocations(workspace: Workspace) -> None:
    """Let the target know everything that was taken back, whether or not its gateway runs.

    It is told by the signed state of permits, which is issued here where something is new. A
    gateway that does not answer reads it by itself as soon as it can. Raises InputError when the
    state that is there cannot be read.
    """
    local = LocalTarget(workspace.home)
    state = current_state(workspace, local.environment, on_demand=workspace.require_state)
    if state is None or state == local.state_bytes():
        return
    try:
        local.take_state(state)
    except ConflictError:
        return  # the state is written before the gateway is told
