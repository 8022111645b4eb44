"""Tier, track and gate verdicts of one release from a compiled pack: the decision itself.

Everything here is a pure function of the compiled pack, the kind of workload, the day and typed
values, so an auditor recomputes a decision from the exported bytes with the standard library only.
Sentences, findings and reviewers are words *about* this result and live in `guiderail.policy`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

from guiderail_verify.conditions import (
    UNKNOWN,
    UnknownType,
    Value,
    Values,
    always,
    never,
)
from guiderail_verify.evaluate import TreeError, compile_expression, compile_guarded, fact_names
from guiderail_verify.rules import Gate, GateRow, GateVerdict, Hit, Rule, RuleRow

__all__ = [
    "HIGHEST_TIER_IN_RULES",
    "KNOWN_BY",
    "TIERS",
    "TRACKS",
    "YELLOW",
    "Gate",
    "GateVerdict",
    "Hit",
    "Judgement",
    "Rule",
    "Rulebook",
    "base_name",
    "compile_rulebook",
    "holds",
    "is_known",
    "typed_value",
    "weakly_known",
]

TIERS: Final = ("low", "medium", "high", "prohibited")
TRACKS: Final = ("green", "yellow", "red")
KNOWN_BY: Final = ("declared", "measured", "verified", "attested")
YELLOW: Final = TRACKS.index("yellow")
HIGHEST_TIER_IN_RULES: Final = TIERS.index("high")
"""Track rules and gates see a prohibited use as tier `high`; it is stopped before they matter."""

_LEAST: Final = float("-inf")
_LARGEST: Final = float("inf")


class Judgement(NamedTuple):
    """tier and track are ranks in `TIERS` and `TRACKS`. weak: facts below the wanted evidence."""

    tier: int
    tier_hits: tuple[Hit, ...]
    track: int
    track_hits: tuple[Hit, ...]
    gates: tuple[GateVerdict, ...]
    weak: tuple[str, ...]
    values: Mapping[str, Value]
    wanted: tuple[tuple[str, int], ...] = ()

    @property
    def blocked(self) -> bool:
        """A prohibited use, an open screen or a failed gate, before any waiver."""
        return any(hit.rule.blocks for hit in self.tier_hits) or any(
            gate.enforced and gate.verdict == "fail" for gate in self.gates
        )


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The rules and gates of one pack that hold for one kind on one day.

    minimum: for each tier rank the facts that a decision rests on, with the least `known_by` rank.
    wanted: those of `minimum` for which a declaration is not enough.
    """

    tiers: tuple[Rule, ...]
    tracks: tuple[Rule, ...]
    gates: tuple[Gate, ...]
    minimum: tuple[tuple[tuple[str, int], ...], ...]
    wanted: tuple[tuple[tuple[str, int], ...], ...]

    _rows: tuple[tuple[RuleRow, ...], tuple[RuleRow, ...], tuple[tuple[GateRow, ...], ...]] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        tiers, tracks = (tuple(rule.row for rule in rules) for rules in (self.tiers, self.tracks))
        gates = tuple(tuple(gate.row(tier) for gate in self.gates)
                      for tier in range(HIGHEST_TIER_IN_RULES + 1))  # fmt: skip
        object.__setattr__(self, "_rows", (tiers, tracks, gates))

    def judge(
        self, values: Values, known_by: Mapping[str, int], *, weak: bool | None = None
    ) -> Judgement:
        """Decide. `values` holds every fact of the pack; `known_by` the rank of each known one.

        weak: states `evidence.weak` instead of computing it (for counterfactuals).
        """
        seen: dict[str, Value] = dict(values)
        tier_hits, tier = _hits(self._rows[0], seen)
        felt_tier = min(tier, HIGHEST_TIER_IN_RULES)
        seen["tier"] = TIERS[felt_tier]
        below = weakly_known(self.wanted[felt_tier], known_by)
        seen["evidence.weak"] = bool(below) if weak is None else weak
        return self._judged(tier, tier_hits, below, seen)

    def _judged(
        self, tier: int, tier_hits: tuple[Hit, ...], weak: tuple[str, ...], seen: Values
    ) -> Judgement:
        _, tracks, gates = self._rows
        track_hits, track = _hits(tracks, seen)
        verdicts, is_open = _verdicts(gates[min(tier, HIGHEST_TIER_IN_RULES)], seen)
        if track < YELLOW and is_open:
            track = YELLOW
        wanted = self.wanted[min(tier, HIGHEST_TIER_IN_RULES)]
        return Judgement(tier, tier_hits, track, track_hits, verdicts, weak, seen, wanted)


