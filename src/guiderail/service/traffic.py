"""From the store to the target: what should run, written out and applied.

The store says what should run; the target follows. Applying twice is the same as once, so every
use case may apply again after a crash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, select, update

from guiderail.core.digest import Digest
from guiderail.core.errors import ConflictError, InputError, RefusedError
from guiderail.core.time import to_text
from guiderail.manifest.load import load_release
from guiderail.manifest.schema import ModelManifest
from guiderail.rollout.desired import Arm, release_document
from guiderail.rollout.folder import write_atomically
from guiderail.rollout.local import LocalTarget
from guiderail.rollout.steps import Position, RolloutState
from guiderail.service.permits import ENVIRONMENT, complete_proofs, permit_of_release
from guiderail.service.records import workload_row
from guiderail.service.snapshot import release_folder
from guiderail.service.take_back import push_revocations
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.transaction import Snapshot, Transaction

OFF = "off"
"""What a rollback names to serve nothing: the answer is then 503 until something is deployed."""


@dataclass(frozen=True, slots=True)
class RolloutRow:
    """A rollout in the store. `steps` are percents of the new version."""

    id: str
    case: str | None
    workload: str
    kind: str
    from_digest: str | None
    to_digest: str
    position: Position


def target(workspace: Workspace) -> LocalTarget:
    return LocalTarget(workspace.home, ENVIRONMENT, workspace.require_state)


def active_rollout(tx: Snapshot, workload: str) -> RolloutRow | None:
    """The rollout or rollback of a workload that is under way."""
    rows = tx.execute(
        select(tables.rollout)
        .where(tables.rollout.c.workload == workload)
        .where(tables.rollout.c.state.in_((RolloutState.ROLLING.value, RolloutState.PAUSED.value)))
        .order_by(tables.rollout.c.started_at.desc())
    ).mappings()
    row = rows.first()
    return rollout_from_row(row) if row else None


def under_way(other: RolloutRow) -> ConflictError:
    """One move of traffic at a time: what is under way, interrupted or not, is finished first."""
    name = other.workload
    words, advice = "rollback", f"Finish it with `guiderail rollback {name}`."
    if other.kind == "deploy":
        end = f"`guiderail rollout abort {name} --reason WHY`"
        words = "rollout"
        advice = f"Finish it with `guiderail rollout advance {name}`, or end it with {end}."
    return ConflictError(
        f"a {words} of {name} is under way", code="rollout/under-way", advice=advice
    )


def end_rollback(tx: Transaction, rollback: str, state: RolloutState, now: datetime) -> bool:
    """End the rollback with this id; False when somebody else did."""
    changed = tx.execute(
        update(tables.rollout)
        .where(tables.rollout.c.id == rollback)
        .where(tables.rollout.c.state == RolloutState.ROLLING.value)
        .values(state=state.value, updated_at=to_text(now))
    )
    return changed.rowcount == 1


def rollout_from_row(row: RowMapping) -> RolloutRow:
    steps = tuple(int(part) for part in row["steps"].split(","))
    return RolloutRow(
        row["id"],
        row["case_id"],
        row["workload"],
        row["kind"],
        row["from_digest"],
        row["to_digest"],
        Position(steps, row["step"], RolloutState(row["state"])),
    )


def desired_shares(tx: Snapshot, workload: str) -> tuple[tuple[str, int, bool, bool], ...]:
    """(digest, percent, canary, restore) of every version that should run now."""
    row = workload_row(tx, workload)
    production = row["production_digest"] if row else None
    rollout = active_rollout(tx, workload)
    if rollout is None or rollout.kind == "rollback":
        wanted = rollout.to_digest if rollout else production
        if wanted == OFF:
            return ()
        # What once was permitted stays permitted: only a first start has a latest moment.
        return ((wanted, 100, False, True),) if wanted else ()
    percent = rollout.position.percent
    if production is None:
        return ((rollout.to_digest, 100, False, False),) if percent else ()
    if percent == 100:
        return ((rollout.to_digest, 100, False, False),)
    return ((production, 100 - percent, False, True), (rollout.to_digest, percent, True, False))


def apply(workspace: Workspace, workload: str) -> None:
    """Make the local target serve what the store says.

    What was taken back is told first, so that a process that dies in between leaves nothing
    running that may not. Raises RefusedError when the target refuses a version; it then serves
    what it served before.
    """
    complete_proofs(workspace)
    push_revocations(workspace)
    with workspace.store.read() as snapshot:
        shares = desired_shares(snapshot, workload)
        arms = [_arm(workspace, snapshot, workload, *share) for share in shares]
    local = target(workspace)
    local.start_gateway()
    local.apply(workload, arms, salt=workload)


def served_isolation(workspace: Workspace, workload: str, digest: str) -> Mapping[str, object]:
    """What the model server of this version is walled off from, for the ledger.

    `unknown` with a reason where the target does not serve it at this moment.
    """
    seen = target(workspace).gateway_status().workload(workload)
    arm = seen.arm(digest) if seen is not None else None
    if arm is None or arm.isolation is None:
        return {"unknown": "the target did not serve it when this was recorded"}
    return arm.isolation


def reconcile(workspace: Workspace, workload: str) -> None:
    """Bring the target in line with the store after a command that died between the two.

    A command that finds nothing to do calls it before it says so. A workload that was never
    served has nothing at the target; then only what was taken back is told.
    """
    with workspace.store.read() as snapshot:
        rollouts = select(tables.rollout.c.id).where(tables.rollout.c.workload == workload)
        ever_served = snapshot.execute(rollouts).first() is not None
    if ever_served:
        apply(workspace, workload)
    else:
        push_revocations(workspace)


def _arm(
    workspace: Workspace,
    tx: Snapshot,
    workload: str,
    digest: str,
    percent: int,
    canary: bool,
    restore: bool,
) -> Arm:
    permit = permit_of_release(tx, workload, digest)
    if permit is None:
        raise RefusedError(
            f"release {digest} never had a permit",
            code="deploy/no-permit",
            advice="Submit it and have it approved first.",
        )
    release = load_release(release_folder(workspace.releases, digest))
    if not isinstance(release.manifest, ModelManifest):
        raise InputError(
            f"the local target serves models; {workload} is a {release.manifest.kind}",
            code="deploy/kind",
            advice="Choose a target that can run it.",
        )
    folder = target(workspace).folder.root / "permits"
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        folder / f"{permit.id}.dsse.json": permit.envelope,
        folder / f"{permit.id}.tlog-proof": permit.proof.encode(),
        folder / f"{permit.id}.release.json": release_document(release),
    }
    for path, content in files.items():
        if not path.exists() or path.read_bytes() != content:
            write_atomically(path, content)
    envelope, proof, document = files
    return Arm(
        digest=Digest(digest),
        weight=percent,
        environment=ENVIRONMENT,
        release_file=document,
        model_file=release.path(release.manifest.model.file),
        permit_file=envelope,
        proof_file=proof,
        canary=canary,
        restore=restore,
    )
