"""Proofs from the sealed log: that an entry is in it, and that it only ever grew."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, select

from guiderail.core.errors import ConflictError, InputError
from guiderail.ledger.seal import stored_nodes
from guiderail.ledger.witnesses import latest_cosigned_note
from guiderail.store.columns import column_bytes
from guiderail.store.database import Store
from guiderail.store.prepared import Prepared
from guiderail.store.tables import log_checkpoint, log_entry
from guiderail.store.transaction import Snapshot
from guiderail_verify.note import parse_checkpoint
from guiderail_verify.proof import TlogProof
from guiderail_verify.tree import consistency_proof, inclusion_proof

_FIND_BODY = Prepared(select(log_entry.c.body).where(log_entry.c.seq == bindparam("at")))


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """The path between two signed sizes, 32 bytes each, and both notes as they were signed."""

    old_note: str
    new_note: str
    path: tuple[bytes, ...]


def prove_entry(store: Store, seq: int) -> str:
    """The `.tlog-proof` of entry `seq` under the newest checkpoint and its cosignatures.

    Its extra line carries the entry's bytes, so that the file can be checked alone.
    Raises InputError for an entry that is not there, ConflictError for one not yet sealed.
    """
    with store.read() as snapshot:
        found = snapshot.run(_FIND_BODY, {"at": seq})
        body = found[0][0] if found else None
        if body is None:
            raise InputError(
                f"The ledger has no entry {seq}.",
                advice="Look the number up with guiderail ledger log.",
                code="ledger/no-entry",
            )
        if not body:
            raise ConflictError(
                f"Entry {seq} was removed when its time was over; its bytes are gone.",
                advice="guiderail ledger log names the entry that says so.",
                code="ledger/removed",
            )
        note = latest_cosigned_note(snapshot, at_least=seq + 1)
        if note is None:
            raise ConflictError(
                f"Entry {seq} is not sealed yet.",
                advice="Run guiderail ledger checkpoint, then repeat the command.",
                code="ledger/not-sealed",
            )
        size = parse_checkpoint(_text_of(note)).size
        path = inclusion_proof(seq, size, stored_nodes(snapshot))
    return TlogProof(seq, tuple(path), note, column_bytes(body)).to_text()


def prove_growth(store: Store, old_size: int, new_size: int) -> ConsistencyProof:
    """That the checkpoint of `new_size` continues the one of `old_size`.

    Raises InputError where one of the sizes was never sealed.
    """
    with store.read() as snapshot:
        old_note, new_note = _note_at(snapshot, old_size), _note_at(snapshot, new_size)
        if old_size > new_size:
            raise InputError(
                f"A log of {old_size} entries cannot have grown into one of {new_size}.",
                advice="Give the smaller size first.",
                code="ledger/sizes-swapped",
            )
        path = consistency_proof(old_size, new_size, stored_nodes(snapshot))
    return ConsistencyProof(old_note, new_note, tuple(path))


def _note_at(snapshot: Snapshot, size: int) -> str:
    statement = select(log_checkpoint.c.note).where(log_checkpoint.c.size == size)
    note = snapshot.execute(statement).scalar_one_or_none()
    if note is None:
        raise InputError(
            f"No checkpoint was signed at {size} entries.",
            advice="Look the sizes up with guiderail ledger checkpoint.",
            code="ledger/no-checkpoint",
        )
    return str(note)


def _text_of(note: str) -> str:
    return note.rpartition("\n\n")[0] + "\n"
