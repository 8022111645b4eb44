"""What is wrong with a policy pack, each with its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from guiderail.core.errors import InputError, Place


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to correct before a pack can decide anything. hint: what to do about it."""

    place: Place
    message: str
    hint: str


class PackError(InputError):
    """A policy pack cannot be used. `problems` lists every reason."""

    code = "policy/invalid-pack"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        more = len(self.problems) - 1
        super().__init__(
            first.message,
            advice=f"{first.hint} ({more} more: `guiderail policy check`.)" if more else first.hint,
            place=first.place,
        )
