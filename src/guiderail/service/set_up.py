"""Beginnings: a new workspace, or a manifest for a repository."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from guiderail.attest.keys import install
from guiderail.core.errors import InputError
from guiderail.core.subject import Actor, Subject
from guiderail.core.time import Clock, system_clock
from guiderail.manifest.initial import propose, write_proposal
from guiderail.policy.pack import load_pack, shipped_kinds
from guiderail.sandbox.inspect_model import inspect_model
from guiderail.sandbox.model_summary import ModelSummary
from guiderail.service.journal import record
from guiderail.service.key_changes import record_first_version
from guiderail.service.policy_activate import activate
from guiderail.service.policy_in_force import write_in_force
from guiderail.service.registers import record_registers
from guiderail.service.workspace import Workspace, create_workspace, operating_system_user
from guiderail_verify.key_chain import chain_bytes

_PEOPLE = """\
# Everybody who submits, reviews or deploys. One operating-system user stands for one person.
# Reviewers need competence in date: role, kinds of workload, last day.
people:
  - id: {user}
    name: {user}
    roles: []
    os_users: ["{os_user}"]
"""
_FEATURES = """\
# Features that models may use: name, type, owner, approved_by, until (last day of the approval).
features: []
"""


def new_manifest(directory: Path) -> dict[str, Any]:
    """Write a pre-filled guiderail.yaml. `unknown` lists the keys that only people can fill in."""
    proposal = propose(directory, _summary)
    written = write_proposal(directory, proposal)
    return {
        "written": [str(path) for path in written],
        "unknown": list(proposal.unknown),
        "next": f"guiderail check {directory}",
    }


def new_workspace(directory: Path, clock: Clock = system_clock) -> dict[str, Any]:
    """Make a directory a workspace with you as its only person, without any role yet."""
    user = operating_system_user()
    identifier = "".join(c if c.isalnum() else "-" for c in user.lower()).strip("-") or "me"
    if not identifier[0].isalpha():
        identifier = f"u{identifier}"
    workspace = create(
        directory,
        demo=False,
        people=_PEOPLE.format(user=identifier, os_user=user.replace('"', "")),
        features=_FEATURES,
        clock=clock,
    )
    return {
        "written": [str(workspace.home)],
        "unknown": ["people.yaml: the roles and training of everybody who reviews"],
        "next": f"edit {workspace.home / 'people.yaml'}, then guiderail check DIR",
    }


def create(
    directory: Path, *, demo: bool, people: str, features: str, clock: Clock = system_clock
) -> Workspace:
    """Create a workspace and begin its ledger: workspace, keys, policy in force."""
    workspace = create_workspace(
        directory, demo=demo, people=people, features=features, clock=clock
    )
    now = clock()
    actor = Actor(operating_system_user())
    trusted = workspace.keyring.trusted
    with workspace.store.transaction() as tx:
        record(
            tx, "workspace.created", Subject("workspace", "local"), actor, now, {"demo": demo},
            outcome="done",
        )  # fmt: skip
        version, evidence = record_first_version(tx, workspace, workspace.keyring)
        record(
            tx,
            "key.created",
            Subject("log", trusted.origin),
            actor,
            now,
            {
                "origin": trusted.origin,
                "checkpoint_key": trusted.checkpoint[0].to_text(),
                "permit_key": workspace.keyring.permit_key_id,
            },
            outcome="done",
            evidence=[evidence],
        )
        record_registers(tx, workspace, actor)
        for kind in shipped_kinds():
            activate(tx, workspace, load_pack(kind), actor, effective_at=now)
    with workspace.store.read() as snapshot:
        write_in_force(snapshot, workspace)
    install(workspace.home / "keys", chain_bytes([version.envelope]), trusted)
    return workspace


def _summary(path: Path) -> ModelSummary | None:
    """What a model file is; None where it cannot be read, so that the manifest asks for it."""
    try:
        summary = inspect_model(path)
    except (InputError, OSError):
        return None
    return None if summary.format == "unknown" else summary
