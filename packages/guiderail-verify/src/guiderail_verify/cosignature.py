"""Cosignatures of witnesses (c2sp.org/tlog-cosignature, the Ed25519 form `cosignature/v1`).

A witness signs that, at a time, the log's newest consistent tree that it had seen has this root.
The line stands below the log's own signature in the signed note.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from guiderail_verify.canonical import decode_base64, encode_base64
from guiderail_verify.errors import VerifyError
from guiderail_verify.note import is_key_name, note_line, split_note, split_signature

COSIGNATURE_V1 = b"\x04"
"""The signature type of c2sp.org/signed-note for timestamped Ed25519 cosignatures."""

_HEADER = "cosignature/v1"
_STAMP_BYTES = 8
_SIGNATURE_BYTES = 64
_CODE = "witness/bad-key"


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """The public key of a witness under its name. public: 32 raw bytes."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes: SHA-256(name || 0x0A || 0x04 || public key)[:4]."""
        data = self.name.encode("utf-8") + b"\n" + COSIGNATURE_V1 + self.public
        return hashlib.sha256(data).digest()[:4]

    def to_text(self) -> str:
        """The verifier key as text: `name+hex key id+base64`."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(COSIGNATURE_V1 + self.public)}"

    @classmethod
    def from_text(cls, text: str) -> WitnessKey:
        """Raises VerifyError `witness/bad-key` for anything that `to_text` would not have written.

        The key of a log (type 0x01) is refused too: a log cannot be its own witness.
        """
        parts = text.split("+", 2)
        if len(parts) != 3 or not is_key_name(parts[0]):
            raise VerifyError(_CODE, "The key of the witness cannot be read.")
        data = decode_base64(parts[2], _CODE)
        if data[:1] != COSIGNATURE_V1 or len(data) != 33:
            raise VerifyError(
                _CODE, "The key is not that of a witness (Ed25519, signature type 4)."
            )
        key = cls(parts[0], data[1:])
        if key.key_id.hex() != parts[1]:
            raise VerifyError(_CODE, "The key of the witness does not match its own id.")
        return key


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A cosignature that verified. time: POSIX seconds, by the clock of the witness.

    line: the signature line as it stood in the note, with its newline.
    """

    key: WitnessKey
    time: int
    line: str


def cosign(private: Ed25519PrivateKey, name: str, text: str, time: int) -> str:
    """The signature line of a witness over a note text. time: POSIX seconds, 0 to 2**63 - 1."""
    key = WitnessKey(name, private.public_key().public_bytes_raw())
    signature = private.sign(_message(text, time))
    return note_line(key.name, key.key_id, time.to_bytes(_STAMP_BYTES, "big") + signature)


def cosignatures(note: str, witnesses: Iterable[WitnessKey]) -> tuple[Cosignature, ...]:
    """The cosignatures of these witnesses on a note, in its order; other signatures are ignored.

    The log's own signature is not looked at. Raises VerifyError `note/...` for what is no signed
    note, and `witness/...` for a wrong or a second signature of one of these witnesses.
    """
    text, lines = split_note(note)
    known = {(key.name, key.key_id): key for key in witnesses}
    found: dict[WitnessKey, Cosignature] = {}
    for line in lines:
        name, key_id, signature = split_signature(line)
        key = known.get((name, key_id))
        if key is None:
            continue
        if key in found:
            raise VerifyError("witness/twice-signed", f"{name} cosigned the checkpoint twice.")
        found[key] = Cosignature(key, _verify(key, signature, text), line + "\n")
    return tuple(found.values())


def _verify(key: WitnessKey, signature: bytes, text: str) -> int:
    """The time of a good cosignature."""
    time = int.from_bytes(signature[:_STAMP_BYTES], "big")
    if len(signature) != _STAMP_BYTES + _SIGNATURE_BYTES or time >= 2**63:
        raise VerifyError("witness/bad-cosignature", f"The cosignature of {key.name} is malformed.")
    try:
        public = Ed25519PublicKey.from_public_bytes(key.public)
        public.verify(signature[_STAMP_BYTES:], _message(text, time))
    except (InvalidSignature, ValueError) as error:
        raise VerifyError(
            "witness/bad-cosignature",
            f"The cosignature of {key.name} does not match the checkpoint.",
        ) from error
    return time


def _message(text: str, time: int) -> bytes:
    return f"{_HEADER}\ntime {time}\n{text}".encode()
