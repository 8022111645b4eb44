"""A change of the policy as something that is reviewed: its states, and whose approval it needs.

Whoever owns a part in the pack that is in force decides about its change. The proposed pack has no
say in that: otherwise an author would make themselves the owner first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from guiderail.policy.pack import Pack

SECTIONS: Final = ("tiers", "tracks", "gates", "advice", "questions")
_SETTINGS: Final = (
    "kinds", "minimum_known_by", "reviewers", "targets_hours", "effective_from", "owner",
    "invariants", "monotone_exceptions",
)  # fmt: skip
_SETTING_TEXTS: Final = ("title", "roles", "expected_wait", "review_hours", "drops")


class ChangeState(StrEnum):
    """proposed -> activated (now or on its day), rejected, or withdrawn."""

    PROPOSED = "proposed"
    ACTIVATED = "activated"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's decision about a change in one role."""

    person: str
    role: str
    verdict: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """A proposed pack and what is known about it.

    compiled: digest of the stored compiled pack. replaces: kind -> digest of the pack in force when
        it was proposed. effective_on: the first day; an approval on a later day holds at once.
    evidence: what was checked, proved, compared and replayed, as shown to whoever decides.
    needs: role -> the parts because of which it is asked.
    """

    id: str
    pack: str
    version: str
    digest: str
    texts_digest: str
    compiled: str
    kinds: tuple[str, ...]
    replaces: Mapping[str, str]
    effective_on: date
    author: str
    contributors: frozenset[str]
    reason: str
    needs: Mapping[str, tuple[str, ...]]
    evidence: Mapping[str, Any]
    state: ChangeState
    created_at: datetime
    votes: tuple[Vote, ...] = ()

    @property
    def approved_by(self) -> dict[str, Vote]:
        """The approvals so far, by role."""
        return {vote.role: vote for vote in self.votes if vote.verdict == "approve"}

    @property
    def open_roles(self) -> tuple[str, ...]:
        """Roles that have not approved yet."""
        return tuple(role for role in self.needs if role not in self.approved_by)


def owners_to_ask(before: Pack, after: Pack) -> dict[str, tuple[str, ...]]:
    """Whose approval a change from one pack to another needs, with the parts that ask for it.

    The owner of the pack in force always; besides, the owner of every part that is added, changed
    in its rules or its words, or gone. Of a new part the owner is the one it names.
    """
    needs: dict[str, dict[str, None]] = {str(before.tree["owner"]): {}}
    for part, owner in _changed_parts(before, after):
        needs.setdefault(owner, {})[part] = None
    for part in _changed_settings(before, after):
        needs[str(before.tree["owner"])][part] = None
    return {role: tuple(parts) for role, parts in needs.items()}


def _changed_parts(before: Pack, after: Pack) -> Iterator[tuple[str, str]]:
    old, new = _parts(before), _parts(after)
    for name in (*old, *(name for name in new if name not in old)):
        if old.get(name) != new.get(name):
            yield name, (old.get(name) or new[name])[0]


def _parts(pack: Pack) -> dict[str, tuple[str, list[Any], Any]]:
    """Owner, deciding tree and texts of every part, controls and own facts included."""
    trees: dict[str, list[Any]] = {}
    for section in SECTIONS:
        for part in pack.tree[section]:
            trees.setdefault(part["id"], []).append(part)
    parts = {
        name: (str(texts["owner"]), trees.get(name, []), texts)
        for name, texts in pack.texts["parts"].items()
    }
    for name, texts in pack.texts["controls"].items():
        parts[name] = (str(texts["owner"]), [], texts)
    for name, texts in pack.texts["facts"].items():
        parts[name] = (str(texts["owner"]), [pack.tree["facts"][name]], texts)
    return parts


def _changed_settings(before: Pack, after: Pack) -> Iterator[str]:
    for name in _SETTINGS:
        if before.tree.get(name) != after.tree.get(name):
            yield name
    for name in _SETTING_TEXTS:
        if before.texts.get(name) != after.texts.get(name):
            yield name
