"""Search by boundary values, for where Z3 is not installed: complete, and slower.

A search tree over the cases of `domain`. A branch ends where what is left of the formula is false;
parts that share no fact are searched apart; what was searched once is remembered. So an answer
`NoneExists` means that every combination of boundary values was tried or excluded. A search that
needs more steps than it is allowed gives up and says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from guiderail.policy.proofs.domain import Case, TooManyError, cases, linked
from guiderail.policy.proofs.engine import NONE_EXISTS, Answer, Found, GaveUp
from guiderail.policy.proofs.formula import Atom, Formula, Formulas, restrict
from guiderail.policy.proofs.release import Types, Value

STEPS: Final = 50_000
"""Cases that the search for one formula may look at."""
_FEW: Final = 3
"""Conditions over more groups of facts than this are split by their alternatives first."""

Solution = tuple[dict[str, Value], frozenset[str]]
Group = int


class _OutOfStepsError(Exception):
    """The search was stopped."""


@dataclass(slots=True)
class BoundarySearch:
    """The engine without a solver. steps: how many cases one formula may take."""

    formulas: Formulas
    types: Types
    steps: int = STEPS
    tried: int = 0
    _cases: dict[tuple[Atom, ...], tuple[Case, ...]] = field(default_factory=dict)
    _excluded: set[Formula] = field(default_factory=set)

    def allow(self, seconds: float) -> None:
        """Steps are what is counted here, so that the answer is the same on every machine."""

    def find(self, formula: Formula) -> Answer:
        if formula in self._excluded:
            return NONE_EXISTS
        try:
            search = _Search(self, formula)
        except TooManyError as error:
            return GaveUp(f"{error}; install Z3 with `pip install 'guiderail[prove]'`")
        try:
            solution = search.solve(formula)
        except _OutOfStepsError:
            return GaveUp(
                f"checked on {self.steps:,} boundary combinations, which are not all; "
                "install Z3 with `pip install 'guiderail[prove]'`"
            )
        finally:
            self.tried += search.taken
        if solution is None:
            self._excluded.add(formula)
            return NONE_EXISTS
        values, weak = solution
        return Found(dict(sorted(values.items())), weak)

    def cases(self, atoms: tuple[Atom, ...]) -> tuple[Case, ...]:
        """The cases of a group of questions, worked out once."""
        found = self._cases.get(atoms)
        if found is None:
            found = self._cases[atoms] = cases(atoms, self.types)
        return found


class _Search:
    """The search for one formula."""

    def __init__(self, engine: BoundarySearch, formula: Formula) -> None:
        self._formulas = engine.formulas
        self._limit = engine.steps
        self._cases = [engine.cases(atoms) for atoms in linked(formula.atoms)]
        self._group = {atom: at for at, group in enumerate(self._cases) for atom in group[0].truths}
        self._groups: dict[Formula, frozenset[Group]] = {}
        self._solved: dict[Formula, Solution | None] = {}
        self.taken = 0

    def solve(self, formula: Formula) -> Solution | None:
        if not formula.atoms:
            return ({}, frozenset()) if formula.joint == "all" else None
        if formula not in self._solved:
            self._solved[formula] = self._solve(formula)
        return self._solved[formula]

    def _solve(self, formula: Formula) -> Solution | None:
        if formula.atom is not None:
            return self._by_cases(formula, self._group[formula.atom])
        if formula.joint == "any":
            return self._first(sorted(formula.parts, key=self._size))
        parts = self._propagated(formula)
        if parts is not formula:
            return self.solve(parts)
        apart = self._apart(formula.parts)
        if len(apart) > 1:
            return self._together(apart)
        tightest = min(formula.parts, key=self._size)
        if tightest.joint == "any" and len(self._groups_of(tightest)) > _FEW:
            others = [part for part in formula.parts if part is not tightest]
            alternatives = sorted(tightest.parts, key=self._size)
            return self._first(self._formulas.all_of([one, *others]) for one in alternatives)
        return self._by_cases(formula, self._most_asked(formula, tightest))

    def _first(self, alternatives: Iterable[Formula]) -> Solution | None:
        for alternative in alternatives:
            self._step()
            found = self.solve(alternative)
            if found is not None:
                return found
        return None

    def _by_cases(self, formula: Formula, group: Group) -> Solution | None:
        seen: set[Formula] = set()
        for case in self._cases[group]:
            self._step()
            left = restrict(self._formulas, formula, case.truths, case.memo)
            if left in seen:
                continue
            seen.add(left)
            found = self.solve(left)
            if found is not None:
                return {**found[0], **case.values}, found[1] | case.weak
        return None

    def _together(self, apart: list[list[Formula]]) -> Solution | None:
        values: dict[str, Value] = {}
        weak: frozenset[str] = frozenset()
        for parts in apart:
            found = self.solve(self._formulas.all_of(parts))
            if found is None:
                return None
            values |= found[0]
            weak |= found[1]
        return values, weak

    def _propagated(self, formula: Formula) -> Formula:
        """Alternatives that another part excludes are dropped; parts that hold anyway too.

        One part after the other: what has been dropped must not be the reason to drop the next.
        """
        f, given = self._formulas, set(formula.parts)
        for part in formula.parts:
            if part.joint != "any":
                continue
            given.discard(part)
            if not given.isdisjoint(part.parts):
                continue
            open_ones = [p for p in part.parts if f.opposite(p) not in given]
            given.add(part if len(open_ones) == len(part.parts) else f.any_of(open_ones))
        return f.all_of(sorted(given, key=_number))

    def _apart(self, parts: tuple[Formula, ...]) -> list[list[Formula]]:
        """Parts in bundles that share no group of facts, small bundles first."""
        bundles: list[tuple[set[Group], list[Formula]]] = []
        for part in parts:
            groups, members = set(self._groups_of(part)), [part]
            rest = []
            for others, bundle in bundles:
                if others.isdisjoint(groups):
                    rest.append((others, bundle))
                else:
                    groups |= others
                    members += bundle
            bundles = [*rest, (groups, members)]
        return [members for _, members in sorted(bundles, key=lambda bundle: len(bundle[0]))]

    def _most_asked(self, formula: Formula, tightest: Formula) -> Group:
        """The group of facts, of those in the tightest part, that most parts ask about."""
        asked = [group for part in formula.parts for group in self._groups_of(part)]
        return min(self._groups_of(tightest), key=lambda group: (-asked.count(group), group))

    def _groups_of(self, formula: Formula) -> frozenset[Group]:
        found = self._groups.get(formula)
        if found is None:
            found = self._groups[formula] = frozenset(self._group[a] for a in formula.atoms)
        return found

    def _size(self, formula: Formula) -> tuple[int, int, int]:
        return len(self._groups_of(formula)), len(formula.atoms), formula.number

    def _step(self) -> None:
        self.taken += 1
        if self.taken > self._limit:
            raise _OutOfStepsError


def _number(formula: Formula) -> int:
    return formula.number
