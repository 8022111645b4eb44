"""Check one stored entry: its form, its numbers, its index row and its payload.

What is gone is not a problem where a later event says so (`guiderail_verify.gone`); it is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from sqlalchemy import and_, select

from guiderail.core.digest import canonical_json
from guiderail.core.errors import IntegrityError
from guiderail.core.time import from_text, to_text
from guiderail.ledger.append import PAYLOAD_FIELD
from guiderail.ledger.events import event_type
from guiderail.ledger.vault import Reader
from guiderail.store.columns import column_bytes
from guiderail.store.tables import log_entry, log_index, vault_salt, vault_words
from guiderail.store.transaction import Snapshot
from guiderail_verify.canonical import parse_object
from guiderail_verify.commitments import Commitments, is_committed, read_commitments
from guiderail_verify.errors import VerifyError
from guiderail_verify.gone import ERASED, PRUNED, Gone

_BATCH = 1000
_FIELDS = frozenset(
    ("v", "seq", "at", "type", "subject", "subject_no", "actor", "outcome", "policy", "evidence")
) | {"payload"}

Complain = Callable[[str, str, int], None]
"""(code, sentence, seq)"""


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """One row of the ledger with its rows beside it; None where such a row is missing.

    body: empty where the entry was removed when its time was over.
    index: type, kind, name and number of the subject, case.
    salt, clear: of the details that stay readable. words: id of the key and ciphertext.
    """

    seq: int
    body: bytes
    leaf_hash: bytes
    index: tuple[str, str, str, int, str | None] | None
    salt: bytes | None
    clear: bytes | None
    words: tuple[str, bytes] | None


@dataclass(slots=True)
class Inspection:
    """What the entries said so far. numbers: the last number of each subject (kind, name).

    erased, removed: how many entries lack the words of somebody who was erased, and how many were
    removed when their time was over; counted by `finish`.
    """

    complain: Complain
    reader: Reader
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    erased: int = 0
    removed: int = 0
    gone: Gone = field(default_factory=Gone)
    _wordless: list[tuple[StoredEntry, str, str | None]] = field(default_factory=list)
    _bodiless: list[int] = field(default_factory=list)
    _unreadable: int = 0
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

    def miss_words(self, entry: StoredEntry, actor: str, remainder: str | None) -> None:
        """remainder: the commitment over the details without the words; None: in version 1."""
        self._wordless.append((entry, actor, remainder))

    def miss_body(self, seq: int) -> None:
        self._bodiless.append(seq)

    def miss_key(self) -> None:
        self._unreadable += 1

    def finish(self) -> None:
        """What was missing, now that every event that may explain it was seen."""
        for entry, actor, remainder in self._wordless:
            self._explain_words(entry, actor, remainder)
        for seq in self._bodiless:
            if self.gone.pruned_by(seq) is None:
                self.complain(
                    "ledger/body-missing",
                    f"The bytes of entry {seq} are missing, and no later entry says that its time "
                    "was over.",
                    seq,
                )
            else:
                self.removed += 1
        if self._unreadable:
            self.complain(
                "ledger/words-unreadable",
                f"What people wrote in {self._unreadable} entries cannot be read, so it was not "
                f"checked: {self.reader.why_not} Everything else was checked.",
                0,
            )

    def _explain_words(self, entry: StoredEntry, actor: str, remainder: str | None) -> None:
        erased = self.gone.erased_by(actor, entry.seq) is not None
        if remainder is None:
            # Version 1 had one commitment for all: what was left of it was committed to anew.
            remainder = self.gone.restated.get(entry.seq, "") if erased else ""
        elif not erased:
            self.complain(
                "ledger/words-missing",
                f"What somebody wrote in entry {entry.seq} is missing, and no later entry says "
                "that they were erased.",
                entry.seq,
            )
        self.erased += erased
        _check_details(entry, remainder, self.complain)


def stored_entries(
    snapshot: Snapshot, start: int | None = None, end: int | None = None
) -> Iterator[StoredEntry]:
    """Every entry in the order of `seq`, read in batches: all, or from `start` up to `end`."""
    index, salt, words = log_index.c, vault_salt.c, vault_words.c
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
            words.key_id,
            words.sealed,
        )
        .outerjoin(log_index, index.seq == log_entry.c.seq)
        .outerjoin(vault_salt, and_(salt.seq == log_entry.c.seq, salt.field == PAYLOAD_FIELD))
        .outerjoin(vault_words, words.seq == log_entry.c.seq)
        .order_by(log_entry.c.seq)
        .execution_options(yield_per=_BATCH)
    )
    if start is not None:
        statement = statement.where(log_entry.c.seq >= start)
    if end is not None:
        statement = statement.where(log_entry.c.seq < end)
    for seq, body, leaf, kind, *about, case, key, clear, key_id, sealed in snapshot.execute(
        statement
    ):
        subject_kind, subject_name, number = about
        yield StoredEntry(
            seq=int(seq),
            body=column_bytes(body),
            leaf_hash=column_bytes(leaf),
            index=None if kind is None else (kind, subject_kind, subject_name, int(number), case),
            salt=None if key is None else column_bytes(key),
            clear=None if clear is None else column_bytes(clear),
            words=None if key_id is None else (str(key_id), column_bytes(sealed)),
        )


def inspect_entry(entry: StoredEntry, inspection: Inspection) -> None:
    """Complain about whatever does not hold in this entry."""
    seq, complain = entry.seq, inspection.complain
    if not entry.body:
        _inspect_removed(entry, inspection)
        return
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
            "actor": str(actor),
            "payload": payload,
        } if (
            body.keys() == _FIELDS
            and (committed := read_commitments(version, payload))
            and _is_event(type_, at)
        ):
            if number != seq:
                complain("ledger/moved", f"Entry {seq} was written as entry {number}.", seq)
            inspection.see_time(seq, at)
            inspection.see_number((kind, name), subject_no, seq)
            _check_index(entry, (type_, kind, name, subject_no), complain)
            _check_payload(entry, actor, committed, inspection, old=version == 1)
            if type_ in (ERASED, PRUNED):
                _see_gone(entry, type_, name, inspection)
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


def _inspect_removed(entry: StoredEntry, inspection: Inspection) -> None:
    """Of an entry without a body, the index still says which number it had."""
    inspection.miss_body(entry.seq)
    if entry.index is not None:
        _, kind, name, number, _ = entry.index
        inspection.see_number((kind, name), number, entry.seq)
    if entry.clear is not None or entry.words is not None:
        inspection.complain(
            "ledger/details-left",
            f"Entry {entry.seq} was removed, and its details are still there.",
            entry.seq,
        )


def _see_gone(entry: StoredEntry, type_: str, subject: str, inspection: Inspection) -> None:
    try:
        inspection.gone.see(entry.seq, type_, subject, parse_object(entry.clear or b""))
    except (VerifyError, LookupError, TypeError, ValueError, AttributeError):
        inspection.complain(
            "ledger/unreadable-entry",
            f"What entry {entry.seq} says was removed cannot be read.",
            entry.seq,
        )


def _check_payload(
    entry: StoredEntry,
    actor: str,
    committed: Commitments,
    inspection: Inspection,
    *,
    old: bool,
) -> None:
    complain = inspection.complain
    details, words = committed
    if entry.salt is None or entry.clear is None:
        complain(
            "ledger/payload-missing", f"The details of entry {entry.seq} are missing.", entry.seq
        )
    elif entry.words is not None:
        _check_words(entry, committed, inspection)
    elif words is not None:
        inspection.miss_words(entry, actor, details)
    elif old and not is_committed(entry.salt, entry.clear, details):
        inspection.miss_words(entry, actor, None)
    else:
        _check_details(entry, details, complain)


def _check_words(entry: StoredEntry, committed: Commitments, inspection: Inspection) -> None:
    details, words = committed
    try:
        found = inspection.reader.open(entry.seq, *(entry.words or ("", b"")))
    except IntegrityError as error:
        inspection.complain(
            "ledger/words-changed", f"What somebody wrote in entry {entry.seq}: {error.what}",
            entry.seq,
        )  # fmt: skip
        return
    if found is None:
        inspection.miss_key()
        if words is not None:
            _check_details(entry, details, inspection.complain)
        return
    if words is None:
        clear = merged(entry.clear or b"", found.clear)
        _check_details(replace(entry, salt=found.salt, clear=clear), details, inspection.complain)
        return
    _check_details(entry, details, inspection.complain)
    if not is_committed(found.salt, found.clear, words):
        inspection.complain(
            "ledger/payload-changed",
            f"What somebody wrote in entry {entry.seq} is not what it commits to.",
            entry.seq,
        )


def merged(clear: bytes, words: bytes) -> bytes:
    """Details and words as the one payload that an entry of version 1 commits to."""
    try:
        return canonical_json({**parse_object(clear), **parse_object(words)})
    except VerifyError:
        return b""


def _check_details(entry: StoredEntry, committed: str, complain: Complain) -> None:
    if not is_committed(entry.salt or b"", entry.clear or b"", committed):
        complain(
            "ledger/payload-changed",
            f"The details of entry {entry.seq} are not those that it commits to.",
            entry.seq,
        )
