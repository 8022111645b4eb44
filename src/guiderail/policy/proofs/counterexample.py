"""What an engine found, decided again by the real evaluator, made small, and said in words.

Nothing that the evaluator does not confirm becomes a counterexample; it is an error instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from guiderail.core.errors import IntegrityError, Place
from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact
from guiderail.policy.decide import decide
from guiderail.policy.proofs.boundary import BoundarySearch
from guiderail.policy.proofs.claim import Claim, Setting, releases
from guiderail.policy.proofs.domain import choices_of
from guiderail.policy.proofs.engine import Found, is_true
from guiderail.policy.proofs.formula import Known
from guiderail.policy.proofs.release import (
    OTHER,
    Release,
    Value,
    judge,
    least_known_by,
    plain,
)
from guiderail_verify.judge import KNOWN_BY, TIERS, TRACKS, Judgement

SOURCE: Final = "the counterexample"
_ROUNDS: Final = 4
"""Passes over the facts while making a release smaller; two are usually enough."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A release as a facts file, and what the evaluator decides about it."""

    facts: Mapping[str, Any]
    tier: str
    track: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Counterexample:
    """says: what is wrong, in words. compared_with: the release that comes out heavier, where the
    claim is about two. Decide about them as `kind` on `day`."""

    says: str
    release: Decided
    compared_with: Decided | None
    kind: str
    day: str


def confirmed(claim: Claim, found: Found, setting: Setting) -> bool:
    """Does the real evaluator decide as the engine says?"""
    return claim.confirm(_judged(claim, found, setting))


def _judged(claim: Claim, found: Found, setting: Setting) -> list[Judgement]:
    book = setting.book
    made = releases(claim, found, book.types)
    return [judge(book.rulebook, release, book.types) for release in made]


def disagreement(claim: Claim) -> IntegrityError:
    """The engine found something that the evaluator does not see: neither may be believed."""
    return IntegrityError(
        f"The proof engine and the evaluator disagree about {claim.about}.",
        code="policy/proof-disagreement",
        advice="This is a fault in Guiderail, not in the pack: report it with the pack. Nothing "
        "is proved until it is found.",
    )


def counterexample(claim: Claim, found: Found, setting: Setting) -> Counterexample:
    """A small counterexample from what an engine found. Raises IntegrityError (see above)."""
    calm = calm_release(setting)
    small = _smaller(claim, found, setting, calm)
    if not confirmed(claim, small, setting):
        raise disagreement(claim)
    made = releases(claim, small, setting.types)
    decided = [_decided(setting, claim, release) for release in made]
    return Counterexample(
        says=f"{claim.says} {_words(made, calm, setting)}",
        release=decided[0],
        compared_with=decided[1] if len(decided) > 1 else None,
        kind=setting.book.kind,
        day=setting.book.day,
    )


def calm_release(setting: Setting) -> Release:
    """A release that is as light as this pack allows, with few facts and those at their safest.

    Everything unknown where the pack lets nothing through. Looked for once.
    """
    if setting.calm is None:
        setting.calm = _calm(setting)
    return setting.calm


def _calm(setting: Setting) -> Release:
    f, here, book = setting.formulas, setting.here, setting.book
    green = [f.opposite(here.track_reaches(1)), f.opposite(here.blocked), f.opposite(here.weak)]
    for goal in ([*green, f.opposite(here.tier_reaches(1))], green):
        found = BoundarySearch(f, book.types).find(f.all_of(goal))
        if isinstance(found, Found):
            break
    else:
        return Release({})
    values = dict(found.values)
    first = judge(book.rulebook, Release(values), book.types)

    def as_light(tried: Mapping[str, Value]) -> bool:
        judged = judge(book.rulebook, Release(tried), book.types)
        return (judged.tier, judged.track, judged.blocked) == (first.tier, first.track, False)

    for fact in sorted(values):
        without = {name: value for name, value in values.items() if name != fact}
        if as_light(without):
            values = without
            continue
        for safest in _safest(fact, setting):
            if as_light({**values, fact: safest}):
                values[fact] = safest
                break
    return Release(values)


def _safest(fact: str, setting: Setting) -> list[Value]:
    """Boundary values of a fact, the safest first; in plain order where there is no direction."""
    values = _choices(fact, setting)
    return values[::-1] if setting.kind_of(plain(fact))["risk_direction"] == "down" else values


def _choices(symbol: str, setting: Setting) -> list[Value]:
    here, fact = setting.here, plain(symbol)
    formulas = [*here.tier_counts, *here.track_counts, here.blocked]
    formulas += [gate.insufficient for gate in here.gates]
    atoms = sorted(
        {
            a
            for formula in formulas
            for a in formula.atoms
            if getattr(a, "fact", _number(a)) == fact
        },
        key=repr,
    )
    found = choices_of(fact, [a for a in atoms if not isinstance(a, Known)], setting.types,
                       beside_counts=False)  # fmt: skip
    return [value for value in found if value is not None]


def _number(atom: Any) -> str:
    """The fact of a question about a number; questions about two facts give no own values."""
    number = getattr(atom, "number", None)
    return str(number.fact) if number is not None else ""


