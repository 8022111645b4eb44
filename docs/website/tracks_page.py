"""The page "Learn the tracks": what a track is, then releases and what is decided about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from guiderail.core.messages import Reason
from guiderail.core.scales import Outcome, Tier, Track, Verdict
from guiderail.policy.decision import Decision
from guiderail.policy.words import capitalised, joined, phrase, value_words
from guiderail.render.words import OUTCOME_SENTENCE, TRACK_SENTENCE
from website.markdown import badge, code, link, table, text
from website.part_page import KINDS, Work
from website.shelf import Shelf
from website.worked import Worked, deciding_day

PATH: Final = "tracks.md"

_OPENING: Final = """\
# Learn the tracks

Everybody goes through the same door, and not everybody through the same lane. The **track** says
how much human attention one release gets. You never choose it: it is computed from facts about what
is changing and what the release is used for. Measuring what is unknown can make it lighter; what
you declare can only make it heavier.

## The three tracks
"""

_HOW: Final = """\
## How the track is found

1. **Facts.** The platform reads the release and compares it with what is in production. What it
   cannot find out is *unknown*, and unknown counts as the worst it could be.
2. **Tier.** The [tier rules](tier-rules/index.md) say how risky the use is: low, medium or high.
3. **Track.** Each [track rule](track-rules/index.md) looks at one change and can only make the
   track heavier. The heaviest rule that is true or unknown decides, so ten good signs never
   outweigh one bad one.
4. **Gates.** The [gates](gates/index.md) ask for evidence. A gate that fails blocks until it is
   fixed, on every track. A gate with too little evidence makes the track at least yellow.

