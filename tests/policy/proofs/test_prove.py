"""Each property is refuted where a violation is planted, and the packs that ship hold."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from guiderail.core.errors import IntegrityError
from guiderail.policy import Pack, load_pack
from guiderail.policy.check_types import compile_text
from guiderail.policy.pack import SHIPPED
from guiderail.policy.proofs import prove as proving
from guiderail.policy.proofs.engine import Answer, Found
from guiderail.policy.proofs.properties import PROPERTIES
from guiderail.policy.proofs.prove import NOT_WANTED, WITHOUT_Z3, Limits, prove_pack
from guiderail.policy.proofs.solver import Z3Search
from tests.policy.proofs.planted import (
    MODEL,
    Tree,
    of,
    part,
    planted,
    prove_one,
    refuted,
    with_condition,
)

NEVER_GREEN = [each for each in PROPERTIES if each.name == "never-green"]
NAMES = sorted(path.parent.name for path in SHIPPED.glob("*/compiled.json"))


@pytest.mark.parametrize("solver", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_every_property_of_the_packs_that_ship_holds(name: str, solver: bool) -> None:
    proof = prove_pack(load_pack(name), solver=solver)
    assert {each.name: each.reason for each in proof.properties
            if each.result not in ("proved", "not-applicable")} == {}  # fmt: skip
    assert proof.holds
    assert {each.name for each in proof.properties} == {each.name for each in PROPERTIES}


def test_a_pack_that_decides_about_nothing_has_nothing_to_prove_and_says_so() -> None:
    proof = prove_pack(load_pack("baseline"))
    assert {each.result for each in proof.properties} == {"not-applicable"}
    assert "prove the packs that extend it" in proof.properties[0].reason


def hole(tree: Tree) -> None:
    part(tree, "tracks", "high-risk-use")["when"] = compile_text(
        'tier >= "high" && !(code.approvals >= 2)'
    )


def counts_when_certain(tree: Tree) -> None:
    part(tree, "tracks", "architecture")["counts"] = "certain"


def forgives_more_flips(tree: Tree) -> None:
    for level in (0, 1):
        part(tree, "tracks", "decision-flips", level)["when"] = compile_text(
            "baseline.exists && change.flips.low > 2 && change.flips.low < 50"
        )


def never_true(tree: Tree) -> None:
    part(tree, "tracks", "purpose")["when"] = compile_text(
        "change.new_sources > 3 && change.new_sources < 2"
    )


def shadow(tree: Tree) -> None:
    part(tree, "tracks", "recipe-changed")["when"] = compile_text(
        "baseline.exists && change.unapproved_features > 2"
    )


def impossible_gate(tree: Tree) -> None:
    part(tree, "gates", "lineage")["pass_when"] = compile_text(
        "lineage.sources > 5 && lineage.sources < 3"
    )


def both_verdicts(tree: Tree) -> None:
    part(tree, "gates", "proxies")["pass_when"] = compile_text("proxies.highest_auc < 0.9")


def weak_is_welcome(tree: Tree) -> None:
    part(tree, "tracks", "architecture")["when"] = compile_text(
        "baseline.exists && change.architecture && !evidence.weak"
    )


PLANTED: list[tuple[str, str, Callable[[Tree], None]]] = [
    ("never-green", "regulated-automated", hole),
    ("invariants", "high-risk-is-red", hole),
    ("unknown-safe", "change.architecture", counts_when_certain),
    ("monotone", "change.flips", forgives_more_flips),
    ("rules-decide", "purpose", never_true),
    ("no-shadow", "recipe-changed", shadow),
    ("gates-possible", "lineage: pass", impossible_gate),
    ("gates-exclusive", "proxies", both_verdicts),
    ("evidence", "change.architecture", weak_is_welcome),
]


@pytest.mark.parametrize("solver", [True, False], ids=["solver", "boundary values"])
@pytest.mark.parametrize(("name", "about", "change"), PLANTED, ids=[each[0] for each in PLANTED])
def test_a_planted_violation_is_found(
    name: str, about: str, change: Callable[[Tree], None], solver: bool
) -> None:
    assert about in refuted(planted(change), name, solver=solver)


def test_a_rule_that_never_counts_and_one_that_never_matters_are_told_apart() -> None:
    never = prove_one(planted(never_true), "rules-decide").violations[0]
    assert never.says == (
        "The rule purpose can never decide: there is no release for which it is true."
    )
    assert never.counterexample is None
    covered = prove_one(planted(shadow), "rules-decide").violations[0]
    assert "whenever it is true, as in this example" in covered.says
    assert covered.counterexample is not None


def test_a_shadow_is_named() -> None:
    (violation,) = prove_one(planted(shadow), "no-shadow").violations
    assert "features-unapproved counts too and raises to red" in violation.says


def test_a_counterexample_about_two_releases_shows_both() -> None:
    (violation,) = prove_one(planted(forgives_more_flips), "monotone").violations
    example = violation.counterexample
    assert example is not None
    assert example.compared_with is not None
    risky, safer = example.release.facts, example.compared_with.facts
    assert {name for name in risky if risky[name] != safer.get(name)} == {"change.flips"}
    assert risky["change.flips"]["low"] > safer["change.flips"]["low"]
    assert (example.release.track, example.compared_with.track) in {("green", "red"),
                                                                    ("green", "yellow"),
                                                                    ("yellow", "red")}  # fmt: skip


def test_a_weakly_known_fact_stands_so_in_the_counterexample() -> None:
    violations = prove_one(planted(weak_is_welcome), "evidence").violations
    examples = [each.counterexample for each in violations if each.about == "change.architecture"]
    assert examples[0] is not None
    assert examples[0].release.facts["change.architecture"] == {
        "known": True,
        "known_by": "declared",
    }


def test_counterexamples_are_the_same_every_time() -> None:
    pack = planted(hole)
    first, second = (prove_one(pack, "never-green").violations for _ in range(2))
    assert first == second


def test_what_the_pack_excepts_is_shown_with_its_reason_and_an_example() -> None:
    (labels,) = prove_one(MODEL, "monotone").exceptions
    assert labels.about == "evaluation.labels"
    assert labels.needed
    assert "no measured performance" in labels.reason
    assert labels.counterexample is not None


def test_an_exception_that_nothing_needs_is_shown_as_such() -> None:
    def silenced(tree: Tree) -> None:
        for name, level in (("performance-large", 0), ("error-growth", 1),
                            ("performance-medium", 0), ("error-growth", 0)):  # fmt: skip
            part(tree, "tracks", name, level).update({"when": {"bool": False}})

    pack = planted(
        lambda tree: tree["proof_exceptions"].update({"monotone": ["evaluation.labels"]})
    )
    quiet = planted(silenced)
    assert prove_one(pack, "monotone").exceptions[0].needed
    assert not prove_one(quiet, "monotone").exceptions[0].needed


def test_without_the_exception_the_violation_is_reported() -> None:
    pack = planted(lambda tree: tree["proof_exceptions"].pop("monotone"))
    assert refuted(pack, "monotone") == ["evaluation.labels"]


def test_a_pack_compiled_before_there_were_invariants_is_proved_without() -> None:
    def older(tree: Tree) -> None:
        del tree["invariants"], tree["proof_exceptions"]

    pack = planted(older)
    assert prove_one(pack, "invariants").result == "not-applicable"
    assert prove_one(pack, "monotone").result == "refuted"


@pytest.mark.parametrize(
    "limits", [Limits(effort=10), Limits(seconds=0.0)], ids=["effort", "seconds"]
)
def test_a_solver_that_is_stopped_decides_nothing(limits: Limits) -> None:
    proof = prove_pack(MODEL, limits=limits, properties=NEVER_GREEN)
    assert not proof.holds
    assert {each.result for each in proof.properties} == {"undecided"}
    assert all(each.reason for each in proof.properties)


def test_a_boundary_search_that_is_stopped_says_how_far_it_came() -> None:
    proof = prove_pack(MODEL, solver=False, limits=Limits(steps=3), properties=NEVER_GREEN)
    never_green = of(proof, "never-green")
    assert never_green.result == "undecided"
    assert "checked on 3 boundary combinations, which are not all" in never_green.reason


def test_without_z3_boundary_values_are_tried_and_the_proof_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "z3", None)
    monkeypatch.delitem(sys.modules, "guiderail.policy.proofs.solver", raising=False)
    proof = prove_pack(load_pack("pipeline"))
    assert (proof.method, proof.why_method) == ("enumeration", WITHOUT_Z3)
    assert proof.holds
    assert prove_pack(load_pack("baseline"), solver=False).why_method == NOT_WANTED


def test_an_answer_that_the_evaluator_does_not_confirm_is_an_error_and_no_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An engine that makes things up must not be able to refute, nor to prove, anything."""

    def made_up(self: Z3Search, formula: object) -> Answer:
        return Found({})

    monkeypatch.setattr(Z3Search, "find", made_up)
    with pytest.raises(IntegrityError) as error:
        prove_pack(MODEL)
    assert error.value.code == "policy/proof-disagreement"


