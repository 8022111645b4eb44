"""What the verifier believes of a statement that somebody vouches for."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from guiderail.attest.public_key import public_key
from guiderail.attest.runner_key import PrivateKey, sign
from guiderail_verify.audit_entries import CaseHistory, Entry
from guiderail_verify.audit_pack import AuditPack
from guiderail_verify.check_vouched import check_vouched
from guiderail_verify.checks import Check, run
from guiderail_verify.errors import VerifyError
from guiderail_verify.signed_by import is_signed_by, is_vouched_by, read_document

RELEASE, OTHER = "ab" * 32, "cd" * 32
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
IDENTITY = {
    "issuer": "https://ci.example.org",
    "audience": "guiderail",
    "claims": {"repository": "acme/x"},
    "jwks": json.dumps(KeySet([RSA, EC]).as_dict(private=False)),
}
KEYS: list[PrivateKey] = [Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())]


def stated(release: str = RELEASE, failed: str = "0") -> bytes:
    return json.dumps({
        "subject": [{"name": "x", "digest": {"sha256": release}}],
        "predicate": {"facts": {"tests.failed": {"value": {"number": failed}}}},
    }).encode()  # fmt: skip


def pem(key: PrivateKey) -> str:
    return public_key(key.public_key()).pem


@pytest.mark.parametrize("key", KEYS)
def test_only_the_key_that_signed_counts(key: PrivateKey) -> None:
    content = sign(stated(), key)
    assert read_document(content) == (stated(), None)
    assert is_signed_by(content, pem(key))
    assert not is_signed_by(content, pem(Ed25519PrivateKey.generate()))
    changed = json.loads(content)
    changed["payload"] = base64.b64encode(stated(failed="1")).decode()
    assert not is_signed_by(json.dumps(changed).encode(), pem(key))


def token(key: Any, algorithm: str, statement: bytes = stated(), **changes: Any) -> str:
    audience = f"guiderail#sha256:{hashlib.sha256(statement).hexdigest()}"
    claims = {"iss": IDENTITY["issuer"], "aud": audience, "repository": "acme/x", **changes}
    return jwt.encode({"alg": algorithm}, claims, key, algorithms=[algorithm])


def test_only_a_token_of_the_ci_about_this_statement_counts() -> None:
    for key, algorithm in ((RSA, "RS256"), (EC, "ES256")):
        assert is_vouched_by(token(key, algorithm), stated(), IDENTITY)
    for wrong in (
        token(RSAKey.generate_key(2048), "RS256"),
        token(RSA, "RS256", stated(OTHER)),
        token(RSA, "RS256", iss="https://evil.example.org"),
        token(RSA, "RS256", repository="mallory/x"),
        token(RSA, "RS256").rpartition(".")[0] + "." + "A" * 342,
    ):
        assert not is_vouched_by(wrong, stated(), IDENTITY)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"payload": "x", "payloadType": "y"}'])
def test_anything_else_is_no_statement(content: bytes) -> None:
    with pytest.raises(VerifyError):
        read_document(content)


# --- The check of an audit pack, on records of one case ------------------------------------------


def entry(seq: int, type_: str, payload: Mapping[str, Any], evidence: str = "") -> Entry:
    bound = {"facts": ("urn:guiderail:facts:v1", f"sha256:{evidence}")} if evidence else {}
    return Entry(seq, b"", "", type_, "model", "x", f"sha256:{RELEASE}", seq + 1, "p-1", "", None,
                 bound, "", None, b"", payload)  # fmt: skip


def vouched(
    content: bytes,
    *,
    value: str = "0",
    known_by: str = "verified",
    trust: str = "runner",
    removed: bool = False,
    bound: bool = True,
) -> Check:
    """The check of one fact for which `content` is given as the statement."""
    digest = hashlib.sha256(content).hexdigest()
    signer = {"name": "runner", "trust": trust, "material": pem(KEYS[0])}
    case = {"case": "case-1"}
    entries = [
        entry(0, "signer.added", signer),
        *([entry(1, "signer.removed", {"name": "runner"})] if removed else []),
        entry(2, "case.submitted", {**case, "dossier": "sha256:" + "ee" * 32}),
        entry(3, "evidence.added", case, digest if bound else ""),
    ]
    row = {
        "value": {"number": value},
        "known_by": known_by,
        "detail": {"vouched_by": {"signer": "runner", "statement": f"sha256:{digest}"}},
    }
    history = CaseHistory("case-1", [one for one in entries if one.case])
    pack = SimpleNamespace(
        cases={"case-1": history},
        entries=entries,
        object=lambda path: {"tests.failed": row},
        read=lambda path: content,
    )
    return run("vouched", "", "facts", lambda check: check_vouched(cast(AuditPack, pack), check))


def test_a_fact_that_was_signed_passes_and_every_difference_is_found(tmp_path: Path) -> None:
    signed = sign(stated(), KEYS[0])
    passed = vouched(signed)
    assert (passed.ok, passed.looked_at) == (True, 1)
    for check, says in (
        (vouched(signed, value="1"), "says something else"),
        (vouched(signed, known_by="attested"), "cannot make it attested"),
        (vouched(signed, trust="evidence"), "cannot make it verified"),
        (vouched(signed, removed=True), "was not registered then"),
        (vouched(signed, bound=False), "no entry of the case binds"),
        (vouched(sign(stated(OTHER), KEYS[0])), "about another release"),
        (vouched(sign(stated(), KEYS[1])), "did not sign"),
        (vouched(b"{}"), "holds no signed statement"),
    ):
        assert any(says in one for one in check.failures), (says, check.failures)
