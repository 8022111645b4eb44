"""The policy of a workspace as documents: in force, scheduled, proposed, and what came of it."""

from __future__ import annotations

from typing import Any

from guiderail.core.errors import IntegrityError
from guiderail.core.time import to_text
from guiderail.review import policy_change_rows as rows
from guiderail.review.policy_change import PolicyChange
from guiderail.service.policy_change import waiting
from guiderail.service.policy_in_force import (
    PolicyInForce,
    read_in_force,
    recorded,
    stored_pack,
    write_in_force,
)
from guiderail.service.workspace import Workspace
from guiderail_verify.activation import Activation


def policy_status(workspace: Workspace) -> dict[str, Any]:
    """What is in force for each kind, what begins later, and every change, the newest first.

    refused: statements that nobody signed; they decide nothing. The file for the pre-flight check
    is written again from the store.
    """
    now = workspace.clock()
    with workspace.store.read() as snapshot:
        policy = recorded(snapshot, workspace)
        changes = rows.every(snapshot)
        refused = [*policy.refused, *_refused_in_file(workspace)]
        write_in_force(snapshot, workspace)
    kinds = dict.fromkeys(one.kind for one in policy.activations)
    return {
        "in_force": [
            _in_force(workspace, one) for kind in kinds if (one := policy.at(kind, now)) is not None
        ],
        "scheduled": [
            _activation(one) for kind in kinds if (one := policy.scheduled(kind, now)) is not None
        ],
        "earlier": [_activation(one) for one in _earlier(policy, kinds, now)],
        "changes": [change_document(workspace, change) for change in reversed(changes)],
        "refused": refused,
    }


def _refused_in_file(workspace: Workspace) -> tuple[str, ...]:
    try:
        return read_in_force(workspace).refused
    except IntegrityError as error:
        return (f"{error.what} It was written again from the store.",)


def show_change(workspace: Workspace, change_id: str) -> dict[str, Any]:
    """One change with everything that its owners are shown."""
    with workspace.store.read() as snapshot:
        change = rows.load(snapshot, change_id)
    return change_document(workspace, change) | {"evidence": dict(change.evidence)}


def change_document(workspace: Workspace, change: PolicyChange) -> dict[str, Any]:
    return {
        "change": change.id,
        "state": change.state.value,
        "pack": change.pack,
        "version": change.version,
        "digest": change.digest,
        "texts_digest": change.texts_digest,
        "kinds": list(change.kinds),
        "replaces": dict(change.replaces),
        "effective_on": change.effective_on.isoformat(),
        "author": change.author,
        "contributors": sorted(change.contributors),
        "reason": change.reason,
        "needs": [
            {"role": role, "because": list(parts), "approved_by": _approved_by(change, role)}
            for role, parts in change.needs.items()
        ],
        "waiting_for": [
            {"role": role, "people": list(people)}
            for role, people in waiting(workspace, change).items()
        ],
        "decisions": [
            {"person": vote.person, "role": vote.role, "verdict": vote.verdict,
             "reason": vote.reason, "at": to_text(vote.at)}
            for vote in change.votes
        ],
        "created_at": to_text(change.created_at),
    }  # fmt: skip


def _approved_by(change: PolicyChange, role: str) -> str | None:
    vote = change.approved_by.get(role)
    return vote.person if vote else None


def _in_force(workspace: Workspace, activation: Activation) -> dict[str, Any]:
    tree = stored_pack(workspace, activation).tree
    sections = ("tiers", "tracks", "gates", "advice", "questions")
    return _activation(activation) | {
        "parts": {name: len({part["id"] for part in tree[name]}) for name in sections}
    }


def _earlier(policy: PolicyInForce, kinds: dict[str, None], now: Any) -> list[Activation]:
    """Activations that another one took the place of, the newest first."""
    current = {policy.at(kind, now) for kind in kinds}
    return [one for one in reversed(policy.activations)
            if one not in current and one.effective_at <= now]  # fmt: skip


def _activation(activation: Activation) -> dict[str, Any]:
    return {
        "kind": activation.kind,
        "pack": activation.pack,
        "version": activation.version,
        "digest": activation.digest,
        "texts_digest": activation.texts_digest,
        "effective_at": to_text(activation.effective_at),
        "replaces": activation.replaces or None,
        "change": activation.change or None,
    }
