"""Signed envelopes: DSSE v1 (github.com/secure-systems-lab/dsse), Ed25519 or ECDSA P-256."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from guiderail_verify.canonical import decode_base64
from guiderail_verify.errors import VerifyError
from guiderail_verify.signature import verify_signature

IN_TOTO = "application/vnd.in-toto+json"
LARGEST_ENVELOPE = 1 << 20
MOST_SIGNATURES = 16
_CODE = "dsse/bad-envelope"


@dataclass(frozen=True, slots=True)
class Opened:
    """The payload of an envelope and the ids of the trusted keys that signed it, at least one."""

    payload: bytes
    key_ids: tuple[str, ...]

    @property
    def key_id(self) -> str:
        return self.key_ids[0]


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding: the bytes that are really signed."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def open_envelope(
    envelope: bytes, keys: Mapping[str, bytes], payload_type: str = IN_TOTO
) -> Opened:
    """The payload of an envelope that one of `keys` signed (key id -> public key, see `signature`).

    A wrong signature under the id of a trusted key refuses the envelope, whatever else it holds.
    Raises VerifyError `dsse/...`.
    """
    payload, found_type, signatures = _parse(envelope)
    if found_type != payload_type:
        raise VerifyError("dsse/other-type", f"The envelope holds {found_type!r}.")
    signed = pae(found_type, payload)
    signers: dict[str, None] = {}
    for key_id, signature in signatures:
        public = keys.get(key_id)
        if public is None:
            continue
        if not verify_signature(public, signature, signed):
            raise VerifyError("dsse/bad-signature", "The signature does not match the content.")
        signers[key_id] = None
    if not signers:
        raise VerifyError("dsse/unknown-key", "No trusted key signed this.")
    return Opened(payload, tuple(signers))


def read_payload(envelope: bytes, payload_type: str) -> bytes:
    """What an envelope holds, **unchecked**: to learn which keys it names before they are tried."""
    payload, found_type, _ = _parse(envelope)
    if found_type != payload_type:
        raise VerifyError("dsse/other-type", f"The envelope holds {found_type!r}.")
    return payload


def _parse(envelope: bytes) -> tuple[bytes, str, list[tuple[str, bytes]]]:
    if len(envelope) > LARGEST_ENVELOPE:
        raise VerifyError("dsse/too-large", "The envelope is larger than a megabyte.")
    try:
        data: object = json.loads(envelope.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise VerifyError(_CODE, "The envelope is not JSON.") from error
    match data:
        case {"payload": str(payload), "payloadType": str(kind), "signatures": list(entries)}:
            if len(entries) > MOST_SIGNATURES:
                raise VerifyError("dsse/too-many", "The envelope has too many signatures.")
            return decode_base64(payload, _CODE), kind, [_parse_entry(entry) for entry in entries]
    raise VerifyError(_CODE, "The envelope lacks payload, payloadType or signatures.")


def _parse_entry(entry: object) -> tuple[str, bytes]:
    match entry:
        case {"keyid": str(key_id), "sig": str(signature)}:
            return key_id, decode_base64(signature, _CODE)
    raise VerifyError(_CODE, "A signature of the envelope lacks keyid or sig.")
