"""Registers as the ledger recorded them: who had which role, training and manager, and since when.

A register is recorded as canonical JSON that names people by their pseudonyms, so that nothing in
it has to be erased with a person. What it says about the identity of somebody (id, name, users,
e-mail addresses) stands in it as two commitments under a salt of that person, which is kept
elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple

from guiderail_verify.audit_entries import Entry
from guiderail_verify.authority import same_line, training_for
from guiderail_verify.canonical import canonical_json, parse_object
from guiderail_verify.errors import VerifyError

REGISTER: Final = "urn:guiderail:register:v1"
"""The type of a recorded register among the evidence of an entry."""
CHANGED: Final = "register.changed"
PEOPLE: Final = "people"
NAMES: Final = (PEOPLE, "features", "ceilings", "columns")


class Trained(NamedTuple):
    """A record of training; `until` is its last day."""

    role: str
    kinds: tuple[str, ...]
    until: date


@dataclass(frozen=True, slots=True)
class Recorded:
    """One person of a recorded register.

    known_as: commitment to the id under `name_key`. identity: commitment to name, users and
    addresses under the salt.
    """

    person: str
    roles: tuple[str, ...]
    training: tuple[Trained, ...]
    manager: str | None
    known_as: str
    identity: str


@dataclass(frozen=True, slots=True)
class PeopleOnRecord:
    """Everybody of a recorded register, by pseudonym."""

    people: Mapping[str, Recorded]

    def roles(self, person: str) -> tuple[str, ...]:
        """Empty for somebody who is not in the register."""
        found = self.people.get(person)
        return () if found is None else found.roles

    def trained(self, person: str, role: str, kind: str, on: date) -> bool:
        found = self.people.get(person)
        return found is not None and training_for(found.training, role, kind, on) is not None

    def manager_of(self, person: str) -> str | None:
        found = self.people.get(person)
        return None if found is None else found.manager

    def same_line(self, one: str, other: str) -> bool:
        return same_line(self.manager_of, one, other)


def read_people(data: bytes) -> PeopleOnRecord:
    """Raises VerifyError `register/unreadable` for bytes that are no register of people."""
    content = parse_object(data)
    match content:
        case {"v": 1, "register": "people", "people": list(rows)} if len(content) == 3:
            people = [_person(row) for row in rows]
            return PeopleOnRecord({one.person: one for one in people})
    raise _unreadable()


def people_in(data: bytes) -> set[str]:
    """The pseudonyms in a recorded register of any kind."""
    content = parse_object(data)
    rows = content.get(str(content.get("register")))
    found = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    names = {row.get("person", row.get("approved_by")) for row in found}
    return {name for name in names if isinstance(name, str)}


def is_register(entry: Entry, name: str | None = None) -> bool:
    """Does the entry record a register, this one where a name is given?

    What a use case rests on is the version that was recorded last: a use case records a changed
    register before it acts.
    """
    return entry.type == CHANGED and entry.kind == "register" and name in (None, entry.name)


def committed(salt: bytes, value: object) -> str:
    """HMAC-SHA256 over the canonical JSON of what a register does not say in clear."""
    return hmac.new(salt, canonical_json(value), hashlib.sha256).hexdigest()


def name_key(salt: bytes) -> bytes:
    """The key of the commitment to who somebody is, made from the salt of that person.

    A pack discloses it for the people whom it names; what is committed to under the salt itself
    (users, addresses) stays closed.
    """
    return hmac.new(salt, b"known-as", hashlib.sha256).digest()


def _person(row: Any) -> Recorded:
    match row:
        case {
            "person": str(person),
            "roles": list(roles),
            "competence": list(training),
            "manager": manager,
            "known_as": str(known_as),
            "identity": str(identity),
        } if len(row) == 6 and (manager is None or isinstance(manager, str)):
            return Recorded(
                person, tuple(map(str, roles)), tuple(map(_training, training)), manager,
                known_as, identity,
            )  # fmt: skip
    raise _unreadable()


def _training(row: Any) -> Trained:
    match row:
        case {"role": str(role), "kinds": list(kinds), "until": str(until)} if len(row) == 3:
            try:
                return Trained(role, tuple(map(str, kinds)), date.fromisoformat(until))
            except ValueError as error:
                raise _unreadable() from error
    raise _unreadable()


def _unreadable() -> VerifyError:
    return VerifyError("register/unreadable", "A recorded register of people cannot be read.")
