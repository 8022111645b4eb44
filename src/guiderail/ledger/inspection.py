"""Check one stored entry: its form, its numbers, its index row and its payload."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import and_, select

from guiderail.core.time import from_text, to_text
from guiderail.ledger.append import PAYLOAD_FIELD, VERSION, commitment
from guiderail.ledger.events import event_type
from guiderail.store.columns import column_bytes
from guiderail.store.tables import log_entry, log_index, vault_salt
from guiderail.store.transaction import Snapshot
from guiderail_verify.canonical import parse_object
from guiderail_verify.errors import VerifyError

_BATCH = 1000
_FIELDS = frozenset(
    ("v", "seq", "at", "type", "subject", "subject_no", "actor", "outcome", "policy", "evidence")
) | {"payload"}

Complain = Callable[[str, str, int], None]
"""(code, sentence, seq)"""


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """One row of the ledger with its rows beside it; None where such a row is missing.

    index: type, kind, name and number of the subject, case.
    """

    seq: int
    body: bytes
    leaf_hash: bytes
    index: tuple[str, str, str, int, str | None] | None
    salt: bytes | None
    clear: bytes | None


@dataclass(slots=True)
class Inspection:
    """What the entries said so far. numbers: the last number of each subject (kind, name)."""

    complain: Complain
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    _last_at: str = ""

    def see_time(self, seq: int, at: str) -> None:
        if at < self._last_at:
            self.notices.append(
                f"Entry {seq} is dated before the one in front of it: a clock went back."
            )
        self._last_at = at

    def see_number(self, subject: tuple[str, str], number: int, seq: int) -> None:
        expected = self.numbers.get(subject, 0) + 1
        if number != expected:
            kind, name = subject
            self.complain(
                "ledger/subject-gap",
                f"Entry {seq} is event {number} of {kind} {name}; event {expected} was expected: "
                "one was removed, added or moved.",
                seq,
            )
        self.numbers[subject] = number


def stored_entries(
    snapshot: Snapshot, start: int | None = None, end: int | None = None
) -> Iterator[StoredEntry]:
    """Every entry in the order of `seq`, read in batches: all, or from `start` up to `end`."""
    index, salt = log_index.c, vault_salt.c
    statement = (
        select(
            log_entry,
            index.type,
            index.subject_kind,
            index.subject_name,
            index.subject_no,
            index.case_id,
            salt.salt,
            salt.value,
        )
        .outerjoin(log_index, index.seq == log_entry.c.seq)
        .outerjoin(vault_salt, and_(salt.seq == log_entry.c.seq, salt.field == PAYLOAD_FIELD))
        .order_by(log_entry.c.seq)
        .execution_options(yield_per=_BATCH)
    )
    if start is not None:
        statement = statement.where(log_entry.c.seq >= start)
    if end is not None:
        statement = statement.where(log_entry.c.seq < end)
    for seq, body, leaf, kind, *about, case, key, clear in snapshot.execute(statement):
        subject_kind, subject_name, number = about
        yield StoredEntry(
            seq=int(seq),
            body=column_bytes(body),
            leaf_hash=column_bytes(leaf),
            index=None if kind is None else (kind, subject_kind, subject_name, int(number), case),
            salt=None if key is None else column_bytes(key),
            clear=None if clear is None else column_bytes(clear),
        )


def inspect_entry(entry: StoredEntry, inspection: Inspection) -> None:
    """Complain about whatever does not hold in this entry."""
    seq, complain = entry.seq, inspection.complain
    try:
        body = parse_object(entry.body)
    except VerifyError as error:
        complain("ledger/unreadable-entry", f"Entry {seq} is no event: {error.reason}", seq)
        return
    match body:
        case {
            "v": version,
            "seq": int(number),
            "at": str(at),
            "type": str(type_),
            "subject": {"kind": str(kind), "name": str(name), "digest": _},
            "subject_no": int(subject_no),
            "actor": str(),
            "payload": {"alg": "hmac-sha256", "value": str(committed)},
        } if body.keys() == _FIELDS and version == VERSION and _is_event(type_, at):
            if number != seq:
                complain("ledger/moved", f"Entry {seq} was written as entry {number}.", seq)
            inspection.see_time(seq, at)
            inspection.see_number((kind, name), subject_no, seq)
            _check_index(entry, (type_, kind, name, subject_no), complain)
            _check_payload(entry, committed, complain)
        case _:
            complain(
                "ledger/unreadable-entry", f"Entry {seq} does not have the form of an event.", seq
            )


def _is_event(type_: str, at: str) -> bool:
    try:
        event_type(type_)
        return to_text(from_text(at)) == at
    except ValueError:
        return False


def _check_index(
    entry: StoredEntry, expected: tuple[str, str, str, int], complain: Complain
) -> None:
    if entry.index != (*expected, _case_of(entry)):
        complain(
            "ledger/index-differs",
            f"The index of entry {entry.seq} does not say what the entry says.",
            entry.seq,
        )


def _case_of(entry: StoredEntry) -> str | None:
    """The case that the payload names; a payload that is gone cannot be compared with."""
    if entry.clear is None:
        return entry.index[-1] if entry.index is not None else None
    try:
        case = parse_object(entry.clear).get("case")
    except VerifyError:
        return None
    return case if isinstance(case, str) else None


def _check_payload(entry: StoredEntry, committed: str, complain: Complain) -> None:
    if entry.salt is None or entry.clear is None:
        complain(
            "ledger/payload-missing", f"The details of entry {entry.seq} are missing.", entry.seq
        )
    elif not hmac.compare_digest(commitment(entry.salt, entry.clear), committed):
        complain(
            "ledger/payload-changed",
            f"The details of entry {entry.seq} are not those that it commits to.",
            entry.seq,
        )
