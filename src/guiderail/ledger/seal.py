"""Sign the log: store the complete nodes of the Merkle tree and a checkpoint over all entries.

Sealing is a separate step because it needs a key and an append must not. Everything it stores can
be derived again, so a crash in the middle loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import bindparam, insert, select

from guiderail.attest.keys import Keyring
from guiderail.core.errors import IntegrityError
from guiderail.core.time import to_text
from guiderail.ledger.key_versions import refuse_changed_keys
from guiderail.store.columns import column_bytes
from guiderail.store.database import Store
from guiderail.store.prepared import Prepared
from guiderail.store.tables import log_checkpoint, log_entry, log_head, log_node
from guiderail.store.transaction import Snapshot, Transaction
from guiderail_verify.errors import VerifyError
from guiderail_verify.note import Checkpoint, open_checkpoint
from guiderail_verify.tree import (
    Nodes,
    completed_by,
    leaf_hash,
    node_hash,
    root_at,
)

_BATCH = 1000

_FIND_NOTE = Prepared(
    select(log_checkpoint.c.note)
    .where(log_checkpoint.c.size >= bindparam("at_least"))
    .order_by(log_checkpoint.c.size.desc())
    .limit(1)
)
_FIND_LEAF = Prepared(
    select(log_entry.c.leaf_hash).where(log_entry.c.seq == bindparam("at_position"))
)
_FIND_NODE = Prepared(
    select(log_node.c.hash).where(
        log_node.c.level == bindparam("at_level"), log_node.c.position == bindparam("at_position")
    )
)


def seal(store: Store, keyring: Keyring, now: datetime) -> Checkpoint:
    """Sign every committed entry. Where nothing is new, the last checkpoint is given back.

    The newest checkpoint is also kept beside the keys, where writing to the database cannot reach
    it; it only ever speaks of entries that are committed, so a crash in between is harmless.
    Raises IntegrityError, and signs nothing, where the stored log does not continue the last
    checkpoint or the kept one: a log never signs two histories. Raises ConflictError where the keys
    were changed meanwhile.
    """
    with store.transaction(alone=True) as tx:
        size = int(tx.execute(select(log_head.c.size).with_for_update()).scalar_one())
        refuse_changed_keys(tx, keyring.trusted)
        nodes = _Nodes(tx)
        last = _opened(latest_note(tx), keyring, "last")
        kept = _opened(keyring.kept_checkpoint(), keyring, "kept")
        if last is not None:
            _refuse_rewritten(last, size, nodes)
        nodes.extend(last.size if last is not None else 0, size)
        if kept is not None:
            _refuse_rewritten(kept, size, nodes)
        checkpoint = Checkpoint(keyring.origin, size, root_at(size, nodes))
        note = keyring.sign_note(checkpoint.to_text())
        if kept != checkpoint:
            keyring.keep_checkpoint(note)
        if last == checkpoint:
            return last
        tx.execute(insert(log_checkpoint), {"size": size, "note": note, "sealed_at": to_text(now)})
        return checkpoint


def latest_note(snapshot: Snapshot, *, at_least: int = 0) -> str | None:
    """The newest checkpoint as it was signed, or None where none covers `at_least` entries."""
    found = snapshot.run(_FIND_NOTE, {"at_least": at_least})
    return str(found[0][0]) if found else None


def stored_nodes(snapshot: Snapshot) -> Nodes:
    """The complete subtrees of the sealed log. Raises IntegrityError where one is missing."""
    return _Nodes(snapshot)


class _Nodes:
    """Reads subtree hashes from the database and remembers those that it computed itself."""

    __slots__ = ("_fresh", "_snapshot")

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._fresh: dict[tuple[int, int], bytes] = {}

    def __call__(self, level: int, position: int) -> bytes:
        fresh = self._fresh.get((level, position))
        if fresh is not None:
            return fresh
        at = {"at_level": level, "at_position": position}
        found = self._snapshot.run(_FIND_NODE if level else _FIND_LEAF, at)
        if not found or found[0][0] is None:
            raise _broken(f"node {position} of level {level} is missing")
        return column_bytes(found[0][0])

    def extend(self, start: int, size: int) -> None:
        """Hash the bodies from `start` to `size` and store the nodes that they complete."""
        if not isinstance(self._snapshot, Transaction):
            raise TypeError("nodes are stored in a transaction")
        rows: list[dict[str, object]] = []
        for seq, leaf in _fresh_leaves(self._snapshot, start, size):
            self._fresh[0, seq] = leaf
            for level, position in completed_by(seq):
                left = self(level - 1, 2 * position)
                hash_ = node_hash(left, self(level - 1, 2 * position + 1))
                self._fresh[level, position] = hash_
                rows.append({"level": level, "position": position, "hash": hash_})
        for begin in range(0, len(rows), _BATCH):
            self._snapshot.execute(insert(log_node), rows[begin : begin + _BATCH])


def _fresh_leaves(tx: Transaction, start: int, size: int) -> Iterator[tuple[int, bytes]]:
    """Leaf hashes computed from the bodies: what is signed is what is stored."""
    statement = (
        select(log_entry.c.seq, log_entry.c.body, log_entry.c.leaf_hash)
        .where(log_entry.c.seq >= start)
        .order_by(log_entry.c.seq)
        .execution_options(yield_per=_BATCH)
    )
    expected = start
    for seq, body, stored in tx.execute(statement):
        if seq != expected:
            raise _broken(f"entry {expected} is missing")
        leaf = leaf_hash(column_bytes(body))
        if leaf != column_bytes(stored):
            raise _broken(f"the bytes of entry {seq} were changed")
        yield seq, leaf
        expected += 1
    if expected != size:
        raise _broken(f"the head counts {size} entries and {expected} are there")


def _opened(note: str | None, keyring: Keyring, which: str) -> Checkpoint | None:
    if note is None:
        return None
    try:
        return open_checkpoint(note, keyring.trusted.as_recorded.note_keys, keyring.origin)
    except VerifyError as error:
        raise _broken(f"the {which} checkpoint does not verify ({error.reason})") from error


def _refuse_rewritten(last: Checkpoint, size: int, nodes: Nodes) -> None:
    if last.size > size:
        raise _broken(f"{last.size} entries were signed and only {size} are there")
    if root_at(last.size, nodes) != last.root:
        raise _broken("its stored nodes do not give the root that was signed")


def _broken(why: str) -> IntegrityError:
    return IntegrityError(
        f"The ledger does not continue what was signed: {why}.",
        advice="Run guiderail ledger verify, and restore the database from a backup.",
        code="ledger/not-sealable",
    )