The same facts, rules and day give the same decision, on every machine, years later.
"""

_EXAMPLES: Final = """\
Nothing below was typed by hand but the facts and the stories. The tier, the track and every reason
come from the same evaluator that decides about real releases{day}.
"""


def works_by_part(examples: Sequence[Worked]) -> dict[str, list[Work]]:
    """For each rule and gate, the examples in which it is a reason or does not pass."""
    found: dict[str, list[Work]] = {}
    for example in examples:
        told = example.decision
        ids = [reason.rule for reason in (*told.tier_reasons, *told.track_reasons)]
        open_ = (Verdict.FAIL, Verdict.INSUFFICIENT)
        ids += [gate.id for gate in told.gates if gate.enforced and gate.verdict in open_]
        for name in dict.fromkeys(ids):
            found.setdefault(name, []).append(Work(example.title, example.id, example.pack.id))
    return found


def tracks_page(shelf: Shelf, examples: Sequence[Worked]) -> str:
    lines = [_OPENING, *_tracks(shelf), _HOW, *_summary(examples)]
    for example in examples:
        lines += _example(example, shelf)
    return "\n".join(lines) + "\n"


def _tracks(shelf: Shelf) -> Iterator[str]:
    """Who looks and how long it takes, of every pack; once where all packs say the same."""
    tables: dict[tuple[str, ...], list[str]] = {}
    for pack in shelf.packs:
        rows = tuple(
            f"| {badge(track.value, track.value)} "
            f"| {_reviewers(pack.tree['reviewers'], track, shelf)} "
            f"| {text(pack.texts['expected_wait'].get(track.value, ''))} |"
            for track in Track
        )
        tables.setdefault(rows, []).extend(pack.kinds)
    for rows, kinds in tables.items():
        if len(tables) > 1:
            yield f"For {joined([KINDS.get(kind, kind) for kind in kinds])}:"
        yield from (
            "",
            "| track | who looks | how long it takes |",
            "| --- | --- | --- |",
            *rows,
            "",
        )
    yield "Rules and gates add reviewers where their subject needs one, for example compliance for"
    yield "a regulated use."
    yield ""


def _reviewers(reviewers: Mapping[str, Sequence[str]], track: Track, shelf: Shelf) -> str:
    return text(joined([shelf.role(role) for role in reviewers.get(track.value, ())]) or "nobody")


def _summary(examples: Sequence[Worked]) -> Iterator[str]:
    if not examples:
        return
    kinds = list(dict.fromkeys(example.kind for example in examples))
    days = sorted({deciding_day(example.pack).date().isoformat() for example in examples})
    told = f", with the rules in force on {joined(days)}"
    yield from (f"## {len(examples)} worked examples", "", _EXAMPLES.format(day=told))
    for kind in kinds:
        if len(kinds) > 1:
            yield f"**{capitalised(KINDS.get(kind, kind))}**"
        yield from table(
            ("release", "tier", "track", "and"),
            (
                (
                    f"[{text(one.title)}](#{one.id})",
                    one.decision.tier.value,
                    badge(one.decision.track.value, one.decision.track.value),
                    _outcome(one.decision),
                )
                for one in examples
                if one.kind == kind
            ),
        )


_OUTCOMES: Final = {
    Outcome.GO: "starts by itself",
    Outcome.NEEDS_REVIEW: "people look",
    Outcome.BLOCKED: "blocked",
    Outcome.NOT_MEASURABLE: "nothing can be said",
}


def _outcome(decision: Decision) -> str:
    words = _OUTCOMES[decision.outcome]
    return badge(words, "fail") if decision.outcome is Outcome.BLOCKED else words


def _example(example: Worked, shelf: Shelf) -> Iterator[str]:
    told = example.decision
    yield from ("", f"### {text(example.title)} {{ #{example.id} }}", "", text(example.story), "")
    if example.against:
        yield f"Different from *{text(example.against)}*:"
        yield from table(("what it is", "value", "fact"), _facts(example, example.differing, shelf))
    else:
        yield from ("", f'??? note "All {len(example.facts)} facts"', "")
        rows = _facts(example, tuple(example.facts), shelf)
        yield from ("    " + line for line in table(("what it is", "value", "fact"), rows))
    yield from (f'<div class="decision decision-{told.track.value}" markdown>', "")
    yield from (f"**{_verdict(told)}**", "")
    yield from _reasons(example, shelf)
    yield from _gates(example, shelf)
    yield from _lighter(told)
    yield from _who(told, shelf)
    yield from ("</div>", "")
    file = f"{example.id}.json"
    day = deciding_day(example.pack).date().isoformat()
    yield f"Try it: save [the facts](worked-examples/{file}) as `{file}` and run"
    yield from ("", "```text")
    yield f"guiderail policy eval {example.pack.id} --kind {example.kind} --facts {file} --at {day}"
    yield "```"
    yield ""


def _verdict(told: Decision) -> str:
    if told.outcome is Outcome.BLOCKED:
        return f"{capitalised(told.track.value)}, but blocked. {OUTCOME_SENTENCE[told.outcome]}"
    ending = "Every gate passed." if told.outcome is Outcome.GO else OUTCOME_SENTENCE[told.outcome]
    return f"{TRACK_SENTENCE[told.track]} {ending}"


def _facts(example: Worked, names: Sequence[str], shelf: Shelf) -> Iterator[tuple[str, str, str]]:
    for name in names:
        kind = example.pack.vocabulary.named(name)
        found = shelf.find(name, (example.pack.id,))
        if kind is None or found is None:
            continue
        fact = example.facts[name]
        words = value_words(kind, fact.value, "", example.pack.limits(name))
        yield (
            text(phrase(kind)),
            "not known" if fact.is_unknown else f"**{text(words)}**",
            link(code(name), found.path, PATH),
        )


def _reasons(example: Worked, shelf: Shelf) -> Iterator[str]:
    told = example.decision
    setting = [reason for reason in told.tier_reasons if reason.raises_to == told.tier.value]
    yield from (f"**Tier {told.tier.value}**: how risky the use is", "")
    yield from _sentences(setting, example, shelf)
    if told.tier is Tier.PROHIBITED:
        return
    yield from ("", f"**Track {told.track.value}**: how much attention this release gets", "")
    yield from _sentences(told.track_reasons, example, shelf)
    if not told.track_reasons:
        yield "- No rule asks for a review."
    if told.best_case.rank < told.track.rank:
        yield f"- At best {told.best_case.value}, once what is not known is measured or answered."
    yield ""


def _sentences(reasons: Sequence[Reason], example: Worked, shelf: Shelf) -> Iterator[str]:
    for reason in reasons:
        weight = reason.raises_to if reason.certain else f"perhaps {reason.raises_to}"
        sign = badge(weight, reason.raises_to)
        yield f"- {sign} {text(reason.sentence)} {_name(reason.rule, example, shelf)}"


def _name(part: str, example: Worked, shelf: Shelf) -> str:
    found = shelf.find(part, (example.pack.id,))
    return code(part) if found is None else link(code(part), found.path, PATH)


def _gates(example: Worked, shelf: Shelf) -> Iterator[str]:
    told = example.decision
    asked = [gate for gate in told.gates if gate.enforced and gate.verdict != "not_applicable"]
    passed = [gate for gate in asked if gate.verdict is Verdict.PASS]
    yield from (f"**Gates**: {len(passed)} of {len(asked)} that apply have passed", "")
    for gate in asked:
        if gate.verdict is not Verdict.PASS:
            sign = badge(gate.verdict.value, gate.verdict.value)
            yield f"- {sign} {text(gate.sentence)} {_name(gate.id, example, shelf)}"
    yield ""


def _lighter(told: Decision) -> Iterator[str]:
    if told.track is Track.GREEN:
        return
    yield from ("**What would make it lighter**", "")
    if not told.lighter:
        yield "- Nothing that can be changed about this release: the reasons above stay."
    for way in told.lighter:
        how = "with new evidence" if way.by == "evidence" else "with a different design"
        yield f"- {capitalised(way.to.value)}, {how}:"
        yield from (f"    - {text(action)}" for action in way.actions)
    yield ""


def _who(told: Decision, shelf: Shelf) -> Iterator[str]:
    roles = joined([shelf.role(need.role) for need in told.reviewers])
    who = f"{roles}; {told.expected_wait}" if roles else capitalised(told.expected_wait)
    yield f"**Who and when**: {text(who)}."
    yield ""
