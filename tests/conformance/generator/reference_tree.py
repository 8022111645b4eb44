"""RFC 6962, section 2.1, word for word: slow, recursive, and therefore easy to check by eye."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def leaf_hash(body: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(width: int) -> int:
    """The largest power of two smaller than `width`."""
    power = 1
    while power * 2 < width:
        power *= 2
    return power


def root(bodies: Sequence[bytes]) -> bytes:
    """MTH(D[n])."""
    if not bodies:
        return hashlib.sha256(b"").digest()
    if len(bodies) == 1:
        return leaf_hash(bodies[0])
    k = split(len(bodies))
    return node_hash(root(bodies[:k]), root(bodies[k:]))


def path(m: int, bodies: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D[n]) of section 2.1.1."""
    if len(bodies) == 1:
        return []
    k = split(len(bodies))
    if m < k:
        return [*path(m, bodies[:k]), root(bodies[k:])]
    return [*path(m - k, bodies[k:]), root(bodies[:k])]


def growth(m: int, bodies: Sequence[bytes], whole: bool = True) -> list[bytes]:
    """PROOF(m, D[n]) and SUBPROOF of section 2.1.2."""
    if m == len(bodies):
        return [] if whole else [root(bodies)]
    k = split(len(bodies))
    if m <= k:
        return [*growth(m, bodies[:k], whole), root(bodies[k:])]
    return [*growth(m - k, bodies[k:], False), root(bodies[:k])]
