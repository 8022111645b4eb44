"""Envelopes: what securesystemslib signs, this package opens, and the other way round."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.dsse import Envelope
from securesystemslib.signer import (
    CryptoSigner,
    SSlibKey,
)

from guiderail_verify.dsse import IN_TOTO, open_envelope, pae
from guiderail_verify.errors import VerifyError

PRIVATE = Ed25519PrivateKey.from_private_bytes(b"\x09" * 32)
PUBLIC = SSlibKey.from_crypto(PRIVATE.public_key())
KEYS = {PUBLIC.keyid: PRIVATE.public_key().public_bytes_raw()}


def envelope(payload: bytes, kind: str = IN_TOTO) -> bytes:
    made = Envelope(payload, kind, {})
    made.sign(CryptoSigner(PRIVATE, PUBLIC))
    return json.dumps(made.to_dict()).encode()


def test_the_encoding_is_the_published_one() -> None:
    """The example of the DSSE protocol document."""
    found = pae("http://example.com/HelloWorld", b"hello world")
    assert found == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_lengths_count_bytes_and_not_letters() -> None:
    assert pae("é", "ü".encode()) == "DSSEv1 2 é 2 ü".encode()


def test_what_the_library_signs_opens_here() -> None:
    opened = open_envelope(envelope(b"payload"), KEYS)
    assert (opened.payload, opened.key_id) == (b"payload", PUBLIC.keyid)


def test_another_payload_type_is_refused_before_anything_else() -> None:
    with pytest.raises(VerifyError) as caught:
        open_envelope(envelope(b"payload", "text/plain"), KEYS)
    assert caught.value.code == "dsse/other-type"


def test_a_signature_under_another_type_does_not_count() -> None:
    data = json.loads(envelope(b"payload", "text/plain"))
    data["payloadType"] = IN_TOTO
    with pytest.raises(VerifyError) as caught:
        open_envelope(json.dumps(data).encode(), KEYS)
    assert caught.value.code == "dsse/bad-signature"


def test_unknown_signers_are_ignored_beside_a_known_one() -> None:
    data = json.loads(envelope(b"payload"))
    data["signatures"].insert(0, {"keyid": "somebody", "sig": "AAAA"})
    assert open_envelope(json.dumps(data).encode(), KEYS).payload == b"payload"
