"""Keys that real openssl made, and what it signed with them."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from guiderail.attest.public_key import read_public_key
from guiderail.core.errors import InputError

OPENSSL = shutil.which("openssl") or ""
pytestmark = pytest.mark.skipif(not OPENSSL, reason="openssl is not installed")

MAKE = {
    "ed25519": ["-algorithm", "ed25519"],
    "p256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "p384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "p521": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
    "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
}
HASH = {"p384": "sha384", "p521": "sha512"}


def openssl(*arguments: str | Path) -> bytes:
    command = [OPENSSL, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True).stdout


def made(folder: Path, *how: str) -> tuple[Path, bytes]:
    """A private key file and the public half in PEM."""
    path = folder / "key.pem"
    openssl("genpkey", *how, "-out", path)
    return path, openssl("pkey", "-in", path, "-pubout")


@pytest.mark.parametrize("kind", MAKE)
def test_what_openssl_signed_verifies_and_nothing_else_does(kind: str, tmp_path: Path) -> None:
    private, pem = made(tmp_path, *MAKE[kind])
    (tmp_path / "message").write_bytes(b"what was signed")
    digest = [] if kind == "ed25519" else ["-digest", HASH.get(kind, "sha256"), "-rawin"]
    raw = ["-rawin"] if kind == "ed25519" else []
    openssl("pkeyutl", "-sign", "-inkey", private, "-in", tmp_path / "message", *digest, *raw,
            "-out", tmp_path / "signature")  # fmt: skip
    signature = (tmp_path / "signature").read_bytes()

    key = read_public_key(pem, "key.pub")

    assert key.verifies(signature, b"what was signed")
    assert not key.verifies(signature, b"what was not signed")
    assert not key.verifies(signature[:-1] + bytes([signature[-1] ^ 1]), b"what was signed")
    assert not key.verifies(b"", b"what was signed")


def test_the_name_of_a_key_is_what_openssl_says(tmp_path: Path) -> None:
    private, pem = made(tmp_path, *MAKE["ed25519"])
    der = openssl("pkey", "-in", private, "-pubout", "-outform", "DER")
    assert read_public_key(pem, "key.pub").key_id == hashlib.sha256(der).hexdigest()


@pytest.mark.parametrize(
    ("how", "says"),
    [
        (["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"], "too short"),
        (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"], "secp256k1"),
        (["-algorithm", "X25519"], "another algorithm"),
    ],
)
def test_a_weak_or_strange_key_is_refused(how: list[str], says: str, tmp_path: Path) -> None:
    _, pem = made(tmp_path, *how)
    with pytest.raises(InputError, match=says) as caught:
        read_public_key(pem, "key.pub")
    assert caught.value.code == "signer/key"


def test_a_private_key_is_refused_and_its_owner_warned(tmp_path: Path) -> None:
    private, _ = made(tmp_path, *MAKE["ed25519"])
    with pytest.raises(InputError) as caught:
        read_public_key(private.read_bytes(), "key.pem")
    assert caught.value.code == "signer/private-key"
    assert "Replace" in caught.value.advice


@pytest.mark.parametrize("content", [b"", b"ssh-ed25519 AAAA", b"\x00" * 100, b"x" * 100_000])
def test_anything_else_is_no_key(content: bytes) -> None:
    with pytest.raises(InputError):
        read_public_key(content, "key.pub")
