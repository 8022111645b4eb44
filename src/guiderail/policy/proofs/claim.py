"""One claim about a pack: a formula that no release may make true, or that some release must.

`properties` makes claims, an engine searches, and `counterexample` decides what was found again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from guiderail.policy.pack import Pack
from guiderail.policy.proofs.domain import choices_of
from guiderail.policy.proofs.engine import Found
from guiderail.policy.proofs.formula import Formula, Formulas
from guiderail.policy.proofs.kleene import HERE, World
from guiderail.policy.proofs.release import OTHER, Release, Types
from guiderail.policy.proofs.verdicts import ASSUMED_TYPES, Book, Verdicts
from guiderail_verify.judge import Judgement

Shape = Literal["one", "unknown", "riskier", "weaker"]
"""Which releases a claim is about: one; or two that differ in one fact, of which the first must not
be lighter: unknown against a value, a riskier value against a safer one, weak evidence against
better.
"""

Later = Callable[[], Formula]
"""A formula that is made only when it is needed, as most of the large ones never are."""


def ready(formula: Formula) -> Later:
    """A formula that is there already."""
    return lambda: formula


@dataclass(frozen=True, slots=True)
class Cause:
    """What could make a claim wrong. It cannot where `local` is impossible, or else `wider`."""

    local: Formula
    wider: Later


Confirm = Callable[[Sequence[Judgement]], bool]


@dataclass(frozen=True, slots=True)
class Claim:
    """formula: what is searched for. wanted: must some release make the formula true, or must none?

    about: the fact, rule or gate. moved: the fact that differs where the claim is about two
        releases. confirm: what the decisions of the real evaluator must show for the formula to be
        true of their releases. says: a sentence for people when the claim is wrong.
    causes: for a release that must not exist: all that could make the formula true, piece by piece.
        Where each is impossible, so is the formula; where one is not, the formula decides.
    example: where the wanted release does not exist, what to show instead.
    unless: where the wanted release does not exist, claims of which one must be wrong for this one
        to be wrong, and then says why.
    """

    about: str
    formula: Later
    confirm: Confirm
    says: str
    wanted: bool = False
    shape: Shape = "one"
    moved: str = ""
    causes: tuple[Cause, ...] = ()
    example: Claim | None = None
    unless: tuple[Claim, ...] = ()


@dataclass(slots=True)
class Setting:
    """What claims about one kind of workload on one day are made of."""

    pack: Pack
    book: Book
    formulas: Formulas = field(default_factory=Formulas)
    here: Verdicts = field(init=False)
    calm: Release | None = None
    """A release as light as it gets, once it has been looked for."""
    _assumed: dict[str, Verdicts] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.here = Verdicts(self.formulas, self.book)

    @property
    def types(self) -> Types:
        return self.book.types

    def seen(self, world: World) -> Verdicts:
        """The decision as another world sees it."""
        return Verdicts(self.formulas, self.book, world, self.here)

    def assumed(self, world: World, mark: str) -> Verdicts:
        """As `seen`, with tier and weak evidence free under marked symbols."""
        usual = self._assumed.get(mark)
        if usual is None:
            usual = Verdicts(self.formulas, self.book, HERE, self.here, mark)
            self._assumed[mark] = usual
        return Verdicts(self.formulas, self.book, world, usual, mark)

    @property
    def symbols(self) -> Types:
        """The types of everything that formulas ask about."""
        return {**self.types, **ASSUMED_TYPES}

    def kind_of(self, fact: str) -> Mapping[str, Any]:
        return self.types[fact]


def releases(claim: Claim, found: Found, types: Types) -> tuple[Release, ...]:
    """The releases that an answer describes, the one that must not be lighter first."""
    values, fact = dict(found.values), claim.moved
    if claim.shape == "one":
        return (Release(values, found.weak),)
    for symbol in (fact, fact + OTHER) if claim.shape == "riskier" else (fact,):
        if symbol not in values:  # any value will do
            first = choices_of(symbol, (), types, beside_counts=False)[0]
            if first is not None:
                values[symbol] = first
    other = values.pop(fact + OTHER, None)
    base = Release(values, found.weak)
    without = {name: value for name, value in values.items() if name != fact}
    match claim.shape:
        case "unknown":
            return (Release(without, found.weak - {fact}), Release(values, found.weak - {fact}))
        case "weaker":
            return (Release(values, found.weak | {fact}), Release(values, found.weak - {fact}))
    if other is None:
        raise ValueError(f"there is no second value of {fact}")
    return (Release({**values, fact: other}, found.weak), base)
