"""What a policy says about one release on one day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from guiderail.core.messages import FactShown, Finding, Reason
from guiderail.core.scales import Outcome, Tier, Track, Verdict
from guiderail.facts.fact import Value


@dataclass(frozen=True, slots=True)
class PackRef:
    """Which pack decided. digest covers rules, gates and fact types; texts_digest the wording."""

    pack: str
    version: str
    digest: str
    texts_digest: str


class GateResult(NamedTuple):
    """One gate's verdict.

    enforced is False where the tier is below the gate's or the gate only warns for this kind: it
        is shown and neither blocks nor raises the track.
    needs: names of facts that are unknown and would settle the gate.
    owner: role that accepts an insufficient gate.
    """

    id: str
    verdict: Verdict
    enforced: bool
    sentence: str
    needs: tuple[str, ...]
    owner: str
    waivable_by: tuple[str, ...]
    facts: tuple[FactShown, ...]
    page: str


@dataclass(frozen=True, slots=True)
class ReviewerNeed:
    """A role that must review, and the ids of the rules and gates that ask for it."""

    role: str
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One fact that is otherwise on a way to a lighter track.

    before, after: in words; `after` says what is enough, for example "at most 2 %".
    value: one value that is enough, with which the decision was made again.
    how: `evidence` or `design`. action: the one of `Lighter.actions` that brings it about.
    """

    fact: str
    before: str
    after: str
    value: Value
    how: str
    action: str


@dataclass(frozen=True, slots=True)
class Lighter:
    """A way to a lighter track, verified by deciding again with `changes`.

    by: `evidence` (measure, approve, confirm) or `design` (another model or another use).
    smallest: no way of this kind changes fewer facts. False where the search was ended early.
    """

    to: Track
    by: str
    actions: tuple[str, ...]
    rules: tuple[str, ...]
    changes: tuple[Change, ...]
    smallest: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """Tier, track, gates, findings and reviewers, with every reason.

    best_case: the track if every unknown turned out well.
    unanswered: names of facts that only the owner can answer (the interview asks for them).
    """

    outcome: Outcome
    tier: Tier
    tier_reasons: tuple[Reason, ...]
    track: Track
    best_case: Track
    track_reasons: tuple[Reason, ...]
    gates: tuple[GateResult, ...]
    findings: tuple[Finding, ...]
    lighter: tuple[Lighter, ...]
    reviewers: tuple[ReviewerNeed, ...]
    expected_wait: str
    unanswered: tuple[str, ...]
    policy: PackRef
