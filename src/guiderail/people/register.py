"""`people.yaml`: the register of people in a local workspace.

The register answers who somebody is; whether they may do something is decided in
`guiderail.review.authz`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from guiderail.core.errors import InputError
from guiderail.manifest.strict_yaml import Document, load_file
from guiderail_verify.authority import managers, same_line, training_for

Role = Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$")]


class Competence(BaseModel):
    """Training that lets a person decide in one role, for some kinds, until a day (inclusive)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    role: Role
    kinds: tuple[str, ...]
    until: date


class Person(BaseModel):
    """One person. `manager` is the id of another person, or nothing at the top."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9.-]*$", max_length=64)]
    name: str
    roles: tuple[Role, ...] = ()
    competence: tuple[Competence, ...] = ()
    manager: str | None = None
    os_users: tuple[str, ...] = ()
    git_emails: tuple[str, ...] = ()

    def competent(self, role: str, kind: str, on: date) -> Competence | None:
        """The competence record that covers role and kind on that day, if there is one."""
        return training_for(self.competence, role, kind, on)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Register:
    """Everybody, by id."""

    people: dict[str, Person]

    def person(self, person_id: str) -> Person:
        """Raises InputError `people/unknown` for somebody who is not in the register."""
        found = self.people.get(person_id)
        if found is None:
            raise InputError(
                f"nobody with the id {person_id!r} is in people.yaml",
                code="people/unknown",
                advice="Add the person to people.yaml in the workspace, or correct the name.",
            )
        return found

    def by_os_user(self, user: str) -> Person | None:
        """The person who works under this operating-system user."""
        return next((p for p in self.people.values() if user in p.os_users), None)

    def by_git_email(self, email: str) -> Person | None:
        lowered = email.lower()
        return next(
            (p for p in self.people.values() if lowered in (e.lower() for e in p.git_emails)), None
        )

    def managers(self, person_id: str) -> Iterator[str]:
        """The managers above a person, nearest first; the person not included."""
        return managers(self._manager_of, person_id)

    def same_line(self, one: str, other: str) -> bool:
        """True when one of the two reports to the other, directly or over several levels."""
        return same_line(self._manager_of, one, other)

    def _manager_of(self, person_id: str) -> str | None:
        person = self.people.get(person_id)
        return None if person is None else person.manager

    def in_role(self, role: str) -> tuple[Person, ...]:
        return tuple(p for p in self.people.values() if role in p.roles)


def load_people(path: Path) -> Register:
    """Read people.yaml. Raises InputError with `file:line:col` for anything that is not right.

    Refused: two people with one id, one operating-system user or e-mail that belongs to two
    people, a manager who is not in the file.
    """
    if not path.exists():
        raise InputError(
            f"{path} does not exist",
            code="people/missing",
            advice="Create it, or start a workspace with `guiderail init --workspace`.",
        )
    document = load_file(path)
    try:
        people = _File.model_validate(document.data).people
    except ValidationError as error:
        first = error.errors()[0]
        where = tuple(first["loc"])
        raise InputError(
            f"{'.'.join(str(part) for part in where)}: {first['msg']}",
            code="people/invalid",
            advice="Each person has id, name, roles, competence, manager, os_users, git_emails.",
            place=document.place(where),
        ) from error
    _refuse_ambiguity(people, document)
    return Register({person.id: person for person in people})


def _refuse_ambiguity(people: tuple[Person, ...], document: Document) -> None:
    owner: dict[str, str] = {}
    for number, person in enumerate(people):
        keys = [f"id {person.id}", *(f"operating-system user {u}" for u in person.os_users)]
        keys += [f"e-mail {email.lower()}" for email in person.git_emails]
        for key in keys:
            if key in owner:
                raise InputError(
                    f"{key} belongs to two entries ({owner[key]} and {person.id})",
                    code="people/ambiguous",
                    advice="One operating-system user, e-mail or id stands for one person.",
                    place=document.place(("people", number)),
                )
            owner[key] = person.id
    ids = {person.id for person in people}
    for number, person in enumerate(people):
        if person.manager is not None and person.manager not in ids:
            raise InputError(
                f"the manager {person.manager!r} of {person.id} is not in the file",
                code="people/manager",
                advice="Add the manager, or leave `manager` out at the top of the organisation.",
                place=document.place(("people", number)),
            )
