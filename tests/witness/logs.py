"""A log in memory that signs checkpoints and proves them, and can forget or rewrite its history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guiderail.witness.wire import AddCheckpoint
from guiderail_verify.entry_tree import EntryTree
from guiderail_verify.note import Checkpoint, NoteKey, compose, signature_line
from guiderail_verify.tree import consistency_proof, leaf_hash, node_hash

ORIGIN = "guiderail.local/tested"
PRIVATE = Ed25519PrivateKey.from_private_bytes(b"\x17" * 32)
KEY = NoteKey(ORIGIN, PRIVATE.public_key().public_bytes_raw())


@dataclass(slots=True)
class Log:
    """entries: the bytes of each, in order."""

    entries: list[bytes] = field(default_factory=list)

    @classmethod
    def of(cls, count: int, history: str = "a") -> Log:
        return cls([f"{history}{number}".encode() for number in range(count)])

    def checkpoint(self, size: int | None = None) -> Checkpoint:
        count = len(self.entries) if size is None else size
        return Checkpoint(ORIGIN, count, EntryTree(self.entries).root(count))

    def note(self, size: int | None = None) -> str:
        return sign(self.checkpoint(size).to_text())

    def prove(self, old: int, size: int | None = None) -> Sequence[bytes]:
        return consistency_proof(old, len(self.entries) if size is None else size, self._node)

    def request(self, old: int, size: int | None = None) -> bytes:
        return AddCheckpoint(old, tuple(self.prove(old, size)), self.note(size)).to_bytes()

    def _node(self, level: int, position: int) -> bytes:
        if not level:
            return leaf_hash(self.entries[position])
        left = self._node(level - 1, 2 * position)
        return node_hash(left, self._node(level - 1, 2 * position + 1))


def sign(text: str, private: Ed25519PrivateKey = PRIVATE, key: NoteKey = KEY) -> str:
    return compose(text, [signature_line(key, private.sign(text.encode()))])
