"""Who must look at a release, because of what, and how long it usually takes."""

from __future__ import annotations

from collections.abc import Sequence

from guiderail.core.messages import Reason
from guiderail.core.scales import Outcome, Verdict
from guiderail.policy.decision import Decision, GateResult, ReviewerNeed
from guiderail.policy.pack import Pack
from guiderail.policy.words import capitalised, joined, phrase
from guiderail_verify.authority import required_roles
from guiderail_verify.judge import TRACKS, Judgement

_MOST_POINTS = 3


def reviewer_needs(
    pack: Pack, judged: Judgement, gates: Sequence[GateResult]
) -> tuple[ReviewerNeed, ...]:
    """The track's roles first, then those that rules and insufficient gates add."""
    insufficient = [g for g in gates if g.enforced and g.verdict is Verdict.INSUFFICIENT]
    lacking = {gate.id: gate.owner for gate in insufficient}
    needs = required_roles(pack.tree["reviewers"], pack.rule, judged, lacking)
    return tuple(ReviewerNeed(role, because) for role, because in needs.items())


def expected_wait(
    pack: Pack, judged: Judgement, reviewers: Sequence[ReviewerNeed], outcome: Outcome
) -> str:
    """How long it usually takes, in words."""
    usual = str(pack.texts["expected_wait"][TRACKS[judged.track]])
    if judged.track == 0 and reviewers:
        who = joined([pack.role_title(need.role) for need in reviewers])
        usual = f"a few minutes after {who} has confirmed"
    if outcome is Outcome.BLOCKED:
        return f"nothing starts until what blocks is settled; after that {usual}"
    return usual


def review_sentence(pack: Pack, decision: Decision) -> str:
    """ "This release requires ML Governance Analyst review because it decides about credit."

    Empty when nobody has to look. The reasons are those of the certain rules, heaviest first; if
    there are none, the release needs people because too little is known.
    """
    if not decision.reviewers:
        return ""
    who = joined([pack.role_title(need.role) for need in decision.reviewers])
    phrases: dict[str, None] = {}
    for reason in (*decision.tier_reasons, *decision.track_reasons):
        because = pack.part_texts(reason.rule).get("because")
        if because and reason.certain:
            phrases[_filled(str(because), reason)] = None
    why = joined(list(phrases)) or f"too little is known: {_open_points(pack, decision)}"
    return capitalised(f"this release requires {who} review because {why}.")


def _filled(because: str, reason: Reason) -> str:
    for fact in reason.facts:
        because = because.replace(f"{{{fact.name}}}", fact.value)
    return because


def _open_points(pack: Pack, decision: Decision) -> str:
    """The first facts that are missing, in words."""
    shown = [fact.name for reason in decision.track_reasons for fact in reason.facts]
    needed = [name for gate in decision.gates if gate.enforced for name in gate.needs]
    kinds = [pack.vocabulary.fact_type(name) for name in dict.fromkeys([*shown, *needed])]
    points = [phrase(kind) for kind in kinds if kind is not None]
    return joined(points[:_MOST_POINTS] + (["more"] if len(points) > _MOST_POINTS else []))
