"""Whether the acting person keeps records: erases people, removes old entries, places holds."""

from __future__ import annotations

from guiderail.core.errors import RefusedError
from guiderail.core.scales import Track
from guiderail.review.authz import RECORD_KEEPERS, Action, Matter, decide
from guiderail.service.workspace import Workspace


def authorise_keeper(
    workspace: Workspace, what: str, *, person: str | None = None, requester: str | None = None
) -> None:
    """person: who is to be erased. requester: who asked for it, where somebody did.

    Raises RefusedError `authz/RULE` with the sentence that says why not.
    """
    action = Action.KEEP_RECORDS if person is None else Action.ERASE
    decided = frozenset() if requester is None else frozenset((requester,))
    matter = Matter(what, "", Track.RED, person or "", decided=decided)
    on = workspace.clock().date()
    answer = decide(action, workspace.person, matter, workspace.register, on)
    if not answer.allowed:
        raise RefusedError(
            answer.sentence,
            code=f"authz/{answer.rule}",
            advice=f"Two different people with one of the roles {', '.join(RECORD_KEEPERS)} can "
            "do this together.",
        )
