"""A key is stolen: what the thief can still do, and what the workspace does about it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guiderail.attest.keys import Keyring, read_chain_file, read_trusted
from guiderail.attest.permit import sign_permit
from guiderail.core.errors import InputError
from guiderail.manifest.load import load_release
from guiderail.rollout.rehearse import prove_alone
from guiderail.service import audit
from guiderail.service.audit_pack import export
from guiderail.service.gate import gate
from guiderail.service.key_changes import retire, rotate
from guiderail.service.key_compromise import affected, declare_compromised, reissue, serve_again
from guiderail.service.permits import StoredPermit, permit_of_release
from guiderail.service.status import start_gateway, stop_gateway
from guiderail_verify.dsse import open_envelope
from guiderail_verify.errors import VerifyError
from guiderail_verify.key_chain import follow, read_chain
from guiderail_verify.permit import open_permit, parse_permit, verify_permit
from guiderail_verify.trusted_keys import TrustedKeys
from tests.service.audit_packs import bare_verifier, verify
from tests.service.depot import WORKLOAD, Depot

BEFORE_ANYTHING = datetime(2020, 1, 1, tzinfo=UTC)
REASON = "The laptop with the backup was stolen."


def digest(release: Path) -> str:
    return load_release(release).digest


def permit_in_force(depot: Depot, release: Path) -> StoredPermit:
    with depot.acting().store.read() as snapshot:
        found = permit_of_release(snapshot, WORKLOAD, digest(release))
    assert found is not None
    return found


def refusal(depot: Depot, envelope: bytes, proof: str, keys: TrustedKeys) -> str:
    with pytest.raises(VerifyError) as caught:
        open_permit(envelope, proof, keys)
    return caught.value.code


def steal(depot: Depot, tmp_path: Path) -> Keyring:
    """A copy of the folder of keys, as a backup in other hands is one."""
    shutil.copytree(depot.home / "keys", tmp_path / "thief" / "keys")
    return Keyring.open(tmp_path / "thief")


def test_a_thief_with_the_permit_key_alone_gets_no_release_started(
    live_depot: Depot, tmp_path: Path
) -> None:
    """Even before anybody noticed: no ledger recorded what they signed."""
    thief, real = (
        steal(live_depot, tmp_path),
        permit_in_force(live_depot, live_depot.releases.first),
    )
    keys = read_trusted(live_depot.home)
    genuine = parse_permit(open_envelope(real.envelope, keys.permit).payload)
    forged = sign_permit(replace(genuine, id="permit-forged"), thief)
    assert refusal(live_depot, forged, real.proof, keys) == "permit/not-in-log"
    own = Keyring.open(tmp_path / "own-log")
    assert refusal(live_depot, forged, prove_alone(genuine, forged, own), keys) == (
        "permit/unknown-key"
    )


def test_a_thief_with_both_keys_is_shut_out_once_they_are_declared_compromised(
    live_depot: Depot, tmp_path: Path
) -> None:
    thief = steal(live_depot, tmp_path)
    real = permit_in_force(live_depot, live_depot.releases.first)
    keys = read_trusted(live_depot.home)
    genuine = parse_permit(open_envelope(real.envelope, keys.permit).payload)
    forged = sign_permit(replace(genuine, id="permit-forged"), thief)
    proof = prove_alone(replace(genuine, id="permit-forged"), forged, thief)
    assert open_permit(forged, proof, keys).id == "permit-forged", "both keys forge anything"
    declare_compromised(live_depot.acting(), ["checkpoint", "permit"], live_depot.clock(), REASON)
    after = read_trusted(live_depot.home)
    assert refusal(live_depot, forged, proof, after) == "permit/ended-key"
    assert follow(keys, read_chain(read_chain_file(live_depot.home) or b"")) == after


def test_the_whole_procedure_after_a_theft(live_depot: Depot, tmp_path: Path) -> None:
    """Declare, see what is affected, sign again, serve again, hand everything to an auditor."""
    release = live_depot.releases.first
    pinned = read_trusted(live_depot.home)
    old = permit_in_force(live_depot, release)
    start_gateway(live_depot.acting())  # it pinned the old keys, and follows the chain
    declare_compromised(live_depot.acting(), ["checkpoint", "permit"], BEFORE_ANYTHING, REASON)
    found = affected(live_depot.acting())
    assert [permit.id for permit, _ in found.permits] == [old.id]
    assert {one.kind for one in found.activations} == {"app", "model", "pipeline"}
    renewed = permit_in_force(live_depot, release)
    keys = read_trusted(live_depot.home)
    assert refusal(live_depot, renewed.envelope, renewed.proof, keys) == "permit/ended-key"
    assert gate(live_depot.acting(), release, digest(release))["allowed"] is False

    reissue(live_depot.acting())
    assert serve_again(live_depot.acting()) == [WORKLOAD]
    assert affected(live_depot.acting()).permits == ()
    assert affected(live_depot.acting()).activations == ()
    new = permit_in_force(live_depot, release)
    assert new.id != old.id
    verified = verify_permit(
        new.envelope, new.proof, keys,
        environment="production", digest=digest(release), now=live_depot.clock(), restoring=True,
    )  # fmt: skip
    assert verified.start_until >= live_depot.clock() - timedelta(minutes=1)
    assert gate(live_depot.acting(), release, digest(release))["allowed"] is True
    assert live_depot.ask() == (200, digest(release))
    stop_gateway(live_depot.acting())
    start_gateway(live_depot.acting())
    assert live_depot.ask() == (200, digest(release))
    assert live_depot.problems() == []

    pack = tmp_path / "pack"
    assert export(live_depot.acting(), pack)["problems"] == []
    (tmp_path / "libraries").mkdir()
    command = bare_verifier(tmp_path / "libraries")
    for key in (keys.checkpoint[0], pinned.checkpoint[0]):
        said = verify(command, pack, "--key", key.to_text(), "--json")
        assert (said.code, said.failed) == (0, {}), said.out
    notes = [check["note"] for check in said.json["checks"] if check["id"] == "checkpoint"]
    assert "signs no more" in notes[0]


def test_an_auditor_who_pinned_the_first_key_verifies_a_pack_after_a_rotation(
    live_depot: Depot, tmp_path: Path
) -> None:
    pinned = read_trusted(live_depot.home)
    kept = tmp_path / "kept.txt"
    kept.write_text(audit.checkpoint(live_depot.acting())["checkpoint"], encoding="utf-8")
    rotate(live_depot.acting(), ["checkpoint", "permit"])
    (tmp_path / "libraries").mkdir()
    command = bare_verifier(tmp_path / "libraries")
    key = pinned.checkpoint[0].to_text()
    for name in ("during", "after"):
        pack = tmp_path / name
        assert export(live_depot.acting(), pack)["problems"] == []
        said = verify(command, pack, "--key", key, "--checkpoint", kept, "--json")
        assert (said.code, said.failed) == (0, {}), said.out
        if name == "during":
            retire(live_depot.acting())
    chain = tmp_path / "after" / "key-chain.jsonl"
    lines = chain.read_bytes().splitlines(keepends=True)
    chain.write_bytes(lines[0] + lines[2])
    said = verify(command, tmp_path / "after", "--key", key, "--json")
    assert said.code == 1
    assert {"files", "keys"} <= said.failed.keys()


def test_only_what_needs_it_is_signed_again(live_depot: Depot) -> None:
    with pytest.raises(InputError) as caught:
        reissue(live_depot.acting(), ["permit-1"])
    assert caught.value.code == "permit/not-affected"
    declare_compromised(live_depot.acting(), ["permit"], live_depot.clock(), REASON)
    assert affected(live_depot.acting()).permits == ()
    assert live_depot.event_types()[-1] == "key.compromised"
