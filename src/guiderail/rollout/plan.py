"""What going back means, before anything moves: does it fit, whose decisions flip, who is told.

Pure: everything that was measured is handed in, so that the same plan can be shown, tested and
kept as evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from guiderail.core.digest import short
from guiderail.core.interval import Interval
from guiderail.facts.fact import Unknown

Inputs = Sequence[tuple[str, str]]
"""(name, type) of each input; the type is `number`, `text`, `boolean` or `unknown`."""


@dataclass(frozen=True, slots=True)
class ContractCheck:
    """Whether serving offers what a version asks for.

    fits is None where that cannot be said; missing: inputs that serving does not offer;
    retyped: (name, type asked for, type offered).
    """

    fits: bool | None
    missing: tuple[str, ...]
    retyped: tuple[tuple[str, str, str], ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class GroupFlips:
    """Decisions of one group that going back changes, of `n` in the group."""

    group: str
    n: int
    flips: int


@dataclass(frozen=True, slots=True)
class RollbackPlan:
    """What a person sees before going back and what the ledger keeps.

    flips: share of equal inputs decided differently, in percent, or why that is unknown.
    directions: "old decision -> new decision" to a count, in the direction of going back.
    tell: teams that use the output. allowed: nothing in the plan forbids going back.
    sentences: the plan in words, most important first.
    """

    workload: str
    from_digest: str | None
    to_digest: str
    contract: ContractCheck
    flips: Interval | Unknown
    directions: Mapping[str, int]
    groups: tuple[GroupFlips, ...]
    tell: tuple[str, ...]
    allowed: bool
    sentences: tuple[str, ...]


def check_contract(needs: Inputs | None, offers: Inputs | None) -> ContractCheck:
    """Compare what a version asks for with what serving offers.

    None on either side means that it could not be read: then nothing is known and nothing fits.
    A type `unknown` agrees with none: the answer is then unknown, unless something is missing.
    """
    if needs is None or offers is None:
        which = "the version's inputs" if needs is None else "the features that serving offers"
        return ContractCheck(None, (), (), f"The contract is unknown: {which} cannot be read.")
    offered = dict(offers)
    missing = tuple(name for name, _ in needs if name not in offered)
    both = [(name, kind, offered[name]) for name, kind in needs if name in offered]
    retyped = tuple(row for row in both if "unknown" not in row[1:] and row[1] != row[2])
    if missing or retyped:
        return ContractCheck(False, missing, retyped, _misfit(missing, retyped))
    untyped = [name for name, *kinds in both if "unknown" in kinds]
    if untyped:
        sentence = f"Every input is offered; the type of {len(untyped)} of {len(needs)} is unknown."
        return ContractCheck(None, (), (), sentence)
    return ContractCheck(
        True, (), (), f"Serving offers every input ({len(needs)}) with equal types."
    )


def plan_rollback(
    workload: str,
    *,
    from_digest: str | None,
    to_digest: str,
    contract: ContractCheck,
    flips: Interval | Unknown,
    directions: Mapping[str, int] | None = None,
    groups: Sequence[GroupFlips] = (),
    tell: Sequence[str] = (),
) -> RollbackPlan:
    """The plan for going back from one version to another.

    A contract that does not fit forbids it. What is unknown forbids nothing here, because going
    back is how people get out of trouble; it is said first and recorded.
    """
    sentences = [contract.sentence]
    if isinstance(flips, Unknown):
        sentences.append(f"It is unknown how many decisions flip: {flips.reason}.")
    else:
        sentences.append(
            f"{flips.value:.1f} % of decisions flip "
            f"(95 % interval {flips.low:.1f} to {flips.high:.1f} %)."
        )
    worst = max((row for row in groups if row.n), key=lambda row: row.flips / row.n, default=None)
    if worst is not None and worst.flips:
        sentences.append(
            f"Most in group {worst.group}: {worst.flips} of {worst.n} "
            f"({100 * worst.flips / worst.n:.1f} %)."
        )
    told = tuple(dict.fromkeys(tell))
    sentences.append(
        f"Will be told: {', '.join(told)}." if told else "No team is named to be told."
    )
    if from_digest == to_digest:
        sentences.insert(0, f"{workload} already serves {short(to_digest)}.")
    return RollbackPlan(
        workload=workload,
        from_digest=from_digest,
        to_digest=to_digest,
        contract=contract,
        flips=flips,
        directions=dict(directions or {}),
        groups=tuple(groups),
        tell=told,
        allowed=contract.fits is not False,
        sentences=tuple(sentences),
    )


def _misfit(missing: Sequence[str], retyped: Sequence[tuple[str, str, str]]) -> str:
    parts = []
    if missing:
        parts.append(f"serving does not offer {', '.join(missing)}")
    parts += [f"{name} is {offered} and the version asks for {kind}"
              for name, kind, offered in retyped]  # fmt: skip
    return f"The contract does not fit: {'; '.join(parts)}."
