"""Rules, gates, advice and questions of two packs, part by part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from guiderail.policy.diff.behaviour import Part, compared, side
from guiderail.policy.diff.change import Change, Direction, Example, Kind
from guiderail.policy.diff.conditions import Found, Search
from guiderail.policy.diff.examples import MOST_FOUND, Effect, Level, Seeker
from guiderail.policy.diff.probe import Probe
from guiderail.policy.diff.regions import TooManyError
from guiderail.policy.diff.telling import (
    described,
    differences,
    example_sentence,
    in_short,
    part_name,
)
from guiderail.policy.pack import Pack, make_pack
from guiderail.policy.weigh import direction as weighed
from guiderail.policy.words import capitalised, joined
from guiderail_verify.judge import KNOWN_BY

SECTIONS: Final = ("tiers", "tracks", "gates", "advice", "questions")
_DIRECTIONS: Final[tuple[Direction, ...]] = ("lighter", "heavier", "other")
_MORE: Final = {
    ("tiers", "lighter"): "asks for less than before, or in fewer releases",
    ("tiers", "heavier"): "asks for more than before, or in more releases",
    ("gates", "lighter"): "holds up fewer releases",
    ("gates", "heavier"): "holds up more releases",
}
_REASONS: Final = {
    Level.TOGETHER: "It takes the other changes too: by itself it changes no such decision.",
    Level.PEOPLE: "Tier, track and outcome stay as they are in every release that was tried; who "
    "looks, or what a gate says, changes.",
    Level.REVERSED: "The part itself moves the other way.",
    Level.ALONE: "By itself it would change decisions; the other changes make up for it in every "
    "release that was tried.",
    Level.REASON: "No release was found whose tier, track, outcome, reviewers or gates change: "
    "something else asks for as much wherever it counts. It changes the reasons that are shown.",
}


@dataclass(slots=True)
class Compared:
    """What is known about one changed part: settings by direction, and what was not decided."""

    found: dict[str, list[tuple[Seeker, list[Found]]]] = field(default_factory=dict)
    undecided: str = ""


@dataclass(slots=True)
class Packs:
    """The two packs with a probe per kind and day. start: the first day on which both decide."""

    old: Pack
    new: Pack
    kinds: tuple[str, ...]
    start: str
    _probes: dict[tuple[str, str], Probe] = field(default_factory=dict)

    def probe(self, kind: str, day: str) -> Probe:
        key = (kind, day)
        if key not in self._probes:
            self._probes[key] = Probe(self.old, self.new, kind, day)
        return self._probes[key]


def parts_of(tree: Mapping[str, Any], section: str) -> dict[str, list[Mapping[str, Any]]]:
    """The entries of a section by id, all levels of a rule together."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for entry in tree[section]:
        found.setdefault(entry["id"], []).append(entry)
    return found


def part_changes(packs: Packs, only: Sequence[Direction] = _DIRECTIONS) -> Iterator[Change]:
    """Every part that decides differently, or is written differently, in the two packs.

    only: directions to look for; what cannot be decided is always reported.
    """
    for section in SECTIONS:
        old, new = parts_of(packs.old.tree, section), parts_of(packs.new.tree, section)
        for part in dict.fromkeys((*old, *new)):
            before, after = old.get(part, []), new.get(part, [])
            if before != after and (before or "heavier" in only):
                yield from _changes(packs, section, part, before, after)


def _changes(packs: Packs, section: str, part: str, old: Part, new: Part) -> Iterator[Change]:
    result = _compare(packs, section, part, old, new)
    kind: Kind = "added" if not old else "removed" if not new else "changed"
    before, after = (
        differences(section, old, new) if kind == "changed"
        else (described(section, old), described(section, new))
    )  # fmt: skip
    beside = list(_beside(section, part, old, new)) if kind == "changed" else []
    for direction in _DIRECTIONS:
        if direction in result.found:
            yield _found_change(packs, section, part, kind, direction, result, (before, after),
                                in_short(section, old, new) if old and new else "")  # fmt: skip
    if result.undecided and not result.found:
        yield Change(part, section, kind, "other",
                     f"{capitalised(part_name(section, part))} changed; what that does is not "
                     "decided.", before, after, None, False, result.undecided)  # fmt: skip
    elif not result.found and not beside:
        yield Change(part, section, kind, "none",
                     f"{capitalised(part_name(section, part))} {_written(kind)}; no decision "
                     "changes.", before, after)  # fmt: skip
    yield from beside


def _written(kind: Kind) -> str:
    return {
        "added": "is new and never counts",
        "removed": "is gone and never counted",
    }.get(kind, "is written differently")


def _compare(packs: Packs, section: str, part: str, old: Part, new: Part) -> Compared:
    result = Compared()
    for kind in packs.kinds:
        for day in _days(packs.start, (*old, *new)):
            before, after = side(section, old, kind, day), side(section, new, kind, day)
            if before.label_key is None and after.label_key is None:
                continue
            probe = packs.probe(kind, day)
            search = Search(before, after, probe.types, probe.calm)
            found: dict[str, list[Found]] = {}
            one_sided = before.label_key is None or after.label_key is None
            try:
                for one in search.run():
                    rows = found.setdefault(compared(one.old, one.new), [])
                    if len(rows) < MOST_FOUND:
                        rows.append(one)
                    elif one_sided:
                        break
            except TooManyError as error:
                result.undecided = f"{capitalised(str(error))}."
            if search.exhausted:
                result.undecided = "There are more combinations of facts than could be tried."
            if found:
                mixed = _mixed(packs, section, part, new)
                seeker = Seeker(probe, mixed, before, after)
                for direction, rows in found.items():
                    result.found.setdefault(direction, []).append((seeker, rows))
    return result


