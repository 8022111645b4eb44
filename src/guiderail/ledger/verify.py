"""Recompute everything from the stored bytes and say what does not hold.

Nothing that the database derived is believed: bodies are hashed again, numbers counted again,
nodes and roots built again, signatures and payload commitments checked. Who can write to the
database and not to the keys is shown by the signed checkpoints: those of the log, those in the
proofs of the permits, and the one that is kept beside the keys. An operator who holds the keys can
still rewrite the log from the start; only a checkpoint that somebody else kept (`held`) shows that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from guiderail.core.errors import IntegrityError
from guiderail.ledger.inspection import (
    Inspection,
    StoredEntry,
    inspect_entry,
    stored_entries,
)
from guiderail.ledger.key_versions import check_chain
from guiderail.ledger.marks import HELD, KEPT, Marks
from guiderail.ledger.sweep import COMPLETE_AT, LEVEL, Swept, end_of_sweep
from guiderail.ledger.sweep_all import sweep_all
from guiderail.ledger.triggers import missing_triggers
from guiderail.ledger.vault import Reader
from guiderail.store.columns import column_bytes
from guiderail.store.database import Store
from guiderail.store.tables import log_head, log_node, subject_counter
from guiderail.store.transaction import Snapshot
from guiderail_verify.canonical import encode_base64
from guiderail_verify.permit import TrustedKeys
from guiderail_verify.tree import EMPTY_ROOT, leaf_hash, node_hash

MOST_OF_A_KIND = 20
_BATCH = 1000

_UNREADABLE = (DBAPIError, IntegrityError, TypeError, ValueError, OverflowError)
"""What columns can raise that hold something else than they were declared to."""


@dataclass(frozen=True, slots=True)
class Problem:
    """code: stable, `ledger/...`. seq: the entry it is about, where it is about one."""

    code: str
    sentence: str
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a full check found.

    size: entries found. root: base64 of the Merkle root over them, as a checkpoint writes it.
    checkpoint: the newest one as signed, or None. sealed: how many entries it covers.
    problems: empty if and only if everything holds. notices: true, and worth a look.
    erased, removed: how many entries lack the words of somebody who was erased, and how many were
    removed when their time was over; later entries say so. They were not checked.
    """

    size: int
    root: str
    checkpoint: str | None
    sealed: int
    problems: tuple[Problem, ...]
    notices: tuple[str, ...]
    erased: int = 0
    removed: int = 0

    @property
    def ok(self) -> bool:
        return not self.problems


def verify(
    store: Store, keys: TrustedKeys, *, held: str | None = None, kept: str | None = None
) -> Report:
    """Check the whole log.

    held: a checkpoint that was kept outside, as it was signed. kept: the one beside the keys.
    Damage is never an error of this function: what cannot be read at all is a problem too.
    """
    replay = _Replay()
    marks = Marks(replay.add)
    inspection: Inspection | None = None
    try:
        with store.read() as snapshot:
            inspection = Inspection(
                lambda code, text, seq: replay.add(code, text, seq), Reader(snapshot)
            )
            marks.expect_stored(snapshot, keys)
            marks.expect_note(held, keys, HELD)
            marks.expect_note(kept, keys, KEPT)
            marks.expect_proofs(snapshot, keys)
            marks.compare(replay.size, replay.root)
            check_chain(snapshot, keys, replay.add)
            _take_swept(store, snapshot, replay, marks, inspection)
            _check_entries(snapshot, replay, marks, inspection)
            inspection.finish()
            _check_head(snapshot, replay)
            _check_counters(snapshot, inspection, replay)
            for trigger in missing_triggers(snapshot):
                replay.add(
                    "ledger/unprotected",
                    f"The trigger {trigger} is missing or changed: the database no longer refuses "
                    "to change what is written.",
                )
    except _UNREADABLE as error:
        cause = str(getattr(error, "orig", None) or error).splitlines()[0]
        replay.add("ledger/unreadable", f"The stored ledger cannot be read further: {cause}.")
    return Report(
        size=replay.size,
        root=encode_base64(replay.root()),
        checkpoint=marks.newest,
        sealed=marks.sealed,
        problems=replay.problems(),
        notices=tuple(inspection.notices) if inspection else (),
        erased=inspection.erased if inspection else 0,
        removed=inspection.removed if inspection else 0,
    )


