"""Check whole stretches of the log at once, for `verify`.

A stretch is a complete subtree of the Merkle tree. Its rows are read together, its tree is built
level by level and compared as lists, and an entry is plainly sound where one pattern matches its
bytes and its rows agree with them. Nothing is decided here but that something is sound: an entry
that is not plainly so is doubtful, a stretch whose tree is not as stored is irregular, and `verify`
looks at both as thoroughly as if there were no sweep.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from hmac import digest as hmac_digest
from typing import Any, Final, NamedTuple, get_args

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    bindparam,
    cast,
    func,
    not_,
    or_,
    select,
    union_all,
)
from sqlalchemy.exc import DBAPIError

from guiderail.core.time import from_text, to_text
from guiderail.ledger.append import PAYLOAD_FIELD
from guiderail.ledger.events import EventName
from guiderail.store.prepared import Prepared
from guiderail.store.tables import log_entry, log_index, log_node, vault_salt, vault_words
from guiderail.store.transaction import Snapshot
from guiderail_verify.canonical import parse_object
from guiderail_verify.errors import VerifyError
from guiderail_verify.gone import ERASED, PRUNED
from guiderail_verify.plain_entry import match_entry

COMPLETE_AT: Final = (log_node.c.position + 1).bitwise_lshift(log_node.c.level)
"""The size of the log at which a stored node becomes complete."""

LEVEL = 12
"""Of a stretch in the tree: 4,096 entries, a few megabytes of rows."""

_TYPES: Final = frozenset(get_args(EventName)) - {ERASED, PRUNED}
"""What entries may be about that say nothing about other entries."""


class Swept(NamedTuple):
    """A stretch whose tree is as stored.

    entries: subject (kind, name), number within the subject, and time of every entry; None where
    it is doubtful. root: of the stretch. parts: for each size that was asked for, the roots of the
    complete subtrees that the stretch then consists of, from left to right, with their levels.
    """

    entries: Sequence[tuple[tuple[str, str], int, str] | None]
    root: bytes
    parts: dict[int, list[tuple[int, bytes]]]


def end_of_sweep(snapshot: Snapshot, sealed: int, level: int) -> int:
    """How many entries, whole stretches, may be swept: those whose nodes are stored.

    0 where a row has a number that no entry and no node has: who asks for numbers would miss it.
    """
    end = sealed >> level << level
    return 0 if any(count for (count,) in snapshot.run(_COUNT_ODD, {"size": end})) else end


def sweep(snapshot: Snapshot, start: int, level: int, sizes: Sequence[int]) -> Swept | None:
    """Look at the 2**level entries from `start`, a multiple of that; None: irregular.

    sizes: of the log, at which the caller needs its root; between `start` and the end.
    """
    try:
        return _sweep(snapshot, start, level, sizes)
    except (DBAPIError, TypeError, ValueError, OverflowError):
        return None


def _sweep(snapshot: Snapshot, start: int, level: int, sizes: Sequence[int]) -> Swept | None:
    end = start + (1 << level)
    between = {"low": start, "high": end}
    rows = snapshot.run(_ENTRIES, between)
    if [row[0] for row in rows] != list(range(start, end)):
        return None
    levels = _levels(rows)
    if levels[0] != [row[2] for row in rows]:
        return None
    for above, hashes in enumerate(levels[1:], start=1):
        at = {"at_level": above, "low": start >> above, "high": end >> above}
        if snapshot.run(_NODES, at) != [(hash_,) for hash_ in hashes]:
            return None
    about = {row[0]: row[1:] for row in snapshot.run(_INDEX, between)}
    details = {row[0]: row[1:] for row in snapshot.run(_DETAILS, between)}
    for (seq,) in snapshot.run(_WORDS, between):
        details.pop(seq, None)  # somebody wrote something: that is looked at one by one
    seen = _Seen()
    return Swept(
        [seen.look(seq, body, about.get(seq), details.get(seq)) for seq, body, _ in rows],
        levels[-1][0],
        {size: _parts(levels, size - start) for size in sizes},
    )


# --- The rows of a stretch ----------------------------------------------------------------------


def _stretch_of(seq: Any, *columns: Any) -> Any:
    within = seq >= bindparam("low"), seq < bindparam("high")
    return select(seq, *columns).where(*within).order_by(seq)


_ENTRIES: Final = Prepared(_stretch_of(log_entry.c.seq, log_entry.c.body, log_entry.c.leaf_hash))
_INDEX: Final = Prepared(
    _stretch_of(
        log_index.c.seq,
        log_index.c.type,
        log_index.c.subject_kind,
        log_index.c.subject_name,
        log_index.c.subject_no,
        log_index.c.case_id,
    )
)
_DETAILS: Final = Prepared(
    _stretch_of(vault_salt.c.seq, vault_salt.c.salt, vault_salt.c.value).where(
        vault_salt.c.field == PAYLOAD_FIELD
    )
)
_WORDS: Final = Prepared(_stretch_of(vault_words.c.seq))
_NODES: Final = Prepared(
    select(log_node.c.hash)
    .where(
        log_node.c.level == bindparam("at_level"),
        log_node.c.position >= bindparam("low"),
        log_node.c.position < bindparam("high"),
    )
    .order_by(log_node.c.position)
)


def _count_odd(table: Table, *odd: ColumnElement[bool]) -> Select[int]:
    """Rows with such a number, or with one that is no whole number: SQLite lets it stand there."""
    broken = [column != cast(column, column.type) for column in table.primary_key]
    return select(func.count()).select_from(table).where(or_(*odd, *broken))


_COUNT_ODD: Final = Prepared(
    union_all(
        _count_odd(log_entry, log_entry.c.seq < 0),
        _count_odd(log_node, not_(log_node.c.level.between(1, 62)), log_node.c.position < 0).where(
            COMPLETE_AT <= bindparam("size")  # noqa: SIM300 - it is the column
        ),
    )
)


# --- The tree -----------------------------------------------------------------------------------


def _levels(rows: Sequence[tuple[Any, ...]]) -> list[list[bytes]]:
    """All hashes of the stretch, leaves first. TypeError where a body is not stored as bytes.

    Of an entry that was removed when its time was over, the leaf is all that is left.
    """
    sha256 = hashlib.sha256
    levels = [[leaf if body == b"" else sha256(b"\x00" + body).digest() for _, body, leaf in rows]]
    while len(levels[-1]) > 1:
        pairs = iter(levels[-1])
        levels.append(
            [
                sha256(b"\x01" + left + right).digest()
                for left, right in zip(pairs, pairs, strict=True)
            ]
        )
    return levels


def _parts(levels: Sequence[Sequence[bytes]], size: int) -> list[tuple[int, bytes]]:
    parts, done = [], 0
    for level in reversed(range(len(levels))):
        if size >> level & 1:
            parts.append((level, levels[level][done >> level]))
            done += 1 << level
    return parts


# --- One entry ----------------------------------------------------------------------------------


class _Seen:
    """Days and subjects that were met before: most entries share theirs with another one."""

    __slots__ = ("_days", "_subjects")

    def __init__(self) -> None:
        self._days: dict[str, bool] = {}
        self._subjects: dict[tuple[str, str], tuple[str, str]] = {}

    def look(
        self,
        seq: int,
        body: bytes,
        about: tuple[Any, ...] | None,
        details: tuple[Any, ...] | None,
    ) -> tuple[tuple[str, str], int, str] | None:
        """What a plainly sound entry says; None where it is doubtful."""
        try:
            matched = match_entry(body.decode())
            if matched is None or details is None:
                return None
            _, day, time, _, _, committed, _, written, _, kind, name, no, type_ = matched.groups()
            salt, clear = details
            number = int(no)
            case = parse_object(clear).get("case")
            sound = (
                int(written) == seq
                and type_ in _TYPES
                and about == (type_, kind, name, number, case if isinstance(case, str) else None)
                and hmac_digest(salt, clear, "sha256").hex() == committed
                and self._is_day(day)
            )
        except (UnicodeDecodeError, VerifyError, TypeError, AttributeError):
            return None
        subject = (kind, name)
        return (self._subjects.setdefault(subject, subject), number, day + time) if sound else None

    def _is_day(self, day: str) -> bool:
        known = self._days.get(day)
        if known is None:
            noon = f"{day}T12:00:00.000000Z"
            try:
                known = to_text(from_text(noon)) == noon
            except ValueError:
                known = False
            self._days[day] = known
        return known
