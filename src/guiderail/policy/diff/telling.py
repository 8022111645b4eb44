"""Differences between packs in sentences: what changed, and what it does to a release."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from guiderail.core.interval import Interval
from guiderail.core.scales import Outcome
from guiderail.facts.fact import Unknown, Value
from guiderail.policy.diff.behaviour import Part
from guiderail.policy.diff.change import Example
from guiderail.policy.diff.regions import Try
from guiderail.policy.formula_text import formula_text
from guiderail.policy.pack import Pack
from guiderail.policy.weigh import Weight
from guiderail.policy.words import joined, number_words, phrase, value_words
from guiderail_verify.evaluate import UnknownType

NAMES: Final = {
    "tiers": "tier rule",
    "tracks": "track rule",
    "gates": "gate",
    "advice": "advice",
    "questions": "question",
}
_MOST_LEAVES: Final = 4
_SHORT: Final = 100
_CONDITIONS: Final = {
    "when": "where",
    "applies_when": "applies where",
    "pass_when": "passes where",
    "fail_when": "fails where",
    "skip_when": "skipped where",
}


def part_name(section: str, part: str) -> str:
    """`the track rule performance-medium`."""
    return f"the {NAMES[section]} {part}"


def described(section: str, part: Part) -> str:
    """What a part says, for people who compare: one line per level of a rule."""
    return "\n".join("; ".join(_aspects(section, entry).values()) for entry in part)


def differences(section: str, old: Part, new: Part) -> tuple[str, str]:
    """What two versions of a part say where they differ."""
    if len(old) != len(new):
        return described(section, old), described(section, new)
    lines: list[tuple[str, str]] = []
    for before, after in zip(old, new, strict=True):
        one, other = _aspects(section, before), _aspects(section, after)
        keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
        if keys:
            lines.append(
                ("; ".join(one[key] for key in keys if key in one),
                 "; ".join(other[key] for key in keys if key in other))
            )  # fmt: skip
    return "\n".join(one for one, _ in lines), "\n".join(other for _, other in lines)


def in_short(section: str, old: Part, new: Part) -> str:
    """ "change.performance.low <= -6 instead of change.performance.low <= -5"; empty if long."""
    before, after = _leaf_texts(old), _leaf_texts(new)
    gone = [text for text in before if text not in after]
    come = [text for text in after if text not in before]
    if gone and come and max(len(gone), len(come)) <= _MOST_LEAVES:
        return f"{joined(come)} instead of {joined(gone)}"
    one, other = differences(section, old, new)
    if one and other and len(one) + len(other) < _SHORT and "\n" not in one + other:
        return f"{other} instead of {one}"
    return ""


def example_sentence(packs: Sequence[Pack], example: Example) -> str:
    """ "A release where the change of the primary metric is 6 % was yellow, would be green." """
    clauses = [_clause(packs, name, example) for name in example.differs]
    release = (
        f"A release where {joined(clauses)}" if clauses else "A release without anything unusual"
    )
    return f"{release} {_comparison(example.old, example.new)}."


def _comparison(old: Weight, new: Weight) -> str:
    told: list[tuple[str, str]] = []
    if old.tier != new.tier:
        told.append((f"of {old.tier_name} tier", f"of {new.tier_name} tier"))
    blocked = Outcome.BLOCKED in (old.outcome, new.outcome)
    if old.outcome is not new.outcome and blocked:
        told.append((_state(old), _state(new)))
    elif old.track != new.track:
        told.append((old.track_name, new.track_name))
    if not told and set(old.roles) != set(new.roles):
        told.append((f"for {_people(old)} to review", f"for {_people(new)}"))
    if not told and dict(old.gates) != dict(new.gates):
        names = sorted(
            name for name in dict(old.gates).keys() | dict(new.gates).keys()
            if dict(old.gates).get(name) != dict(new.gates).get(name)
        )  # fmt: skip
        before, after = (
            joined([f"{dict(one.gates).get(name, 'pass')} at the gate {name}" for name in names])
            for one in (old, new)
        )
        told.append((before, after))
    if not told:
        told.append((_state(old), _state(new)))
    return f"was {joined([one for one, _ in told])}, would be {joined([one for _, one in told])}"


def _state(weight: Weight) -> str:
    return "blocked" if weight.outcome is Outcome.BLOCKED else weight.track_name


def _people(weight: Weight) -> str:
    return joined([role.replace("-", " ") for role in weight.roles]) or "nobody"


def _clause(packs: Sequence[Pack], name: str, example: Example) -> str:
    value = example.facts[name]
    kind = next((found for pack in packs if (found := pack.vocabulary.named(name))), None)
    about = phrase(kind) if kind is not None else name
    if name in example.known_by:
        return f"{about} is only {example.known_by[name]}"
    if isinstance(value, UnknownType):
        return f"{about} is not known"
    if isinstance(value, bool):
        says = kind.says if kind is not None else f"{name} holds"
        return says if value else f"it is not so that {says}"
    if isinstance(value, Interval) and value.low == value.high:
        value = value.value  # the example needs no width
    return f"{about} is {value_words(kind, value) if kind is not None else plain(value)}"


def plain(value: Try | Value) -> str:
    """A value of a fact nobody described."""
    if isinstance(value, UnknownType | Unknown):
        return "not known"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_words(value)
    return str(value)


def _aspects(section: str, entry: Mapping[str, Any]) -> dict[str, str]:
    """The settings of one compiled entry in words, by key."""
    told: dict[str, str] = {}
    if "raises_to" in entry:
        told["raises_to"] = f"raises to {entry['raises_to']}"
        if entry["counts"] != "either":
            told["counts"] = f"counts only when {entry['counts']}"
        if entry["blocks"]:
            told["blocks"] = "nothing may start"
        if entry["adds_reviewers"]:
            told["roles"] = f"adds {', '.join(entry['adds_reviewers'])} on {entry['adds_on']}"
        told["by"] = f"can change by {entry['by']}"
    if section == "gates":
        told["kinds"] = ", ".join(
            f"{kind} {one['effect']} from tier {one['from_tier']}"
            for kind, one in sorted(entry["kinds"].items())
        )
        told["owner"] = f"owner {entry['owner']}"
        told["waivable_by"] = f"waivable by {', '.join(entry['waivable_by']) or 'nobody'}"
        if entry.get("minimum_known_by"):
            told["minimum"] = f"its facts at least {entry['minimum_known_by']}"
        if entry["may_be_absent"]:
            told["absent"] = f"{', '.join(entry['may_be_absent'])} may be absent"
    else:
        told["kinds"] = f"for {', '.join(entry['kinds'])}"
    if "fact" in entry:
        told["fact"] = f"number {entry['number']}, asks about {entry['fact']}"
    for key, lead in _CONDITIONS.items():
        if entry.get(key) is not None:
            told[key] = f"{lead} {formula_text(entry[key])}"
    told["since"] = f"since {entry['since']}"
    if entry["until"] is not None:
        told["until"] = f"until {entry['until']}"
    return told


def _leaf_texts(part: Part) -> list[str]:
    found: dict[str, None] = {}
    pending = [entry[key] for entry in part for key in _CONDITIONS if entry.get(key) is not None]
    pending.reverse()
    while pending:
        tree = pending.pop()
        if "all" in tree or "any" in tree:
            pending.extend(reversed(tree.get("all") or tree["any"]))
        elif "not" in tree and not _is_leaf(tree["not"]):
            pending.append(tree["not"])
        else:
            found[formula_text(tree)] = None
    return list(found)


def _is_leaf(tree: Mapping[str, Any]) -> bool:
    return not {"all", "any", "not"} & tree.keys()


def listed(value: object) -> str:
    """A setting as text: names joined by commas, anything else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "nobody"
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