def _take_swept(
    store: Store, snapshot: Snapshot, replay: _Replay, marks: Marks, inspection: Inspection
) -> None:
    """The stretches from the first one on whose trees are as stored; the rest is left."""
    end = end_of_sweep(snapshot, marks.sealed, LEVEL)
    sizes = marks.sizes(0, end)
    with closing(sweep_all(store, snapshot, end, LEVEL, sizes)) as found:
        for swept in found:
            if swept is None or not _are_stored(snapshot, replay.completed_by(swept.root, LEVEL)):
                return
            try:
                stored = _doubtful(snapshot, replay.size, swept)
            except _UNREADABLE:
                return
            _look_at(swept, stored, replay, marks, inspection)
            replay.push(swept.root, LEVEL)
            replay.expected = replay.size
            marks.compare(replay.size, replay.root)


def _doubtful(snapshot: Snapshot, start: int, swept: Swept) -> dict[int, StoredEntry]:
    """The entries of a stretch that are looked at one by one, by their numbers."""
    if None not in swept.entries:
        return {}
    entries = stored_entries(snapshot, start, start + len(swept.entries))
    return {entry.seq: entry for entry in entries if swept.entries[entry.seq - start] is None}


def _look_at(
    swept: Swept,
    stored: Mapping[int, StoredEntry],
    replay: _Replay,
    marks: Marks,
    inspection: Inspection,
) -> None:
    """What `_check_entries` would find in entries whose tree is as stored."""
    for seq, plain in enumerate(swept.entries, start=replay.size):
        if plain is None:
            inspect_entry(stored[seq], inspection)
        else:
            subject, number, at = plain
            inspection.see_time(seq, at)
            inspection.see_number(subject, number, seq)
        if seq + 1 in swept.parts:
            marks.compare(seq + 1, partial(replay.root, swept.parts[seq + 1]))


def _are_stored(snapshot: Snapshot, nodes: Iterable[tuple[int, int, bytes]]) -> bool:
    find = select(log_node.c.level, log_node.c.position, log_node.c.hash)
    return all(
        snapshot.execute(
            find.where(log_node.c.level == node[0], log_node.c.position == node[1])
        ).one_or_none()
        == node
        for node in nodes
    )


def _check_entries(
    snapshot: Snapshot, replay: _Replay, marks: Marks, inspection: Inspection
) -> None:
    stored = _StoredNodes(snapshot, replay)
    for entry in stored_entries(snapshot, replay.size or None):
        _check_order(entry, replay)
        inspect_entry(entry, inspection)
        _check_leaf(entry, replay)
        leaf = leaf_hash(entry.body) if entry.body else entry.leaf_hash
        stored.compare(replay.push(leaf), marks.sealed)
        marks.compare(replay.size, replay.root)
    stored.finish()
    marks.finish(replay.size)


@dataclass(slots=True)
class _Replay:
    """The tree so far, as the roots of its complete subtrees from left to right."""

    size: int = 0
    expected: int = 0
    _subtrees: list[tuple[int, bytes]] = field(default_factory=list)
    _problems: list[Problem] = field(default_factory=list)
    _counts: Counter[str] = field(default_factory=Counter)

    def push(self, hash_: bytes, level: int = 0) -> list[tuple[int, int, bytes]]:
        """Add a leaf, or a complete subtree of 2**level leaves, and all that it completes."""
        completed = self.completed_by(hash_, level)
        self._subtrees = self._subtrees[: len(self._subtrees) - len(completed)]
        self._subtrees.append((completed[-1][0], completed[-1][2]) if completed else (level, hash_))
        self.size += 1 << level
        return completed

    def completed_by(self, hash_: bytes, level: int) -> list[tuple[int, int, bytes]]:
        """The inner nodes (level, position, hash) that such a subtree would complete."""
        completed: list[tuple[int, int, bytes]] = []
        for above, left in reversed(self._subtrees):
            if above != level:
                break
            level, hash_ = level + 1, node_hash(left, hash_)
            completed.append((level, self.size >> level, hash_))
        return completed

    def root(self, more: Sequence[tuple[int, bytes]] = ()) -> bytes:
        """more: smaller subtrees that follow, as they are kept here."""
        subtrees = [*self._subtrees, *more]
        if not subtrees:
            return EMPTY_ROOT
        found = subtrees.pop()[1]
        for _, hash_ in reversed(subtrees):
            found = node_hash(hash_, found)
        return found

    def add(self, code: str, sentence: str, seq: int | None = None) -> None:
        self._counts[code] += 1
        if self._counts[code] <= MOST_OF_A_KIND:
            self._problems.append(Problem(code, sentence, seq))

    def problems(self) -> tuple[Problem, ...]:
        more = [
            Problem(code, f"There are {count - MOST_OF_A_KIND} more problems of this kind.")
            for code, count in self._counts.items()
            if count > MOST_OF_A_KIND
        ]
        return (*self._problems, *more)


