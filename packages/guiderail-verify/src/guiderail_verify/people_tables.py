"""Roles and training over time, from the recorded registers of an audit pack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from guiderail_verify.audit_pack import AuditPack
from guiderail_verify.registers import PeopleOnRecord

_SPAN: Final = ("since_entry", "since", "until_entry", "until", "left")
ROLES: Final = ("person", "role", *_SPAN)
COMPETENCE: Final = ("person", "role", "kinds", "in_date_until", *_SPAN)

_Held = tuple[str, ...]
"""A person and what they hold."""


def role_rows(pack: AuditPack) -> Iterator[tuple[object, ...]]:
    """Each role of each person with the entries between which it was recorded.

    left: the person was not in the register any more when the role ended.
    """
    yield from _spans(pack, _roles)


def competence_rows(pack: AuditPack) -> Iterator[tuple[object, ...]]:
    yield from _spans(pack, _training)


def _roles(register: PeopleOnRecord) -> Iterator[_Held]:
    for one in register.people.values():
        yield from ((one.person, role) for role in one.roles)


def _training(register: PeopleOnRecord) -> Iterator[_Held]:
    for one in register.people.values():
        for record in one.training:
            yield one.person, record.role, " ".join(record.kinds), record.until.isoformat()


def _spans(
    pack: AuditPack, held_by: Callable[[PeopleOnRecord], Iterator[_Held]]
) -> Iterator[tuple[object, ...]]:
    at = {entry.seq: entry.at for entry in pack.bare_entries}
    begun: dict[_Held, int] = {}
    rows: list[tuple[_Held, tuple[object, ...]]] = []

    def end(held: _Held, seq: int, left: str) -> None:
        since = begun.pop(held)
        rows.append((held, (since, at[since], seq, at[seq], left)))

    for seq, register in pack.registers:
        now = dict.fromkeys(held_by(register))
        for held in [one for one in begun if one not in now]:
            end(held, seq, "no" if held[0] in register.people else "yes")
        for held in now:
            begun.setdefault(held, seq)
    rows += [(held, (since, at[since], "", "", "")) for held, since in begun.items()]
    named = [((str(pack.people.get(held[0], held[0])), *held[1:]), span) for held, span in rows]
    for held, span in sorted(named, key=lambda row: (row[0], str(row[1][0]).zfill(12))):
        yield (*held, *span)
