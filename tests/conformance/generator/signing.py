"""Keys that everybody knows, and what they sign.

The secret keys are those of RFC 8032, section 7.1, tests 1 to 3. They are printed in the RFC:
whoever trusts one of them trusts everybody. They are for tests only.
"""

from __future__ import annotations

import base64
import hashlib
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

DASH = "\u2014 "
ORIGIN = "log.example/conformance"
WITNESS_NAME = "witness.example/w1"
IN_TOTO = "application/vnd.in-toto+json"


def _secret(text: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text))


LOG = _secret("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PERMITS = _secret("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
WITNESS = _secret("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")


def base64_text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def public(secret: Ed25519PrivateKey) -> bytes:
    return secret.public_key().public_bytes_raw()


# --- Signed notes (c2sp.org/signed-note) --------------------------------------------------------


def key_id(name: str, key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n\x01" + key).digest()[:4]


def verifier_key(name: str, key: bytes) -> str:
    return f"{name}+{key_id(name, key).hex()}+{base64_text(bytes([1]) + key)}"


LOG_KEY = verifier_key(ORIGIN, public(LOG))
WITNESS_KEY = verifier_key(WITNESS_NAME, public(WITNESS))


def line(name: str, id_: bytes, signature: bytes) -> str:
    return f"{DASH}{name} {base64_text(id_ + signature)}\n"


def sign_line(text: str, name: str = ORIGIN, secret: Ed25519PrivateKey = LOG) -> str:
    return line(name, key_id(name, public(secret)), secret.sign(text.encode("utf-8")))


def sign_note(text: str, name: str = ORIGIN, secret: Ed25519PrivateKey = LOG) -> str:
    return f"{text}\n{sign_line(text, name, secret)}"


def checkpoint_text(size: object, root: bytes, origin: str = ORIGIN) -> str:
    return f"{origin}\n{size}\n{base64_text(root)}\n"


# --- Envelopes (DSSE v1) ------------------------------------------------------------------------


def canonical(value: object) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8")


def envelope_key_id(secret: Ed25519PrivateKey) -> str:
    """As securesystemslib names an Ed25519 key."""
    described = {
        "keytype": "ed25519",
        "scheme": "ed25519",
        "keyval": {"public": public(secret).hex()},
    }
    return hashlib.sha256(canonical(described)).hexdigest()


def pae(kind: str, payload: bytes) -> bytes:
    name = kind.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def signature_entry(
    payload: bytes, secret: Ed25519PrivateKey = PERMITS, kind: str = IN_TOTO
) -> dict[str, str]:
    signature = secret.sign(pae(kind, payload))
    return {"keyid": envelope_key_id(secret), "sig": base64_text(signature)}


def envelope(
    payload: bytes, secret: Ed25519PrivateKey = PERMITS, kind: str = IN_TOTO
) -> dict[str, object]:
    return {
        "payload": base64_text(payload),
        "payloadType": kind,
        "signatures": [signature_entry(payload, secret, kind)],
    }


def trusted_keys() -> dict[str, object]:
    """The content of `public.json`: what a target pins."""
    return {
        "v": 1,
        "origin": ORIGIN,
        "checkpoint": [LOG_KEY],
        "permit": {envelope_key_id(PERMITS): base64_text(public(PERMITS))},
    }
