"""The Merkle tree over entries that are all at hand, built once and asked for any size."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from guiderail_verify.tree import HASH_SIZE, inclusion_proof, leaf_hash, root_at


class EntryTree:
    """Complete subtrees, a string of hashes for each level. size: how many entries there are."""

    __slots__ = ("_levels", "size")

    def __init__(self, bodies: Iterable[bytes]) -> None:
        self._build(map(leaf_hash, bodies))

    @classmethod
    def of_leaves(cls, leaves: Iterable[bytes]) -> EntryTree:
        """From leaf hashes: of an entry that was removed, nothing else is left."""
        tree = cls(())
        tree._build(leaves)
        return tree

    def _build(self, leaves: Iterable[bytes]) -> None:
        sha256, pair = hashlib.sha256, 2 * HASH_SIZE
        level = b"".join(leaves)
        self.size = len(level) // HASH_SIZE
        self._levels = [level]
        while len(level) >= pair:
            ends = range(pair, len(level) + 1, pair)
            level = b"".join([sha256(b"\x01" + level[end - pair : end]).digest() for end in ends])
            self._levels.append(level)

    def root(self, size: int) -> bytes:
        """The root over the first `size` entries. Raises ValueError where there are fewer."""
        if size > self.size:
            raise ValueError(f"there are {self.size} entries, not {size}")
        return root_at(size, self._node)

    def inclusion(self, index: int) -> tuple[bytes, ...]:
        """The path from entry `index` to the root over all. Raises ValueError outside the tree."""
        return tuple(inclusion_proof(index, self.size, self._node))

    def _node(self, level: int, position: int) -> bytes:
        return self._levels[level][position * HASH_SIZE : (position + 1) * HASH_SIZE]
