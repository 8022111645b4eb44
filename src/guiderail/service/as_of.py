"""How things stood on a past day: inventory, policy in force, roles and training.

Everything is replayed from the ledger; the tables of today are not asked.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import select

from guiderail.core.errors import InputError
from guiderail.core.time import from_text, to_text
from guiderail.service.audit_ledger import details_lines, entry_lines, joined
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.transaction import Snapshot
from guiderail_verify.as_of import Standing, standing_at
from guiderail_verify.audit_entries import Entry, read_line
from guiderail_verify.audit_pack import with_details
from guiderail_verify.registers import PEOPLE, PeopleOnRecord, read_people

_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")
NOBODY = "(erased person)"


def as_of(workspace: Workspace, when: str) -> dict[str, Any]:
    """The whole view of a moment.

    when: a day (its end, UTC; today: until now) or an RFC 3339 time. Raises InputError for anything
    else, for a moment before the ledger begins and for one that is yet to come.
    """
    now = workspace.clock()
    moment = _moment(when, now)
    with workspace.store.read() as snapshot:
        entries = told_entries(snapshot)
        people = _people(snapshot)
    _refuse_outside(moment, now, entries, when)
    at = to_text(moment)
    standing = standing_at(entries, at)
    register = _register(workspace, standing)
    return {
        "at": at,
        "entries": standing.entries,
        "inventory": [row._asdict() for row in standing.inventory()],
        "cases": [_case(one, people) for one in standing.cases.values()],
        "policy": [one._asdict() for one in standing.policy_in_force(at)],
        "people": None if register is None else _recorded(register, people, moment.date()),
        "registers": {
            name: {"entry": seq, "digest": digest}
            for name, (seq, digest) in sorted(standing.registers.items())
        },
        "untold": standing.untold,
    }


def told_entries(snapshot: Snapshot) -> list[Entry]:
    """Every entry of the ledger, with its details where they are still there."""
    size = int(snapshot.execute(select(tables.log_head.c.size)).scalar_one())
    bare = [read_line(line) for line in entry_lines(snapshot, size)]
    return with_details(joined(details_lines(snapshot, bare)), bare)


def _moment(when: str, now: datetime) -> datetime:
    try:
        if _DAY.match(when):
            day = date.fromisoformat(when)
            end = datetime.combine(day, time.max, UTC)
            return now if day == now.astimezone(UTC).date() else end
        return from_text(when)
    except ValueError as error:
        raise InputError(
            f"{when!r} is neither a day nor a time",
            code="as-of/date",
            advice="Write a day as 2026-11-30, or a time as 2026-11-30T12:00:00Z.",
        ) from error


def _refuse_outside(moment: datetime, now: datetime, entries: list[Entry], when: str) -> None:
    if moment > now:
        raise InputError(
            f"{when} is yet to come, and nobody can look at it",
            code="as-of/future",
            advice="Name today or a day in the past.",
        )
    first = entries[0].at if entries else to_text(now)
    if to_text(moment) < first:
        raise InputError(
            f"the ledger begins on {first[:10]} at {first[11:19]} UTC; it does not know {when}",
            code="as-of/before",
            advice="Name a later moment.",
        )


def _people(snapshot: Snapshot) -> dict[str, str]:
    table = tables.person_pseudonym
    rows = snapshot.execute(select(table.c.pseudonym, table.c.person))
    return {str(pseudonym): str(person) for pseudonym, person in rows}


def _register(workspace: Workspace, standing: Standing) -> PeopleOnRecord | None:
    """None where no register was recorded until then."""
    found = standing.registers.get(PEOPLE)
    return None if found is None else read_people(workspace.blobs.read(found[1]))


def _recorded(register: PeopleOnRecord, people: dict[str, str], on: date) -> list[dict[str, Any]]:
    rows = [
        {
            "person": people.get(one.person, NOBODY),
            "pseudonym": one.person,
            "roles": list(one.roles),
            "competence": [
                {"role": record.role, "kinds": list(record.kinds),
                 "until": record.until.isoformat(), "in_date": on <= record.until}
                for record in one.training
            ],
            "manager": None if one.manager is None else people.get(one.manager, NOBODY),
        }
        for one in register.people.values()
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (str(row["person"]), str(row["pseudonym"])))


def _case(case: Any, people: dict[str, str]) -> dict[str, Any]:
    document: dict[str, Any] = case._asdict()
    del document["needed"], document["given"]
    return document | {"submitter": people.get(case.submitter, NOBODY)}
