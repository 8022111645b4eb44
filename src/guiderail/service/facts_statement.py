"""Statements of facts: what a runner measured, or a system of record states, about one release.

An in-toto statement with the release as its subject. It names the releases that were compared with,
because what is said about the change holds for no others, and the moment, because facts age.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from guiderail import __version__
from guiderail.attest.in_toto import Statement
from guiderail.change.compare import COMPARISONS
from guiderail.core.digest import Digest, canonical_json
from guiderail.core.errors import RefusedError
from guiderail.core.scales import KnownBy
from guiderail.core.time import from_text, to_text
from guiderail.facts.fact import Fact, FactSet, known
from guiderail.facts.standing import Standing
from guiderail.manifest.release import Release
from guiderail.service.signers import Signer
from guiderail.service.snapshot import facts_from_json, facts_to_json
from guiderail_verify.permit import STATEMENT_TYPE

FACTS: Final = "urn:guiderail:facts:v1"
HOLDS: Final = timedelta(days=7)
"""How long after the measurement its statement is taken."""

SKEW: Final = timedelta(minutes=5)
AGES: Final[Mapping[str, timedelta]] = {
    "security.age_days": timedelta(days=1),
    "freshness.age_hours": timedelta(hours=1),
}
"""Facts that grow by themselves, with their unit."""

COMPARED: Final = frozenset(name for provider in COMPARISONS for name in provider.gives)
"""Facts that hold only for the releases that were compared with."""


@dataclass(frozen=True, slots=True)
class Vouched:
    """Facts that somebody registered vouches for. statement: digest of the stored bytes."""

    facts: FactSet
    compared_with: Mapping[str, str | None]
    at: datetime
    signer: str
    known_by: KnownBy
    statement: Digest


@dataclass(frozen=True, slots=True)
class Merged:
    """Facts with those that are vouched for. taken: names of these. left: name -> why it is not."""

    facts: dict[str, Fact]
    taken: tuple[str, ...]
    left: Mapping[str, str]


def facts_statement(release: Release, facts: FactSet, standing: Standing, now: datetime) -> bytes:
    """The bytes to sign: every fact that was measured here and now, and nothing that was not."""
    measured = {
        name: fact
        for name, fact in facts.items()
        if fact.known_by is KnownBy.MEASURED and not fact.is_unknown
    }
    return canonical_json(
        {
            "_type": STATEMENT_TYPE,
            "subject": [
                {
                    "name": release.manifest.served_as,
                    "digest": {"sha256": release.digest.removeprefix("sha256:")},
                }
            ],
            "predicateType": FACTS,
            "predicate": {
                "measuredAt": to_text(now),
                "guiderail": __version__,
                "comparedWith": baselines(standing),
                "facts": facts_to_json(measured),
            },
        }
    )


def baselines(standing: Standing) -> dict[str, str | None]:
    """Digests of what a release is compared with."""
    return {
        name: baseline.digest if baseline is not None else None
        for name, baseline in (
            ("production", standing.production),
            ("reviewed", standing.reviewed),
            ("full_review", standing.full_review),
        )
    }


def read_facts_statement(
    said: Statement, signer: Signer, digest: Digest, release: Digest, now: datetime
) -> Vouched:
    """What is vouched for. Raises RefusedError for another release, and for an old statement."""
    if not signer.states_facts:
        raise RefusedError(
            f"{signer.name} signs documents and may not vouch for facts",
            code="facts/not-a-runner",
            advice="Register its key as a runner or as a system of record.",
        )
    if [one.digest for one in said.subjects] != [release]:
        raise RefusedError(
            f"the facts are about {said.subjects[0].digest[:19]}..., this is {release[:19]}...",
            code="evidence/other-subject",
            advice="Let the runner measure the files that are submitted.",
        )
    try:
        predicate = said.predicate
        at = from_text(predicate["measuredAt"])
        facts = facts_from_json({name: _row(row) for name, row in predicate["facts"].items()})
        compared = {str(name): _digest(one) for name, one in predicate["comparedWith"].items()}
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise RefusedError(
            f"the statement of facts cannot be read ({type(error).__name__}: {error!s:.120})",
            code="facts/unreadable",
            advice="Write it with `guiderail check DIR --attest FILE`.",
        ) from error
    if at > now + SKEW:
        raise RefusedError(
            f"the facts were measured at {to_text(at)[:19]}, which has not come yet",
            code="facts/future",
            advice="Set the clock of the runner and measure again.",
        )
    if now - at > HOLDS:
        raise RefusedError(
            f"the facts were measured on {to_text(at)[:10]}, more than {HOLDS.days} days ago",
            code="facts/expired",
            advice="Let the runner measure the release again.",
        )
    if signer.trust == "runner":
        facts = {n: fact for n, fact in facts.items() if fact.known_by is KnownBy.MEASURED}
    kept = {name: fact for name, fact in facts.items() if not fact.is_unknown}
    return Vouched(kept, compared, at, signer.name, signer.known_by, digest)


def with_vouched(facts: FactSet, vouched: Vouched, standing: Standing, now: datetime) -> Merged:
    """Facts as their strongest source says them.

    What this workspace itself records stays: nobody knows better who approved what here. What was
    said about a change holds only where the same releases were compared. Facts that grow with time
    are as old as they are now.
    """
    merged, taken, left = dict(facts), [], {}
    same = vouched.compared_with == baselines(standing)
    for name, said in vouched.facts.items():
        own = facts.get(name)
        if own is None:
            left[name] = "no such fact belongs to this kind of release"
        elif own.known_by.rank >= vouched.known_by.rank:
            left[name] = f"it is {own.known_by} here already"
        elif name in COMPARED and not same:
            left[name] = "the release was compared with others than those of today"
        else:
            merged[name] = _vouched_fact(said, own, vouched, now)
            taken.append(name)
    return Merged(merged, tuple(sorted(taken)), left)


def measured_by_the_platform(facts: FactSet) -> dict[str, Fact]:
    """Facts that the platform measured itself on its own copy of the release: verified."""
    return {
        name: replace(fact, known_by=KnownBy.VERIFIED, source=f"{fact.source}, by the platform")
        if fact.known_by is KnownBy.MEASURED and not fact.is_unknown
        else fact
        for name, fact in facts.items()
    }


def _vouched_fact(said: Fact, own: Fact, vouched: Vouched, now: datetime) -> Fact:
    value = said.value
    unit = AGES.get(said.name)
    if unit is not None and isinstance(value, int | float):
        value = value + max(now - vouched.at, timedelta(0)) / unit
    detail = {
        **said.detail,
        "vouched_by": {"signer": vouched.signer, "statement": vouched.statement},
    }
    if not own.is_unknown and own.value != said.value:
        detail["measured_here"] = facts_to_json({said.name: own})[said.name]["value"]
    source = f"{said.source}, {_WORDS[vouched.known_by]} {vouched.signer}"
    return known(said.name, value, source, vouched.known_by, detail)


_WORDS: Final = {
    KnownBy.VERIFIED: "measured by the trusted runner",
    KnownBy.ATTESTED: "stated by the system of record",
}


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A stated fact; a system of record need not say more than value and source."""
    return {"known_by": KnownBy.MEASURED.value, "detail": {}, **row}


def _digest(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise TypeError("a baseline is named by its digest")