def weakly_known(wanted: Sequence[tuple[str, int]], known_by: Mapping[str, int]) -> tuple[str, ...]:
    """Known facts for which the policy wants better evidence; what is unknown is not among them."""
    if not known_by:
        return ()
    rank_of = known_by.get
    return tuple([name for name, least in wanted if rank_of(name, least) < least])


def _hits(rows: Sequence[RuleRow], values: Values) -> tuple[tuple[Hit, ...], int]:
    """The rules that count, and the rank of the heaviest."""
    heaviest = 0
    hits: list[Hit] = []
    for fact, rest, certain, unknown, rank in rows:
        first = values[fact] if fact else True
        if first is False:
            continue
        truth = rest(values)
        if truth is False:
            continue
        hit = certain if truth is True and first is True else unknown
        if hit is not None:
            hits.append(hit)
            if rank > heaviest:
                heaviest = rank
    return tuple(hits), heaviest


def _verdicts(rows: Sequence[GateRow], values: Values) -> tuple[tuple[GateVerdict, ...], bool]:
    """What every gate says, and whether an enforced one lacks evidence."""
    found: list[GateVerdict] = []
    is_open = False
    for gate, applies, passes, fails, (not_applicable, failed, passed, insufficient) in rows:
        if applies is not None and applies(values) is False:
            found.append(not_applicable)
            continue
        truth = False if fails is None else fails(values)
        if truth is True:
            found.append(failed)
        elif passes(values) is True and (truth is False or _only_absent(gate, values)):
            found.append(passed)
        else:
            found.append(insufficient)
            is_open = is_open or insufficient.enforced
    return tuple(found), is_open


def _only_absent(gate: Gate, values: Values) -> bool:
    """Is `fail_when` unknown only because nobody set the limit that it compares with?"""
    return all(name in gate.may_be_absent for name in gate.reads if values[name] is UNKNOWN)


def compile_rulebook(tree: Mapping[str, object], kind: str, day: str) -> Rulebook:
    """The rules of a compiled pack for one kind on one day (`YYYY-MM-DD`).

    Raises TreeError for whatever is not a compiled pack, whoever wrote it.
    """
    try:
        return _rulebook(tree, kind, day)
    except (LookupError, TypeError, AttributeError, ValueError, RecursionError) as error:
        if isinstance(error, TreeError):
            raise
        raise TreeError(f"not a compiled pack: {type(error).__name__} {str(error)[:80]}") from None


def _rulebook(tree: Mapping[str, object], kind: str, day: str) -> Rulebook:
    tiers = tuple(_rule(part, TIERS) for part in _in_force(tree, "tiers", kind, day))
    tracks = tuple(_rule(part, TRACKS) for part in _in_force(tree, "tracks", kind, day))
    parts = _in_force(tree, "gates", kind, day)
    gates = tuple(_gate(part, kind) for part in parts)
    rules = [*_in_force(tree, "tiers", kind, day), *_in_force(tree, "tracks", kind, day)]
    read = frozenset[str]().union(*(fact_names(part["when"]) for part in rules))
    stricter = _stricter(tree, parts, {gate.id for gate in gates if gate.enforced})
    minimum = tuple(
        _minimum(
            tree, read, parts, [g for g in gates if g.enforced and g.from_rank <= rank], stricter
        )
        for rank in range(HIGHEST_TIER_IN_RULES + 1)
    )
    wanted = tuple(tuple((name, least) for name, least in facts if least > 0) for facts in minimum)
    return Rulebook(tiers, tracks, gates, minimum, wanted)


def base_name(name: str, interval_facts: Mapping[str, object]) -> str:
    """`change.flips` for `change.flips.low` where that is an interval; else the name itself."""
    stem, _, bound = name.rpartition(".")
    return stem if bound in ("low", "high") and stem in interval_facts else name


def _minimum(
    tree: Mapping[str, object],
    read: frozenset[str],
    parts: Sequence[Mapping[str, object]],
    enforced: Sequence[Gate],
    stricter: Mapping[str, int],
) -> tuple[tuple[str, int], ...]:
    facts = _mapping(tree, "facts")
    wanted = _mapping(tree, "minimum_known_by")
    ids = {gate.id for gate in enforced}
    names = set(read)
    for part in parts:
        if part["id"] in ids:
            names |= fact_names([part["applies_when"], part["pass_when"], part["fail_when"]])
    bases = sorted({base_name(name, facts) for name in names} - {"tier", "evidence.weak"})
    return tuple((name, max(_least(name, wanted), stricter.get(name, 0))) for name in bases)


