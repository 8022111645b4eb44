"""What is known about a proposed pack before anybody decides about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from guiderail.policy.pack import Pack
from guiderail.review import cases
from guiderail.review.states import BEFORE_TRAFFIC
from guiderail.service.workspace import Workspace

Progress = Callable[[str, float], None]


def evidence_of(
    workspace: Workspace, pack: Pack, before: Mapping[str, Pack], progress: Progress | None
) -> dict[str, Any]:
    """The evidence about a pack that is to take the place of those in force, by kind.

    Raises RefusedError `policy/not-proved` when a property that must hold is refuted or open.
    """
    return {"open_cases": _open_cases(workspace, pack)}


def _open_cases(workspace: Workspace, pack: Pack) -> list[str]:
    """Cases without traffic yet: they are submitted again when the policy under them changes."""
    with workspace.store.read() as snapshot:
        return [
            case.id
            for case in cases.list_cases(snapshot)
            if case.kind in pack.kinds and case.state in BEFORE_TRAFFIC
        ]
