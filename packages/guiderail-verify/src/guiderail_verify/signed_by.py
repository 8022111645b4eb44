"""Whether a registered key or the token of a CI stands behind a statement.

Keys: Ed25519, ECDSA over P-256, P-384 and P-521, RSA. Tokens: RS256 and ES256 (RFC 7515), with the
statement's digest in their audience.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from guiderail_verify.dsse import IN_TOTO, pae
from guiderail_verify.errors import VerifyError

_HASHES: Final[Mapping[str, hashes.HashAlgorithm]] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}
_CODE: Final = "signed/unreadable"


def read_document(content: bytes) -> tuple[bytes, str | None]:
    """The statement in a document, and the token that vouches for it, None where a key does.

    Raises VerifyError for anything else than an envelope or a statement with its token.
    """
    try:
        match json.loads(content):
            case {"statement": str(statement), "token": str(token)}:
                return statement.encode("utf-8"), token
            case {"payload": str(payload), "payloadType": str(kind)} if kind == IN_TOTO:
                return _bytes(payload), None
    except (ValueError, RecursionError) as error:
        raise VerifyError(_CODE, "The statement cannot be read.") from error
    raise VerifyError(_CODE, "The document holds no signed statement.")


def is_signed_by(content: bytes, material: str) -> bool:
    """Did the key (PEM) sign one of the signatures of the envelope?"""
    key = serialization.load_pem_public_key(material.encode())
    envelope = json.loads(content)
    message = pae(IN_TOTO, _bytes(envelope["payload"]))
    return any(_holds(key, _bytes(one["sig"]), message) for one in envelope["signatures"])


def is_vouched_by(token: str, statement: bytes, identity: Mapping[str, Any]) -> bool:
    """Is it a token of the registered CI about this statement? Its times are not judged again."""
    head, body, signature = token.split(".")
    header, claims = json.loads(_bytes(head)), json.loads(_bytes(body))
    message, raw = f"{head}.{body}".encode("ascii"), _bytes(signature)
    digest = hashlib.sha256(statement).hexdigest()
    audience = f"{identity['audience']}#sha256:{digest}"
    return (
        claims.get("iss") == identity["issuer"]
        and claims.get("aud") in (audience, [audience])
        and all(claims.get(name) == value for name, value in identity["claims"].items())
        and any(_holds_jwk(row, header.get("alg"), raw, message)
                for row in json.loads(identity["jwks"])["keys"])
    )  # fmt: skip


def _holds_jwk(row: Mapping[str, Any], algorithm: object, signature: bytes, message: bytes) -> bool:
    if algorithm == "RS256" and row.get("kty") == "RSA":
        numbers = rsa.RSAPublicNumbers(_number(row["e"]), _number(row["n"]))
        return _holds(numbers.public_key(), signature, message)
    if algorithm == "ES256" and row.get("crv") == "P-256" and len(signature) == 64:
        point = ec.EllipticCurvePublicNumbers(_number(row["x"]), _number(row["y"]), ec.SECP256R1())
        pair = (int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
        return _holds(point.public_key(), utils.encode_dss_signature(*pair), message)
    return False


def _holds(key: object, signature: bytes, message: bytes) -> bool:
    if isinstance(key, rsa.RSAPublicKey):
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
        return any(_is_rsa(key, signature, message, way) for way in (padding.PKCS1v15(), pss))
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, message)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(_HASHES[key.curve.name]))
        else:
            return False
    except (InvalidSignature, ValueError, KeyError):
        return False
    return True


def _is_rsa(
    key: rsa.RSAPublicKey, signature: bytes, message: bytes, way: padding.PSS | padding.PKCS1v15
) -> bool:
    try:
        key.verify(signature, message, way, hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def _number(text: str) -> int:
    return int.from_bytes(_bytes(text))


def _bytes(text: str) -> bytes:
    """Base64 in either alphabet, padded or not."""
    plain = text.replace("-", "+").replace("_", "/").rstrip("=")
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
