"""Past decisions under another pack: what would have been decided, and what that costs.

Nothing is measured again. A decision keeps its facts with their sources, so the other pack is asked
about exactly what was known then: what was unknown stays unknown. A fact that the other pack reads
and that neither the decision nor the pack of its day knew cannot be made up; such a decision is not
replayable.

Decisions are read in batches, as columns, and those to which all conditions of both packs apply
alike are decided once: what differs between them changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from guiderail.core.errors import GuiderailError
from guiderail.core.scales import Outcome
from guiderail.policy.alike import Marks, marks_as_bytes
from guiderail.policy.pack import Pack
from guiderail.policy.stored_columns import ColumnReader, UnreadableError
from guiderail.policy.weigh import Weight, weigh
from guiderail_verify.evaluate import fact_names
from guiderail_verify.judge import Judgement, Rulebook, base_name, holds

_SECTIONS: Final = ("tiers", "tracks", "gates")
_KEYS: Final = ("when", "applies_when", "pass_when", "fail_when")
_ORDER: Final = ("green", "yellow", "red", "blocked")
_BATCH: Final = 1024


class Decided(NamedTuple):
    """A recorded decision.

    day: `YYYY-MM-DD`, whose rules applied. facts: the JSON that is stored. pack: the digest of the
    pack of its day. tier, track: what was decided. incident: what happened to the release
    afterwards, in words; empty where nothing did. dossier: the digest by which its facts are found
    again; what a replay gives back is without them, so that its size does not matter.
    """

    case: str
    workload: str
    version: str
    kind: str
    day: str
    facts: bytes
    pack: str
    tier: str
    track: str
    incident: str = ""
    dossier: str = ""

    def without_facts(self) -> Decided:
        return self._replace(facts=b"")


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

    def add(self, later: Replay) -> None:
        """Add what was found about decisions that come after these."""
        self.n += later.n
        self.moved += later.moved
        self.other_tier += later.other_tier
        self.other_reviewers += later.other_reviewers
        self.hours_before += later.hours_before
        self.hours_after += later.hours_after
        self.incidents += later.incidents
        self.not_replayable += later.not_replayable
        self.deviating += later.deviating


def state(weight: Weight) -> str:
    """The track, or `blocked`."""
    return "blocked" if weight.outcome is Outcome.BLOCKED else weight.track_name


class Replayer:
    """Asks another pack about recorded decisions.

    packs: gives the pack of a digest, the one of that day. hours: per track, what one reviewer
    spends on a release. Rules count that are in force on the day of the decision, or on the first
    day of the pack where that is later. What is learned about the packs is kept for the next call.
    """

    def __init__(
        self, pack: Pack, packs: Callable[[str], Pack], hours: Mapping[str, float]
    ) -> None:
        self._pairs, self._hours = _Pairs(pack, packs), hours

    def replay(self, decisions: Iterable[Decided]) -> Replay:
        """What replaying these decisions finds, in their order."""
        result = Replay()
        taken: list[_Taken] = []
        for decided in decisions:
            taken.append(self._take(decided))
            if len(taken) == _BATCH:
                _settle(result, taken, self._hours)
                taken = []
        _settle(result, taken, self._hours)
        return result

    def _take(self, decided: Decided) -> _Taken:
        try:
            pair = self._pairs.of(decided)
            return _Taken(decided, pair, pair.take(decided.facts))
        except GuiderailError as error:
            return _Taken(decided, None, 0, error.what)
        except _NotReplayableError as error:
            return _Taken(decided, None, 0, str(error))


def _settle(result: Replay, taken: Sequence[_Taken], hours: Mapping[str, float]) -> None:
    asked = {pair: pair.ask() for pair in {one.pair for one in taken} if pair is not None}
    counted: dict[int, int] = {}
    answers: dict[int, _Asked] = {}
    for decided, pair, place, reason in taken:
        if pair is None:
            result.not_replayable.append(NotReplayable(decided.without_facts(), reason))
            continue
        answer = asked[pair][place]
        key = id(answer)
        answers[key] = answer
        counted[key] = counted.get(key, 0) + 1
        if decided.track != answer.track or decided.tier != answer.tier:
            result.deviating.append(decided.case)
        if decided.incident:
            result.incidents += 1
        if answer.moved:
            result.moved.append(
                Moved(
                    decided.without_facts(),
                    answer.old,
                    answer.new,
                    answer.only_old,
                    answer.only_new,
                )
            )
    for key, count in counted.items():
        _add(result, answers[key], count, hours)


def _add(result: Replay, asked: _Asked, count: int, hours: Mapping[str, float]) -> None:
    """Count releases of which both packs say the same."""
    before, after = asked.old, asked.new
    result.n += count
    result.hours_before += count * review_hours(before, hours)
    result.hours_after += count * review_hours(after, hours)
    if not asked.moved and before != after:
        result.other_tier += count * (before.tier != after.tier)
        result.other_reviewers += count * (set(before.roles) != set(after.roles))


def review_hours(weight: Weight, hours: Mapping[str, float]) -> float:
    """Hours of all reviewers. What is blocked goes back to its authors and takes nobody's time."""
    if weight.outcome is Outcome.BLOCKED:
        return 0.0
    return hours.get(weight.track_name, 0.0) * len(weight.roles)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What both packs say about a release, and which parts only one of them counts.

    tier, track: what the first one says. moved: is the track another one, or blocked?
    """

    old: Weight
    new: Weight
    only_old: tuple[str, ...]
    only_new: tuple[str, ...]
    tier: str
    track: str
    moved: bool


class _NotReplayableError(Exception):
    """Why the other pack cannot be asked about a decision."""


class _Taken(NamedTuple):
    """A decision with its place in the batch of its pair, or with why it is not replayable."""

    decided: Decided
    pair: _Pair | None
    place: int
    reason: str = ""


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
            days = decided.day, max(decided.day, str(new.tree["effective_from"]))
            books = (old.rulebook(decided.kind, _moment(days[0])),
                     new.rulebook(decided.kind, _moment(days[1])))  # fmt: skip
            shared = (id(books[0]), id(books[1]))
            pair = self._by_books.get(shared)
            if pair is None:
                pair = self._by_books[shared] = _Pair((old, new), books, decided.kind, days)
            self._by_day[key] = pair
        return pair


def _moment(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


class _Pair:
    """The pack of a day and the other pack, with the rules of both in force."""

    def __init__(
        self,
        packs: tuple[Pack, Pack],
        books: tuple[Rulebook, Rulebook],
        kind: str,
        days: tuple[str, str],
    ) -> None:
        self._packs, self._books = packs, books
        old, new = packs
        types, others = old.tree["facts"], new.tree["facts"]
        # One reading serves both packs where they agree about the types of the facts they share.
        alike = all(types[name] == others[name] for name in types.keys() & others.keys())
        named = _named(old.tree) | _named(new.tree)
        self._readers = [
            ColumnReader({name: facts[name] for name in facts if name in named})
            for facts in ([{**types, **others}] if alike else [types, others])
        ]
        self._marks = [
            Marks(pack, book, kind, day) for pack, book, day in zip(packs, books, days, strict=True)
        ]
        self._needed = tuple(sorted(_read(new.tree, kind, days[1]) - types.keys()))
        self._known: dict[bytes, _Asked] = {}

    def take(self, stored: bytes) -> int:
        """Read a release, to be asked about with others; gives its place among those."""
        try:
            releases = [reader.read(stored) for reader in self._readers]
        except UnreadableError as error:
            raise _NotReplayableError(f"the recorded facts cannot be read ({error})") from None
        if missing := self._missing(stored):
            raise _NotReplayableError(f"missing: {', '.join(missing)}")
        places = [reader.take(release)
                  for reader, release in zip(self._readers, releases, strict=True)]  # fmt: skip
        return places[0]

    def ask(self) -> list[_Asked]:
        """What both packs say about each release that was taken since the last time."""
        read = [reader.columns() for reader in self._readers]
        both = read[0], read[-1]
        marks = [one.of(columns) for one, columns in zip(self._marks, both, strict=True)]
        answers = []
        for index, key in enumerate(marks_as_bytes(np.vstack(marks))):
            known = self._known.get(key)
            if known is None:
                judged = [book.judge(*columns.release(index))
                          for book, columns in zip(self._books, both, strict=True)]  # fmt: skip
                known = self._known[key] = self._compare(*judged)
            answers.append(known)
        return answers

    def _missing(self, stored: bytes) -> list[str]:
        """Facts that the other pack reads and that neither the record nor its pack knew."""
        if not self._needed:
            return []
        recorded = msgspec.json.decode(stored, type=dict[str, msgspec.Raw])
        return [name for name in self._needed if name not in recorded]

    def _compare(self, old: Judgement, new: Judgement) -> _Asked:
        """What both packs say, and which parts only one of them counts where that moves it."""
        before, after = (weigh(pack, judged)
                         for pack, judged in zip(self._packs, (old, new), strict=True))  # fmt: skip
        moved = state(before) != state(after)
        mine, theirs = (_counting(old), _counting(new)) if moved else ((), ())
        return _Asked(
            before,
            after,
            tuple(one for one in mine if one not in theirs),
            tuple(one for one in theirs if one not in mine),
            before.tier_name,
            before.track_name,
            moved,
        )


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