def test_days_on_which_rules_begin_are_proved_too() -> None:
    def later(tree: Tree) -> None:
        part(tree, "tracks", "high-risk-use")["until"] = "2027-01-01"

    proof = prove_pack(planted(later), properties=PROPERTIES[:1])
    by_day = {each.day: each.result for each in proof.properties}
    assert by_day == {"2026-11-01": "proved", "2027-01-01": "refuted"}
    assert proving.days(MODEL) == ["2026-11-01"]


def without_regulation(tree: Tree) -> None:
    tree["tiers"] = [each for each in tree["tiers"] if each["id"] != "regulated"]
    tree["invariants"] = []
    del tree["facts"]["use.regulated"]


def test_a_property_about_facts_that_a_pack_does_not_have_is_not_applicable() -> None:
    never_green = prove_one(planted(without_regulation), "never-green")
    assert never_green.result == "not-applicable"
    assert never_green.reason == "The pack asks for no fact use.regulated."


def test_own_facts_need_no_catalogue() -> None:
    """A pack may ask for facts that only its own types describe."""

    def own(tree: Tree) -> None:
        tree["facts"]["our.rating"] = {"type": "enum", "values": ["good", "poor"], "unit": "",
                                       "risk_direction": "up", "can_change": "design"}  # fmt: skip
        rule = part(tree, "tracks", "purpose")
        rule["when"] = {"compare": "==", "left": {"fact": "our.rating"},
                        "right": {"text": "good"}}  # fmt: skip

    assert refuted(planted(own), "monotone", solver=False) == ["our.rating"]


def pack_with_hole() -> Pack:
    return with_condition(
        "tracks", "high-risk-use", "when", 'tier >= "high" && !(code.approvals >= 2)'
    )


@pytest.mark.parametrize("solver", [True, False])
def test_the_counterexample_is_small_and_said_in_words(solver: bool) -> None:
    violation, unknown = prove_one(pack_with_hole(), "never-green", solver=solver).violations
    assert unknown.about == "regulated-automated: unknown"
    example = violation.counterexample
    assert example is not None
    assert (example.release.track, example.release.tier) == ("green", "high")
    facts = example.release.facts
    assert (facts["code.approvals"], facts["use.influence"]) == (2, "automated")
    assert "A regulated automated decision is never green." in example.says
    assert "code.approvals 2" in example.says
    assert len(facts) < len(MODEL.tree["facts"])