class _StoredNodes:
    """The stored inner nodes, in the order in which a growing tree completes them.

    Those that the replay has already are left out.
    """

    __slots__ = ("_replay", "_rows")

    def __init__(self, snapshot: Snapshot, replay: _Replay) -> None:
        statement = (
            select(log_node.c.level, log_node.c.position, log_node.c.hash)
            .order_by(COMPLETE_AT, log_node.c.level)
            .execution_options(yield_per=_BATCH)
        )
        if replay.size:
            statement = statement.where(COMPLETE_AT > replay.size)  # noqa: SIM300 - it is the column
        self._rows: Iterator[tuple[int, int, bytes]] | None = (
            (level, position, column_bytes(hash_))
            for level, position, hash_ in snapshot.execute(statement)
        )
        self._replay = replay

    def compare(self, completed: Iterable[tuple[int, int, bytes]], sealed: int) -> None:
        if self._replay.size > sealed:
            return
        for node in completed:
            found = next(self._rows, None) if self._rows is not None else node
            if found is None or found[:2] != node[:2]:
                self._rows = None
                self._replay.add(
                    "ledger/node-missing",
                    f"The stored nodes of the tree do not go on with level {node[0]}, "
                    f"position {node[1]}.",
                )
            elif found != node:
                self._replay.add(
                    "ledger/node-changed",
                    f"The stored node of level {node[0]}, position {node[1]} is not the one that "
                    "the entries give.",
                )

    def finish(self) -> None:
        extra = next(self._rows, None) if self._rows is not None else None
        if extra is not None:
            self._replay.add(
                "ledger/node-extra",
                f"There is a stored node of level {extra[0]}, position {extra[1]} that no signed "
                "entry completes.",
            )


def _check_order(entry: StoredEntry, replay: _Replay) -> None:
    if entry.seq > replay.expected:
        last = entry.seq - 1
        which = (
            f"entry {last} is"
            if last == replay.expected
            else (f"entries {replay.expected} to {last} are")
        )
        replay.add("ledger/gap", f"The {which} missing.", replay.expected)
    replay.expected = entry.seq + 1


def _check_leaf(entry: StoredEntry, replay: _Replay) -> None:
    if entry.body and leaf_hash(entry.body) != entry.leaf_hash:
        replay.add(
            "ledger/body-changed",
            f"The bytes of entry {entry.seq} do not match their stored hash.",
            entry.seq,
        )


def _check_head(snapshot: Snapshot, replay: _Replay) -> None:
    size = snapshot.execute(select(log_head.c.size)).scalar_one_or_none()
    if size != replay.size:
        replay.add(
            "ledger/head-differs",
            f"The head counts {size} entries and {replay.size} are there.",
        )


def _check_counters(snapshot: Snapshot, inspection: Inspection, replay: _Replay) -> None:
    statement = select(subject_counter.c.kind, subject_counter.c.name, subject_counter.c.next_no)
    stored = {(kind, name): number for kind, name, number in snapshot.execute(statement)}
    counted = {subject: last + 1 for subject, last in inspection.numbers.items()}
    for subject in sorted(stored.keys() | counted.keys()):
        if stored.get(subject) != counted.get(subject):
            kind, name = subject
            replay.add(
                "ledger/subject-counter",
                f"The counter of {kind} {name} says that the next event is number "
                f"{stored.get(subject)}; the entries say {counted.get(subject, 1)}.",
            )
