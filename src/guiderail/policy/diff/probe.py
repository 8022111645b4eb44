"""Two packs side by side: what both say about one release, and a calm release to start from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, Unknown
from guiderail.policy.diff.regions import (
    COMPUTED,
    Limits,
    Setting,
    TooManyError,
    Try,
    limits_of,
    spread,
    tries,
)
from guiderail.policy.pack import Pack
from guiderail.policy.readings import readings_of
from guiderail.policy.weigh import Weight, weigh
from guiderail_verify.evaluate import UNKNOWN, UnknownType, Value
from guiderail_verify.judge import KNOWN_BY, TIERS, Judgement, Rulebook

_STRONGEST: Final = len(KNOWN_BY) - 1
_ROUNDS: Final = 4
_FEWEST: Final = 400
"""A fact with more values than this is only tried at its plainest ones when looking for calm."""

Known = Mapping[str, int]
"""Rank in `KNOWN_BY` of single facts; all others are attested."""


@dataclass(frozen=True, slots=True)
class Base:
    """A release to start from, under both packs of one tier or track."""

    setting: Setting
    tier: tuple[int, int]
    track: tuple[int, int]
    cost: tuple[int, ...]


@dataclass
class Probe:
    """old and new decide about releases of one kind on one day."""

    old: Pack
    new: Pack
    kind: str
    day: str
    _books: dict[int, tuple[Pack, Rulebook]] = field(default_factory=dict)

    @cached_property
    def types(self) -> Mapping[str, Any]:
        return {**self.old.tree["facts"], **self.new.tree["facts"]}

    @cached_property
    def limits(self) -> Limits:
        """Everything that either pack compares a fact with, except for comparisons of two facts."""
        return limits_of((*_conditions(self.old), *_conditions(self.new)), self.types)

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.day).replace(tzinfo=UTC)

    def judge(self, pack: Pack, setting: Setting, known: Known | None = None) -> Judgement:
        """What a pack says about a release whose setting names every fact of the pack."""
        values: dict[str, Value] = {}
        for name in pack.tree["facts"]:
            values.update(spread(name, setting[name]))
        ranks = dict.fromkeys(pack.tree["facts"], _STRONGEST) | dict(known or {})
        return self.book(pack).judge(values, ranks)

    def book(self, pack: Pack) -> Rulebook:
        known = self._books.get(id(pack))
        if known is None:
            # The pack is kept beside its rules: the id of a freed one would name another pack.
            known = self._books[id(pack)] = (pack, pack.rulebook(self.kind, self.moment))
        return known[1]

    def weigh(self, pack: Pack, setting: Setting, known: Known | None = None) -> Weight:
        return weigh(pack, self.judge(pack, setting, known))

    def weights(self, setting: Setting, known: Known | None = None) -> tuple[Weight, Weight]:
        return self.weigh(self.old, setting, known), self.weigh(self.new, setting, known)

    def verified(self, setting: Setting, known: Known | None = None) -> tuple[Weight, Weight]:
        """The same from facts as a release has them, read and judged like those of any release."""
        facts = {
            name: Fact(name, _value(value), "example", _known_by(name, known))
            for name, value in setting.items() if name not in COMPUTED
        }  # fmt: skip
        weights = []
        for pack in (self.old, self.new):
            readings = readings_of(facts, pack.tree["facts"])
            judged = pack.rulebook(self.kind, self.moment).judge(readings.values, readings.known_by)
            weights.append(weigh(pack, judged))
        return weights[0], weights[1]

    @cached_property
    def calm(self) -> dict[str, Try]:
        """The lightest release that is found: safest values first, then whatever still helps."""
        setting = {name: self._safest(name) for name in sorted(self.types)}
        best = self._cost(setting)
        for _ in range(_ROUNDS):
            before = best
            for name in sorted(self.types):
                if not any(best):
                    return setting
                for value in self.values(name):
                    cost = self._cost({**setting, name: value})
                    if cost < best:
                        best, setting[name] = cost, value
            if best == before:
                break
        return setting

    @cached_property
    def neighbours(self) -> tuple[Base, ...]:
        """Every release that differs from the calm one in a single fact."""
        return tuple(
            Base(setting, (old.tier, new.tier), (old.track, new.track), self._cost(setting))
            for name in sorted(self.types)
            for value in self.values(name)
            for setting in ({**self.calm, name: value},)
            for old, new in (self._judged(setting),)
        )

    def bases(self, *, tier: int | None = None, track: int | None = None) -> Iterator[Base]:
        """The calm release or, nearest to it, ones that both packs put into a tier or track."""
        calm = self.calm
        old, new = self._judged(calm)
        here = Base(calm, (old.tier, new.tier), (old.track, new.track), self._cost(calm))
        pool = sorted((here, *self.neighbours), key=lambda base: base.cost)
        for base in pool:
            if tier is not None and base.tier != (tier, tier):
                continue
            if track is not None and base.track[0] != track:
                continue
            yield base

    @cached_property
    def starts(self) -> tuple[Setting, ...]:
        """The calm release, and one of each tier that rules tell apart."""
        tiers = [next(self.bases(tier=rank), None) for rank in range(len(TIERS) - 1)]
        found = [self.calm, *(base.setting for base in tiers if base is not None)]
        return tuple(one for index, one in enumerate(found) if one not in found[:index])

    def values(self, name: str) -> tuple[Try, ...]:
        """Values of one fact that are worth trying by themselves."""
        limits = Limits(self.limits.numbers, self.limits.texts, {})
        try:
            found = tries(name, self.types, limits)
        except TooManyError:
            return ((),)
        plain = [v for v in found if self.types[name]["type"] != "interval" or _narrow(v)]
        return tuple(plain[:_FEWEST])

    def _judged(self, setting: Setting) -> tuple[Judgement, Judgement]:
        return self.judge(self.old, setting), self.judge(self.new, setting)

    def _cost(self, setting: Setting) -> tuple[int, ...]:
        cost: list[int] = []
        for judged in self._judged(setting):
            held = sum(gate.verdict in ("fail", "insufficient") for gate in judged.gates)
            cost += [judged.blocked, judged.tier, judged.track, held]
        return tuple(cost)

    @cached_property
    def _optional(self) -> frozenset[str]:
        """Limits that nobody has to set: a calm release has none of them."""
        gates = (*self.old.tree["gates"], *self.new.tree["gates"])
        return frozenset(name for gate in gates for name in gate["may_be_absent"])

    def _safest(self, name: str) -> Try:
        kind = self.types[name]
        if name in self._optional:
            return UNKNOWN
        values = [v for v in self.values(name) if not isinstance(v, UnknownType)]
        if kind["type"] in ("enum", "text", "set"):
            return values[0]
        if kind["type"] == "bool":
            return str(kind["risk_direction"]) == "down"
        if kind["risk_direction"] == "none":
            return values[0]  # the plainest is nearest to zero
        usual = [value for value in values if not _negative(value)] or values
        return _extreme(usual, smallest=kind["risk_direction"] == "up")


def _conditions(pack: Pack) -> Iterable[Mapping[str, Any]]:
    for section in ("tiers", "tracks", "gates", "advice", "questions"):
        for part in pack.tree[section]:
            for key in ("when", "applies_when", "pass_when", "fail_when", "skip_when"):
                if part.get(key) is not None:
                    yield part[key]


def _narrow(value: Try) -> bool:
    return isinstance(value, UnknownType) or getattr(value, "high", 0) == getattr(value, "low", 0)


def _extreme(values: Sequence[Try], *, smallest: bool) -> Try:
    return sorted(values, key=_middle)[0 if smallest else -1]


def _middle(value: Any) -> float:
    return float(getattr(value, "value", value))


def _negative(value: Any) -> bool:
    return _middle(value) < 0


def _value(value: Try) -> Any:
    return Unknown("not known in this example") if isinstance(value, UnknownType) else value


def _known_by(name: str, known: Known | None) -> KnownBy:
    return KnownBy(KNOWN_BY[(known or {}).get(name, _STRONGEST)])
