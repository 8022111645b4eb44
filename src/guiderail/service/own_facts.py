"""Facts that an organisation's own policy adds: declared in the manifest, else unknown."""

from __future__ import annotations

from guiderail.core.errors import InputError
from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, FactSet, Value, known, unknown
from guiderail.facts.fact_type import FactType
from guiderail.manifest.release import Release
from guiderail.policy.pack import Pack
from guiderail.policy.vocabulary import did_you_mean

NOT_DECLARED = "it does not stand under facts in guiderail.yaml"


def with_own_facts(facts: FactSet, release: Release, pack: Pack) -> dict[str, Fact]:
    """The facts, with every own fact of the pack for this kind of workload.

    Raises InputError for a declared name that the pack does not know, and for a value that does
    not fit: a claim that nobody reads must not look like one that counts.
    """
    kind = release.manifest.kind
    own = {name: fact for name, fact in pack.vocabulary.own.items() if kind in fact.kinds}
    declared = release.manifest.facts
    for name in declared:
        if name not in own:
            raise _unknown_name(name, release, pack, own)
    filled = dict(facts)
    for name, fact in own.items():
        better = name in filled and filled[name].known_by is not KnownBy.DECLARED
        if name in declared and not better:
            filled[name] = _declared(fact, declared[name], release)
        elif name not in filled:
            filled[name] = unknown(name, NOT_DECLARED, fact.source)
    return filled


def _declared(fact: FactType, value: object, release: Release) -> Fact:
    place = release.place(f"facts.{fact.name}")
    typed = _typed(fact, value)
    if typed is None:
        wanted = f"one of {', '.join(fact.values)}" if fact.values else f"of type {fact.type}"
        raise InputError(
            f"{fact.name} cannot be {value!r}; it is {wanted}.",
            code="manifest/own-fact-value",
            advice="`guiderail explain " + fact.name + "` says what it means.",
            place=place,
        )
    return known(fact.name, typed, str(place), KnownBy.DECLARED)


def _typed(fact: FactType, value: object) -> Value | None:
    match fact.type, value:
        case "bool", bool():
            return value
        case "integer", int() if not isinstance(value, bool):
            return value
        case "number", int() | float() if not isinstance(value, bool):
            return float(value)
        case "enum", str() if value in fact.values:
            return value
        case "text", str():
            return value
        case "set", tuple() if all(isinstance(item, str) for item in value):
            return tuple(sorted(set(value)))
    return None


def _unknown_name(name: str, release: Release, pack: Pack, own: dict[str, FactType]) -> InputError:
    choices = ", ".join(own) or "none"
    hint = did_you_mean(name, own) or f"Facts of its own that {pack.id} asks for: {choices}."
    return InputError(
        f"The policy {pack.id} has no fact {name} of its own.",
        code="manifest/unknown-own-fact",
        advice=hint,
        place=release.place(f"facts.{name}"),
    )
