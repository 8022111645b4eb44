"""Claims that no release may break: invariants; unknown, riskier and weaker are not lighter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from guiderail.policy.formula_text import formula_text
from guiderail.policy.proofs.claim import Cause, Claim, Setting, ready
from guiderail.policy.proofs.formula import (
    Among,
    Contains,
    Formula,
    Formulas,
    Less,
    Number,
    Related,
    Scalar,
    facts_of,
)
from guiderail.policy.proofs.heaviness import compare, less_attended, lighter
from guiderail.policy.proofs.kleene import World
from guiderail.policy.proofs.release import OTHER, least_known_by
from guiderail_verify.evaluate import compile_expression, fact_names
from guiderail_verify.judge import TIERS, TRACKS, Judgement, base_name

Tree = Mapping[str, Any]

REGULATED_AND_AUTOMATED: Final[Tree] = {
    "id": "regulated-automated",
    "says": "A regulated automated decision is never green.",
    "when": {
        "all": [
            {"fact": "use.regulated"},
            {"compare": "==", "left": {"fact": "use.influence"}, "right": {"text": "automated"}},
        ]
    },
    "never_lighter_than": "yellow",
}


def invariant_claims(setting: Setting, invariants: Sequence[Tree]) -> list[Claim]:
    """Never lighter than a track or tier where a condition holds or is unknown."""
    return [
        _invariant(setting, invariant)
        for invariant in invariants
        if not missing_facts(setting, invariant["when"])
    ]


def missing_facts(setting: Setting, when: Tree) -> list[str]:
    """Facts of an invariant that the pack has no type for."""
    names = {base_name(name, setting.types) for name in fact_names(when)}
    return sorted(names - setting.types.keys() - {"tier", "evidence.weak"})


def _invariant(setting: Setting, invariant: Tree) -> Claim:
    f, here = setting.formulas, setting.here
    when, least = invariant["when"], str(invariant["never_lighter_than"])
    by_track = least in TRACKS
    rank = (TRACKS if by_track else TIERS).index(least)
    reached = here.track_reaches(rank) if by_track else here.tier_reaches(rank)
    broken = f.all_of([f.opposite(here.condition(when).no), f.opposite(reached)])
    run = compile_expression(when)

    def confirm(judged: Sequence[Judgement]) -> bool:
        reached_rank = judged[0].track if by_track else judged[0].tier
        return run(judged[0].values) is not False and reached_rank < rank

    return Claim(
        about=str(invariant["id"]),
        formula=ready(broken),
        confirm=confirm,
        says=f"{invariant['says']} Here it is lighter than {least} although "
        f"`{formula_text(when)}` holds or cannot be ruled out.",
    )


def unknown_claims(setting: Setting) -> list[Claim]:
    """For each fact: unknown is not lighter than any value it could take."""
    return [_unknown(setting, fact) for fact in setting.book.facts()]


def _unknown(setting: Setting, fact: str) -> Claim:
    only = frozenset({fact})
    compared = compare(setting, World(unknown=only), World(known=only, strong=only), attention=True)
    return Claim(
        about=fact,
        formula=compared.formula,
        causes=compared.causes,
        confirm=less_attended,
        says=f"A release of which {fact} is unknown comes out lighter than the same release with a "
        "value.",
        shape="unknown",
        moved=fact,
    )


def monotone_claims(setting: Setting) -> list[Claim]:
    """For each fact with a direction: a riskier value is not lighter."""
    found = ((fact, _riskier(setting, fact)) for fact in setting.book.facts())
    return [_monotone(setting, fact, riskier) for fact, riskier in found if riskier is not None]


def _monotone(setting: Setting, fact: str, riskier: Formula) -> Claim:
    f, only = setting.formulas, frozenset({fact})
    compared = compare(
        setting, World(known=only, renamed={fact: fact + OTHER}), World(known=only), attention=False
    )
    causes = [_given(riskier, cause, f) for cause in compared.causes]
    return Claim(
        about=fact,
        formula=lambda: f.all_of([riskier, compared.formula()]),
        causes=tuple(causes),
        confirm=lighter,
        says=f"A riskier value of {fact} makes the same release lighter.",
        shape="riskier",
        moved=fact,
    )


def _given(riskier: Formula, cause: Cause, f: Formulas) -> Cause:
    """The cause where one value is riskier than the other; the same where neither matters."""
    facts = {fact for atom in riskier.atoms for fact in facts_of(atom)}
    asked = {fact for atom in cause.local.atoms for fact in facts_of(atom)}
    local = cause.local if facts.isdisjoint(asked) else f.all_of([riskier, cause.local])
    return Cause(local, lambda: f.all_of([riskier, cause.wider()]))


def _riskier(setting: Setting, fact: str) -> Formula | None:
    """When the second value of a fact is riskier than the first, or as risky."""
    f, kind = setting.formulas, setting.kind_of(fact)
    direction = kind["risk_direction"]
    if direction == "none" or kind["type"] == "text":
        return None
    safe, risky = (fact, fact + OTHER) if direction == "up" else (fact + OTHER, fact)
    match kind["type"]:
        case "bool":
            true: frozenset[Scalar] = frozenset({True})
            return f.all_of([f.atom(Among(safe, true), False), f.atom(Among(risky, true))])
        case "enum":
            order = kind["values"]
            pairs = frozenset[tuple[Scalar, Scalar]](
                (a, b) for at, a in enumerate(order) for b in order[at + 1 :]
            )
            return f.atom(Related(safe, risky, pairs))
        case "set":
            items = {atom.item for formula in _mentions(setting) for atom in formula.atoms
                     if isinstance(atom, Contains) and atom.fact == fact}  # fmt: skip
            return f.all_of(
                f.any_of([f.atom(Contains(safe, item), False), f.atom(Contains(risky, item))])
                for item in sorted(items)
            )
    bounds = ("low", "", "high") if kind["type"] == "interval" else ("",)
    asked = _asked_bounds(setting, fact, bounds)
    return f.all_of(f.atom(Less(Number(safe, b), Number(risky, b), True)) for b in asked)


def _mentions(setting: Setting) -> list[Formula]:
    here = setting.here
    gates = [truth for gate in here.gates for pair in gate.conditions for truth in pair]
    return [*here.tier_counts, *here.track_counts, *gates]


def _asked_bounds(setting: Setting, fact: str, bounds: tuple[str, ...]) -> list[str]:
    """The bounds of an interval that some condition asks about; the others follow them."""
    names = {bound: f"{fact}.{bound}" if bound else fact for bound in bounds}
    written = _written(setting)
    return [bound for bound in bounds if names[bound] in written] or [""]


def _written(setting: Setting) -> frozenset[str]:
    book = setting.book
    parts = [rule.part["when"] for rule in (*book.tiers, *book.tracks)]
    parts += [[gate.part[key] for key in ("applies_when", "pass_when", "fail_when")]
              for gate in book.gates]  # fmt: skip
    return fact_names(parts)


def evidence_claims(setting: Setting) -> list[Claim]:
    """For each fact that must be known well: weaker evidence is not lighter."""
    least = least_known_by(setting.book.rulebook)
    return [_evidence(setting, fact) for fact in setting.book.facts() if least.get(fact, 0)]


def _evidence(setting: Setting, fact: str) -> Claim:
    only = frozenset({fact})
    compared = compare(
        setting, World(known=only, weak=only), World(known=only, strong=only), attention=False
    )
    return Claim(
        about=fact,
        formula=compared.formula,
        causes=compared.causes,
        confirm=lighter,
        says=f"Weaker evidence for {fact} makes the same release lighter.",
        shape="weaker",
        moved=fact,
    )
