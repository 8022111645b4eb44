"""Past decisions under another pack: what would have been decided, and what that costs.

Nothing is measured again. A decision keeps its facts with their sources, so the other pack is asked
about exactly what was known then: what was unknown stays unknown. A fact that the other pack reads
and that neither the decision nor the pack of its day knew cannot be made up; such a decision is not
replayable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from guiderail.core.errors import GuiderailError
from guiderail.core.scales import Outcome
from guiderail.policy.judged_twice import JudgedTwice
from guiderail.policy.pack import Pack
from guiderail.policy.stored_readings import Reader
from guiderail.policy.weigh import Weight, weigh
from guiderail_verify.evaluate import fact_names
from guiderail_verify.judge import Judgement, Rulebook, base_name, holds

_SECTIONS: Final = ("tiers", "tracks", "gates")
_KEYS: Final = ("when", "applies_when", "pass_when", "fail_when")
_ORDER: Final = ("green", "yellow", "red", "blocked")


@dataclass(frozen=True, slots=True)
class Decided:
    """A recorded decision.

    day: `YYYY-MM-DD`, whose rules applied. facts: as they are stored. pack: the digest of the pack
    of its day. tier, track: what was decided. incident: what happened to the release afterwards,
    in words; empty where nothing did.
    """

    case: str
    workload: str
    version: str
    kind: str
    day: str
    facts: Mapping[str, Any]
    pack: str
    tier: str
    track: str
    incident: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """A decision that would be another one. counting: rules and gates that ask for it, by pack."""

    decided: Decided
    old: Weight
    new: Weight
    only_old: tuple[str, ...]
    only_new: tuple[str, ...]

    @property
    def transition(self) -> str:
        return f"{state(self.old)}->{state(self.new)}"

    @property
    def heavier(self) -> bool:
        return _ORDER.index(state(self.new)) > _ORDER.index(state(self.old))


@dataclass(frozen=True, slots=True)
class NotReplayable:
    """A decision that the other pack cannot be asked about, and why."""

    decided: Decided
    reason: str


@dataclass(slots=True)
class Replay:
    """What replaying found.

    n: decisions that were replayed. moved: those with another track, or blocked. other_tier and
    other_reviewers: those of the same track with another tier, or other people. hours_before and
    hours_after: of all reviewers. deviating: cases whose recorded tier or track is not what the
    pack of their day says about their facts.
    """

    n: int = 0
    moved: list[Moved] = field(default_factory=list)
    other_tier: int = 0
    other_reviewers: int = 0
    hours_before: float = 0.0
    hours_after: float = 0.0
    incidents: int = 0
    not_replayable: list[NotReplayable] = field(default_factory=list)
    deviating: list[str] = field(default_factory=list)

    @property
    def by_transition(self) -> dict[str, int]:
        """`{"yellow->red": 3}`, sorted by name."""
        counted: dict[str, int] = {}
        for one in self.moved:
            counted[one.transition] = counted.get(one.transition, 0) + 1
        return dict(sorted(counted.items()))


def state(weight: Weight) -> str:
    """The track, or `blocked`."""
    return "blocked" if weight.outcome is Outcome.BLOCKED else weight.track_name


def replay(
    decisions: Iterable[Decided],
    pack: Pack,
    packs: Callable[[str], Pack],
    hours: Mapping[str, float],
) -> Replay:
    """Ask another pack about recorded decisions.

    packs: gives the pack of a digest, the one of that day. hours: per track, what one reviewer
    spends on a release. Rules count that are in force on the day of the decision, or on the first
    day of the pack where that is later.
    """
    result = Replay()
    pairs = _Pairs(pack, packs)
    for decided in decisions:
        try:
            pair = pairs.of(decided)
            missing = pair.missing(decided.facts)
            asked = None if missing else pair.ask(decided.facts)
        except GuiderailError as error:
            result.not_replayable.append(NotReplayable(decided, error.what))
        except (ValueError, TypeError, KeyError) as error:
            reason = f"the recorded facts cannot be read ({error})"
            result.not_replayable.append(NotReplayable(decided, reason))
        else:
            if asked is None:
                reason = f"missing: {', '.join(missing)}"
                result.not_replayable.append(NotReplayable(decided, reason))
            else:
                _add(result, decided, asked, hours)
    return result


def _add(result: Replay, decided: Decided, asked: _Asked, hours: Mapping[str, float]) -> None:
    before, after = asked.old, asked.new
    result.n += 1
    result.incidents += bool(decided.incident)
    if before.track_name != decided.track or before.tier_name != decided.tier:
        result.deviating.append(decided.case)
    result.hours_before += review_hours(before, hours)
    result.hours_after += review_hours(after, hours)
    if state(before) != state(after):
        result.moved.append(Moved(decided, before, after, asked.only_old, asked.only_new))
    elif before is not after:
        result.other_tier += before.tier != after.tier
        result.other_reviewers += set(before.roles) != set(after.roles)


def review_hours(weight: Weight, hours: Mapping[str, float]) -> float:
    """Hours of all reviewers. What is blocked goes back to its authors and takes nobody's time."""
    if weight.outcome is Outcome.BLOCKED:
        return 0.0
    return hours.get(weight.track_name, 0.0) * len(weight.roles)


