"""A small organisation for tests: who reports to whom, who is trained for what."""

from __future__ import annotations

from datetime import date

from guiderail.people.register import Competence, Person, Register

TODAY = date(2026, 11, 23)


def person(
    person_id: str,
    *roles: str,
    manager: str | None = None,
    until: date = date(2027, 12, 31),
    kinds: tuple[str, ...] = ("model",),
) -> Person:
    return Person(
        id=person_id,
        name=person_id.title(),
        roles=roles,
        competence=tuple(Competence(role=role, kinds=kinds, until=until) for role in roles),
        manager=manager,
    )


def register(*people: Person) -> Register:
    return Register({one.id: one for one in people})
