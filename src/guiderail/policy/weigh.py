"""What a decision comes to, without its words: tier, track, outcome, people and open gates.

`decide` says the same with every reason. Comparing packs and replaying decisions ask thousands of
times and need only this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from guiderail.core.scales import Outcome
from guiderail.policy.pack import Pack
from guiderail_verify.judge import TIERS, TRACKS, Judgement

_OUTCOMES: Final = (Outcome.GO, Outcome.NEEDS_REVIEW, Outcome.NOT_MEASURABLE, Outcome.BLOCKED)
_VERDICTS: Final = {"not_applicable": 0, "pass": 0, "insufficient": 1, "fail": 2}


@dataclass(frozen=True, slots=True)
class Weight:
    """tier and track are ranks. roles: who must look. gates: the enforced ones that do not pass."""

    tier: int
    track: int
    outcome: Outcome
    roles: tuple[str, ...]
    gates: tuple[tuple[str, str], ...]

    @property
    def tier_name(self) -> str:
        return TIERS[self.tier]

    @property
    def track_name(self) -> str:
        return TRACKS[self.track]

    @property
    def core(self) -> tuple[int, int, Outcome]:
        return self.tier, self.track, self.outcome


def weigh(pack: Pack, judged: Judgement) -> Weight:
    """The weight of a judgement, before any waiver or acceptance."""
    roles = dict.fromkeys(pack.tree["reviewers"].get(TRACKS[judged.track], ()))
    for hit in (*judged.tier_hits, *judged.track_hits):
        rule = pack.rule(hit.rule.id, hit.rule.level)
        if rule["adds_reviewers"] and (judged.track or rule["adds_on"] == "every-track"):
            roles.update(dict.fromkeys(rule["adds_reviewers"]))
    held: list[tuple[str, str]] = []
    judging = failed = passed = False
    for gate in judged.gates:
        if not gate.enforced or gate.verdict == "not_applicable":
            continue
        judging = True
        if gate.verdict == "pass":
            passed = True
            continue
        held.append((gate.gate.id, gate.verdict))
        if gate.verdict == "fail":
            failed = True
        else:
            roles[pack.gate(gate.gate.id)["owner"]] = None
    if failed or any(hit.rule.blocks for hit in judged.tier_hits):
        outcome = Outcome.BLOCKED
    elif judging and not passed:
        outcome = Outcome.NOT_MEASURABLE
    else:
        outcome = Outcome.NEEDS_REVIEW if judged.track or roles or held else Outcome.GO
    return Weight(judged.tier, judged.track, outcome, tuple(roles), tuple(held))


def direction(old: Weight, new: Weight) -> str:
    """`lighter`, `heavier`, `other` where it is both or neither, empty where nothing differs."""
    up = down = False
    for before, after in ((old.tier, new.tier), (old.track, new.track), (_rank(old), _rank(new))):
        up, down = up or after > before, down or after < before
    held, holds = dict(old.gates), dict(new.gates)
    for gate in held.keys() | holds.keys():
        before, after = (_VERDICTS[each.get(gate, "pass")] for each in (held, holds))
        up, down = up or after > before, down or after < before
    gained, lost = set(new.roles) - set(old.roles), set(old.roles) - set(new.roles)
    if not (up or down):
        up, down = bool(gained), bool(lost)
    if up is down:
        return "other" if up else ""
    return "heavier" if up else "lighter"


def _rank(weight: Weight) -> int:
    return _OUTCOMES.index(weight.outcome)
