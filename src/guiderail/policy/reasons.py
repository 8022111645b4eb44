"""Why the tier and the track are what they are: one reason for every rule that counts."""

from __future__ import annotations

from collections.abc import Sequence

from guiderail.core.messages import Reason
from guiderail.core.scales import Verdict
from guiderail.policy.best_case import BestCase
from guiderail.policy.decision import GateResult
from guiderail.policy.pack import Pack
from guiderail.policy.sentences import Teller
from guiderail.policy.support import carriers, unknown_carriers
from guiderail_verify.judge import TIERS, TRACKS, YELLOW, Hit, Judgement

_GUARDS = ("baseline.exists", "evaluation.labels")
"""Facts that only say whether a rule can apply: quoted when nothing else is."""

STAYS = "Better evidence or another design does not make this lighter."
TIER_IS_OPEN = "The tier rests on answers that are not known yet."


def tier_reasons(pack: Pack, judged: Judgement, teller: Teller) -> tuple[Reason, ...]:
    """Every tier rule that counts, heaviest first; `low` alone when nothing else does."""
    return tuple(
        _reason(pack, hit, judged, teller, TIERS[hit.rule.rank], certain=hit.truth is True)
        for hit in _told(judged.tier_hits)
    )


def track_reasons(
    pack: Pack, judged: Judgement, best: BestCase, teller: Teller, *, stays: bool
) -> tuple[Reason, ...]:
    """Every track rule that counts, heaviest first.

    stays: nothing that the submitter could do gets a lighter track; the rules that cause it say so.
    """
    reasons = []
    for hit in _without_repeats(pack, _told(judged.track_hits), judged):
        certain = (hit.rule.id, hit.rule.level) in best.certain
        extra = ""
        if hit.truth is True and not certain:
            extra = TIER_IS_OPEN
        elif stays and certain and pack.rule(hit.rule.id, hit.rule.level)["by"] == "no":
            extra = STAYS
        level = TRACKS[hit.rule.rank]
        reasons.append(_reason(pack, hit, judged, teller, level, certain=certain, extra=extra))
    return tuple(reasons)


def gate_reasons(gates: Sequence[GateResult], told: Sequence[Reason]) -> tuple[Reason, ...]:
    """Enforced gates that lack evidence, as reasons for a track that is yellow because of them.

    told: the reasons of rules; a gate whose numbers they have quoted already is not repeated.
    """
    quoted = [{fact.name for fact in reason.facts} for reason in told]
    return tuple(
        Reason(gate.id, gate.sentence, TRACKS[YELLOW], not gate.needs, gate.facts, gate.page)
        for gate in gates
        if gate.enforced
        and gate.verdict is Verdict.INSUFFICIENT
        and not any({fact.name for fact in gate.facts} <= names for names in quoted)
    )


def _without_repeats(pack: Pack, hits: Sequence[Hit], judged: Judgement) -> list[Hit]:
    """Leave out a lighter rule that is unknown for lack of the same facts as a heavier one."""
    kept: list[Hit] = []
    lacking: list[frozenset[str]] = []
    for hit in hits:
        tree = pack.rule(hit.rule.id, hit.rule.level)["when"]
        unknown = frozenset(unknown_carriers(pack.node(tree), judged.values))
        if unknown and any(unknown <= other for other in lacking):
            continue
        lacking.append(unknown)
        kept.append(hit)
    return kept


def _told(hits: Sequence[Hit]) -> list[Hit]:
    """Of several true levels of a rule the heaviest; the lightest rule only when it is alone."""
    heaviest: dict[tuple[str, bool], Hit] = {}
    for hit in hits:
        key = (hit.rule.id, hit.truth is True)
        if key not in heaviest or hit.rule.rank > heaviest[key].rule.rank:
            heaviest[key] = hit
    told = [
        hit
        for hit in heaviest.values()
        if hit.truth is True or not _outweighed(hit, heaviest.get((hit.rule.id, True)))
    ]
    weighty = [hit for hit in told if hit.rule.rank > 0] or told
    return sorted(weighty, key=lambda hit: (-hit.rule.rank, hit.truth is not True))


def _outweighed(hit: Hit, certain: Hit | None) -> bool:
    return certain is not None and certain.rule.rank >= hit.rule.rank


def _reason(
    pack: Pack,
    hit: Hit,
    judged: Judgement,
    teller: Teller,
    raises_to: str,
    *,
    certain: bool,
    extra: str = "",
) -> Reason:
    rule = hit.rule
    tree = pack.node(pack.rule(rule.id, rule.level)["when"])
    texts = pack.part_texts(rule.id)["levels"][rule.level]
    names = carriers(tree, judged.values)
    if hit.truth is True:
        sentence = teller.wording(texts["sentence"])
        quoted = tuple(name for name in names if name not in _GUARDS) or names
    else:
        quoted = unknown_carriers(tree, judged.values)
        if rule.counts == "unknown":
            sentence = teller.wording(texts["sentence"], quoted)
        else:
            worst = f": {texts['worst']}" if texts["worst"] else ""
            known = teller.not_known(quoted)
            sentence = f"{known}; counted as the worst it could be{worst}."
    sentence = f"{sentence} {extra}" if extra else sentence
    return Reason(rule.id, sentence, raises_to, certain, teller.shown(quoted), rule.id)
