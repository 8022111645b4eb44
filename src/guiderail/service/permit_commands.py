"""Take back one permit by hand, and hand out the state of permits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from guiderail.core.errors import ConflictError, InputError, RefusedError
from guiderail.core.scales import Track
from guiderail.review import cases
from guiderail.review.authz import Action, Matter
from guiderail.service.authorise import authorise
from guiderail.service.permit_states import current_state
from guiderail.service.permits import ENVIRONMENT
from guiderail.service.records import workload_row
from guiderail.service.registers import transaction
from guiderail.service.take_back import push_revocations, take_back_permit
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail_verify.permit_state import open_state


def revoke(
    workspace: Workspace, permit: str, reason: str, *, stop_serving: bool = False
) -> dict[str, Any]:
    """Take a permit back; the local target is told, and the signed state says it to others.

    stop_serving: also where its release serves production now, which then answers 503.
    Raises InputError for an unknown permit, RefusedError `permit/serves` for one that serves,
    ConflictError where it was taken back before.
    """
    if not reason.strip():
        raise InputError(
            "There is no reason.",
            advice="Say in a sentence why; the submitter and auditors read it.",
            code="permit/no-reason",
        )
    now, table = workspace.clock(), tables.permit
    with transaction(workspace) as tx:
        row = tx.execute(select(table).where(table.c.id == permit)).mappings().first()
        if row is None:
            raise InputError(
                f"There is no permit {permit!r}.",
                advice="`guiderail case show CASE` names the permit of a case.",
                code="permit/unknown",
            )
        case = cases.load(tx, row["case_id"])
        matter = Matter(case.id, case.kind, Track(case.track), case.submitter)
        authorise(workspace, Action.REVOKE, matter)
        if row["revoked_at"] is not None:
            raise ConflictError(
                f"{permit} was taken back already.",
                advice="Nothing has to be done.",
                code="permit/revoked",
            )
        live = workload_row(tx, case.workload)
        if live and live["production_digest"] == row["release_digest"] and not stop_serving:
            raise RefusedError(
                f"The release of {permit} serves production now; without its permit it stops.",
                code="permit/serves",
                advice=f"Go back first with `guiderail rollback {case.workload}`, or repeat with "
                "--stop-serving if no answer is better than this one.",
            )
        take_back_permit(tx, case, permit, ENVIRONMENT, workspace.actor, reason, now)
    push_revocations(workspace)
    return {"permit": permit, "case": case.id, "workload": case.workload, "revoked": True}


def state(workspace: Workspace, valid_for: timedelta | None = None) -> bytes:
    """The newest signed state of permits, verbatim. valid_for: a new one that lasts so long."""
    found = current_state(workspace, ENVIRONMENT, on_demand=True, valid_for=valid_for)
    if found is None:
        raise AssertionError("a state is issued on demand")
    return found


def state_document(workspace: Workspace, envelope: bytes) -> dict[str, Any]:
    """A state in words and figures."""
    from guiderail.attest.keys import read_trusted

    said = open_state(envelope, read_trusted(workspace.home), environment=ENVIRONMENT)
    return {
        "log": said.origin,
        "version": said.version,
        "log_size": said.log_size,
        "revoked": sorted(said.revoked),
        "ended_keys": [key.to_json() for key in said.ended],
        "issued_at": said.issued_at.isoformat(),
        "valid_until": said.valid_until.isoformat(),
        "envelope": envelope.decode("utf-8"),
    }
