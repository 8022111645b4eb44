"""Claims that some release must show: every rule and gate can decide, gates can pass and fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from guiderail.policy.proofs.claim import Claim, Setting, ready
from guiderail.policy.proofs.formula import Formula
from guiderail.policy.proofs.kleene import HERE, World
from guiderail.policy.proofs.verdicts import GatePart, RulePart, Verdicts
from guiderail_verify.judge import TRACKS, YELLOW, Judgement, Rulebook

Wanted = Callable[[Sequence[Judgement]], bool]


def decide_claims(setting: Setting) -> list[Claim]:
    """For each rule and gate: some release would come out lighter, or be seen by fewer people,
    without it. A rule of the lightest level must be the heaviest one that counts."""
    tiers = [_tier_rule(setting, at) for at in range(len(setting.book.tiers))]
    tracks = [_track_rule(setting, at) for at in range(len(setting.book.tracks))]
    gates = [
        claim
        for at, gate in enumerate(setting.book.gates)
        if gate.gate.enforced
        for claim in _gate(setting, at)
    ]
    return [*tiers, *tracks, *gates]


def _tier_rule(setting: Setting, at: int) -> Claim:
    f, here, part = setting.formulas, setting.here, setting.book.tiers[at]
    counts = here.tier_counts[at]
    ways = [f.opposite(here.tier_reaches(part.rule.rank or 1, without=at))]
    if part.rule.blocks:
        ways.append(f.opposite(f.any_of([here.stopped(without=at), here.failed()])))
    ways += _adds_people(setting, part, counts, at, -1)

    def confirm(judged: Sequence[Judgement]) -> bool:
        return _decides(setting, judged[0], part, tiers=True)

    return _rule_claim(setting, part, counts, ways, confirm)


def _track_rule(setting: Setting, at: int) -> Claim:
    f, here, part = setting.formulas, setting.here, setting.book.tracks[at]
    counts = here.track_counts[at]
    ways = [f.opposite(here.track_reaches(part.rule.rank or 1, without=at))]
    ways += _adds_people(setting, part, counts, -1, at)

    def confirm(judged: Sequence[Judgement]) -> bool:
        return _decides(setting, judged[0], part, tiers=False)

    return _rule_claim(setting, part, counts, ways, confirm)


def _rule_claim(
    setting: Setting, part: RulePart, counts: Formula, ways: list[Formula], confirm: Wanted
) -> Claim:
    f = setting.formulas
    example = Claim(
        about=part.name,
        formula=ready(counts),
        confirm=lambda judged: _counts(judged[0], part),
        says=f"The rule {part.name} can never decide: whenever it counts, as in this example, the "
        "release would be as heavy without it and the same people would look.",
        wanted=True,
    )
    return Claim(
        about=part.name,
        formula=ready(f.all_of([counts, f.any_of(ways)])),
        confirm=confirm,
        says=f"The rule {part.name} can never decide: there is no release for which it counts.",
        wanted=True,
        example=example,
    )


def _counts(judged: Judgement, part: RulePart) -> bool:
    return any(
        (hit.rule.id, hit.rule.level) == (part.rule.id, part.rule.level)
        for hit in (*judged.tier_hits, *judged.track_hits)
    )


def _decides(setting: Setting, judged: Judgement, part: RulePart, *, tiers: bool) -> bool:
    """Would the release come out lighter, or be seen by fewer people, without the rule?"""
    if not _counts(judged, part):
        return False
    if part.rule.rank == 0 and (judged.tier if tiers else judged.track) == 0:
        return True
    book = setting.book.rulebook
    if tiers:
        without = replace(book, tiers=tuple(r for r in book.tiers if r is not part.rule))
    else:
        without = replace(book, tracks=tuple(r for r in book.tracks if r is not part.rule))
    again = _again(without, judged)
    lighter = again.tier < judged.tier if tiers else again.track < judged.track
    unblocked = judged.blocked and not again.blocked
    fewer = set(part.part["adds_reviewers"]) - people(setting, judged, without=part)
    seen = judged.track or part.part["adds_on"] == "every-track"
    return lighter or unblocked or bool(fewer and seen)


def _again(book: Rulebook, judged: Judgement) -> Judgement:
    """The same release under a book that lacks a part; evidence as weak as it was."""
    return book.judge(judged.values, {}, weak=judged.values["evidence.weak"] is True)


def people(
    setting: Setting, judged: Judgement, *, without: RulePart | None = None, without_gate: str = ""
) -> set[str]:
    """The roles that look at a release, as `guiderail.policy.people` finds them."""
    roles = set(setting.book.reviewers.get(TRACKS[judged.track], ()))
    for part in (*setting.book.tiers, *setting.book.tracks):
        seen = judged.track or part.part["adds_on"] == "every-track"
        if part is not without and seen and _counts(judged, part):
            roles |= set(part.part["adds_reviewers"])
    owners = {gate.gate.id: str(gate.part["owner"]) for gate in setting.book.gates}
    return roles | {
        owners[gate.gate.id]
        for gate in judged.gates
        if gate.enforced and gate.verdict == "insufficient" and gate.gate.id != without_gate
    }


def _adds_people(
    setting: Setting, part: RulePart, counts: Formula, tier_at: int, track_at: int
) -> list[Formula]:
    """When a rule adds a person whom nothing else adds, for each role that it adds."""
    f = setting.formulas
    seen = _adding(setting.here, part, counts)
    return [
        f.all_of([seen, f.opposite(_needs(setting, role, tier_at, track_at, -1))])
        for role in part.part["adds_reviewers"]
    ]


def _adding(here: Verdicts, part: RulePart, counts: Formula) -> Formula:
    if part.part["adds_on"] == "every-track":
        return counts
    return here.formulas.all_of([counts, here.track_reaches(YELLOW)])


def _needs(setting: Setting, role: str, tier_at: int, track_at: int, gate_at: int) -> Formula:
    """When a role looks for another reason than the rule or gate at this place."""
    f, here, book = setting.formulas, setting.here, setting.book
    ways = [_is_track(here, rank) for rank, track in enumerate(TRACKS)
            if role in book.reviewers.get(track, ())]  # fmt: skip
    for parts, counts, left_out in (
        (book.tiers, here.tier_counts, tier_at), (book.tracks, here.track_counts, track_at)
    ):  # fmt: skip
        ways += [
            _adding(here, part, formula)
            for at, (part, formula) in enumerate(zip(parts, counts, strict=True))
            if at != left_out and role in part.part["adds_reviewers"]
        ]
    ways += [
        gate.insufficient
        for at, (part, gate) in enumerate(zip(book.gates, here.gates, strict=True))
        if at != gate_at and part.part["owner"] == role
    ]
    return f.any_of(ways)


def _is_track(here: Verdicts, rank: int) -> Formula:
    f = here.formulas
    heavier = here.track_reaches(rank + 1) if rank + 1 < len(TRACKS) else f.false
    return f.all_of([here.track_reaches(rank) if rank else f.true, f.opposite(heavier)])


def _gate(setting: Setting, at: int) -> list[Claim]:
    """The verdicts fail and insufficient of a gate each decide something."""
    f, here, part = setting.formulas, setting.here, setting.book.gates[at]
    gate, name = here.gates[at], part.gate.id
    lighter = f.opposite(here.track_reaches(YELLOW, without_gate=at))
    asks = f.opposite(_needs(setting, str(part.part["owner"]), -1, -1, at))
    claims = [
        Claim(
            about=f"{name}: insufficient",
            formula=ready(f.all_of([gate.insufficient, f.any_of([lighter, asks])])),
            confirm=lambda judged: _gate_decides(setting, judged[0], name, "insufficient"),
            says=f"The gate {name} can never matter by thin evidence: nothing is heavier for it "
            "and nobody is asked.",
            wanted=True,
        )
    ]
    if part.part["fail_when"] is not None:
        others = f.any_of([here.stopped(), here.failed(without_gate=at)])
        claims.append(
            Claim(
                about=f"{name}: fail",
                formula=ready(f.all_of([gate.failed, f.opposite(others)])),
                confirm=lambda judged: _gate_decides(setting, judged[0], name, "fail"),
                says=f"The gate {name} can never be what blocks a release.",
                wanted=True,
            )
        )
    return claims


def _gate_decides(setting: Setting, judged: Judgement, name: str, verdict: str) -> bool:
    gates = {gate.gate.id: gate for gate in judged.gates}
    if not gates[name].enforced or gates[name].verdict != verdict:
        return False
    book = setting.book.rulebook
    again = _again(replace(book, gates=tuple(g for g in book.gates if g.id != name)), judged)
    if verdict == "fail":
        return judged.blocked and not again.blocked
    owner = next(g.part["owner"] for g in setting.book.gates if g.gate.id == name)
    return again.track < judged.track or owner not in people(setting, judged, without_gate=name)


def shadow_claims(setting: Setting) -> list[Claim]:
    """For each rule: some release for which it counts, and no rule of its weight that does as much.

    Where there is none, each such rule is looked at alone: one that always counts with it is its
    shadow.
    """
    claims = []
    book, here = setting.book, setting.here
    for parts, counts in ((book.tiers, here.tier_counts), (book.tracks, here.track_counts)):
        for at, part in enumerate(parts):
            covering = [
                (other, counts[place]) for place, other in enumerate(parts)
                if place != at and _does_as_much(other, part)
            ]  # fmt: skip
            claims.append(_alone(setting, part, counts[at], covering))
    return claims


def _does_as_much(other: RulePart, part: RulePart) -> bool:
    """Does the other rule raise as far, block if this one blocks, and add the same people?"""
    return (
        other.rule.rank >= part.rule.rank > 0
        and (other.rule.blocks or not part.rule.blocks)
        and set(part.part["adds_reviewers"]) <= set(other.part["adds_reviewers"])
        and (other.part["adds_on"] == "every-track" or part.part["adds_on"] != "every-track"
             or not part.part["adds_reviewers"])
    )  # fmt: skip


def _alone(
    setting: Setting, part: RulePart, counts: Formula, covering: list[tuple[RulePart, Formula]]
) -> Claim:
    f = setting.formulas

    def without(others: list[RulePart]) -> Wanted:
        return lambda judged: (
            _counts(judged[0], part) and not any(_counts(judged[0], other) for other in others)
        )

    return Claim(
        about=part.name,
        formula=ready(f.all_of([counts, *(f.opposite(formula) for _, formula in covering)])),
        confirm=without([other for other, _ in covering]),
        says=f"The rule {part.name} is always covered by others.",
        wanted=True,
        unless=tuple(
            Claim(
                about=part.name,
                formula=ready(f.all_of([counts, f.opposite(formula)])),
                confirm=without([other]),
                says=f"The rule {part.name} is shadowed: whenever it counts, {other.name} counts "
                f"too and raises to {_raises_to(other)}.",
                wanted=True,
            )
            for other, formula in covering
        ),
    )


def _raises_to(part: RulePart) -> str:
    return str(part.part["raises_to"])


def gate_claims(setting: Setting) -> list[Claim]:
    """Each enforced gate can pass, and can fail if it has a condition for it."""
    claims = []
    for part, gate in zip(setting.book.gates, setting.here.gates, strict=True):
        verdicts = [("pass", gate.passed)]
        if part.part["fail_when"] is not None:
            verdicts.append(("fail", gate.failed))
        claims += [
            Claim(
                about=f"{part.gate.id}: {verdict}",
                formula=ready(formula),
                confirm=_has_verdict(part.gate.id, verdict),
                says=f"The gate {part.gate.id} can never {verdict}.",
                wanted=True,
            )
            for verdict, formula in verdicts
            if part.gate.enforced
        ]
    return claims


def _has_verdict(name: str, verdict: str) -> Wanted:
    return lambda judged: any(
        gate.gate.id == name and gate.enforced and gate.verdict == verdict
        for gate in judged[0].gates
    )


def exclusive_claims(setting: Setting) -> list[Claim]:
    """No release both passes and fails a gate; where a limit may be absent, also without it."""
    claims = []
    for part in setting.book.gates:
        absent = part.gate.may_be_absent
        if part.part["fail_when"] is None:
            continue
        claims.append(_exclusive(setting, part, World(unknown=absent), part.gate.id))
        if absent:
            claims.append(_exclusive(setting, part, HERE, with_own_limit(part)))
    return claims


def with_own_limit(part: GatePart) -> str:
    """How the claim about a gate is called where somebody has set the limit that may be absent."""
    return f"{part.gate.id}: with {' and '.join(sorted(part.gate.may_be_absent))}"


def _exclusive(setting: Setting, part: GatePart, world: World, about: str) -> Claim:
    f, gate, seen = setting.formulas, part.gate, setting.seen(world)
    applies, passes, fails = (
        None if part.part[key] is None else seen.condition(part.part[key])
        for key in ("applies_when", "pass_when", "fail_when")
    )
    both = [truth.yes for truth in (passes, fails) if truth is not None]
    if applies is not None:
        both.append(f.opposite(applies.no))

    def confirm(judged: Sequence[Judgement]) -> bool:
        values = judged[0].values
        return (
            gate.applies(values) is not False
            and gate.passes(values) is True
            and gate.fails(values) is True
        )

    return Claim(
        about=about,
        formula=ready(f.all_of(both)),
        confirm=confirm,
        says=f"The gate {gate.id} both passes and fails this release. Failing wins, but nobody can "
        "tell from the rule which was meant.",
    )
