"""One signature under one public key; the key says its algorithm, never the signature.

32 bytes are an Ed25519 key (RFC 8032); 65 bytes that begin with 04 are an uncompressed point of
P-256 (SEC 1, 2.3.3) for ECDSA with SHA-256 and signatures in DER (RFC 3279), which is what key
services give that have no Ed25519.
"""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from guiderail_verify.canonical import canonical_json
from guiderail_verify.errors import VerifyError

ED25519_SIZE = 32
P256_SIZE = 65


def verify_signature(public: bytes, signature: bytes, data: bytes) -> bool:
    """Whether the key signed exactly these bytes; False too for what is no key."""
    try:
        if len(public) == ED25519_SIZE:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
        else:
            _p256(public).verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def check_public(public: bytes) -> bytes:
    """The key itself. Raises VerifyError `keys/bad-key` for what is neither of the two kinds."""
    if len(public) != ED25519_SIZE:
        try:
            _p256(public)
        except ValueError as error:
            raise VerifyError(
                "keys/bad-key", "A key is neither an Ed25519 key nor a point of P-256."
            ) from error
    return public


def key_id(public: bytes) -> str:
    """The id as securesystemslib makes it: SHA-256 of canonical JSON that describes the key.

    Its form of canonical JSON (OLPC) writes the ends of lines in a PEM as they are.
    """
    if len(public) == ED25519_SIZE:
        described = {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": public.hex()}}
    else:
        scheme = "ecdsa-sha2-nistp256"
        text = _p256(public).public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        described = {"keytype": "ecdsa", "scheme": scheme, "keyval": {"public": text.decode()}}
    return hashlib.sha256(canonical_json(described).replace(b"\\n", b"\n")).hexdigest()


def _p256(public: bytes) -> ec.EllipticCurvePublicKey:
    if len(public) != P256_SIZE or public[:1] != b"\x04":
        raise ValueError("not an uncompressed point of P-256")
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)
