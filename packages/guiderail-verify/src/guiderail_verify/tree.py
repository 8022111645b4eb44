"""The Merkle tree of RFC 6962, section 2.1: hashes, roots, proofs and their verification.

Nothing here stores anything. A tree is given as a `Nodes` function that returns the hash of a
*complete* subtree: level 0 is a leaf hash, level 3 the root of 8 leaves; `position` counts from
the left within the level. Everything else follows from those.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Sequence

from guiderail_verify.errors import VerifyError

Nodes = Callable[[int, int], bytes]
"""(level, position) -> 32 bytes."""

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(body: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_at(size: int, nodes: Nodes) -> bytes:
    """The root of the first `size` leaves."""
    return _range_hash(0, size, nodes) if size else EMPTY_ROOT


def completed_by(index: int) -> Iterator[tuple[int, int]]:
    """The inner nodes (level, position) that become complete with leaf `index`, lowest first."""
    level, position = 0, index
    while position & 1:
        level, position = level + 1, position >> 1
        yield level, position


def inclusion_proof(index: int, size: int, nodes: Nodes) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `size` leaves, from the leaf upwards.

    Raises ValueError unless 0 <= index < size.
    """
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_range_hash(middle, high, nodes))
            high = middle
        else:
            path.append(_range_hash(low, middle, nodes))
            low = middle
    return path[::-1]


def consistency_proof(old_size: int, new_size: int, nodes: Nodes) -> list[bytes]:
    """The proof that the tree of `old_size` leaves is the beginning of that of `new_size`.

    Empty where the sizes are equal or the old tree is. Raises ValueError for old > new.
    """
    if not 0 <= old_size <= new_size:
        raise ValueError(f"a tree of {old_size} cannot grow into one of {new_size}")
    if old_size in (0, new_size):
        return []
    path: list[bytes] = []
    low, high, whole = 0, new_size, True
    while old_size != high:
        middle = low + _split(high - low)
        if old_size <= middle:
            path.append(_range_hash(middle, high, nodes))
            high = middle
        else:
            path.append(_range_hash(low, middle, nodes))
            low, whole = middle, False
    if not whole:
        path.append(_range_hash(low, high, nodes))
    return path[::-1]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that `leaf` (a leaf hash) is number `index` of the tree with this root.

    Raises VerifyError `tree/...`. The algorithm of RFC 9162, section 2.1.3.2.
    """
    if not 0 <= index < size:
        raise VerifyError("tree/out-of-range", f"There is no leaf {index} in a tree of {size}.")
    _refuse_sizes([leaf, root, *proof])
    node, last, found = index, size - 1, leaf
    for hash_ in proof:
        if last == 0:
            raise VerifyError("tree/proof-length", "The inclusion proof is too long.")
        if node & 1 or node == last:
            found = node_hash(hash_, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, hash_)
        node, last = node >> 1, last >> 1
    if last:
        raise VerifyError("tree/proof-length", "The inclusion proof is too short.")
    if not hmac.compare_digest(found, root):
        raise VerifyError("tree/not-included", "The entry is not in the log that was signed.")


def verify_consistency(
    old_size: int, new_size: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Check that the tree with `old_root` is the beginning of the one with `new_root`.

    Raises VerifyError `tree/...`. The algorithm of RFC 9162, section 2.1.4.2.
    """
    if not 0 <= old_size <= new_size:
        raise VerifyError("tree/out-of-range", "The newer tree is smaller than the older one.")
    _refuse_sizes([old_root, new_root, *proof])
    if old_size in (0, new_size):
        if proof:
            raise VerifyError("tree/proof-length", "The consistency proof is too long.")
        expected = new_root if old_size else EMPTY_ROOT
        if not hmac.compare_digest(old_root, expected):
            raise VerifyError("tree/inconsistent", "Two trees of one size have different roots.")
        return
    old_found, new_found = _replay_consistency(old_size, new_size, proof, old_root)
    same = hmac.compare_digest(old_found, old_root), hmac.compare_digest(new_found, new_root)
    if not all(same):
        raise VerifyError(
            "tree/inconsistent", "The newer log does not begin with the entries of the older one."
        )


def _replay_consistency(
    old_size: int, new_size: int, proof: Sequence[bytes], old_root: bytes
) -> tuple[bytes, bytes]:
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    if not path:
        raise VerifyError("tree/proof-length", "The consistency proof is too short.")
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old_found = new_found = path[0]
    for hash_ in path[1:]:
        if last == 0:
            raise VerifyError("tree/proof-length", "The consistency proof is too long.")
        if node & 1 or node == last:
            old_found, new_found = node_hash(hash_, old_found), node_hash(hash_, new_found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new_found = node_hash(new_found, hash_)
        node, last = node >> 1, last >> 1
    if last:
        raise VerifyError("tree/proof-length", "The consistency proof is too short.")
    return old_found, new_found


def _range_hash(low: int, high: int, nodes: Nodes) -> bytes:
    """MTH(D[low:high]); `low` is a multiple of the largest power of two in the range."""
    width = high - low
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return nodes(level, low >> level)
    middle = low + _split(width)
    return node_hash(_range_hash(low, middle, nodes), _range_hash(middle, high, nodes))


def _split(width: int) -> int:
    """The largest power of two smaller than `width`, which is at least 2."""
    return 1 << ((width - 1).bit_length() - 1)


def _refuse_sizes(hashes: Sequence[bytes]) -> None:
    if any(len(hash_) != HASH_SIZE for hash_ in hashes):
        raise VerifyError("tree/hash-size", "A hash of the proof is not 32 bytes long.")
