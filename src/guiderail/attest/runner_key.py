"""The private key with which a runner signs what it measured."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from guiderail.attest.public_key import public_key
from guiderail.core.digest import canonical_json
from guiderail.core.errors import InputError
from guiderail_verify.dsse import IN_TOTO, pae

VARIABLE = "GUIDERAIL_RUNNER_KEY"
LARGEST = 16 * 1024

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey


def find_key(path: Path | None, environment: Mapping[str, str]) -> PrivateKey | None:
    """The key in the file, else in the variable `GUIDERAIL_RUNNER_KEY` (PEM), else None.

    Raises InputError for anything but an Ed25519 or P-256 key without a passphrase.
    """
    if path is None:
        text = environment.get(VARIABLE)
        return None if not text else _read(text.encode("utf-8", errors="replace"), VARIABLE)
    try:
        return _read(path.read_bytes()[: LARGEST + 1], str(path))
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror or error}",
            code="runner/key",
            advice="Name the file of the runner's private key, or set GUIDERAIL_RUNNER_KEY.",
        ) from error


def sign(payload: bytes, key: PrivateKey) -> bytes:
    """An in-toto statement in a DSSE envelope, as canonical JSON."""
    message = pae(IN_TOTO, payload)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        signature = key.sign(message)
    else:
        signature = key.sign(message, ec.ECDSA(hashes.SHA256()))
    return canonical_json(
        {
            "payload": base64.b64encode(payload).decode("ascii"),
            "payloadType": IN_TOTO,
            "signatures": [
                {
                    "keyid": public_key(key.public_key()).key_id,
                    "sig": base64.b64encode(signature).decode("ascii"),
                }
            ],
        }
    )


def _read(content: bytes, name: str) -> PrivateKey:
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _unusable(name) from error
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp256r1":
        return key
    raise _unusable(name)


def _unusable(name: str) -> InputError:
    return InputError(
        f"{name} holds no private key that a runner can sign with",
        code="runner/key",
        advice="Make one with: openssl genpkey -algorithm ed25519 -out runner.pem; it must have no "
        "passphrase on the runner.",
    )
