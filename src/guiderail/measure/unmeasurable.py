"""What a kernel returns instead of a number that the data do not support."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NotMeasurable:
    """No number, and one sentence why: the caller makes it an unknown fact with this reason."""

    reason: str
