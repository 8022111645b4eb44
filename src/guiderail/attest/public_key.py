"""Public keys of others: reading them, naming them, and checking what they signed.

Ed25519 (RFC 8032), ECDSA over P-256, P-384 and P-521 with SHA-256, SHA-384 and SHA-512 (the pairs
that OpenSSF model signing and cosign use), and RSA of at least 2048 bits (PSS or PKCS 1, SHA-256).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.padding import AsymmetricPadding

from guiderail.core.errors import InputError

LARGEST_PEM = 16 * 1024
SMALLEST_RSA = 2048
_CURVES: dict[str, hashes.HashAlgorithm] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}

Key = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey


@dataclass(frozen=True, slots=True)
class PublicKey:
    """key_id: 64 hexadecimal digits, the SHA-256 of its SubjectPublicKeyInfo in DER.

    `openssl pkey -pubin -in KEY -outform DER | sha256sum` prints the same. pem: as text.
    """

    key_id: str
    pem: str
    key: Key

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Did this key sign these bytes?"""
        key = self.key
        if isinstance(key, rsa.RSAPublicKey):
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
            return _is_rsa(key, signature, message, pss) or _is_rsa(
                key, signature, message, padding.PKCS1v15()
            )
        try:
            if isinstance(key, ec.EllipticCurvePublicKey):
                key.verify(signature, message, ec.ECDSA(_CURVES[key.curve.name]))
            else:
                key.verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


def _is_rsa(
    key: rsa.RSAPublicKey, signature: bytes, message: bytes, way: AsymmetricPadding
) -> bool:
    try:
        key.verify(signature, message, way, hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def read_public_key(content: bytes, name: str) -> PublicKey:
    """A public key in PEM. name: of its file, for messages.

    Raises InputError for a private key, an algorithm that is not listed above, and anything else.
    """
    if b"PRIVATE KEY" in content:
        raise InputError(
            f"{name} is a private key",
            code="signer/private-key",
            advice="Register the public half: openssl pkey -in KEY -pubout. Replace the private "
            "key if this file was sent to anybody.",
        )
    try:
        if len(content) > LARGEST_PEM:
            raise ValueError("it is too large")
        key = serialization.load_pem_public_key(content)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _unusable(name, "is no public key in PEM") from error
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name not in _CURVES:
        raise _unusable(name, f"is a key over the curve {key.curve.name}")
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < SMALLEST_RSA:
        raise _unusable(name, f"is an RSA key of {key.key_size} bits, which is too short")
    if not isinstance(key, ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise _unusable(name, "is a key of another algorithm")
    return public_key(key)


def public_key(key: Key) -> PublicKey:
    """The key with its name."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    der = key.public_bytes(serialization.Encoding.DER, form)
    pem = key.public_bytes(serialization.Encoding.PEM, form)
    return PublicKey(hashlib.sha256(der).hexdigest(), pem.decode("ascii"), key)


def _unusable(name: str, why: str) -> InputError:
    return InputError(
        f"{name} {why}",
        code="signer/key",
        advice="Use Ed25519: openssl genpkey -algorithm ed25519 -out KEY, then "
        "openssl pkey -in KEY -pubout -out KEY.pub.",
    )
