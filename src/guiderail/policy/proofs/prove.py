"""Prove the properties of a pack, for each kind of workload that it decides about.

A result is `proved`, `refuted` (with a counterexample that the evaluator confirmed), `undecided`
(with the reason; never to be read as proved) or `not-applicable` (with the reason).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from guiderail.policy.pack import Pack
from guiderail.policy.proofs.boundary import STEPS, BoundarySearch
from guiderail.policy.proofs.claim import Claim, Setting
from guiderail.policy.proofs.counterexample import (
    Counterexample,
    confirmed,
    counterexample,
    disagreement,
)
from guiderail.policy.proofs.engine import NONE_EXISTS, Answer, Engine, Found, GaveUp, NoneExists
from guiderail.policy.proofs.properties import PROPERTIES, Property
from guiderail.policy.proofs.verdicts import open_book

Result = Literal["proved", "refuted", "undecided", "not-applicable"]
SECONDS: Final = 10.0
"""Time for one property of one kind."""
WITHOUT_Z3: Final = "Z3 is not installed; `pip install 'guiderail[prove]'` brings it"
NOT_WANTED: Final = "the solver was switched off"


@dataclass(frozen=True, slots=True)
class Limits:
    """seconds: for one property. steps: for one claim without a solver. effort: for one claim in
    Z3's own steps, 0 for no such limit."""

    seconds: float = SECONDS
    steps: int = STEPS
    effort: int = 0


@dataclass(frozen=True, slots=True)
class Violation:
    """A claim that does not hold. counterexample: none where what is missing is an example."""

    about: str
    says: str
    counterexample: Counterexample | None


@dataclass(frozen=True, slots=True)
class Excepted:
    """A claim that the pack itself excepts. needed: does it not hold without the exception?"""

    about: str
    reason: str
    needed: bool
    counterexample: Counterexample | None


@dataclass(frozen=True, slots=True)
class Proved:
    """The result for one property and kind. claims: how many were looked at. combinations: how many
    cases were tried where no solver was used."""

    name: str
    title: str
    why: str
    kind: str
    day: str
    result: Result
    reason: str
    claims: int
    violations: tuple[Violation, ...] = ()
    undecided: tuple[tuple[str, str], ...] = ()
    exceptions: tuple[Excepted, ...] = ()
    combinations: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Proof:
    """Everything about one pack. why_method: why it was not the solver, where it was not."""

    pack: Pack
    method: str
    why_method: str
    properties: tuple[Proved, ...]

    @property
    def holds(self) -> bool:
        """Nothing refuted and nothing left open."""
        return all(each.result in ("proved", "not-applicable") for each in self.properties)


def prove_pack(
    pack: Pack,
    *,
    solver: bool = True,
    limits: Limits = Limits(),
    clock: Callable[[], float] = time.process_time,
) -> Proof:
    """Prove every property. solver: with Z3 where it is installed, else by boundary values.

    Each kind is proved on the day from which the pack holds, and again on each later day on which
    a rule begins or ends. Raises IntegrityError when an engine and the evaluator disagree.
    """
    proved: list[Proved] = []
    method, why = engine_in_use(solver)
    for kind in pack.kinds:
        for day in days(pack):
            setting = Setting(pack, open_book(pack.tree, kind, day))
            engine = _engine(method, setting, limits)
            proved += [_prove(each, setting, engine, limits, clock) for each in PROPERTIES]
    if not pack.kinds:
        proved = [_about_nothing(pack, each) for each in PROPERTIES]
    return Proof(pack, method, why, tuple(proved))


def days(pack: Pack) -> list[str]:
    """The day from which the pack holds, and later ones on which a rule begins or ends."""
    first = str(pack.tree["effective_from"])
    sections = (pack.tree["tiers"], pack.tree["tracks"], pack.tree["gates"])
    edges = {str(part[key]) for parts in sections for part in parts
             for key in ("since", "until") if part[key] is not None}  # fmt: skip
    return [first, *sorted(day for day in edges if day > first)]


def engine_in_use(solver: bool) -> tuple[str, str]:
    """Which engine there is, and why it is not the solver where it is not."""
    if not solver:
        return "enumeration", NOT_WANTED
    try:
        from guiderail.policy.proofs.solver import installed
    except ImportError:
        return "enumeration", WITHOUT_Z3
    return f"solver (Z3 {installed()})", ""


def _engine(method: str, setting: Setting, limits: Limits) -> Engine:
    if method == "enumeration":
        return BoundarySearch(setting.formulas, setting.symbols, limits.steps)
    from guiderail.policy.proofs.solver import Z3Search

    return Z3Search(setting.symbols, effort=limits.effort)


