"""What the target serves compared with what the ledger says, as one table.

It is what the target answered when it was asked: the ledger does not record it.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from guiderail.rollout.reconcile import Permitted, differences
from guiderail.service.traffic import target
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.transaction import Snapshot
from guiderail_verify.as_of import standing_at
from guiderail_verify.audit_entries import Entry
from guiderail_verify.audit_index import table

COLUMNS = ("workload", "release", "by_the_ledger", "at_the_target", "difference", "severe")


def reconciliation(snapshot: Snapshot, workspace: Workspace, entries: Iterable[Entry]) -> str:
    """A line for each release that should have or has traffic, and one for each difference.

    Shares are percent of traffic. A target that does not run serves nothing.
    """
    status = target(workspace).gateway_status()
    wanted: dict[tuple[str, str], int] = {}
    for row in standing_at(entries).inventory():
        wanted[row.workload, row.release] = row.share
    served = {(one.workload, arm.digest): arm.share for one in status.workloads for arm in one.arms}
    permitted = [
        Permitted(
            name,
            {digest: share for (of, digest), share in wanted.items() if of == name},
            _permits(snapshot, name),
        )
        for name in sorted({name for name, _ in wanted.keys() | served.keys()})
    ]
    rows: list[tuple[object, ...]] = [
        (name, digest, wanted.get((name, digest), 0), served.get((name, digest), 0), "", "")
        for name, digest in sorted(wanted.keys() | served.keys())
    ]
    rows += [
        (one.workload, one.digest, "", "", one.sentence, "yes" if one.severe else "no")
        for one in differences(status, permitted)
    ]
    return table(COLUMNS, rows)


def _permits(snapshot: Snapshot, workload: str) -> dict[str, str]:
    """Id -> release of every permit that was not taken back."""
    permit = tables.permit
    rows = snapshot.execute(
        select(permit.c.id, permit.c.release_digest)
        .where(permit.c.workload == workload)
        .where(permit.c.revoked_at.is_(None))
    )
    return {str(name): str(digest) for name, digest in rows}
