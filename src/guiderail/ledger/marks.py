"""Signed checkpoints that a log is compared with while its tree is built again.

They come from four places: the log's own table, the proofs of the permits, the file beside the
keys, and whoever holds one outside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select

from guiderail.store.tables import log_checkpoint, permit
from guiderail.store.transaction import Snapshot
from guiderail_verify.errors import VerifyError
from guiderail_verify.note import Checkpoint, open_checkpoint
from guiderail_verify.permit import TrustedKeys
from guiderail_verify.proof import parse_proof

Complain = Callable[[str, str], None]
"""(code, sentence)"""

HELD = "the checkpoint you hold"
KEPT = "the checkpoint beside the keys"
_STORED = "the checkpoint"


@dataclass(frozen=True, slots=True)
class _Mark:
    """A signed checkpoint to compare with, and whose it is, in words."""

    checkpoint: Checkpoint
    whose: str


class Marks:
    """Signed checkpoints, met one by one in the order of their sizes as the tree grows.

    newest, sealed: the newest one of the log's own table as it was signed, and its size.
    """

    __slots__ = ("_complain", "_left", "_sorted", "newest", "sealed")

    def __init__(self, complain: Complain) -> None:
        self._complain = complain
        self._left: list[_Mark] = []
        self._sorted = True
        self.newest: str | None = None
        self.sealed = 0

    def expect_stored(self, snapshot: Snapshot, keys: TrustedKeys) -> None:
        """The checkpoints of the log itself."""
        table = log_checkpoint
        statement = select(table.c.size, table.c.note).order_by(table.c.size)
        for size, note in snapshot.execute(statement).all():
            try:
                checkpoint = open_checkpoint(str(note), keys.as_recorded.note_keys, keys.origin)
            except VerifyError as error:
                self._complain("ledger/bad-checkpoint", f"The checkpoint at {size}: {error.reason}")
                continue
            if checkpoint.size != size:
                self._complain(
                    "ledger/bad-checkpoint",
                    f"The checkpoint stored at {size} was signed for {checkpoint.size} entries.",
                )
            if self.newest is None or checkpoint.size >= self.sealed:
                self.newest, self.sealed = str(note), checkpoint.size
            self._add(_Mark(checkpoint, _STORED))

    def expect_note(self, note: str | None, keys: TrustedKeys, whose: str) -> None:
        """One checkpoint from outside the database; None where there is none."""
        if note is None:
            return
        try:
            self._add(_Mark(open_checkpoint(note, keys.as_recorded.note_keys, keys.origin), whose))
        except VerifyError as error:
            self._complain("ledger/bad-held-checkpoint", f"{whose.capitalize()}: {error.reason}")

    def expect_proofs(self, snapshot: Snapshot, keys: TrustedKeys) -> None:
        """The checkpoints in the proofs of permits, as far as they are not expected anyway."""
        statement = (
            select(permit.c.id, permit.c.proof)
            .where(permit.c.proof.is_not(None))
            .order_by(permit.c.id)
        )
        known = {mark.checkpoint for mark in self._left}
        for id_, text in snapshot.execute(statement).all():
            try:
                proof = parse_proof(str(text))
                checkpoint = open_checkpoint(
                    proof.checkpoint, keys.as_recorded.note_keys, keys.origin
                )
            except VerifyError as error:
                self._complain("ledger/bad-permit-proof", f"The proof of {id_}: {error.reason}")
                continue
            if checkpoint not in known:
                known.add(checkpoint)
                self._add(_Mark(checkpoint, f"the checkpoint in the proof of {id_}"))

    def compare(self, size: int, root: Callable[[], bytes]) -> None:
        """What was signed for this size against the root of the tree as it is now."""
        self._sort()
        while self._left and self._left[-1].checkpoint.size == size:
            mark = self._left.pop()
            if mark.checkpoint.root != root():
                self._complain(
                    "ledger/other-root",
                    f"The first {size} entries do not give the root of {mark.whose}: "
                    "something among them was changed, added or removed.",
                )

    def sizes(self, above: int, most: int) -> list[int]:
        """The sizes above one and at most the other for which something was signed, ascending."""
        self._sort()
        found = []
        for mark in reversed(self._left):
            if mark.checkpoint.size > most:
                break
            if mark.checkpoint.size > above:
                found.append(mark.checkpoint.size)
        return sorted(set(found))

    def finish(self, size: int) -> None:
        """What was signed for more entries than there are."""
        self._sort()
        for mark in reversed(self._left):
            where = "was signed" if mark.whose == _STORED else f"is on {mark.whose}"
            self._complain(
                "ledger/truncated",
                f"A log of {mark.checkpoint.size} entries {where} and only {size} are "
                "there: entries at the end were removed.",
            )

    def _add(self, mark: _Mark) -> None:
        self._left.append(mark)
        self._sorted = False

    def _sort(self) -> None:
        if not self._sorted:
            self._left.sort(key=lambda found: found.checkpoint.size, reverse=True)
            self._sorted = True
