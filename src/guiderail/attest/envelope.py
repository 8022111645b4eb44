"""Signed envelopes (DSSE v1) around any payload, by every key that signs now."""

from __future__ import annotations

from collections.abc import Mapping

from securesystemslib.dsse import Envelope
from securesystemslib.signer import Signer  # type: ignore[attr-defined] # no __all__

from guiderail.core.digest import canonical_json


def sign_envelope(payload: bytes, payload_type: str, signers: Mapping[str, Signer]) -> bytes:
    """The envelope as canonical JSON bytes. signers: by the id that stands beside the signature.

    Raises what a key service raises.
    """
    envelope = Envelope(payload, payload_type, {})
    for key_id, signer in signers.items():
        signature = signer.sign(envelope.pae())
        signature.keyid = key_id
        envelope.signatures[key_id] = signature
    return canonical_json(envelope.to_dict())
