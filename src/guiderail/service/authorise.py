"""Asking `review.authz` on behalf of whoever acts in the workspace."""

from __future__ import annotations

from guiderail.core.errors import RefusedError
from guiderail.core.scales import Track
from guiderail.review.authz import Action, Matter, decide
from guiderail.review.cases import Case
from guiderail.service.workspace import Workspace


def authorise(workspace: Workspace, action: Action, matter: Matter) -> None:
    """Raises RefusedError `authz/RULE` with the sentence that says why not."""
    on = workspace.clock().date()
    answer = decide(action, workspace.person, matter, workspace.register, on)
    if not answer.allowed:
        raise RefusedError(
            answer.sentence,
            code=f"authz/{answer.rule}",
            advice=f"`guiderail status {matter.case}` names who is waited for.",
        )


def authorise_case(workspace: Workspace, action: Action, case: Case) -> None:
    """As `authorise`, where only the case and its submitter matter."""
    authorise(workspace, action, Matter(case.id, case.kind, Track(case.track), case.submitter))
