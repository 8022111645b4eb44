"""The properties that are proved about every pack, in their order, each with why it matters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from guiderail.policy.pack import Pack
from guiderail.policy.proofs.chances import (
    decide_claims,
    exclusive_claims,
    gate_claims,
    shadow_claims,
    with_own_limit,
)
from guiderail.policy.proofs.claim import Claim, Setting
from guiderail.policy.proofs.laws import (
    REGULATED_AND_AUTOMATED,
    evidence_claims,
    invariant_claims,
    missing_facts,
    monotone_claims,
    unknown_claims,
)
from guiderail_verify.judge import base_name

Reasons = Mapping[str, str]


def _nobody(_: Setting) -> Reasons:
    return {}


@dataclass(frozen=True, slots=True)
class Property:
    """One thing that has to hold for every release.

    why_not: why there is nothing to prove, asked where there are no claims. declared: what the pack
        itself excepts, with its reason; an exception is shown and never silently applied.
    """

    name: str
    title: str
    why: str
    claims: Callable[[Setting], list[Claim]]
    why_not: Callable[[Setting], str]
    declared: Callable[[Setting], Reasons] = _nobody


def _regulated(setting: Setting) -> list[Claim]:
    return invariant_claims(setting, [REGULATED_AND_AUTOMATED])


def _not_regulated(setting: Setting) -> str:
    missing = missing_facts(setting, REGULATED_AND_AUTOMATED["when"])
    return f"The pack asks for no fact {' and no fact '.join(missing)}."


def _own_invariants(setting: Setting) -> list[Claim]:
    return invariant_claims(setting, stated_invariants(setting.pack, setting.book.kind))


def stated_invariants(pack: Pack, kind: str) -> list[dict[str, Any]]:
    """The invariants that a pack states for a kind, with what each says; packs compiled before
    there were any state none."""
    return [
        {**each, "says": pack.texts["invariants"][each["id"]]}
        for each in pack.tree.get("invariants", ())
        if kind in each["kinds"]
    ]


def _no_invariants(setting: Setting) -> str:
    return f"The pack states no invariants for workloads of kind {setting.book.kind}."


def _no_facts(setting: Setting) -> str:
    return f"The pack asks for no facts of workloads of kind {setting.book.kind}."


def _no_direction(setting: Setting) -> str:
    return "No fact that the pack asks for has a riskier direction."


def _no_minimum(setting: Setting) -> str:
    return "The pack does not say how well any fact has to be known."


def _no_rules(setting: Setting) -> str:
    return f"The pack has no rules for workloads of kind {setting.book.kind}."


def _no_gates(setting: Setting) -> str:
    return f"The pack enforces no gate for workloads of kind {setting.book.kind}."


def _no_failing_gates(setting: Setting) -> str:
    return "No gate has a condition for failing."


def _excepted(name: str) -> Callable[[Setting], Reasons]:
    """What the pack excepts from a property."""

    def reasons(setting: Setting) -> Reasons:
        names = setting.pack.tree.get("proof_exceptions", {}).get(name, ())
        return {about: setting.pack.texts["proof_exceptions"][name][about] for about in names}

    return reasons


def _may_be_absent(setting: Setting) -> Reasons:
    return {
        base_name(name, setting.types): f"The gate {part.gate.id} lets it be absent: then nobody "
        "has set such a limit, and the gate goes without it."
        for part in setting.book.gates
        for name in sorted(part.gate.may_be_absent)
    }


def _own_limits(setting: Setting) -> Reasons:
    return {
        with_own_limit(part): "Whoever sets the limit makes the gate stricter, and failing it "
        "outweighs passing."
        for part in setting.book.gates
        if part.gate.may_be_absent
    }


PROPERTIES: Final = (
    Property(
        "never-green",
        "A regulated automated decision is never green.",
        "Where an authority regulates a decision and no person makes it, a person has to look at "
        "every change of what makes it. No evidence and no approval takes that away.",
        _regulated,
        _not_regulated,
    ),
    Property(
        "invariants",
        "What the pack says is never lighter than a tier or track never is.",
        "The owner of the pack states what must hold whatever the rules become. An edit that "
        "breaks it shows here before it decides anything.",
        _own_invariants,
        _no_invariants,
    ),
    Property(
        "unknown-safe",
        "Unknown is never lighter: no fact gets a lower tier or a lighter track by being unknown, "
        "and what a value would block is not let through without people.",
        "Otherwise leaving a question open, or a scanner that stops halfway, would be the easy "
        "way to production.",
        unknown_claims,
        _no_facts,
        _may_be_absent,
    ),
    Property(
        "monotone",
        "Riskier is never lighter: a riskier value of a fact gives no lower tier, no lighter "
        "track, and does not unblock.",
        "Otherwise making a release worse would be a way to get it through.",
        monotone_claims,
        _no_direction,
        _excepted("monotone"),
    ),
    Property(
        "evidence",
        "Weaker evidence is never lighter: a fact that is known less well gives no lower tier, no "
        "lighter track, and does not unblock.",
        "Otherwise a claim would do where a measurement does not.",
        evidence_claims,
        _no_minimum,
    ),
    Property(
        "rules-decide",
        "Every rule and every gate can decide: for some release the result would be lighter, or "
        "fewer people would look, without it.",
        "A rule that never decides is a promise that nobody keeps, and a sign that its condition "
        "is not what was meant.",
        decide_claims,
        _no_rules,
        _excepted("rules-decide"),
    ),
    Property(
        "no-shadow",
        "No rule is shadowed: none counts only where another one that does as much counts too.",
        "A shadowed rule can be changed or deleted without any effect, and whoever edits it "
        "believes otherwise.",
        shadow_claims,
        _no_rules,
        _excepted("no-shadow"),
    ),
    Property(
        "gates-possible",
        "Every enforced gate can pass, and can fail if it has a condition for failing.",
        "A gate that nothing passes stops every release; a gate that nothing fails stops none.",
        gate_claims,
        _no_gates,
    ),
    Property(
        "gates-exclusive",
        "No release passes and fails the same gate.",
        "Where both conditions hold, failing wins; but then one of the two is not what was meant.",
        exclusive_claims,
        _no_failing_gates,
        _own_limits,
    ),
)
