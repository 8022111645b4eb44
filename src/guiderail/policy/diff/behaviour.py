"""What one part of a pack does, as conditions and what they come to, ready to be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from guiderail.policy.diff.conditions import Side, known_leaf
from guiderail_verify.evaluate import UNKNOWN, Truth, fact_names
from guiderail_verify.judge import TIERS, TRACKS, holds

Part = Sequence[Mapping[str, Any]]
"""The compiled entries of one id: all levels of a rule, else one entry."""

_ALWAYS: Final[Mapping[str, Any]] = {"bool": True}
_NEVER: Final[Mapping[str, Any]] = {"bool": False}
_WEIGHTS: Final = {"pass": 0, "not_applicable": 0, "insufficient": 1, "fail": 2}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a rule asks for. roles: each with the tracks on which it joins.

    A rule that raises to the lightest step asks for as little as one that does not count.
    """

    rank: int
    blocks: bool
    roles: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Judged:
    """What a gate says. weights: for the tiers low, medium and high, 0 where it does not hold.

    held: `fail` or `insufficient`; empty where it passes or does not apply, which is the same to a
    release.
    """

    held: str
    weights: tuple[int, int, int]
    owner: str


NO_GATE: Final = Judged("", (0, 0, 0), "")


def side(section: str, part: Part, kind: str, day: str) -> Side:
    """The conditions of a part that hold for a kind on a day; empty when it does not hold."""
    held = [entry for entry in part if holds(entry, kind, day)]
    if section in ("tiers", "tracks"):
        return _rule_side(held, TIERS if section == "tiers" else TRACKS)
    if section == "gates":
        return _gate_side(held[0], kind) if held else Side((), lambda _: NO_GATE, None)
    return _shown_side(section, held)


def compared(old: object, new: object) -> str:
    """`lighter`, `heavier` or `other`: how two different labels relate."""
    if isinstance(old, Asked) and isinstance(new, Asked):
        up = new.rank > old.rank or new.blocks > old.blocks or bool(new.roles - old.roles)
        down = new.rank < old.rank or new.blocks < old.blocks or bool(old.roles - new.roles)
    elif isinstance(old, Judged) and isinstance(new, Judged):
        pairs = list(zip(old.weights, new.weights, strict=True))
        up = any(after > before for before, after in pairs)
        down = any(after < before for before, after in pairs)
    else:
        return "other"
    if up is down:
        return "other"
    return "heavier" if up else "lighter"


def _rule_side(levels: Part, scale: Sequence[str]) -> Side:
    asks = [
        Asked(
            scale.index(level["raises_to"]),
            level["blocks"] is True,
            frozenset((role, level["adds_on"]) for role in level["adds_reviewers"]),
        )
        for level in levels
    ]
    counts = [str(level["counts"]) for level in levels]

    def label(truths: Sequence[Truth]) -> object:
        counting = [
            asked for asked, wanted, truth in zip(asks, counts, truths, strict=True)
            if _counts(wanted, truth)
        ]  # fmt: skip
        return Asked(
            max((asked.rank for asked in counting), default=0),
            any(asked.blocks for asked in counting),
            frozenset().union(*(asked.roles for asked in counting)),
        )

    key = tuple(zip(asks, counts, strict=True))
    return Side(tuple(level["when"] for level in levels), label, key or None)


def _counts(wanted: str, truth: Truth) -> bool:
    if truth is False:
        return False
    return wanted == "either" or (wanted == "unknown") is (truth is UNKNOWN)


def _gate_side(gate: Mapping[str, Any], kind: str) -> Side:
    setting = gate["kinds"][kind]
    first = TIERS.index(setting["from_tier"])
    enforced = setting["effect"] == "enforced"
    fails = gate["fail_when"] or _NEVER
    needed = sorted(fact_names(fails) - set(gate["may_be_absent"]))
    absent = {"all": [_ALWAYS, *(known_leaf(name) for name in needed)]}
    owner = str(gate["owner"])

    def label(truths: Sequence[Truth]) -> object:
        applies, passes, failed, only_absent = truths
        verdict = "insufficient"
        if applies is False:
            verdict = "not_applicable"
        elif failed is True:
            verdict = "fail"
        elif passes is True and (failed is False or only_absent is True):
            verdict = "pass"
        low, medium, high = (
            _WEIGHTS[verdict] if enforced and tier >= first else 0 for tier in range(3)
        )
        asked = owner if verdict == "insufficient" else ""
        held = verdict if _WEIGHTS[verdict] else ""
        return Judged(held, (low, medium, high), asked)

    trees = (gate["applies_when"] or _ALWAYS, gate["pass_when"], fails, absent)
    return Side(trees, label, (first, enforced, owner))


def _shown_side(section: str, held: Part) -> Side:
    """Advice is shown where its condition is true; a question is asked unless it is skipped."""
    if not held:
        return Side((), lambda _: "not there", None)
    if section == "advice":
        return Side(
            (held[0]["when"],),
            lambda truths: "shown" if truths[0] is True else "not shown",
            "shown",
        )
    fact = str(held[0]["fact"])
    return Side(
        (held[0]["skip_when"] or _NEVER,),
        lambda truths: "skipped" if truths[0] is True else f"asked about {fact}",
        fact,
    )
