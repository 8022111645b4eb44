"""What the platform says to people: reasons and findings, before any rendering."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from guiderail.core.errors import Place


class Severity(StrEnum):
    """`blocks`: no permit until fixed or waived. `review`: a person looks. `advice`: neither."""

    BLOCKS = "blocks"
    REVIEW = "review"
    ADVICE = "advice"


class FactShown(NamedTuple):
    """One fact as a reason quotes it: `value` is already in words, with its unit."""

    name: str
    value: str
    source: str
    known_by: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a tier or track is what it is. `page` is the id that `guiderail explain` takes.

    certain is False where the rule counts only because a fact is unknown.
    raises_to is the tier or track that the rule asks for.
    """

    rule: str
    sentence: str
    raises_to: str
    certain: bool
    facts: tuple[FactShown, ...]
    page: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One message of the pre-flight check: where, what, how to fix, who can waive.

    facts: the values that it rests on.
    """

    rule: str
    severity: Severity
    sentence: str
    place: Place
    fix: str
    page: str
    waivable_by: tuple[str, ...] = ()
    facts: tuple[FactShown, ...] = ()
