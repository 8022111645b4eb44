"""The ordered scales of the product: track, tier, verdict, how a fact is known.

Each is a string enum whose members are listed from lightest to heaviest; `rank` gives the place.
"""

from __future__ import annotations

from enum import StrEnum


class _Scale(StrEnum):
    """A string enum that knows the order of its members."""

    @property
    def rank(self) -> int:
        return list(type(self)).index(self)


class Track(_Scale):
    """How much human attention this release gets."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class Tier(_Scale):
    """How risky the *use* is. `prohibited` is a hard stop."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    PROHIBITED = "prohibited"


class KnownBy(_Scale):
    """How a fact is known, from weakest to strongest."""

    DECLARED = "declared"
    MEASURED = "measured"
    VERIFIED = "verified"
    ATTESTED = "attested"


class Verdict(StrEnum):
    """What one gate says. No scale: `insufficient` is not between pass and fail, it is neither."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    INSUFFICIENT = "insufficient"
    WAIVED = "waived"
    NOT_APPLICABLE = "not_applicable"


class Outcome(StrEnum):
    """What the whole pre-flight check says; blocked beats needs-review."""

    GO = "go"
    NEEDS_REVIEW = "needs_review"
    NOT_MEASURABLE = "not_measurable"
    BLOCKED = "blocked"
