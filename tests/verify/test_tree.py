"""The Merkle tree against published vectors and against the definition of RFC 6962 itself."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guiderail_verify.errors import VerifyError
from guiderail_verify.tree import (
    EMPTY_ROOT,
    completed_by,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_at,
    verify_consistency,
    verify_inclusion,
)

LARGEST = 130

# The leaves and roots that the certificate-transparency projects publish.
PUBLISHED_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
PUBLISHED_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PUBLISHED_PATHS = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
"""(leaf, size) -> path; the projects count leaves from 1."""

PUBLISHED_GROWTH = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
"""(older size, newer size) -> proof."""


def split(width: int) -> int:
    power = 1
    while power * 2 < width:
        power *= 2
    return power


@cache
def reference_root(bodies: tuple[bytes, ...]) -> bytes:
    """MTH of RFC 6962, section 2.1, as it is written there."""
    if not bodies:
        return hashlib.sha256(b"").digest()
    if len(bodies) == 1:
        return hashlib.sha256(b"\x00" + bodies[0]).digest()
    k = split(len(bodies))
    return hashlib.sha256(
        b"\x01" + reference_root(bodies[:k]) + reference_root(bodies[k:])
    ).digest()


def reference_path(m: int, bodies: tuple[bytes, ...]) -> list[bytes]:
    """PATH of section 2.1.1."""
    if len(bodies) == 1:
        return []
    k = split(len(bodies))
    if m < k:
        return [*reference_path(m, bodies[:k]), reference_root(bodies[k:])]
    return [*reference_path(m - k, bodies[k:]), reference_root(bodies[:k])]


def reference_growth(m: int, bodies: tuple[bytes, ...], whole: bool = True) -> list[bytes]:
    """SUBPROOF of section 2.1.2."""
    if m == len(bodies):
        return [] if whole else [reference_root(bodies)]
    k = split(len(bodies))
    if m <= k:
        return [*reference_growth(m, bodies[:k], whole), reference_root(bodies[k:])]
    return [*reference_growth(m - k, bodies[k:], False), reference_root(bodies[:k])]


class Tree:
    """The complete nodes of a list of bodies, made the way the ledger makes them."""

    def __init__(self, bodies: Sequence[bytes]) -> None:
        self.stored: dict[tuple[int, int], bytes] = {}
        for index, body in enumerate(bodies):
            self.stored[0, index] = leaf_hash(body)
            for level, position in completed_by(index):
                self.stored[level, position] = node_hash(
                    self.stored[level - 1, 2 * position], self.stored[level - 1, 2 * position + 1]
                )

    def __call__(self, level: int, position: int) -> bytes:
        return self.stored[level, position]


BODIES = tuple(f"entry {number}".encode() for number in range(LARGEST))
TREE = Tree(BODIES)
ROOTS = [reference_root(BODIES[:size]) for size in range(LARGEST + 1)]


def test_the_published_roots_come_out() -> None:
    tree = Tree(PUBLISHED_LEAVES)
    found = [root_at(size, tree).hex() for size in range(len(PUBLISHED_LEAVES) + 1)]
    assert found == PUBLISHED_ROOTS
    assert EMPTY_ROOT.hex() == PUBLISHED_ROOTS[0]


def test_the_published_proofs_come_out() -> None:
    tree = Tree(PUBLISHED_LEAVES)
    for (index, size), published in PUBLISHED_PATHS.items():
        path = inclusion_proof(index, size, tree)
        assert [item.hex() for item in path] == published
        leaf, root = leaf_hash(PUBLISHED_LEAVES[index]), bytes.fromhex(PUBLISHED_ROOTS[size])
        verify_inclusion(leaf, index, size, path, root)
    for (old, new), published in PUBLISHED_GROWTH.items():
        growth = consistency_proof(old, new, tree)
        assert [item.hex() for item in growth] == published
        old_root, new_root = (bytes.fromhex(PUBLISHED_ROOTS[size]) for size in (old, new))
        verify_consistency(old, new, growth, old_root, new_root)


def test_every_inclusion_proof_up_to_size_130_is_the_one_of_the_definition() -> None:
    for size in range(1, LARGEST + 1):
        for index in range(size):
            proof = inclusion_proof(index, size, TREE)
            assert proof == reference_path(index, BODIES[:size])
            verify_inclusion(leaf_hash(BODIES[index]), index, size, proof, ROOTS[size])


def test_every_consistency_proof_up_to_size_130_is_the_one_of_the_definition() -> None:
    for new in range(1, LARGEST + 1):
        for old in range(1, new + 1):
            proof = consistency_proof(old, new, TREE)
            assert proof == reference_growth(old, BODIES[:new])
            verify_consistency(old, new, proof, ROOTS[old], ROOTS[new])


def test_no_proof_fits_another_place_or_another_size() -> None:
    for size in range(1, 18):
        for index in range(size):
            proof = inclusion_proof(index, size, TREE)
            leaf = leaf_hash(BODIES[index])
            for other_size in range(1, 18):
                for other in range(other_size):
                    if (other, other_size) == (index, size):
                        continue
                    with pytest.raises(VerifyError):
                        verify_inclusion(leaf, other, other_size, proof, ROOTS[other_size])


def test_no_growth_is_proven_between_other_sizes() -> None:
    for new in range(2, 14):
        for old in range(1, new):
            proof = consistency_proof(old, new, TREE)
            for other in range(1, new):
                if other != old:
                    with pytest.raises(VerifyError):
                        verify_consistency(other, new, proof, ROOTS[other], ROOTS[new])


@given(
    size=st.integers(1, LARGEST),
    data=st.data(),
    change=st.integers(1, 255),
)
def test_a_changed_byte_anywhere_breaks_an_inclusion_proof(
    size: int, data: st.DataObject, change: int
) -> None:
    index = data.draw(st.integers(0, size - 1))
    parts = [leaf_hash(BODIES[index]), ROOTS[size], *inclusion_proof(index, size, TREE)]
    part = data.draw(st.integers(0, len(parts) - 1))
    place = data.draw(st.integers(0, 31))
    changed = bytearray(parts[part])
    changed[place] ^= change
    parts[part] = bytes(changed)
    with pytest.raises(VerifyError):
        verify_inclusion(parts[0], index, size, parts[2:], parts[1])


@given(
    new=st.integers(2, LARGEST),
    data=st.data(),
    change=st.integers(1, 255),
)
def test_a_changed_byte_anywhere_breaks_a_consistency_proof(
    new: int, data: st.DataObject, change: int
) -> None:
    old = data.draw(st.integers(1, new - 1))
    parts = [ROOTS[old], ROOTS[new], *consistency_proof(old, new, TREE)]
    part = data.draw(st.integers(0, len(parts) - 1))
    place = data.draw(st.integers(0, 31))
    changed = bytearray(parts[part])
    changed[place] ^= change
    parts[part] = bytes(changed)
    with pytest.raises(VerifyError):
        verify_consistency(old, new, parts[2:], parts[0], parts[1])


@given(st.lists(st.binary(max_size=40), max_size=40))
def test_the_stored_nodes_give_the_root_of_the_definition(bodies: list[bytes]) -> None:
    assert root_at(len(bodies), Tree(bodies)) == reference_root(tuple(bodies))


@pytest.mark.parametrize("longer", [True, False])
def test_a_path_of_another_length_is_refused(longer: bool) -> None:
    path = inclusion_proof(2, 7, TREE)
    path = [*path, path[0]] if longer else path[:-1]
    with pytest.raises(VerifyError) as caught:
        verify_inclusion(leaf_hash(BODIES[2]), 2, 7, path, ROOTS[7])
    assert caught.value.code == "tree/proof-length"
    growth = consistency_proof(3, 7, TREE)
    growth = [*growth, growth[0]] if longer else growth[:-1]
    with pytest.raises(VerifyError) as caught:
        verify_consistency(3, 7, growth, ROOTS[3], ROOTS[7])
    assert caught.value.code == "tree/proof-length"


def test_a_log_grows_from_nothing_and_never_shrinks() -> None:
    verify_consistency(0, 5, [], EMPTY_ROOT, ROOTS[5])
    with pytest.raises(VerifyError, match="smaller"):
        verify_consistency(5, 4, [], ROOTS[5], ROOTS[4])
    with pytest.raises(VerifyError, match="different roots"):
        verify_consistency(5, 5, [], ROOTS[5], ROOTS[4])
    with pytest.raises(VerifyError, match="different roots"):
        verify_consistency(0, 5, [], ROOTS[4], ROOTS[5])


def test_a_hash_of_another_length_is_refused() -> None:
    with pytest.raises(VerifyError) as caught:
        verify_inclusion(b"short", 0, 1, [], ROOTS[1])
    assert caught.value.code == "tree/hash-size"