def _smaller(claim: Claim, found: Found, setting: Setting, calm: Release) -> Found:
    """The same finding with as few facts beside the calm ones as one by one can be taken out."""
    weak = found.weak
    for fact in sorted(weak):
        if confirmed(claim, Found(found.values, weak - {fact}), setting):
            weak -= {fact}
    values = dict(found.values)
    for _ in range(_ROUNDS):
        before = dict(values)
        for symbol in sorted(values):
            values = _simpler(claim, values, symbol, weak, setting, calm)
        if values == before:
            break
    return Found(values, weak & values.keys())


def _simpler(
    claim: Claim,
    values: dict[str, Value],
    symbol: str,
    weak: frozenset[str],
    setting: Setting,
    calm: Release,
) -> dict[str, Value]:
    """Leave the fact out, else make it calm, else give it the plainest boundary value."""
    moved = symbol in (claim.moved, claim.moved + OTHER)
    without = {name: value for name, value in values.items() if name != symbol}
    if not moved and confirmed(claim, Found(without, weak - {symbol}), setting):
        return without
    usual = [calm.facts[plain(symbol)]] if plain(symbol) in calm.facts else []
    for value in (*usual, *_choices(symbol, setting)):
        if value == values[symbol] and type(value) is type(values[symbol]):
            break
        tried = Found({**values, symbol: value}, weak)
        # Two values of one fact have to stay in their order, which only the formula knows.
        kept = not moved or is_true(claim.formula(), tried.values, weak, {})
        if kept and confirmed(claim, tried, setting):
            return dict(tried.values)
    return values


def _decided(setting: Setting, claim: Claim, release: Release) -> Decided:
    """Decide as `guiderail policy eval` does, and check that it says the same."""
    least = least_known_by(setting.book.rulebook)
    ranks = release.known_by(least)
    facts = {
        name: Fact(name, value, SOURCE, KnownBy(KNOWN_BY[ranks[name]]))
        for name, value in release.facts.items()
    }
    at = datetime.fromisoformat(setting.book.day).replace(tzinfo=UTC)
    decision = decide(
        setting.pack, facts, kind=setting.book.kind, at=at, place=lambda _: Place(SOURCE)
    )
    judged = judge(setting.book.rulebook, release, setting.types)
    blocked = str(decision.outcome) == "blocked"
    if (decision.tier, decision.track, blocked) != (
        TIERS[judged.tier], TRACKS[judged.track], judged.blocked
    ):  # fmt: skip
        raise disagreement(claim)
    return Decided(
        facts={name: _fact_json(value, name, ranks[name], release.weak)
               for name, value in sorted(release.facts.items())},
        tier=str(decision.tier),
        track=str(decision.track),
        outcome=str(decision.outcome),
    )  # fmt: skip


def _fact_json(value: Value, name: str, rank: int, weak: frozenset[str]) -> Any:
    """A fact as a facts file has it."""
    if isinstance(value, Interval):
        numbers = {"value": value.value, "low": value.low, "high": value.high}
        plain_ones = {key: _number_json(number) for key, number in numbers.items()}
        return plain_ones | ({"known_by": KNOWN_BY[rank]} if name in weak else {})
    written = list(value) if isinstance(value, tuple) else _number_json(value)
    return {"known": written, "known_by": KNOWN_BY[rank]} if name in weak else written


def _number_json(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _words(made: tuple[Release, ...], calm: Release, setting: Setting) -> str:
    """What sets the release apart from a calm one, and what from the one it is compared with."""
    release = made[0]
    told = []
    if len(made) > 1:
        moved = [name for name in sorted(release.facts.keys() | made[1].facts.keys())
                 if release.facts.get(name) != made[1].facts.get(name)]  # fmt: skip
        told += [
            f"The heavier one has {name} {_value_words(made[1], name, setting)}, the lighter one "
            f"{_value_words(release, name, setting)}."
            for name in moved
        ]
    else:
        moved = []
    others = [f"{name} {_value_words(release, name, setting)}"
              for name in sorted(release.facts)
              if name not in moved and (release.facts[name] != calm.facts.get(name)
                                        or name in release.weak)]  # fmt: skip
    left_out = sorted(calm.facts.keys() - release.facts.keys() - set(moved))
    if others:
        told.append(f"Beside what a calm release has: {', '.join(others)}.")
    if left_out:
        told.append(f"Not known: {', '.join(left_out)}.")
    return " ".join(told) or "It is a calm release."


def _value_words(release: Release, name: str, setting: Setting) -> str:
    value = release.facts.get(name)
    unit = str(setting.kind_of(name)["unit"])
    match value:
        case None:
            return "unknown"
        case bool():
            words = "true" if value else "false"
        case Interval():
            words = f"{value.value:g} (from {value.low:g} to {value.high:g})"
        case int() | float():
            words = f"{value:g}"
        case tuple():
            words = f"[{', '.join(value)}]"
        case str():
            words = value
    words = f"{words} {unit}" if unit and isinstance(value, int | float | Interval) else words
    return f"{words} (weakly known)" if name in release.weak else words
