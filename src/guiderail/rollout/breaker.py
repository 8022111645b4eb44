"""The hard breaker: consecutive failures of a canary take its traffic away at once.

No statistics: a version that answers five requests in a row with a server error or not at all is
broken, and so is one that refuses the inputs of many requests in a row (its input contract).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Answer(StrEnum):
    """How a version answered, as far as the breaker cares.

    `refused_inputs` means that the version could not use inputs of a well-formed request;
    `bad_request` is the caller's own doing and says nothing about the version.
    """

    GOOD = "good"
    FAILED = "failed"
    REFUSED_INPUTS = "refused_inputs"
    BAD_REQUEST = "bad_request"


@dataclass(frozen=True, slots=True)
class Limits:
    """How many in a row trip the breaker."""

    failures: int = 5
    refusals: int = 20


@dataclass(frozen=True, slots=True)
class Breaker:
    """Counts since the last good answer. `tripped` is the reason, None while it has not tripped."""

    limits: Limits = Limits()
    failures: int = 0
    refusals: int = 0
    tripped: str | None = None

    def after(self, answer: Answer) -> Breaker:
        """The breaker after one more answer. Once tripped it stays tripped."""
        if self.tripped is not None or answer is Answer.BAD_REQUEST:
            return self
        if answer is Answer.GOOD:
            return replace(self, failures=0, refusals=0) if self.failures or self.refusals else self
        failures = self.failures + (answer is Answer.FAILED)
        refusals = self.refusals + (answer is Answer.REFUSED_INPUTS)
        reason = None
        if failures >= self.limits.failures:
            reason = f"{failures} requests in a row failed or took too long"
        elif refusals >= self.limits.refusals:
            reason = f"it could not use the inputs of {refusals} requests in a row"
        return replace(self, failures=failures, refusals=refusals, tripped=reason)


def classify(status: int) -> Answer:
    """An HTTP status of a model server as an answer."""
    if status >= 500:
        return Answer.FAILED
    if status == 422:
        return Answer.REFUSED_INPUTS
    return Answer.GOOD if status < 400 else Answer.BAD_REQUEST
