"""The law of looking back: the ledger, replayed to its end, says what the tables say now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guiderail.core.time import to_text
from guiderail.service.as_of import told_entries
from guiderail.service.policy_in_force import recorded
from guiderail.service.traffic import active_rollout
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail_verify.as_of import standing_at

Said = Mapping[str, Mapping[str, Any]]


def by_the_ledger(workspace: Workspace) -> Said:
    with workspace.store.read() as snapshot:
        standing = standing_at(told_entries(snapshot))
    at = to_text(workspace.clock())
    assert standing.untold == []
    return {
        "cases": {
            one.id: (one.workload, one.release, one.dossier, one.tier, one.track, one.state)
            for one in standing.cases.values()
        },
        "production": {name: one for name, one in standing.production.items() if one},
        "previous": {name: one for name, one in standing.previous.items() if one},
        "rollouts": {
            name: (one.id, one.kind, one.from_digest, one.to_digest, one.percent)
            for name, one in standing.rollouts.items()
        },
        "permits": dict(standing.permits),
        "policy": {
            one.kind: (one.digest, one.effective_at) for one in standing.policy_in_force(at)
        },
        "registers": {name: digest for name, (_, digest) in standing.registers.items()},
    }


def by_the_tables(workspace: Workspace) -> Said:
    now = workspace.clock()
    with workspace.store.read() as snapshot:
        rows = {
            table.name: list(snapshot.execute(table.select()).mappings())
            for table in (
                tables.case_record, tables.workload, tables.permit, tables.register_version
            )
        }  # fmt: skip
        moving = {one["name"]: active_rollout(snapshot, one["name"]) for one in rows["workload"]}
        policy = recorded(snapshot, workspace)
    held = {kind: policy.at(kind, now) for kind in {one.kind for one in policy.activations}}
    return {
        "cases": {
            one["id"]: (one["workload"], one["release_digest"], one["dossier_digest"],
                        one["tier"], one["track"], one["state"])
            for one in rows["case_record"]
        },
        **{
            name: {one["name"]: one[f"{name}_digest"] for one in rows["workload"]
                   if one[f"{name}_digest"]}
            for name in ("production", "previous")
        },
        "rollouts": {
            name: (one.id, one.kind, one.from_digest, one.to_digest, one.position.percent)
            for name, one in moving.items()
            if one is not None
        },
        "permits": {
            one["id"]: (one["case_id"], one["revoked_at"] is not None) for one in rows["permit"]
        },
        "policy": {
            kind: (one.digest, to_text(one.effective_at))
            for kind, one in held.items()
            if one is not None
        },
        "registers": {
            one["register"]: one["digest"]
            for one in sorted(rows["register_version"], key=lambda row: row["id"])
        },
    }  # fmt: skip
