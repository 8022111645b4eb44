"""What a comparison of two packs finds: one change per part and direction, with an example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from guiderail.policy.decision import PackRef
from guiderail.policy.diff.regions import Setting
from guiderail.policy.weigh import Weight

Direction = Literal["lighter", "heavier", "other", "none"]
Kind = Literal["added", "removed", "changed", "wording"]


@dataclass(frozen=True, slots=True)
class Example:
    """A release about which the two packs differ, judged by both.

    facts: every fact that either pack reads. differs: the ones that are not as in a calm release.
    known_by: how facts are known that are known by less than the system of record.
    """

    kind: str
    day: str
    facts: Setting
    differs: tuple[str, ...]
    known_by: Mapping[str, str]
    old: Weight
    new: Weight


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two packs.

    section: `tiers`, `tracks`, `gates`, `advice`, `questions`, `settings`, `facts` or `controls`.
    direction: `none` where no decision changes: other words, or the same condition written anew.
    old, new: what each pack says, empty where it says nothing.
    decided: False where the comparison was not complete; reason says why. The reason also says why
        there is no example.
    """

    part: str
    section: str
    change: Kind
    direction: Direction
    sentence: str
    old: str
    new: str
    example: Example | None = None
    decided: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PackDiff:
    """Every difference, in the order of the sections. kinds: those that were compared."""

    old: PackRef
    new: PackRef
    kinds: tuple[str, ...]
    changes: tuple[Change, ...]

    def count(self, direction: str) -> int:
        return sum(change.direction == direction for change in self.changes)
