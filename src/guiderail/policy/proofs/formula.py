"""Boolean formulas over atoms: what the engines search for, whatever they search with.

An atom is one question about one or two facts of a release that is either true or false, such as
"is `change.flips.low` below 2". Formulas are in negation normal form and each exists once, so that
comparing two is comparing two references.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

Scalar = bool | str


@dataclass(frozen=True, slots=True)
class Known:
    """Is there a value for the fact at all?"""

    fact: str


@dataclass(frozen=True, slots=True)
class Weakly:
    """Is the fact known by a weaker source than the pack wants?"""

    fact: str


@dataclass(frozen=True, slots=True)
class Among:
    """Is the value of a Boolean, enum or text one of these?"""

    fact: str
    values: frozenset[Scalar]


@dataclass(frozen=True, slots=True)
class Contains:
    """Is the text a member of the set?"""

    fact: str
    item: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a release. bound: `low`, `high` or empty for the value itself."""

    fact: str
    bound: str = ""


@dataclass(frozen=True, slots=True)
class Below:
    """Is the number below the limit, or (reaches) at most the limit?"""

    number: Number
    limit: int | float
    reaches: bool


@dataclass(frozen=True, slots=True)
class Less:
    """Is the left number below the right one, or (reaches) at most the right one?"""

    left: Number
    right: Number
    reaches: bool


@dataclass(frozen=True, slots=True)
class Related:
    """Is the pair of values one of these? For two facts with listed values."""

    left: str
    right: str
    pairs: frozenset[tuple[Scalar, Scalar]]


@dataclass(frozen=True, slots=True)
class SameText:
    """Are the two texts equal?"""

    left: str
    right: str


Atom = Known | Weakly | Among | Contains | Below | Less | Related | SameText


def facts_of(atom: Atom) -> tuple[str, ...]:
    """The facts that an atom asks about."""
    match atom:
        case Below(number=number):
            return (number.fact,)
        case Less(left=left, right=right):
            return (left.fact, right.fact)
        case Related(left=a, right=b) | SameText(left=a, right=b):
            return (a, b)
    return (atom.fact,)


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """joint: `all` or `any` over `parts`; `atom`, true when the atom is `wanted`.

    `all` of nothing is true and `any` of nothing is false. number: the order of creation.
    """

    joint: str
    parts: tuple[Formula, ...]
    atom: Atom | None
    wanted: bool
    atoms: frozenset[Atom]
    number: int


@dataclass(slots=True)
class Formulas:
    """Makes formulas, each at most once, and simplifies what is obvious on the way."""

    _known: dict[tuple[object, ...], Formula] = field(default_factory=dict)
    _opposite: dict[Formula, Formula] = field(default_factory=dict)

    @property
    def true(self) -> Formula:
        return self._make("all", ())

    @property
    def false(self) -> Formula:
        return self._make("any", ())

    def constant(self, value: bool) -> Formula:
        return self.true if value else self.false

    def atom(self, atom: Atom, wanted: bool = True) -> Formula:
        key = ("atom", atom, wanted)
        found = self._known.get(key)
        if found is None:
            found = Formula("atom", (), atom, wanted, frozenset((atom,)), len(self._known))
            self._known[key] = found
        return found

    def all_of(self, parts: Iterable[Formula]) -> Formula:
        return self._joined("all", parts)

    def any_of(self, parts: Iterable[Formula]) -> Formula:
        return self._joined("any", parts)

    def opposite(self, formula: Formula) -> Formula:
        """The formula that is true exactly when this one is not."""
        found = self._opposite.get(formula)
        if found is None:
            if formula.atom is not None:
                found = self.atom(formula.atom, not formula.wanted)
            else:
                joint = "any" if formula.joint == "all" else "all"
                found = self._joined(joint, [self.opposite(part) for part in formula.parts])
            self._opposite[formula] = found
            self._opposite[found] = formula
        return found

    def differ(self, left: Formula, right: Formula) -> Formula:
        """True when exactly one of the two is."""
        return self.any_of([
            self.all_of([left, self.opposite(right)]),
            self.all_of([right, self.opposite(left)]),
        ])  # fmt: skip

    def _joined(self, joint: str, parts: Iterable[Formula]) -> Formula:
        """`all` of parts, or `any`: flat, without twins, and decided where a part decides it."""
        other = "any" if joint == "all" else "all"
        flat: dict[Formula, None] = {}
        for part in parts:
            for piece in part.parts if part.joint == joint else (part,):
                if piece.joint == other and not piece.parts:
                    return piece
                flat[piece] = None
        for piece in flat:
            if self._opposite.get(piece) in flat or (
                piece.atom is not None and self.atom(piece.atom, not piece.wanted) in flat
            ):
                return self._make(other, ())
        if len(flat) == 1:
            return next(iter(flat))
        return self._make(joint, tuple(sorted(flat, key=_number)))

    def _make(self, joint: str, parts: tuple[Formula, ...]) -> Formula:
        key = (joint, *parts)
        found = self._known.get(key)
        if found is None:
            atoms = frozenset[Atom]().union(*(part.atoms for part in parts))
            found = Formula(joint, parts, None, True, atoms, len(self._known))
            self._known[key] = found
        return found


def _number(formula: Formula) -> int:
    return formula.number


Truths = dict[Atom, bool]


def restrict(
    formulas: Formulas, formula: Formula, truths: Truths, memo: dict[Formula, Formula]
) -> Formula:
    """What is left of a formula once some atoms are settled. memo: for these truths only."""
    if formula.atom is not None:
        truth = truths.get(formula.atom)
        return formula if truth is None else formulas.constant(truth is formula.wanted)
    if formula.atoms.isdisjoint(truths):
        return formula
    found = memo.get(formula)
    if found is None:
        parts = [restrict(formulas, part, truths, memo) for part in formula.parts]
        found = formulas.all_of(parts) if formula.joint == "all" else formulas.any_of(parts)
        memo[formula] = found
    return found