def _about_nothing(pack: Pack, each: Property) -> Proved:
    reason = (
        f"The pack {pack.id} decides about no kind of workload by itself; prove the packs that "
        "extend it."
    )
    day = str(pack.tree["effective_from"])
    return Proved(each.name, each.title, each.why, "", day, "not-applicable", reason, 0)


@dataclass(slots=True)
class _Tally:
    violations: list[Violation] = field(default_factory=list)
    undecided: list[tuple[str, str]] = field(default_factory=list)
    exceptions: list[Excepted] = field(default_factory=list)


def _prove(
    each: Property,
    setting: Setting,
    engine: Engine,
    limits: Limits,
    clock: Callable[[], float],
) -> Proved:
    started, tried = clock(), engine.tried
    claims = each.claims(setting)
    declared = each.declared(setting)
    tally = _Tally()
    for claim in claims:
        left = limits.seconds - (clock() - started)
        if left <= 0:
            tally.undecided.append((claim.about, f"the {limits.seconds:g} s for it were over"))
            continue
        engine.allow(left)
        _settle(claim, setting, engine, declared, tally)
    met = {claim.about for claim in claims}
    tally.exceptions += [Excepted(about, declared[about], False, None)
                         for about in declared if about not in met]  # fmt: skip
    result, reason = _result(each, setting, claims, tally)
    return Proved(
        name=each.name,
        title=each.title,
        why=each.why,
        kind=setting.book.kind,
        day=setting.book.day,
        result=result,
        reason=reason,
        claims=len(claims),
        violations=tuple(tally.violations),
        undecided=tuple(tally.undecided),
        exceptions=tuple(tally.exceptions),
        combinations=engine.tried - tried,
        seconds=clock() - started,
    )


def _settle(
    claim: Claim,
    setting: Setting,
    engine: Engine,
    declared: Mapping[str, str],
    tally: _Tally,
) -> None:
    """Search for the one claim, and enter what came of it."""
    answer: Answer = NONE_EXISTS if _impossible(claim, engine) else engine.find(claim.formula())
    if isinstance(answer, Found) and not confirmed(claim, answer, setting):
        raise disagreement(claim)
    if isinstance(answer, GaveUp):
        tally.undecided.append((claim.about, answer.reason))
        return
    if isinstance(answer, Found) is claim.wanted:
        if claim.about in declared:
            tally.exceptions.append(Excepted(claim.about, declared[claim.about], False, None))
        return
    if isinstance(answer, NoneExists):
        violation = _lacking(claim, setting, engine, tally)
        if violation is None:
            return
    else:
        violation = Violation(claim.about, claim.says, counterexample(claim, answer, setting))
    if claim.about in declared:
        reason, example = declared[claim.about], violation.counterexample
        tally.exceptions.append(Excepted(claim.about, reason, True, example))
    else:
        tally.violations.append(violation)


def _impossible(claim: Claim, engine: Engine) -> bool:
    """Is every cause of the claim excluded?"""
    return bool(claim.causes) and all(
        isinstance(engine.find(cause.local), NoneExists)
        or isinstance(engine.find(cause.wider()), NoneExists)
        for cause in claim.causes
    )


def _lacking(claim: Claim, setting: Setting, engine: Engine, tally: _Tally) -> Violation | None:
    """Why the release that must exist does not; None where that is no fault after all."""
    if claim.unless:
        answers = [(each, engine.find(each.formula())) for each in claim.unless]
        for each, answer in answers:
            if isinstance(answer, NoneExists):
                return Violation(claim.about, each.says, None)
        for _, answer in answers:
            if isinstance(answer, GaveUp):
                tally.undecided.append((claim.about, answer.reason))
                break
        return None
    if claim.example is not None:
        answer = engine.find(claim.example.formula())
        if isinstance(answer, Found):
            example = counterexample(claim.example, answer, setting)
            return Violation(claim.about, claim.example.says, example)
    return Violation(claim.about, claim.says, None)


def _result(
    each: Property, setting: Setting, claims: Sequence[Claim], tally: _Tally
) -> tuple[Result, str]:
    """The careful one: what is refuted counts first, then what is open."""
    if not claims:
        return "not-applicable", each.why_not(setting)
    if tally.violations:
        return "refuted", tally.violations[0].says
    if tally.undecided:
        about, reason = tally.undecided[0]
        return "undecided", f"About {about}: {reason}."
    return "proved", ""
