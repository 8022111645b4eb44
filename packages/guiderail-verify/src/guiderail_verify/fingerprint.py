"""The fingerprint of a checkpoint: short enough for paper, for typing and for the telephone.

It is the number of entries and 32 letters: the first 160 bits of the SHA-256 over the line
`guiderail-fingerprint-v1` and the three lines of the checkpoint, in Crockford's base 32. It is not
signed: it counts because its holder wrote it down.
"""

from __future__ import annotations

import hashlib
import hmac

from guiderail_verify.errors import VerifyError
from guiderail_verify.note import Checkpoint, parse_decimal

_CONTEXT = "guiderail-fingerprint-v1\n"
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans("OIL", "011", " -\t\r\n\u00a0\u2010\u2011\u2012\u2013\u2014")
_LENGTH, _GROUP, _BITS = 32, 4, 160
_CODE = "checkpoint/fingerprint"


def fingerprint(checkpoint: Checkpoint) -> str:
    """For example `131 K7QM-2XWD-...`: the size, and eight groups of four letters."""
    letters = _letters(checkpoint)
    groups = (letters[at : at + _GROUP] for at in range(0, _LENGTH, _GROUP))
    return f"{checkpoint.size} {'-'.join(groups)}"


def read_fingerprint(text: str) -> tuple[int, str]:
    """Size and letters as somebody typed them: small letters, spaces, O for 0, I and L for 1.

    Raises VerifyError `checkpoint/fingerprint`.
    """
    size, _, letters = text.strip().partition(" ")
    plain = letters.upper().translate(_MISREAD)
    if len(plain) != _LENGTH or not set(plain) <= set(_LETTERS):
        raise VerifyError(
            _CODE, "A fingerprint is the number of entries and 32 letters and digits."
        )
    return parse_decimal(size, _CODE), plain


def has_fingerprint(checkpoint: Checkpoint, letters: str) -> bool:
    return hmac.compare_digest(_letters(checkpoint), letters)


def _letters(checkpoint: Checkpoint) -> str:
    data = hashlib.sha256((_CONTEXT + checkpoint.to_text()).encode("utf-8")).digest()
    number = int.from_bytes(data, "big") >> (256 - _BITS)
    return "".join(_LETTERS[number >> shift & 31] for shift in range(_BITS - 5, -1, -5))