def _stricter(
    tree: Mapping[str, object], parts: Sequence[Mapping[str, object]], enforced: set[str]
) -> dict[str, int]:
    """What enforced gates ask of the facts that they read, beyond what their names ask for.

    It holds wherever a decision rests on such a fact, whatever the tier.
    """
    facts, found = _mapping(tree, "facts"), dict[str, int]()
    for part in parts:
        if part["id"] not in enforced or part.get("minimum_known_by") is None:
            continue
        rank = KNOWN_BY.index(str(part["minimum_known_by"]))
        for name in fact_names([part["applies_when"], part["pass_when"], part["fail_when"]]):
            base = base_name(name, facts)
            found[base] = max(found.get(base, 0), rank)
    return found


def _least(name: str, wanted: Mapping[str, object]) -> int:
    """The rank that the longest matching prefix asks for; declared where none matches."""
    prefixes = [prefix for prefix in wanted if name == prefix or name.startswith(prefix + ".")]
    if not prefixes:
        return 0
    return KNOWN_BY.index(str(wanted[max(prefixes, key=len)]))


def _in_force(
    tree: Mapping[str, object], section: str, kind: str, day: str
) -> list[Mapping[str, object]]:
    parts = tree.get(section)
    if not isinstance(parts, list):
        raise TreeError(f"a compiled pack has a list of {section}")
    return [part for part in parts if holds(part, kind, day)]


def holds(part: Mapping[str, object], kind: str, day: str) -> bool:
    """Does a rule or gate hold for this kind on this day? `until` is the first day it does not."""
    kinds, since, until = part["kinds"], str(part["since"]), part.get("until")
    if not isinstance(kinds, list | Mapping):
        raise TreeError("kinds must be a list or a mapping")
    return kind in kinds and since <= day and (until is None or day < str(until))


def _rule(part: Mapping[str, object], scale: tuple[str, ...]) -> Rule:
    level = part["level"]
    if not isinstance(level, int):
        raise TreeError("a rule's level is an integer")
    fact, rest = compile_guarded(part["when"])
    return Rule(
        id=str(part["id"]),
        level=level,
        rank=scale.index(str(part["raises_to"])),
        fact=fact,
        rest=rest,
        counts=str(part["counts"]),
        blocks=part["blocks"] is True,
    )


def _gate(part: Mapping[str, object], kind: str) -> Gate:
    setting = _mapping(part, "kinds")[kind]
    if not isinstance(setting, Mapping):
        raise TreeError("a gate says for each kind from which tier and how it holds")
    absent = part["may_be_absent"]
    applies, fails = part.get("applies_when"), part.get("fail_when")
    return Gate(
        id=str(part["id"]),
        from_rank=TIERS.index(str(setting["from_tier"])),
        enforced=setting["effect"] == "enforced",
        applies=compile_expression(applies) if applies else always,
        passes=compile_expression(part["pass_when"]),
        fails=compile_expression(fails) if fails else never,
        reads=fact_names(fails),
        may_be_absent=frozenset(str(name) for name in absent) if isinstance(absent, list) else
        frozenset(),
    )  # fmt: skip


def _mapping(tree: Mapping[str, object], key: str) -> Mapping[str, object]:
    part = tree.get(key)
    if not isinstance(part, Mapping):
        raise TreeError(f"{key} must be a mapping")
    return part


def typed_value(value: object, fact: Mapping[str, object]) -> Value:
    """A value if it is of the fact's type, else UNKNOWN. Enums must be one of the listed values."""
    kind = fact["type"]
    if kind == "bool":
        return value if value is True or value is False else UNKNOWN
    if kind == "integer":
        return _whole(value)
    if kind in ("number", "interval"):
        return _finite(value)
    if kind == "enum":
        values = fact.get("values")
        listed = isinstance(value, str) and isinstance(values, list) and value in values
        return value if listed and isinstance(value, str) else UNKNOWN
    if kind == "text":
        return value if isinstance(value, str) else UNKNOWN
    if kind == "set":
        texts = isinstance(value, tuple) and all(isinstance(item, str) for item in value)
        return value if texts and isinstance(value, tuple) else UNKNOWN
    return UNKNOWN


def _whole(value: object) -> Value:
    """An integer; also one that is given as 2.0: it is stored, and read back, as 2."""
    if isinstance(value, float) and value.is_integer():
        return int(Decimal(repr(value)))
    return value if isinstance(value, int) and not isinstance(value, bool) else UNKNOWN


def _finite(value: object) -> Value:
    # The chained comparison is False for NaN and for both infinities.
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value if _LEAST < value < _LARGEST else UNKNOWN
    return UNKNOWN


def is_known(value: Value) -> bool:
    return not isinstance(value, UnknownType)
