"""Signed notes (c2sp.org/signed-note) and checkpoints (c2sp.org/tlog-checkpoint), Ed25519."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from guiderail_verify.canonical import decode_base64, encode_base64
from guiderail_verify.errors import VerifyError
from guiderail_verify.tree import HASH_SIZE

ED25519 = b"\x01"
LARGEST_NOTE = 1 << 20
MOST_SIGNATURES = 64
_DASH = "\u2014 "


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A public key under the name that stands in the signature line. public: 32 raw bytes.

    until: the largest log for which an ended key counts; None for one that signs now.
    """

    name: str
    public: bytes
    until: int | None = None

    @property
    def key_id(self) -> bytes:
        """Four bytes: SHA-256(name || 0x0A || 0x01 || public key)[:4]."""
        data = self.name.encode("utf-8") + b"\n" + ED25519 + self.public
        return hashlib.sha256(data).digest()[:4]

    def to_text(self) -> str:
        """The verifier key as text: `name+hex key id+base64`."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(ED25519 + self.public)}"

    @classmethod
    def from_text(cls, text: str, *, until: int | None = None) -> NoteKey:
        """Raises VerifyError `note/bad-key` for anything that `to_text` would not have written."""
        parts = text.split("+", 2)
        if len(parts) != 3 or not is_key_name(parts[0]):
            raise VerifyError("note/bad-key", "The checkpoint key cannot be read.")
        data = decode_base64(parts[2], "note/bad-key")
        if data[:1] != ED25519 or len(data) != 33:
            raise VerifyError("note/bad-key", "The checkpoint key is not an Ed25519 key.")
        key = cls(parts[0], data[1:], until)
        if key.key_id.hex() != parts[1]:
            raise VerifyError("note/bad-key", "The checkpoint key does not match its own id.")
        return key


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log has signed: the root (32 bytes) of its first `size` entries."""

    origin: str
    size: int
    root: bytes

    def to_text(self) -> str:
        """The note text that is signed, with its final newline."""
        return f"{self.origin}\n{self.size}\n{encode_base64(self.root)}\n"


_PLAIN_NAME = re.compile(r"[!-*,-~]+").fullmatch
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]").search


def is_key_name(name: str) -> bool:
    """A key name is not empty and holds no space, plus sign or control character."""
    if _PLAIN_NAME(name):
        return True
    return bool(name) and not any(
        letter == "+" or letter.isspace() or unicodedata.category(letter) == "Cc" for letter in name
    )


def signature_line(key: NoteKey, signature: bytes) -> str:
    return note_line(key.name, key.key_id, signature)


def note_line(name: str, key_id: bytes, signature: bytes) -> str:
    """A signature line with its newline, for a signature of any type. key_id: four bytes."""
    return f"{_DASH}{name} {encode_base64(key_id + signature)}\n"


def compose(text: str, lines: Iterable[str]) -> str:
    """A signed note from its text and its signature lines."""
    return text + "\n" + "".join(lines)


def open_note(note: str, keys: Iterable[NoteKey]) -> str:
    """The text of a note that at least one of `keys` signed.

    Signatures of unknown keys are ignored, as the specification asks; a wrong signature of a
    known key, and anything that is not a signature line after the text, refuses the note.
    Raises VerifyError `note/...`.
    """
    return open_signed(note, keys)[0]


def open_signed(note: str, keys: Iterable[NoteKey]) -> tuple[str, list[NoteKey]]:
    """As `open_note`, with those of `keys` that signed it, at least one."""
    text, lines = split_note(note)
    known = {(key.name, key.key_id): key for key in keys}
    seen: dict[tuple[str, bytes], NoteKey] = {}
    for line in lines:
        name, key_id, signature = split_signature(line)
        key = known.get((name, key_id))
        if key is None:
            continue
        if (name, key_id) in seen:
            raise VerifyError("note/twice-signed", f"{name} signed the checkpoint twice.")
        seen[name, key_id] = key
        _verify_signature(key, signature, text)
    if not seen:
        raise VerifyError("note/unknown-key", "No trusted key signed the checkpoint.")
    return text, list(seen.values())


def open_checkpoint(note: str, keys: Iterable[NoteKey], origin: str) -> Checkpoint:
    """The checkpoint of the log `origin`. Raises VerifyError `note/...`.

    Only keys named like the origin count: a witness alone cannot speak for the log. An ended key
    counts up to its limit.
    """
    text, signers = open_signed(note, [key for key in keys if key.name == origin])
    checkpoint = parse_checkpoint(text)
    if not any(key.until is None or checkpoint.size <= key.until for key in signers):
        raise VerifyError(
            "note/ended-key",
            "The checkpoint is signed by a key that does not count for a log of "
            f"{checkpoint.size} entries: it was retired or compromised before.",
        )
    if checkpoint.origin != origin:
        raise VerifyError("note/other-log", f"The checkpoint is of the log {checkpoint.origin}.")
    return checkpoint


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a note text without looking at signatures. Raises VerifyError `note/bad-checkpoint`."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0]:
        raise VerifyError("note/bad-checkpoint", "The checkpoint does not have three lines.")
    size = parse_decimal(lines[1], "note/bad-checkpoint")
    root = decode_base64(lines[2], "note/bad-checkpoint")
    if len(root) != HASH_SIZE:
        raise VerifyError("note/bad-checkpoint", "The root of the checkpoint is not 32 bytes.")
    return Checkpoint(lines[0], size, root)


def parse_decimal(text: str, code: str) -> int:
    """A non-negative ASCII integer below 2**63 without leading zeros, else VerifyError `code`."""
    if not (text.isascii() and text.isdigit()) or len(text) > 19:
        raise VerifyError(code, "A size or an index is not a plain decimal number.")
    number = int(text)
    if number >= 2**63 or str(number) != text:
        raise VerifyError(code, "A size or an index is not a plain decimal number.")
    return number


def split_note(note: str) -> tuple[str, list[str]]:
    """The signed text, with its final newline, and the lines below the blank one; none verified.

    Raises VerifyError `note/...` for what is no signed note.
    """
    if len(note) > LARGEST_NOTE:
        raise VerifyError("note/too-large", "The note is larger than a megabyte.")
    if _CONTROL(note):
        raise VerifyError("note/control-character", "The note holds a control character.")
    head, blank, tail = note.rpartition("\n\n")
    if not blank or not head or not tail.endswith("\n"):
        raise VerifyError("note/no-signature", "The note has no signatures after a blank line.")
    lines = tail[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise VerifyError("note/too-many", "The note has too many signatures.")
    return head + "\n", lines


def split_signature(line: str) -> tuple[str, bytes, bytes]:
    """Name, key id (four bytes) and signature. Raises VerifyError `note/garbage`."""
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space or not is_key_name(name):
        raise VerifyError("note/garbage", "The note holds a line that is not a signature.")
    data = decode_base64(encoded, "note/garbage")
    if len(data) < 5:
        raise VerifyError("note/garbage", "A signature of the note is too short.")
    return name, data[:4], data[4:]


def _verify_signature(key: NoteKey, signature: bytes, text: str) -> None:
    try:
        public = Ed25519PublicKey.from_public_bytes(key.public)
        public.verify(signature, text.encode("utf-8"))
    except (InvalidSignature, ValueError) as error:
        raise VerifyError(
            "note/bad-signature", f"The signature of {key.name} does not match the text."
        ) from error
