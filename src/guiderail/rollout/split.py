"""Which version answers a unit: sticky, even, and monotone when a canary grows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
SPACE = 2**64


@dataclass(frozen=True, slots=True)
class Share(Generic[T]):
    """A candidate and its percent of traffic. Canaries come first in a sequence of shares."""

    to: T
    percent: int


def unit_hash(salt: str, unit: str) -> bytes:
    """Eight bytes that place a unit; without the salt's context they do not name the unit."""
    key = hashlib.blake2b(salt.encode(), digest_size=32).digest()
    return hashlib.blake2b(unit.encode(), digest_size=8, key=key).digest()


def choose(shares: Sequence[Share[T]], hashed: bytes) -> T | None:
    """The candidate whose part of the hash space holds the unit; None when all percents are 0.

    The percents are taken relative to their sum. The first candidate owns the lowest hashes, so
    that a first candidate that grows only gains units and never loses one.
    """
    total = sum(share.percent for share in shares)
    if total == 0:
        return None
    place = int.from_bytes(hashed, "big") * total
    reached = 0
    for share in shares:
        reached += share.percent * SPACE
        if place < reached:
            return share.to
    raise AssertionError("a hash is below the end of its space")
