"""A way to a lighter track in words: what changes from what to what, and who does what for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

from guiderail.facts.fact import Value
from guiderail.facts.fact_type import FactType
from guiderail.policy.boundaries import Box
from guiderail.policy.decision import Change
from guiderail.policy.levers import BASE, BETTER, NARROWED, Levers
from guiderail.policy.pack import Pack
from guiderail.policy.requirements import Cause
from guiderail.policy.sentences import Teller
from guiderail.policy.words import joined, value_words
from guiderail_verify.judge import KNOWN_BY

_SETTLED: Final = "with an interval that no longer reaches the limit"


@dataclass(frozen=True, slots=True)
class Told:
    """What the sentences rest on.

    changing: for each rule and gate that stood in the way the facts that change for it. box: the
    values that were selected.
    """

    pack: Pack
    levers: Levers
    teller: Teller
    changing: Mapping[Cause, frozenset[str]]
    box: Box

    def cause(self, fact: str) -> Cause | None:
        """The first rule or gate for which the fact had to change."""
        return next((cause for cause, facts in self.changing.items() if fact in facts), None)

    def met(self) -> tuple[str, ...]:
        """The rules and gates that the changes satisfy."""
        return tuple(dict.fromkeys(cause.part for cause, facts in self.changing.items() if facts))


def told_of(
    pack: Pack, levers: Levers, teller: Teller, ways: Mapping[Cause, Sequence[Box]], box: Box
) -> Told:
    """Find for each requirement the facts by whose change the selection `box` meets it."""
    changing: dict[Cause, frozenset[str]] = {}
    for cause, boxes in ways.items():
        taken = [way for way in boxes
                 if not any(box.get(name, BASE) & ~mask for name, mask in way.items())]  # fmt: skip
        changing[cause] = frozenset(
            name for way in taken for name, mask in way.items() if not mask & BASE
        )
    return Told(pack, levers, teller, changing, box)


def changes_told(told: Told, chosen: Mapping[str, int]) -> tuple[Change, ...]:
    """Every change with the action that brings it about: answers, then the rest."""
    levers = told.levers
    following = {name for name in chosen if levers.follows(name, told.box)}
    by_action = _actions(told, {name: bit for name, bit in chosen.items() if name not in following})
    for name in chosen:
        if name in following:
            by_action[name] = by_action[levers.parts[name]]
    changes = []
    for name, action in by_action.items():
        bit, kind = chosen[name], _kind(told.pack, name)
        before = told.teller.words(name)
        after = _after(told, kind, bit)
        if bit == BETTER:
            before = f"{before}, {levers.readings.facts[name].known_by}"
        cause = levers.whole_of(name) if name in following else name
        how = "evidence" if chosen[cause] & levers.by_evidence(cause) else "design"
        changes.append(Change(name, before, after, levers.value(name, bit), how, action))
    return tuple(changes)


def _actions(told: Told, chosen: Mapping[str, int]) -> dict[str, str]:
    """The action for each fact, in the order in which actions are told."""
    pack, levers = told.pack, told.levers
    asked = pack.asked
    open_facts = [name for name in chosen if not levers.is_known(name)]
    answers = [name for name in open_facts if name in asked]
    own = {name: text for name in chosen if name not in answers
           if (text := _own_action(told, name, chosen[name]))}  # fmt: skip
    measures = [name for name in open_facts if name not in asked and name not in own]
    found = dict.fromkeys(answers, f"Answer what is still open: {joined(answers)}.")
    found |= own
    lacking = joined([told.teller.about(name) for name in measures])
    return found | dict.fromkeys(measures, f"Have it measured or recorded: {lacking}.")


def _own_action(told: Told, name: str, bit: int) -> str:
    """What the rule or gate behind a change asks for; nothing where finding out is all."""
    if bit == NARROWED:
        return _more_rows(told, name)
    cause = told.cause(name)
    if cause is None:
        return f"Change {told.teller.about(name)}."
    texts: Mapping[str, Any] = told.pack.part_texts(cause.part)
    known = told.levers.is_known(name)
    if cause.level is None:
        needs = () if known else (name,)
        return told.teller.wording(texts["do"]["insufficient"], needs)
    if known or told.pack.rule(cause.part, cause.level)["by"] == "evidence":
        return told.teller.fill(texts["to_lighten"])
    return ""


def _more_rows(told: Told, name: str) -> str:
    """A value whose interval is too wide: how many more rows settle it, where that is known."""
    kind, fact = _kind(told.pack, name), told.levers.readings.facts[name]
    stays = value_words(kind, fact.value, "plain", told.pack.limits(name))
    rows = told.teller.rows_needed(name)
    if rows is None:
        about = told.teller.about(name)
        return f"Narrow the interval of {about}; it is enough if the value stays at {stays}."
    more = f"about {rows.more:,} more" if rows.more else f"about {rows.needed:,} in all"
    return (
        f"Measure {told.teller.about(name)} on more evaluation rows; {more} would settle it "
        f"if the value stays at {stays}."
    )


def _after(told: Told, kind: FactType, bit: int) -> str:
    """What is enough, in words."""
    levers, name = told.levers, kind.name
    if bit == BETTER:
        least = KNOWN_BY[levers.weak[name]]
        return f"{_words(told.pack, kind, levers.value(name, bit))}, {least} or better"
    if bit == NARROWED:
        point = levers.readings.facts[name].value
        return f"{value_words(kind, point, 'plain', told.pack.limits(name))}, {_SETTLED}"
    value = levers.value(name, bit)
    if kind.type in ("number", "interval", "integer"):
        span = _span(told, kind, bit)
        if span:
            return f"{span}, with its whole interval" if kind.type == "interval" else span
    return _words(told.pack, kind, value)


def _span(told: Told, kind: FactType, bit: int) -> str:
    """The range of values around one that are enough as well, by the limits at its ends."""
    boundaries, mask = told.pack.boundaries, told.box.get(kind.name, bit)
    limits = boundaries.limits(kind.name)
    candidates = [v for v in boundaries.candidates(kind.name) if isinstance(v, (int, float))]
    place = told.levers.place(bit)
    if place >= len(candidates) or not limits:
        return ""
    enough = told.levers.enough(kind.name, mask)
    below = len(list(takewhile(bool, reversed(enough[:place]))))
    above = len(list(takewhile(bool, enough[place + 1 :])))
    first, last = place - below, place + above
    if kind.type == "integer":
        return _count_span(candidates, first, last)
    parts = []
    if first > 0:
        at = candidates[first] in limits
        limit = candidates[first] if at else candidates[first - 1]
        parts.append(f"{'at least' if at else 'above'} {_words(told.pack, kind, limit)}")
    if last < len(candidates) - 1:
        at = candidates[last] in limits
        limit = candidates[last] if at else candidates[last + 1]
        parts.append(f"{'at most' if at else 'below'} {_words(told.pack, kind, limit)}")
    return joined(parts)


def _count_span(candidates: Sequence[float], first: int, last: int) -> str:
    if first == last < len(candidates) - 1:
        return str(candidates[first])
    if last == len(candidates) - 1:
        return f"at least {candidates[first]}" if first else ""
    return f"{candidates[first]} to {candidates[last]}" if first else f"at most {candidates[last]}"


def _words(pack: Pack, kind: FactType, value: Value) -> str:
    return value_words(kind, value, "", pack.limits(kind.name))


def _kind(pack: Pack, name: str) -> FactType:
    kind = pack.vocabulary.named(name)
    if kind is None:
        raise KeyError(f"{name} is no fact of this pack")
    return kind
