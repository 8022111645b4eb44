"""One compiled condition as two formulas: when it is true, and when it is false.

When neither holds the condition is unknown, as in `guiderail_verify.evaluate`, whose semantics this
is. Conditions over facts with listed values are translated by asking that evaluator about every
value; only numbers, texts and sets are translated by hand.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from guiderail.policy.proofs.formula import (
    Among,
    Atom,
    Below,
    Contains,
    Formula,
    Formulas,
    Known,
    Less,
    Number,
    Related,
    SameText,
    Scalar,
)
from guiderail.policy.proofs.release import Types
from guiderail_verify.evaluate import TreeError, compile_expression, fact_names, number
from guiderail_verify.judge import base_name

Tree = Mapping[str, Any]
NUMERIC: Final = ("integer", "number", "interval")
_LISTED: Final = ("bool", "enum")


class Truth(NamedTuple):
    """When a condition is true and when it is false; when neither, it is unknown."""

    yes: Formula
    no: Formula


@dataclass(frozen=True, slots=True)
class World:
    """How one of the releases of a question sees the facts.

    unknown: facts without a value. known: facts that have one for certain. renamed: facts under
        another symbol, for a second value. weak, strong: how well facts are known, where it is set.
    """

    unknown: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    renamed: Mapping[str, str] = field(default_factory=dict)
    weak: frozenset[str] = frozenset()
    strong: frozenset[str] = frozenset()

    @property
    def special(self) -> frozenset[str]:
        return self.unknown | self.known | self.weak | self.strong | frozenset(self.renamed)

    def symbol(self, fact: str) -> str:
        return self.renamed.get(fact, fact)


HERE: Final = World()
"""The world in which every fact is what it is."""

Computed = Mapping[str, Mapping[Scalar, Formula]]
"""Facts that deciding itself computes: for each value the formula that says when it is that."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Translates the conditions of one pack in one world. Raises TreeError like the evaluator."""

    formulas: Formulas
    types: Types
    world: World = HERE
    computed: Computed = field(default_factory=dict)

    def translate(self, tree: Tree) -> Truth:
        f = self.formulas
        match tree:
            case {"all": parts}:
                truths = [self.translate(part) for part in parts]
                return Truth(f.all_of(t.yes for t in truths), f.any_of(t.no for t in truths))
            case {"any": parts}:
                truths = [self.translate(part) for part in parts]
                return Truth(f.any_of(t.yes for t in truths), f.all_of(t.no for t in truths))
            case {"not": part}:
                truth = self.translate(part)
                return Truth(truth.no, truth.yes)
            case {"bool": value}:
                return Truth(f.constant(value), f.constant(not value))
        return self._leaf(tree)

    def known(self, name: str) -> Formula:
        """When there is a value under this name; what is computed is always known."""
        if name in self.computed:
            return self.formulas.true
        fact = base_name(name, self.types)
        if fact in self.world.unknown:
            return self.formulas.false
        if fact in self.world.known:
            return self.formulas.true
        return self.formulas.atom(Known(self.world.symbol(fact)))

    def _leaf(self, tree: Tree) -> Truth:
        names = sorted(fact_names(tree))
        if all(self._values(name) for name in names):
            return self._by_every_value(tree, names)
        kinds = {self._type(name) for name in names}
        match tree:
            case {"has": {"fact": name}, "item": item}:
                return self._when_known([name], self._atom(Contains(self._symbol(name), item)))
            case {"compare": sign, "left": {"fact": left}, "right": right} if kinds <= {*NUMERIC}:
                return self._when_known(names, self._compared(sign, left, right))
            case {"compare": sign, "left": {"fact": left}, "right": right} if kinds == {"text"}:
                same = self._same_text(left, right)
                return self._when_known(
                    names, same if sign == "==" else self.formulas.opposite(same)
                )
            case {"in": {"fact": name}, "items": items}:
                return self._when_known([name], self._one_of(name, items))
        raise TreeError(f"this cannot be proved about: {str(tree)[:80]}")

    def _type(self, name: str) -> str:
        kind = self.types.get(base_name(name, self.types))
        if kind is None:
            raise TreeError(f"the pack states no type for {name}")
        return str(kind["type"])

    def _values(self, name: str) -> tuple[Scalar, ...]:
        """The listed values of a fact; none where it has no list."""
        if name in self.computed:
            return tuple(self.computed[name])
        kind = self._type(name)
        if kind not in _LISTED:
            return ()
        return (False, True) if kind == "bool" else tuple(self.types[name]["values"])

    def _by_every_value(self, tree: Tree, names: list[str]) -> Truth:
        run = compile_expression(tree)
        yes: list[tuple[Scalar, ...]] = []
        no: list[tuple[Scalar, ...]] = []
        for values in itertools.product(*(self._values(name) for name in names)):
            truth = run(dict(zip(names, values, strict=True)))
            if truth is True:
                yes.append(values)
            elif truth is False:
                no.append(values)
        known = self.formulas.all_of(self.known(name) for name in names)
        return Truth(
            self.formulas.all_of([known, self._combination(names, yes)]),
            self.formulas.all_of([known, self._combination(names, no)]),
        )

    def _combination(self, names: list[str], rows: list[tuple[Scalar, ...]]) -> Formula:
        """When the listed values of these facts are one of the rows."""
        f = self.formulas
        if not rows:
            return f.false
        if len(names) == 2 and not set(names) & set(self.computed):
            pairs = frozenset((a, b) for a, b in rows)
            return self._atom(Related(self._symbol(names[0]), self._symbol(names[1]), pairs))
        if len(names) == 1:
            return self._is(names[0], [row[0] for row in rows])
        return f.any_of(
            f.all_of(self._is(name, [value]) for name, value in zip(names, row, strict=True))
            for row in rows
        )

    def _is(self, name: str, values: list[Scalar]) -> Formula:
        if name in self.computed:
            return self.formulas.any_of(self.computed[name][value] for value in values)
        every = self._values(name)
        if len(every) == len(set(values)):
            return self.formulas.true
        if every == (False, True):
            return self.formulas.atom(
                Among(self._symbol(name), frozenset({True})), values[0] is True
            )
        return self._atom(Among(self._symbol(name), frozenset(values)))

    def _when_known(self, names: list[str], formula: Formula) -> Truth:
        f = self.formulas
        known = f.all_of(self.known(name) for name in names)
        return Truth(f.all_of([known, formula]), f.all_of([known, f.opposite(formula)]))

    def _compared(self, sign: str, left: str, right: Tree) -> Formula:
        f, here = self.formulas, self._number(left)
        if "fact" in right:
            there = self._number(right["fact"])
            below, at_most = (self._atom(Less(here, there, r)) for r in (False, True))
        else:
            limit = number(right["number"])
            below, at_most = (self._atom(Below(here, limit, r)) for r in (False, True))
        match sign:
            case "<":
                return below
            case "<=":
                return at_most
            case ">":
                return f.opposite(at_most)
            case ">=":
                return f.opposite(below)
        equal = f.all_of([at_most, f.opposite(below)])
        return equal if sign == "==" else f.opposite(equal)

    def _one_of(self, name: str, items: list[Tree]) -> Formula:
        if self._type(name) == "text":
            texts = frozenset(item["text"] for item in items)
            return self._atom(Among(self._symbol(name), texts))
        return self.formulas.any_of(self._compared("==", name, item) for item in items)

    def _same_text(self, left: str, right: Tree) -> Formula:
        if "fact" in right:
            return self._atom(SameText(self._symbol(left), self._symbol(right["fact"])))
        return self._atom(Among(self._symbol(left), frozenset({right["text"]})))

    def _number(self, name: str) -> Number:
        fact = base_name(name, self.types)
        bound = name.removeprefix(fact).removeprefix(".")
        return Number(self._symbol(fact), bound)

    def _symbol(self, name: str) -> str:
        return self.world.symbol(base_name(name, self.types))

    def _atom(self, atom: Atom) -> Formula:
        return self.formulas.atom(atom)
