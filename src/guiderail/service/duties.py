"""What somebody still has to do or answer for, so that they cannot be erased yet."""

from __future__ import annotations

import re

from sqlalchemy import select

from guiderail.review import cases, policy_change_rows
from guiderail.review.cases import Case
from guiderail.review.policy_change import ChangeState
from guiderail.review.states import BEFORE_TRAFFIC, State
from guiderail.service.holds import in_force
from guiderail.service.personal_records import Names
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.transaction import Snapshot

_OPEN = BEFORE_TRAFFIC | {State.ROLLING, State.PAUSED}
_FILES = ("features.yaml", "ceilings.yaml", "columns.yaml")


def duties(snapshot: Snapshot, workspace: Workspace, names: Names) -> list[str]:
    """A sentence for each; none, and the person can be erased."""
    involved = [case for case in cases.list_cases(snapshot) if _worked_on(snapshot, case, names)]
    found = [
        f"{case.id} is {case.state}; finish or withdraw it first"
        for case in involved
        if case.state in _OPEN
    ]
    found += [
        f"the policy change {change.id} is {change.state}; decide or withdraw it first"
        for change in policy_change_rows.every(snapshot, ChangeState.PROPOSED)
        if names.all
        & {change.author, *change.contributors, *(vote.person for vote in change.votes)}
    ]
    found += [
        f"{one.id} reports to {names.person} in people.yaml; name another manager"
        for one in workspace.register.people.values()
        if one.manager == names.person
    ]
    word = re.compile(rf"(?<![\w.@-]){re.escape(names.person)}(?![\w@-]|\.\w)")
    for name in _FILES:
        path = workspace.home / name
        if path.exists() and word.search(path.read_text(encoding="utf-8")):
            found.append(f"{name} names {names.person}; hand over what they own or approved")
    return [*found, *_held(snapshot, involved, names)]


def _held(snapshot: Snapshot, involved: list[Case], names: Names) -> list[str]:
    about = {
        "everything": {""},
        "person": {names.person},
        "case": {case.id for case in involved},
        "workload": {case.workload for case in involved},
    }
    return [
        f"the legal hold {hold.id} on {hold.covers} is in force"
        for hold in in_force(snapshot)
        if hold.name in about[hold.kind]
    ]


def _worked_on(snapshot: Snapshot, case: Case, names: Names) -> bool:
    """Did they submit, write, answer or review it?"""
    if names.person == case.submitter:
        return True
    for table in (tables.review, tables.answer):
        statement = select(table.c.person).where(
            table.c.case_id == case.id, table.c.person == names.person
        )
        if snapshot.execute(statement).first() is not None:
            return True
    return bool(names.all & set(cases.load_dossier(snapshot, case.dossier_digest).contributors))
