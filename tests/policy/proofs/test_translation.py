"""Conditions as formulas and as solver terms say what the evaluator says, unknown included."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from guiderail.core.interval import Interval
from guiderail.policy.proofs.boundary import BoundarySearch
from guiderail.policy.proofs.engine import Found, GaveUp, NoneExists, is_true
from guiderail.policy.proofs.formula import Formula, Formulas
from guiderail.policy.proofs.kleene import Conditions
from guiderail.policy.proofs.release import Release, Value, readings
from guiderail_verify.evaluate import UNKNOWN, Truth, evaluate
from tests.policy.proofs.random_trees import FACTS, TREES, TYPES, Tree, releases_of

Facts = dict[str, Value]


def evaluated(tree: Tree, facts: Facts) -> Truth:
    return evaluate(tree, readings(Release(facts), TYPES))


@given(TREES, FACTS)
@settings(max_examples=500, deadline=None)
def test_a_condition_as_formulas_is_true_false_or_unknown_as_the_evaluator_says(
    tree: Tree, facts: Facts
) -> None:
    truth = Conditions(Formulas(), TYPES).translate(tree)
    for release in releases_of(tree, facts):
        yes, no = (is_true(formula, release, frozenset(), {}) for formula in truth)
        assert (yes, no) == (evaluated(tree, release) is True, evaluated(tree, release) is False)


def rational(number: float, symbols: Any) -> Any:
    """A number as the solver writes it, without rounding."""
    z3 = pytest.importorskip("z3")
    return z3.Q(*number.as_integer_ratio(), symbols.context)


def pinned(symbols: Any, facts: Facts) -> list[Any]:
    """Solver terms that say of every fact what it is."""
    z3 = pytest.importorskip("z3")
    terms = []
    for name, kind in TYPES.items():
        value = facts.get(name)
        terms.append(symbols.known(name) if name in facts else z3.Not(symbols.known(name)))
        if value is None:
            continue
        match value:
            case Interval():
                bounds = (("", value.value), ("low", value.low), ("high", value.high))
                terms += [symbols.value(name, bound) == rational(number, symbols)
                          for bound, number in bounds]  # fmt: skip
            case bool():
                terms.append(symbols.value(name) == value)
            case int() | float():
                terms.append(symbols.value(name) == rational(value, symbols))
            case tuple():
                terms += [symbols.member(name, item) == (item in value)
                          for item in ("email", "phone")]  # fmt: skip
            case str():
                terms.append(symbols.is_value(name, value))
        assert kind["type"] != "interval" or isinstance(value, Interval)
    return terms


@given(TREES, FACTS)
@settings(max_examples=200, deadline=None)
def test_a_condition_as_solver_terms_is_true_false_or_unknown_as_the_evaluator_says(
    tree: Tree, facts: Facts
) -> None:
    z3 = pytest.importorskip("z3")
    from guiderail.policy.proofs.solver import Symbols, translate

    symbols = Symbols(TYPES)
    yes, no = translate(tree, symbols)
    solver = z3.SimpleSolver(symbols.context)
    solver.add(*pinned(symbols, facts))
    told = tuple(solver.check(term) == z3.sat for term in (yes, no))
    # What is pinned leaves nothing open: where the term is possible, its opposite must not be.
    assert all(solver.check(z3.Not(term)) == z3.unsat
               for term, so in zip((yes, no), told, strict=True) if so)  # fmt: skip
    truth = evaluated(tree, facts)
    assert told == (truth is True, truth is False)
    assert (told == (False, False)) is (truth is UNKNOWN)


def goal(formulas: Formulas, first: Tree, second: Tree) -> Formula:
    """A question with some chance of either answer: one is true and the other not known."""
    conditions = Conditions(formulas, TYPES)
    one, two = conditions.translate(first), conditions.translate(second)
    return formulas.all_of([one.yes, formulas.opposite(two.yes), formulas.opposite(two.no)])


@given(TREES, TREES)
@settings(max_examples=200, deadline=None)
def test_both_engines_give_the_same_answer_and_what_they_find_is_true(
    first: Tree, second: Tree
) -> None:
    pytest.importorskip("z3")
    from guiderail.policy.proofs.solver import Z3Search

    formulas = Formulas()
    wanted = goal(formulas, first, second)
    solved = Z3Search(TYPES).find(wanted)
    searched = BoundarySearch(formulas, TYPES).find(wanted)
    assert not isinstance(solved, GaveUp)
    if isinstance(searched, GaveUp):
        assert "too many ways" in searched.reason or "not all" in searched.reason
        return
    assert type(solved) is type(searched)
    for answer in (solved, searched):
        if isinstance(answer, Found):
            assert is_true(wanted, answer.values, answer.weak, {})
            facts = dict(answer.values)
            assert evaluated(first, facts) is True
            assert evaluated(second, facts) is UNKNOWN


def test_a_condition_that_contradicts_itself_is_impossible_for_both() -> None:
    pytest.importorskip("z3")
    from guiderail.policy.proofs.solver import Z3Search

    tree: Tree = {"all": [
        {"compare": ">", "left": {"fact": "share"}, "right": {"fact": "other_share"}},
        {"compare": "<", "left": {"fact": "share"}, "right": {"number": "1"}},
        {"compare": ">=", "left": {"fact": "other_share"}, "right": {"number": "1"}},
    ]}  # fmt: skip
    formulas = Formulas()
    wanted = Conditions(formulas, TYPES).translate(tree).yes
    for engine in (Z3Search(TYPES), BoundarySearch(formulas, TYPES)):
        assert isinstance(engine.find(wanted), NoneExists)


def test_numbers_between_two_whole_counts_are_found() -> None:
    tree: Tree = {"all": [
        {"compare": ">", "left": {"fact": "count"}, "right": {"number": "1"}},
        {"compare": "<", "left": {"fact": "count"}, "right": {"number": "3"}},
        {"compare": "<", "left": {"fact": "other_count"}, "right": {"fact": "count"}},
        {"compare": ">", "left": {"fact": "other_count"}, "right": {"number": "0"}},
    ]}  # fmt: skip
    formulas = Formulas()
    answer = BoundarySearch(formulas, TYPES).find(Conditions(formulas, TYPES).translate(tree).yes)
    assert isinstance(answer, Found)
    assert (answer.values["count"], answer.values["other_count"]) == (2, 1)
