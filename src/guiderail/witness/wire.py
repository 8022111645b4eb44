"""The request of c2sp.org/tlog-witness: old size, consistency proof, checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from guiderail_verify.canonical import decode_base64, encode_base64
from guiderail_verify.errors import VerifyError
from guiderail_verify.note import Checkpoint, parse_checkpoint, parse_decimal, split_note
from guiderail_verify.tree import HASH_SIZE

LARGEST_REQUEST = 64 * 1024
"""Bytes: 63 proof lines and a checkpoint with many signatures, several times over."""

MOST_HASHES = 63
SIZE_TYPE = "text/x.tlog.size"
"""The content type of a 409 answer."""

_CODE = "witness/bad-request"


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """old_size: entries of the checkpoint that the witness is said to have cosigned last.

    path: consistency proof from there, 32 bytes each. note: the signed checkpoint, verbatim.
    """

    old_size: int
    path: tuple[bytes, ...]
    note: str

    def to_bytes(self) -> bytes:
        lines = [f"old {self.old_size}", *(encode_base64(hash_) for hash_ in self.path)]
        return ("\n".join(lines) + "\n\n" + self.note).encode("utf-8")


def parse_request(data: bytes) -> AddCheckpoint:
    """Raises VerifyError `witness/bad-request` or `note/...` for anything else than a request."""
    try:
        head, blank, note = data.decode("utf-8").partition("\n\n")
    except UnicodeDecodeError as error:
        raise VerifyError(_CODE, "The request is not UTF-8 text.") from error
    lines = head.split("\n")
    if not blank or not lines[0].startswith("old "):
        raise VerifyError(_CODE, "The request does not begin with the old size.")
    old_size = parse_decimal(lines[0].removeprefix("old "), _CODE)
    path = tuple(decode_base64(line, _CODE) for line in lines[1:])
    if len(path) > MOST_HASHES or any(len(hash_) != HASH_SIZE for hash_ in path):
        raise VerifyError(_CODE, "The consistency proof is not a list of at most 63 hashes.")
    return AddCheckpoint(old_size, path, note)


def tree_head(note: str) -> Checkpoint:
    """Origin, size and root of a signed note; nothing is verified, extension lines are allowed.

    Raises VerifyError `note/...`.
    """
    text, _ = split_note(note)
    lines = text.split("\n")
    if "" in lines[3:-1]:
        raise VerifyError("note/bad-checkpoint", "An extension line of the checkpoint is empty.")
    return parse_checkpoint("\n".join(lines[:3]) + "\n")
