"""What an entry of the ledger commits to: two versions of the form of its body.

Version 1 has one commitment over all details. Version 2 has one over the details that stay readable
and a second one, `words`, over what somebody wrote, so that words can be erased and the rest stays
proven. A commitment is an HMAC-SHA256 (RFC 2104) over the canonical JSON of the details, keyed with
32 random bytes that are destroyed with them: without that salt nobody can try out what was written.
"""

from __future__ import annotations

import hmac
from typing import Final

ALGORITHM: Final = "hmac-sha256"
VERSIONS: Final = (1, 2)

Commitments = tuple[str, str | None]
"""Over the details that stay, and over the words: None where nobody wrote anything."""


def commitment(salt: bytes, clear: bytes) -> str:
    """HMAC-SHA256 over the canonical bytes of details, 64 hexadecimal digits."""
    return hmac.digest(salt, clear, "sha256").hex()


def is_committed(salt: bytes, clear: bytes, committed: str) -> bool:
    return hmac.compare_digest(commitment(salt, clear), committed)


def read_commitments(version: object, payload: object) -> Commitments | None:
    """The commitments in a body; None where they do not have the form of its version."""
    if isinstance(version, bool):
        return None
    match version, payload:
        case 1, {"alg": "hmac-sha256", "value": str(value), **more} if not more:
            return value, None
        case 2, {"alg": "hmac-sha256", "value": str(value), "words": words, **more} if not more:
            if words is None or isinstance(words, str):
                return value, words
    return None