class _Pairs:
    """The pairs of rulebooks that decisions need; those of days with the same rules are shared."""

    def __init__(self, new: Pack, packs: Callable[[str], Pack]) -> None:
        self._new, self._packs = new, packs
        self._by_day: dict[tuple[str, str, str], _Pair] = {}
        self._by_books: dict[tuple[int, int], _Pair] = {}

    def of(self, decided: Decided) -> _Pair:
        key = (decided.pack, decided.kind, decided.day)
        pair = self._by_day.get(key)
        if pair is None:
            old, new = self._packs(decided.pack), self._new
            day = max(decided.day, str(new.tree["effective_from"]))
            books = (old.rulebook(decided.kind, _moment(decided.day)),
                     new.rulebook(decided.kind, _moment(day)))  # fmt: skip
            shared = (id(books[0]), id(books[1]))
            pair = self._by_books.get(shared)
            if pair is None:
                pair = self._by_books[shared] = _Pair(old, new, books, decided.kind, day)
            self._by_day[key] = pair
        return pair


def _moment(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What both packs say about a release, and which parts only one of them counts."""

    old: Weight
    new: Weight
    only_old: tuple[str, ...]
    only_new: tuple[str, ...]


class _Pair:
    """The pack of a day and the other pack, with the rules of both in force."""

    def __init__(
        self, old: Pack, new: Pack, books: tuple[Rulebook, Rulebook], kind: str, day: str
    ) -> None:
        self.old, self.new = old, new
        self._books = books
        types, others = old.tree["facts"], new.tree["facts"]
        # One reading serves both packs where they agree about the types of the facts they share.
        alike = all(types[name] == others[name] for name in types.keys() & others.keys())
        named = _named(old.tree) | _named(new.tree)
        readers = ({**types, **others},) if alike else (types, others)
        self._readers = [
            Reader({name: kind for name, kind in facts.items() if name in named})
            for facts in readers
        ]
        self._twice = JudgedTwice((old, new), books)
        self._needed = tuple(sorted(_read(new.tree, kind, day) - types.keys()))

    def missing(self, facts: Mapping[str, Any]) -> list[str]:
        """Facts that the other pack reads and that neither the record nor its pack knew."""
        return [name for name in self._needed if name not in facts]

    def ask(self, facts: Mapping[str, Any]) -> _Asked:
        """What both packs say, and which parts only one of them counts where that moves it."""
        old, new = self._judged(facts)
        before, after = weigh(self.old, old), weigh(self.new, new)
        if state(before) == state(after):
            return _Asked(before, before if before == after else after, (), ())
        mine, theirs = _counting(old), _counting(new)
        return _Asked(
            before,
            after,
            tuple(one for one in mine if one not in theirs),
            tuple(one for one in theirs if one not in mine),
        )

    def _judged(self, facts: Mapping[str, Any]) -> tuple[Judgement, Judgement]:
        values, known_by = self._readers[0].read(facts)
        if len(self._readers) == 1:
            return self._twice.judge(values, known_by)
        old, new = self._books
        return old.judge(values, known_by), new.judge(*self._readers[1].read(facts))


def _named(tree: Mapping[str, Any]) -> frozenset[str]:
    """The facts that any rule or gate names."""
    parts = [part for section in _SECTIONS for part in tree[section]]
    names = fact_names([part.get(key) for part in parts for key in _KEYS])
    return frozenset(base_name(name, tree["facts"]) for name in names)


def _read(tree: Mapping[str, Any], kind: str, day: str) -> frozenset[str]:
    """The facts that rules and gates in force read, without those that may be absent."""
    names: set[str] = set()
    optional: set[str] = set()
    for section in _SECTIONS:
        for part in tree[section]:
            if holds(part, kind, day):
                names |= fact_names([part.get(key) for key in _KEYS])
                optional |= set(part.get("may_be_absent", ()))
    bases = {base_name(name, tree["facts"]) for name in names}
    return frozenset(bases - optional - {"tier", "evidence.weak"})


def _counting(judged: Judgement) -> tuple[str, ...]:
    """Rules that count and raise something, and enforced gates that do not pass."""
    rules = [hit.rule.id for hit in (*judged.tier_hits, *judged.track_hits) if hit.rule.rank]
    gates = [
        gate.gate.id
        for gate in judged.gates
        if gate.enforced and gate.verdict in ("fail", "insufficient")
    ]
    return tuple(dict.fromkeys((*rules, *gates)))
