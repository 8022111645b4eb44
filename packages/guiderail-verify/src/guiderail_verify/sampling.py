"""Draw cases for an audit from a seed that the auditor chose; anybody can draw them again.

The cases are divided into strata by tier, track and outcome. Places are handed out one at a time,
always to the stratum of which the smallest share has been drawn so far; of equal shares the first
by name (tier, then track, then outcome) comes first. So every stratum is seen before any is seen
twice, and large ones get more. Within a stratum the cases come in the order of

    SHA-256("guiderail-sample-v2" || 0x0A || seed || 0x0A || case id)

as hexadecimal text, seed and id in UTF-8. Whoever does not know the seed cannot tell which cases
will be drawn, so the auditor names it after the checkpoint is signed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple


class Framed(NamedTuple):
    """A case of the sampling frame: everything that could have been drawn."""

    case: str
    tier: str
    track: str
    outcome: str


def draw(frame: Iterable[Framed], count: int, seed: str) -> list[str]:
    """The ids of `count` cases, or of all where there are fewer, in the order of the ids."""
    strata: dict[tuple[str, str, str], list[str]] = {}
    for framed in frame:
        stratum = (framed.tier, framed.track, framed.outcome)
        strata.setdefault(stratum, []).append(framed.case)
    for cases in strata.values():
        cases.sort(key=lambda case: place_of(case, seed))
    drawn = dict.fromkeys(sorted(strata), 0)
    for _ in range(min(count, sum(map(len, strata.values())))):
        least = min(drawn, key=lambda stratum: Fraction(drawn[stratum], len(strata[stratum])))
        drawn[least] += 1
    return sorted(case for stratum, taken in drawn.items() for case in strata[stratum][:taken])


def place_of(case: str, seed: str) -> str:
    """What orders the cases of a stratum: 64 hexadecimal digits."""
    text = f"guiderail-sample-v2\n{seed}\n{case}"
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
