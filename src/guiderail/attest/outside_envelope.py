"""Signed envelopes from outside: DSSE v1, alone or in a Sigstore bundle, and who signed them.

DSSE: github.com/secure-systems-lab/dsse. Bundle: `application/vnd.dev.sigstore.bundle`, of which
the `dsseEnvelope` is read. Only registered keys make a signature good: certificates in a bundle are
not followed, because nobody here said whom to believe.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from guiderail.attest.public_key import PublicKey
from guiderail.core.errors import RefusedError
from guiderail_verify.dsse import IN_TOTO, MOST_SIGNATURES, pae


@dataclass(frozen=True, slots=True)
class Signature:
    """key_id: what the envelope calls the key; "" where it does not say."""

    key_id: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """The payload and its signatures, of which nothing is believed yet."""

    payload: bytes
    signatures: tuple[Signature, ...]


class HasKey(Protocol):
    """Somebody whose key is registered."""

    @property
    def key(self) -> PublicKey | None: ...


_Signer = TypeVar("_Signer", bound=HasKey)


def read_envelope(value: Any) -> Envelope | None:
    """The envelope in a JSON value; None where it holds none at all.

    Raises ValueError where it begins like an envelope and is no readable one, or holds something
    else than an in-toto statement.
    """
    if not isinstance(value, Mapping):
        return None
    inner = value.get("dsseEnvelope")
    if inner is None and "mediaType" in value and "verificationMaterial" in value:
        raise ValueError("it is a Sigstore bundle without a DSSE envelope")
    found = value if inner is None else inner
    if inner is None and not {"payload", "payloadType"} <= set(value):
        return None
    match found:
        case {"payload": str(payload), "payloadType": str(kind), "signatures": list(rows)}:
            if kind != IN_TOTO:
                raise ValueError(f"its envelope holds {kind[:80]!r}, not an in-toto statement")
            if not 0 < len(rows) <= MOST_SIGNATURES:
                raise ValueError(f"its envelope has {len(rows)} signatures")
            return Envelope(_base64(payload), tuple(map(_signature, rows)))
    raise ValueError("its envelope lacks payload, payloadType or signatures")


def signer_of(envelope: Envelope, registered: Sequence[_Signer]) -> _Signer | None:
    """Whose registered key signed the envelope; None where nobody's did.

    Raises RefusedError `evidence/tampered` where a signature names a registered key and does not
    match: then the content is not what that key signed.
    """
    signed = pae(IN_TOTO, envelope.payload)
    found: _Signer | None = None
    for one in envelope.signatures:
        for other in registered:
            if other.key is None:
                continue
            named = one.key_id == other.key.key_id
            if other.key.verifies(one.signature, signed):
                found = found or other
            elif named:
                raise RefusedError(
                    "the content is not what its signature was made for",
                    code="evidence/tampered",
                    advice="Fetch the file again from where it was signed; nothing of it was kept.",
                )
    return found


def _signature(row: Any) -> Signature:
    match row:
        case {"sig": str(signature)}:
            key_id = row.get("keyid") or ""
            if isinstance(key_id, str):
                return Signature(key_id, _base64(signature))
    raise ValueError("a signature of its envelope cannot be read")


def _base64(text: str) -> bytes:
    """Both alphabets, as DSSE allows."""
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("its envelope is not written in base64") from error
