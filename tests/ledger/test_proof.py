"""Every proof of the stored log verifies offline, with the public keys alone."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from guiderail.ledger.proof import prove_entry, prove_growth
from guiderail.store.tables import log_entry
from guiderail_verify.errors import VerifyError
from guiderail_verify.note import open_checkpoint
from guiderail_verify.proof import parse_proof, verify_proof
from guiderail_verify.tree import verify_consistency

from .conftest import Workspace

SEALED_AT = (1, 2, 5, 8, 13, 20)


@pytest.fixture
def grown(workspace: Workspace) -> Workspace:
    size = 0
    for wanted in SEALED_AT:
        workspace.fill(wanted - size)
        size = workspace.seal()
    workspace.fill(3)
    return workspace


def test_every_sealed_entry_is_proven(grown: Workspace) -> None:
    keys = grown.keyring.trusted
    with grown.store.read() as snapshot:
        bodies = [bytes(body) for body in snapshot.execute(select(log_entry.c.body)).scalars()]
    for seq in range(SEALED_AT[-1]):
        proof = parse_proof(prove_entry(grown.store, seq))
        assert (proof.index, proof.extra) == (seq, bodies[seq])
        checkpoint = verify_proof(proof, bodies[seq], keys.checkpoint, keys.origin)
        assert checkpoint.size == SEALED_AT[-1]
        other = bodies[(seq + 1) % len(bodies)]
        with pytest.raises(VerifyError):
            verify_proof(proof, other, keys.checkpoint, keys.origin)


def test_growth_between_all_checkpoints_is_proven(grown: Workspace) -> None:
    keys = grown.keyring.trusted
    for old_size in SEALED_AT:
        for new_size in SEALED_AT:
            if old_size > new_size:
                continue
            growth = prove_growth(grown.store, old_size, new_size)
            old = open_checkpoint(growth.old_note, keys.checkpoint, keys.origin)
            new = open_checkpoint(growth.new_note, keys.checkpoint, keys.origin)
            verify_consistency(old.size, new.size, growth.path, old.root, new.root)
            assert (old.size, new.size) == (old_size, new_size)
