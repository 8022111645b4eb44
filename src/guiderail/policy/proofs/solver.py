"""Search with Z3: formulas to solver terms, and models back to values.

Numbers are exact rationals of the very floats that the evaluator compares with. Z3 is the optional
extra `prove`; this module is imported only where it is wanted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

import z3

from guiderail.core.interval import Interval
from guiderail.policy.proofs.domain import ANOTHER_TEXT
from guiderail.policy.proofs.engine import NONE_EXISTS, Answer, Found, GaveUp
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
    Weakly,
    facts_of,
)
from guiderail.policy.proofs.kleene import Conditions, Tree
from guiderail.policy.proofs.release import Types, Value, plain

MILLISECONDS: Final = 10_000
"""Time that Z3 may take for one formula."""
_BOUNDS: Final = ("low", "", "high")


def installed() -> str:
    """The version of Z3."""
    return str(z3.get_version_string())


@dataclass(slots=True)
class Symbols:
    """The solver's terms for facts: made when they are first asked for."""

    types: Types
    _terms: dict[object, Any] = field(default_factory=dict)
    _texts: dict[str, int] = field(default_factory=dict)

    def known(self, fact: str) -> Any:
        return self._term(("known", fact), z3.Bool, f"{fact} known")

    def weak(self, fact: str) -> Any:
        return self._term(("weak", fact), z3.Bool, f"{fact} weak")

    def member(self, fact: str, item: str) -> Any:
        return self._term(("member", fact, item), z3.Bool, f"{item} in {fact}")

    def value(self, fact: str, bound: str = "") -> Any:
        """A Boolean, a number, or the place of the value in the list of an enum or text."""
        kind = self.types[plain(fact)]["type"]
        make = {"bool": z3.Bool, "number": z3.Real, "interval": z3.Real}.get(kind, z3.Int)
        return self._term(("value", fact, bound), make, f"{fact}.{bound}" if bound else fact)

    def code(self, fact: str, value: Scalar) -> int:
        """The number that stands for a listed value or a text."""
        kind = self.types[plain(fact)]
        if kind["type"] == "enum":
            return int(kind["values"].index(value))
        return self._texts.setdefault(str(value), len(self._texts))

    def text(self, code: int) -> str:
        """The text behind a number; texts that nobody asks for are numbered."""
        for text, known in self._texts.items():
            if known == code:
                return text
        return f"{ANOTHER_TEXT} {code}"

    def is_value(self, fact: str, value: Scalar) -> Any:
        if isinstance(value, bool):
            return self.value(fact) if value else z3.Not(self.value(fact))
        return self.value(fact) == self.code(fact, value)

    def constraints(self, fact: str) -> Iterator[Any]:
        """What every value of the fact satisfies."""
        kind = self.types[plain(fact)]
        match kind["type"]:
            case "integer" | "text":
                yield self.value(fact) >= 0
            case "enum":
                yield z3.And(self.value(fact) >= 0, self.value(fact) < len(kind["values"]))
            case "interval":
                yield self.value(fact, "low") <= self.value(fact)
                yield self.value(fact) <= self.value(fact, "high")

    def _term(self, key: object, make: Any, name: str) -> Any:
        found = self._terms.get(key)
        if found is None:
            found = self._terms[key] = make(name)
        return found


def translate(tree: Tree, symbols: Symbols) -> tuple[Any, Any]:
    """A compiled condition as two solver terms: when it is true, and when it is false."""
    truth = Conditions(Formulas(), symbols.types).translate(tree)
    terms = Terms(symbols)
    return terms.of(truth.yes), terms.of(truth.no)


