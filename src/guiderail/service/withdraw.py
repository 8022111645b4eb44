"""Take a case back before its release starts."""

from __future__ import annotations

from guiderail.core.scales import Track
from guiderail.review import cases
from guiderail.review.authz import Action, Matter
from guiderail.review.cases import Case
from guiderail.review.states import State
from guiderail.service.authorise import authorise
from guiderail.service.journal import case_subject, record
from guiderail.service.registers import transaction
from guiderail.service.take_back import push_revocations, take_back_permits
from guiderail.service.workspace import Workspace


def withdraw(workspace: Workspace, case_id: str) -> Case:
    """Raises RefusedError for people who did not work on it, ConflictError when it is too late."""
    now = workspace.clock()
    with transaction(workspace) as tx:
        case = cases.load(tx, case_id)
        people = cases.load_dossier(tx, case.dossier_digest).contributors
        authorise(
            workspace,
            Action.WITHDRAW,
            Matter(case.id, case.kind, Track(case.track), case.submitter, frozenset(people)),
        )
        case = cases.move(tx, case, State.WITHDRAWN, "case.withdrawn", now)
        take_back_permits(tx, case, workspace.actor, "the case was withdrawn", now)
        record(
            tx,
            "case.withdrawn",
            case_subject(case),
            workspace.actor,
            now,
            {"case": case.id},
            outcome=State.WITHDRAWN.value,
        )
    push_revocations(workspace)
    return case
