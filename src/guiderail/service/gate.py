"""One yes or no for schedulers and pipelines: closed unless a valid permit says otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select

from guiderail.attest.keys import read_trusted
from guiderail.core.errors import ConflictError, InputError
from guiderail.manifest.load import load_release
from guiderail.rollout.local import LocalTarget
from guiderail.service.permits import ENVIRONMENT, permit_of_release
from guiderail.service.traffic import target
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail_verify.errors import VerifyError
from guiderail_verify.permit import verify_permit


def gate(
    workspace: Workspace, directory: Path, digest: str | None, state: Path | None = None
) -> dict[str, Any]:
    """`allowed`, `reason` and `permit`. The permit is verified as a target does, from its bytes.

    state: a newer state of permits to keep first. Raises InputError where it or the one that is
    held cannot be read, RefusedError `state/...` for an older one.
    """
    local = target(workspace)
    if state is not None:
        _take(local, state)
    held = local.state()
    wanted = digest or load_release(directory).digest
    with workspace.store.read() as snapshot:
        row = snapshot.execute(
            select(tables.release_record.c.workload).where(tables.release_record.c.digest == wanted)
        ).first()
        permit = permit_of_release(snapshot, row[0], wanted) if row else None
        ran = row is not None and _ran(snapshot, row[0], wanted)
    if permit is None or permit.revoked:
        why = "its permit was taken back" if permit else "it has no permit"
        return {
            "allowed": False,
            "reason": f"Release {wanted} may not run: {why}. Submit it with guiderail submit.",
            "permit": permit.id if permit else None,
        }
    try:
        verify_permit(
            permit.envelope,
            permit.proof,
            read_trusted(workspace.home),
            environment=ENVIRONMENT,
            digest=wanted,
            now=workspace.clock(),
            restoring=ran,
            state=held,
            state_required=workspace.require_state,
        )
    except VerifyError as error:
        return {
            "allowed": False,
            "reason": f"Release {wanted} may not run: {error.reason}",
            "permit": permit.id,
        }
    return {
        "allowed": True,
        "reason": f"Release {wanted} may run: {permit.id} for {ENVIRONMENT}, of {permit.case}.",
        "permit": permit.id,
    }


def _take(local: LocalTarget, path: Path) -> None:
    try:
        envelope = path.read_bytes().removesuffix(b"\n")
    except OSError as error:
        raise InputError(
            f"The state of permits {path} cannot be read: {error.strerror}.",
            advice="Name the file that guiderail permit state wrote.",
            code="state/unreadable",
        ) from error
    try:
        local.take_state(envelope)
    except ConflictError:
        return  # it is kept; a gateway that does not answer reads it as soon as it can


def _ran(snapshot: Any, workload: str, digest: str) -> bool:
    """Whether the release was started under its permit before; then its latest start is past."""
    found = snapshot.execute(
        select(tables.rollout.c.id)
        .where(tables.rollout.c.workload == workload)
        .where(tables.rollout.c.to_digest == digest)
    ).first()
    return found is not None