def _days(start: str, entries: Part) -> list[str]:
    """The start and every later day on which an entry begins or ends to count."""
    days = {day for entry in entries for day in (entry["since"], entry["until"]) if day}
    return [start, *sorted(day for day in days if day > start)]


def _mixed(packs: Packs, section: str, part: str, new: Part) -> Pack:
    """The old pack with one part as it is in the new one."""
    kept: list[Mapping[str, Any]] = []
    placed = False
    for entry in packs.old.tree[section]:
        if entry["id"] != part:
            kept.append(entry)
        elif not placed:
            kept.extend(new)
            placed = True
    if not placed:
        kept.extend(new)
    facts = {**packs.new.tree["facts"], **packs.old.tree["facts"]}
    return make_pack({**packs.old.tree, section: kept, "facts": facts}, {"facts": {}})


def _found_change(
    packs: Packs,
    section: str,
    part: str,
    kind: Kind,
    direction: Direction,
    result: Compared,
    texts: tuple[str, str],
    short: str,
) -> Change:
    effect = _strongest(result, direction) if section in SECTIONS[:3] else None
    sentence = _lead(section, part, kind, direction, short)
    reason = _beside_rules(section) if effect is None else _REASONS.get(effect.level, "")
    if result.undecided:
        reason = (
            f"{reason} Whether it also changes in other ways is not decided. {result.undecided}"
        )
    example = effect.example if effect is not None else None
    if example is not None:
        sentence = f"{sentence} {example_sentence((packs.new, packs.old), example)}"
        direction = _of_whole(example, direction)
    return Change(part, section, kind, direction, sentence, *texts, example,
                  not result.undecided, reason.strip())  # fmt: skip


def _of_whole(example: Example, direction: Direction) -> Direction:
    whole = weighed(example.old, example.new)
    return next((one for one in _DIRECTIONS if one == whole), direction)


def _strongest(result: Compared, direction: str) -> Effect:
    return min(
        (seeker.strongest(rows, direction) for seeker, rows in result.found[direction]),
        key=lambda effect: effect.level,
    )


def _beside_rules(section: str) -> str:
    if section == "advice":
        return "Advice changes no decision; it is shown in other cases."
    return "A question changes no rule; what nobody is asked stays unknown unless it is declared."


def _lead(section: str, part: str, kind: Kind, direction: str, short: str) -> str:
    name = capitalised(part_name(section, part))
    if kind == "added":
        return f"{name} is new."
    if kind == "removed":
        return f"{name} is gone."
    group = "gates" if section == "gates" else "tiers"
    what = _MORE.get((group, direction), "asks for something else than before")
    if section in ("advice", "questions"):
        what = "is shown in other cases than before"
    return f"{name} {what}: {short}." if short else f"{name} {what}."


def _beside(section: str, part: str, old: Part, new: Part) -> Iterator[Change]:
    """Settings of a part that no condition shows: who may waive, and what could lighten."""
    if section == "gates":
        yield from _waivers(part, old[0]["waivable_by"], new[0]["waivable_by"])
        yield from _evidence_asked(part, *(one[0].get("minimum_known_by") for one in (old, new)))
    if section in ("tiers", "tracks") and old[0]["by"] != new[0]["by"]:
        yield Change(part, section, "changed", "none",
                     f"{capitalised(part_name(section, part))} says something else about what "
                     "could lighten it; no decision changes.", f"by {old[0]['by']}",
                     f"by {new[0]['by']}")  # fmt: skip


def _evidence_asked(part: str, old: str | None, new: str | None) -> Iterator[Change]:
    """How well the facts that the gate reads must be known for green."""
    before, after = old or KNOWN_BY[0], new or KNOWN_BY[0]
    if old == new:
        return
    ranks = KNOWN_BY.index(before), KNOWN_BY.index(after)
    direction: Direction = "heavier" if ranks[1] > ranks[0] else "lighter"
    yield Change(part, "gates", "changed", direction if ranks[0] != ranks[1] else "none",
                 f"{capitalised(part_name('gates', part))}: green rests on its facts where they "
                 f"are at least {after}, before {before}.", f"its facts at least {before}",
                 f"its facts at least {after}", None, True,
                 "What pack.yaml asks for by the names of the facts holds besides.")  # fmt: skip


def _waivers(part: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    more, fewer = sorted(set(new) - set(old)), sorted(set(old) - set(new))
    if not more and not fewer:
        return
    direction: Direction = "other" if more and fewer else "lighter" if more else "heavier"
    said = [f"{joined(more)} may now waive it"] if more else []
    said += [f"{joined(fewer)} may not waive it any more"] if fewer else []
    yield Change(part, "gates", "changed", direction,
                 f"{capitalised(part_name('gates', part))}: {joined(said)}.",
                 f"waivable by {', '.join(old) or 'nobody'}",
                 f"waivable by {', '.join(new) or 'nobody'}", None, True,
                 "A waiver satisfies a gate for a time and changes no tier, track or verdict by "
                 "itself.")  # fmt: skip
