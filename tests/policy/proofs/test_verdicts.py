"""The whole decision as formulas says what the evaluator decides, on random releases."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guiderail.policy import Pack, load_pack
from guiderail.policy.proofs.claim import Setting
from guiderail.policy.proofs.counterexample import calm_release
from guiderail.policy.proofs.domain import choices_of
from guiderail.policy.proofs.engine import is_true
from guiderail.policy.proofs.formula import Atom, Formula, facts_of
from guiderail.policy.proofs.heaviness import compare, less_attended, lighter
from guiderail.policy.proofs.kleene import World
from guiderail.policy.proofs.release import OTHER, Release, Value, judge, least_known_by
from guiderail.policy.proofs.verdicts import open_book
from guiderail_verify.judge import TIERS
from tests.policy.proofs.planted import MODEL, part, planted

LAWS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def setting_of(pack: Pack) -> Setting:
    return Setting(pack, open_book(pack.tree, "model", "2026-11-23"))


def odd(tree: dict[str, Any]) -> None:
    """Make lighter what is riskier or unknown, so that comparisons have something to find."""
    part(tree, "tiers", "regulated")["counts"] = "certain"
    part(tree, "tracks", "architecture")["counts"] = "certain"
    part(tree, "tracks", "threshold-major")["counts"] = "unknown"
    part(tree, "gates", "tests")["kinds"]["model"]["effect"] = "warns"
    part(tree, "gates", "staging")["may_be_absent"] = ["staging.healthy"]


SETTINGS = {"model": setting_of(MODEL), "odd": setting_of(planted(odd))}


def values_of(setting: Setting) -> dict[str, list[Value | None]]:
    """Boundary values of every fact, unknown included."""
    here = setting.here
    formulas = [*here.tier_counts, *here.track_counts]
    formulas += [truth for gate in here.gates for pair in gate.conditions for truth in pair]
    atoms: dict[str, set[Atom]] = {}
    for atom in {atom for formula in formulas for atom in formula.atoms}:
        for fact in facts_of(atom):
            atoms.setdefault(fact, set()).add(atom)
    return {
        fact: [None, *choices_of(fact, sorted(atoms[fact], key=repr), setting.types,
                                 beside_counts=False)]
        for fact in setting.book.facts()
    }  # fmt: skip


VALUES = {name: values_of(setting) for name, setting in SETTINGS.items()}


@st.composite
def releases(draw: st.DrawFn, name: str) -> Release:
    """A calm release of which some facts are other boundary values, unknown or weakly known."""
    setting = SETTINGS[name]
    facts = dict(calm_release(setting).facts)
    names = sorted(VALUES[name])
    for fact in draw(st.lists(st.sampled_from(names), max_size=9, unique=True)):
        value = draw(st.sampled_from(VALUES[name][fact]))
        facts.pop(fact, None)
        if value is not None:
            facts[fact] = value
    least = least_known_by(setting.book.rulebook)
    weak = draw(st.lists(st.sampled_from(sorted(least)), max_size=2))
    return Release(facts, frozenset(weak) & facts.keys())


@pytest.mark.parametrize("name", SETTINGS)
@given(data=st.data())
@LAWS
def test_tier_track_gates_and_weak_evidence_are_what_the_evaluator_decides(
    name: str, data: st.DataObject
) -> None:
    release = data.draw(releases(name))
    setting = SETTINGS[name]
    here = setting.here
    memo: dict[Formula, bool] = {}
    judged = judge(setting.book.rulebook, release, setting.types)

    def holds(formula: Formula) -> bool:
        return is_true(formula, release.facts, release.weak, memo)

    assert [holds(here.tier_reaches(rank)) for rank in range(4)] == [
        judged.tier >= rank for rank in range(4)
    ]
    assert [holds(here.track_reaches(rank)) for rank in range(3)] == [
        judged.track >= rank for rank in range(3)
    ]
    assert holds(here.blocked) is judged.blocked
    assert holds(here.weak) is bool(judged.weak)
    for part_, gate, verdict in zip(setting.book.gates, here.gates, judged.gates, strict=True):
        assert part_.gate.id == verdict.gate.id
        told = {"fail": gate.failed, "pass": gate.passed, "insufficient": gate.insufficient}
        assert holds(gate.enforced) is verdict.enforced
        for name_, formula in told.items():
            assert holds(formula) is (verdict.enforced and verdict.verdict == name_)


@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize("name", SETTINGS)
@given(data=st.data())
@LAWS
def test_a_comparison_of_two_releases_is_what_the_evaluator_decides_and_has_a_cause(
    name: str, attention: bool, data: st.DataObject
) -> None:
    """The causes have to be complete: excluding all of them is what a proof rests on."""
    setting = SETTINGS[name]
    base = data.draw(releases(name))
    fact = data.draw(st.sampled_from(sorted(VALUES[name])))
    values = [value for value in VALUES[name][fact] if value is not None]
    first_value, second_value = (data.draw(st.sampled_from(values)) for _ in range(2))
    only = frozenset({fact})
    second = Release({**base.facts, fact: second_value}, base.weak - only)
    if attention:
        worlds = World(unknown=only), World(known=only, strong=only)
        first = Release({k: v for k, v in base.facts.items() if k != fact}, base.weak - only)
        symbols = dict(second.facts)
    else:
        worlds = World(known=only, renamed={fact: fact + OTHER}), World(known=only)
        first = Release({**base.facts, fact: first_value}, base.weak - only)
        symbols = {**second.facts, fact + OTHER: first_value}
    compared = compare(setting, *worlds, attention=attention)
    one, two = (judge(setting.book.rulebook, each, setting.types) for each in (first, second))
    differs = (less_attended if attention else lighter)([one, two])
    assert is_true(compared.formula(), symbols, base.weak - only, {}) is differs
    if differs:
        for mark, judged in (("", two), (OTHER, one)):
            symbols["tier" + mark] = TIERS[min(judged.tier, 2)]
            symbols["evidence.weak" + mark] = bool(judged.weak)
        weak = base.weak - only
        assert any(
            is_true(cause.local, symbols, weak, {}) and is_true(cause.wider(), symbols, weak, {})
            for cause in compared.causes
        )
    assert differs is any(
        is_true(cause.exact(), symbols, base.weak - only, {})
        for cause in compared.causes
        if cause.exact is not None
    )


def test_a_pack_that_ships_alone_decides_about_nothing() -> None:
    assert load_pack("baseline").kinds == ()
