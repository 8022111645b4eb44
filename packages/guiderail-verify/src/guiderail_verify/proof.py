"""The `.tlog-proof` file (c2sp.org/tlog-proof): an entry, its place, and a signed checkpoint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from guiderail_verify.canonical import decode_base64, encode_base64
from guiderail_verify.errors import VerifyError
from guiderail_verify.note import Checkpoint, NoteKey, open_checkpoint, parse_decimal
from guiderail_verify.tree import HASH_SIZE, leaf_hash, verify_inclusion

HEADER = "c2sp.org/tlog-proof@v1"
LONGEST_PATH = 63
_CODE = "proof/bad-format"


@dataclass(frozen=True, slots=True)
class TlogProof:
    """index counts from 0; path runs from the leaf's sibling up, 32 bytes each.

    extra: bytes that nobody has signed. Guiderail puts the entry's own bytes there, and they
    count only once their hash is proven to be in the log.
    """

    index: int
    path: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    def to_text(self) -> str:
        lines = [HEADER]
        if self.extra is not None:
            lines.append("extra " + encode_base64(self.extra))
        lines.append(f"index {self.index}")
        lines.extend(encode_base64(hash_) for hash_ in self.path)
        return "\n".join(lines) + "\n\n" + self.checkpoint


def parse_proof(text: str) -> TlogProof:
    """Raises VerifyError `proof/bad-format` for anything that is not such a file."""
    head, blank, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or lines.pop(0) != HEADER:
        raise VerifyError(_CODE, f"The proof does not begin with {HEADER}.")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = decode_base64(lines.pop(0).removeprefix("extra "), _CODE)
    if not lines or not lines[0].startswith("index "):
        raise VerifyError(_CODE, "The proof does not say the index of its entry.")
    index = parse_decimal(lines.pop(0).removeprefix("index "), _CODE)
    path = tuple(decode_base64(line, _CODE) for line in lines)
    if len(path) > LONGEST_PATH or any(len(hash_) != HASH_SIZE for hash_ in path):
        raise VerifyError(_CODE, "The path of the proof is not a list of SHA-256 hashes.")
    return TlogProof(index, path, checkpoint, extra)


def verify_proof(proof: TlogProof, body: bytes, keys: Iterable[NoteKey], origin: str) -> Checkpoint:
    """Check that `body` is entry `proof.index` of the log `origin`; gives the signed checkpoint.

    Raises VerifyError `note/...` or `tree/...`.
    """
    checkpoint = open_checkpoint(proof.checkpoint, keys, origin)
    verify_inclusion(leaf_hash(body), proof.index, checkpoint.size, proof.path, checkpoint.root)
    return checkpoint
