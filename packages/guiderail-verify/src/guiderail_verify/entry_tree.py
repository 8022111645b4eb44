"""The Merkle tree over entries that are all at hand, built once and asked for any size."""

from __future__ import annotations

from collections.abc import Iterable

from guiderail_verify.tree import completed_by, inclusion_proof, leaf_hash, node_hash, root_at


class EntryTree:
    """Complete subtrees by level and position. size: how many entries there are."""

    __slots__ = ("_nodes", "size")

    def __init__(self, bodies: Iterable[bytes]) -> None:
        self._nodes: dict[tuple[int, int], bytes] = {}
        self.size = 0
        for body in bodies:
            self._push(leaf_hash(body))

    @classmethod
    def of_leaves(cls, leaves: Iterable[bytes]) -> EntryTree:
        """From leaf hashes: of an entry that was removed, nothing else is left."""
        tree = cls(())
        for leaf in leaves:
            tree._push(leaf)
        return tree

    def root(self, size: int) -> bytes:
        """The root over the first `size` entries. Raises ValueError where there are fewer."""
        if size > self.size:
            raise ValueError(f"there are {self.size} entries, not {size}")
        return root_at(size, self._node)

    def inclusion(self, index: int) -> tuple[bytes, ...]:
        """The path from entry `index` to the root over all. Raises ValueError outside the tree."""
        return tuple(inclusion_proof(index, self.size, self._node))

    def _push(self, leaf: bytes) -> None:
        nodes = self._nodes
        nodes[0, self.size] = leaf
        for level, position in completed_by(self.size):
            left, right = nodes[level - 1, 2 * position], nodes[level - 1, 2 * position + 1]
            nodes[level, position] = node_hash(left, right)
        self.size += 1

    def _node(self, level: int, position: int) -> bytes:
        return self._nodes[level, position]
