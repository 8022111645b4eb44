"""A permit counts for one digest in one environment, and only if the ledger recorded it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from guiderail.attest.permit import permit_statement
from guiderail.attest.statement import sign_statement
from guiderail.core.digest import sha256_digest
from guiderail_verify.canonical import canonical_json, encode_base64
from guiderail_verify.errors import VerifyError
from guiderail_verify.permit import Permit, TrustedKeys, open_permit, verify_permit
from guiderail_verify.permit_state import PermitState
from guiderail_verify.proof import parse_proof
from guiderail_verify.trusted_keys import EndedKey

from .conftest import DIGEST, NOW, PERMIT, Issued, Office


def check(issued: Issued, keys: TrustedKeys, **changes: object) -> Permit:
    target: dict[str, object] = {"environment": "production", "digest": DIGEST, "now": NOW}
    return verify_permit(issued.envelope, issued.proof, keys, **(target | changes))


def refusal(issued: Issued, keys: TrustedKeys, **changes: object) -> str:
    with pytest.raises(VerifyError) as caught:
        check(issued, keys, **changes)
    assert caught.value.reason.endswith(".")
    return caught.value.code


def test_a_good_permit_says_what_was_permitted(office: Office, issued: Issued) -> None:
    assert check(issued, office.keyring.trusted) == PERMIT


def test_another_digest_is_refused(office: Office, issued: Issued) -> None:
    other = sha256_digest(b"another release")
    assert refusal(issued, office.keyring.trusted, digest=other) == "permit/other-digest"


def test_another_environment_is_refused(office: Office, issued: Issued) -> None:
    keys = office.keyring.trusted
    assert refusal(issued, keys, environment="staging") == "permit/other-environment"


def test_the_start_expires_to_the_microsecond(office: Office, issued: Issued) -> None:
    keys, last = office.keyring.trusted, PERMIT.start_until
    assert check(issued, keys, now=last).id == PERMIT.id
    assert refusal(issued, keys, now=last + timedelta(microseconds=1)) == "permit/expired"


def test_a_digest_that_comes_back_needs_no_new_start(office: Office, issued: Issued) -> None:
    keys, later = office.keyring.trusted, PERMIT.start_until + timedelta(days=400)
    assert check(issued, keys, now=later, restoring=True).id == PERMIT.id
    other = sha256_digest(b"another release")
    found = refusal(issued, keys, now=later, restoring=True, digest=other)
    assert found == "permit/other-digest"


def test_a_permit_from_the_future_is_refused(office: Office, issued: Issued) -> None:
    keys = office.keyring.trusted
    assert check(issued, keys, now=NOW - timedelta(minutes=5)).id == PERMIT.id
    assert refusal(issued, keys, now=NOW - timedelta(minutes=6)) == "permit/not-yet"


def test_a_permit_that_was_taken_back_is_refused(office: Office, issued: Issued) -> None:
    found = refusal(issued, office.keyring.trusted, revoked=frozenset({PERMIT.id}), restoring=True)
    assert found == "permit/revoked"


def test_keys_of_another_workspace_are_unknown(another_office: Office, issued: Issued) -> None:
    assert refusal(issued, another_office.keyring.trusted) == "permit/unknown-key"


def test_a_log_that_is_not_pinned_is_unknown(
    office: Office, another_office: Office, issued: Issued
) -> None:
    elsewhere = another_office.record(issued.permit, issued.envelope)
    assert (
        refusal(Issued(PERMIT, issued.envelope, elsewhere), office.keyring.trusted)
        == "permit/unknown-key"
    )


def test_a_permit_that_was_signed_but_never_recorded_is_refused(
    office: Office, issued: Issued
) -> None:
    """Who steals the permit key alone still has no ledger entry."""
    forged = office.issue(environment="elsewhere")
    forgery = Issued(forged.permit, forged.envelope, issued.proof)
    found = refusal(forgery, office.keyring.trusted, environment="elsewhere")
    assert found == "permit/not-in-log"


def test_the_entry_must_speak_of_the_same_release(office: Office) -> None:
    envelope = office.issue().envelope
    other = Permit(**{name: getattr(PERMIT, name) for name in Permit.__slots__} | {"workload": "x"})
    proof = office.record(other, envelope)
    assert refusal(Issued(PERMIT, envelope, proof), office.keyring.trusted) == "permit/not-in-log"


def test_no_byte_of_the_envelope_can_be_changed(office: Office, issued: Issued) -> None:
    keys = office.keyring.trusted
    for place in range(len(issued.envelope)):
        changed = bytearray(issued.envelope)
        changed[place] ^= 1
        with pytest.raises(VerifyError):
            check(Issued(PERMIT, bytes(changed), issued.proof), keys)


def test_no_character_of_the_proof_can_be_changed(office: Office, issued: Issued) -> None:
    office.issue(id="permit-2")
    proof = office.record(PERMIT, issued.envelope)
    for place, letter in enumerate(proof):
        changed = proof[:place] + ("A" if letter != "A" else "B") + proof[place + 1 :]
        with pytest.raises(VerifyError):
            check(Issued(PERMIT, issued.envelope, changed), office.keyring.trusted)


@pytest.mark.parametrize(
    "damage",
    [
        lambda proof: "",
        lambda proof: proof.replace("@v1", "@v2"),
        lambda proof: proof.replace("index 0", "index 00"),
        lambda proof: proof.replace("index 0", "index -0"),
        lambda proof: "\n".join(line for line in proof.split("\n") if not line.startswith("extra")),
        lambda proof: proof.replace("\n\n", "\nAAAA\n\n", 1),
        lambda proof: proof + "garbage\n",
        lambda proof: proof.split("\n\n")[0],
        lambda proof: proof[:-10],
    ],
)
def test_a_damaged_proof_is_a_bad_proof(office: Office, issued: Issued, damage: object) -> None:
    assert callable(damage)
    broken = Issued(PERMIT, issued.envelope, damage(issued.proof))
    assert refusal(broken, office.keyring.trusted) == "permit/bad-proof"


@pytest.mark.parametrize(
    "envelope",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{}]}',
        b'{"payload":"!","payloadType":"application/vnd.in-toto+json","signatures":[]}',
        b'{"payload":"e30=","payloadType":"text/plain","signatures":[]}',
        b" " * (1 << 20) + b"{}",
    ],
)
def test_what_is_no_envelope_is_refused(office: Office, issued: Issued, envelope: bytes) -> None:
    found = refusal(Issued(PERMIT, envelope, issued.proof), office.keyring.trusted)
    assert found == "permit/bad-envelope"


def test_an_envelope_without_a_signature_has_no_known_key(office: Office, issued: Issued) -> None:
    data = json.loads(issued.envelope)
    data["signatures"] = []
    bare = Issued(PERMIT, canonical_json(data), issued.proof)
    assert refusal(bare, office.keyring.trusted) == "permit/unknown-key"


def test_a_good_signature_does_not_excuse_a_bad_one(office: Office, issued: Issued) -> None:
    data = json.loads(issued.envelope)
    bad = {"keyid": data["signatures"][0]["keyid"], "sig": encode_base64(b"\0" * 64)}
    data["signatures"].append(bad)
    doubled = Issued(PERMIT, canonical_json(data), issued.proof)
    assert refusal(doubled, office.keyring.trusted) == "permit/bad-signature"


@pytest.mark.parametrize(
    "changes",
    [
        {"highest_share": "0"},
        {"highest_share": "1.01"},
        {"highest_share": "NaN"},
        {"highest_share": "a lot"},
        {"start_until": "2026-11-30"},
        {"start_until": "2026-13-30T00:00:00.000000Z"},
        {"conditions": [1]},
        {"dossier": "sha256:00"},
        {"surprise": "1"},
    ],
)
def test_a_signed_permit_with_odd_content_is_refused(
    office: Office, changes: dict[str, object]
) -> None:
    statement = json.loads(canonical_json(permit_statement(PERMIT)))
    statement["predicate"]["guiderail_permit"] |= changes
    envelope = sign_statement(statement, office.keyring)
    odd = Issued(PERMIT, envelope, office.record(PERMIT, envelope))
    assert refusal(odd, office.keyring.trusted) == "permit/bad-content"


def test_another_signed_statement_is_not_a_permit(office: Office) -> None:
    statement = json.loads(canonical_json(permit_statement(PERMIT)))
    statement["predicate"]["properties"] = ["SOMETHING_ELSE"]
    envelope = sign_statement(statement, office.keyring)
    other = Issued(PERMIT, envelope, office.record(PERMIT, envelope))
    assert refusal(other, office.keyring.trusted) == "permit/bad-content"


def test_the_share_of_traffic_comes_back_exactly(office: Office) -> None:
    issued = office.issue(highest_share=Decimal("1.00"))
    opened = open_permit(issued.envelope, issued.proof, office.keyring.trusted)
    assert opened.highest_share == 1


def test_the_proof_file_comes_back_as_it_was_written(issued: Issued) -> None:
    assert parse_proof(issued.proof).to_text() == issued.proof


def test_trusted_keys_come_back_as_they_were_written(office: Office) -> None:
    keys = office.keyring.trusted
    assert TrustedKeys.from_json(keys.to_json()) == keys


@pytest.mark.parametrize(
    "data", [b"{}", b"", b'{"checkpoint":[],"origin":"","permit":{},"v":1}', b"[]", b'{"v":2}']
)
def test_a_file_that_holds_no_keys_is_refused(data: bytes) -> None:
    with pytest.raises(VerifyError):
        TrustedKeys.from_json(data)


def test_checking_needs_nothing_but_the_standard_library_and_cryptography() -> None:
    names = "sorted({name.partition('.')[0] for name in sys.modules})"
    bare = f"import sys, json; print(json.dumps({names}))"
    loaded, usual = (
        set(json.loads(subprocess.check_output([sys.executable, "-c", code], text=True)))
        for code in ("import guiderail_verify.permit; " + bare, bare)
    )
    third_party = loaded - usual - set(sys.stdlib_module_names)
    of_cryptography = {"cryptography", "_cffi_backend", "_openssl", "bcrypt"}  # where it is there
    assert third_party <= {"guiderail_verify", *of_cryptography}


def ended(keys: TrustedKeys, role: str, until: int, ended_at: int = 50) -> TrustedKeys:
    """The same keys after all of one role ended, and others took their place."""
    after = replace(keys, version=2)
    found = [
        EndedKey("permit", id_, public, until, ended_at, "retired")
        for id_, public in keys.permit.items()
        if role == "permit"
    ]
    found += [
        EndedKey("checkpoint", key.to_text(), key.public, until, ended_at, "retired")
        for key in keys.checkpoint
        if role == "checkpoint"
    ]
    return after.without(found)


def test_a_retired_permit_key_counts_for_what_the_log_held_before(
    office: Office, issued: Issued
) -> None:
    keys = office.keyring.trusted
    later = office.issue(id="permit-2")
    assert parse_proof(later.proof).index == 1
    assert check(issued, ended(keys, "permit", 1)).id == "permit-1"
    assert refusal(later, ended(keys, "permit", 1)) == "permit/ended-key"
    assert refusal(issued, ended(keys, "permit", 0)) == "permit/ended-key"


def test_a_retired_checkpoint_key_counts_for_a_log_as_large_as_it_was_then(
    office: Office, issued: Issued
) -> None:
    keys = office.keyring.trusted
    later = office.issue(id="permit-2")
    assert check(issued, ended(keys, "checkpoint", 1)).id == "permit-1"
    assert refusal(later, ended(keys, "checkpoint", 1)) == "permit/ended-key"
    assert refusal(issued, ended(keys, "checkpoint", 0)) == "permit/ended-key"


def test_a_state_ends_keys_and_permits_at_a_target_that_pinned_older_ones(
    office: Office, issued: Issued
) -> None:
    keys = office.keyring.trusted
    said = PermitState(keys.origin, None, 1, 5, frozenset(), (), NOW, NOW + timedelta(days=1))
    assert check(issued, keys, state=said, state_required=True).id == "permit-1"
    gone = replace(said, ended=ended(keys, "permit", 0).ended)
    assert refusal(issued, keys, state=gone) == "permit/ended-key"
    taken_back = replace(said, revoked=frozenset({"permit-1"}))
    assert refusal(issued, keys, state=taken_back) == "permit/revoked"
    assert refusal(issued, keys, state=taken_back, restoring=True) == "permit/revoked"


def test_a_target_that_requires_a_state_waits_for_none_when_it_goes_back(
    office: Office, issued: Issued
) -> None:
    keys = office.keyring.trusted
    assert refusal(issued, keys, state_required=True) == "state/missing"
    assert check(issued, keys, state_required=True, restoring=True).id == "permit-1"
