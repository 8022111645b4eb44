"""One signature under one key, checked beside what other tools made."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guiderail_verify.errors import VerifyError
from guiderail_verify.signature import check_public, verify_signature

P256 = ec.generate_private_key(ec.SECP256R1())
POINT = P256.public_key().public_bytes(
    serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
)


def test_a_signature_by_openssl_on_p256_is_accepted(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    assert openssl, "the tests need openssl"
    key, data = tmp_path / "key.pem", tmp_path / "data"
    key.write_bytes(
        P256.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    data.write_bytes(b"content")
    command = [openssl, "dgst", "-sha256", "-sign", str(key), str(data)]
    signature = subprocess.run(command, capture_output=True, check=True).stdout
    assert verify_signature(POINT, signature, b"content")
    assert not verify_signature(POINT, signature, b"other")
    assert not verify_signature(POINT, signature[:-1], b"content")
    assert not verify_signature(POINT, signature + b"\x00", b"content")


def test_the_key_says_the_algorithm_and_never_the_signature() -> None:
    """A signature of one kind under a key of the other is worth nothing."""
    edwards = Ed25519PrivateKey.generate()
    public = edwards.public_key().public_bytes_raw()
    by_p256 = P256.sign(b"content", ec.ECDSA(hashes.SHA256()))
    assert verify_signature(public, edwards.sign(b"content"), b"content")
    assert not verify_signature(public, by_p256, b"content")
    assert not verify_signature(POINT, edwards.sign(b"content"), b"content")


def test_another_hash_is_another_signature() -> None:
    assert not verify_signature(POINT, P256.sign(b"c", ec.ECDSA(hashes.SHA384())), b"c")


@pytest.mark.parametrize(
    "public",
    [b"", b"x" * 31, b"x" * 33, b"\x04" + b"\x00" * 64, b"\x02" + POINT[1:33], b"\x05" + POINT[1:]],
    ids=["empty", "short", "long", "no point", "compressed", "another form"],
)
def test_what_is_no_key_signs_nothing(public: bytes) -> None:
    assert not verify_signature(public, b"\x00" * 64, b"content")
    with pytest.raises(VerifyError) as caught:
        check_public(public)
    assert caught.value.code == "keys/bad-key"
