"""The one error of this package."""

from __future__ import annotations


class VerifyError(Exception):
    """What was handed in does not prove what it claims.

    code: stable identifier, for example `permit/other-digest`.
    reason: one sentence for people.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{reason} [{code}]")
        self.code = code
        self.reason = reason