@dataclass(slots=True)
class Terms:
    """Formulas as solver terms, each translated once."""

    symbols: Symbols
    _terms: dict[Formula, Any] = field(default_factory=dict)

    def of(self, formula: Formula) -> Any:
        found = self._terms.get(formula)
        if found is None:
            if formula.atom is not None:
                term = self._atom(formula.atom)
                found = term if formula.wanted else z3.Not(term)
            else:
                parts = [self.of(part) for part in formula.parts]
                found = z3.And(*parts) if formula.joint == "all" else z3.Or(*parts)
            self._terms[formula] = found
        return found

    def _atom(self, atom: Atom) -> Any:
        s = self.symbols
        match atom:
            case Known(fact=fact):
                return s.known(fact)
            case Weakly(fact=fact):
                return s.weak(fact)
            case Among(fact=fact, values=values):
                return z3.Or(*(s.is_value(fact, value) for value in sorted(values)))
            case Contains(fact=fact, item=item):
                return s.member(fact, item)
            case Below(number=number, limit=limit, reaches=reaches):
                return _less(self._number(number), _rational(limit), reaches)
            case Less(left=left, right=right, reaches=reaches):
                return _less(self._number(left), self._number(right), reaches)
            case Related(left=left, right=right, pairs=pairs):
                return z3.Or(*(
                    z3.And(s.is_value(left, a), s.is_value(right, b)) for a, b in sorted(pairs)
                ))  # fmt: skip
            case SameText(left=left, right=right):
                return s.value(left) == s.value(right)

    def _number(self, number: Number) -> Any:
        return self.symbols.value(number.fact, number.bound)


def _less(left: Any, right: Any, reaches: bool) -> Any:
    return left <= right if reaches else left < right


def _rational(number: int | float) -> Any:
    """The number itself, and not what its shortest decimal would be."""
    exact = Fraction(number)
    return z3.Q(exact.numerator, exact.denominator)


@dataclass(slots=True)
class Z3Search:
    """The engine with Z3. effort: Z3's own count of steps, 0 for no limit; milliseconds: time."""

    types: Types
    milliseconds: int = MILLISECONDS
    effort: int = 0
    tried: int = 0
    terms: Terms = field(init=False)
    _excluded: set[Formula] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.terms = Terms(Symbols(self.types))

    def allow(self, seconds: float) -> None:
        self.milliseconds = max(1, int(seconds * 1000))

    def find(self, formula: Formula) -> Answer:
        if formula in self._excluded:
            return NONE_EXISTS
        symbols = self.terms.symbols
        facts = sorted({fact for atom in formula.atoms for fact in facts_of(atom)})
        solver = z3.SimpleSolver()
        solver.set("timeout", self.milliseconds)
        solver.set("random_seed", 0)
        if self.effort:
            solver.set("rlimit", self.effort)
        for fact in facts:
            solver.add(*symbols.constraints(fact))
        solver.add(self.terms.of(formula))
        answer = solver.check()
        if answer == z3.unsat:
            self._excluded.add(formula)
            return NONE_EXISTS
        if answer != z3.sat:
            return GaveUp(f"Z3 stopped before it knew ({solver.reason_unknown()})")
        return self._values(solver.model(), formula, facts)

    def _values(self, model: Any, formula: Formula, facts: list[str]) -> Found:
        symbols = self.terms.symbols
        values: dict[str, Value] = {}
        for fact in facts:
            if Known(fact) not in formula.atoms or _true(model, symbols.known(fact)):
                values[fact] = self._value(model, fact, formula)
        weak = {atom.fact for atom in formula.atoms
                if isinstance(atom, Weakly) and _true(model, symbols.weak(atom.fact))}  # fmt: skip
        return Found(values, frozenset(weak))

    def _value(self, model: Any, fact: str, formula: Formula) -> Value:
        symbols, kind = self.terms.symbols, self.types[plain(fact)]

        def number(bound: str = "") -> Fraction:
            return Fraction(str(model.eval(symbols.value(fact, bound), True).as_fraction()))

        def whole() -> int:
            return int(model.eval(symbols.value(fact), True).as_long())

        match kind["type"]:
            case "bool":
                return _true(model, symbols.value(fact))
            case "enum":
                return str(kind["values"][whole()])
            case "text":
                return symbols.text(whole())
            case "integer":
                return whole()
            case "number":
                return float(number())
            case "interval":
                low, value, high = (float(number(bound)) for bound in _BOUNDS)
                return Interval(value, low, high)
        items = sorted(a.item for a in formula.atoms if isinstance(a, Contains) and a.fact == fact)
        return tuple(item for item in items if _true(model, symbols.member(fact, item)))


def _true(model: Any, term: Any) -> bool:
    return bool(z3.is_true(model.eval(term, True)))
