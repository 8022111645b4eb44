"""Settings of `pack.yaml`, types of own facts, and words: what differs beside rules and gates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from guiderail.policy.diff.change import Change, Direction, Example
from guiderail.policy.diff.examples import first_release
from guiderail.policy.diff.parts import SECTIONS, Packs, parts_of
from guiderail.policy.diff.probe import Known
from guiderail.policy.diff.regions import Setting
from guiderail.policy.diff.telling import example_sentence, listed
from guiderail.policy.words import capitalised, joined
from guiderail_verify.judge import KNOWN_BY, TRACKS

_PLAIN: Final = {
    "effective_from": "The pack is in force from another day.",
    "kinds": "The pack decides about other kinds of workloads.",
    "owner": "Another role owns the pack.",
}
_TARGET: Final = "A target says how long a decision may take; no decision changes."
_NO_RELEASE: Final = "No release was found that shows it."


def setting_changes(packs: Packs) -> Iterator[Change]:
    """Differences in the settings that decide, and in those that do not."""
    old, new = packs.old.tree, packs.new.tree
    for key, sentence in _PLAIN.items():
        if old[key] != new[key]:
            yield Change(key, "settings", "changed", "other", sentence, listed(old[key]),
                         listed(new[key]), None, True, "It changes no condition.")  # fmt: skip
    yield from _minimum(packs, old["minimum_known_by"], new["minimum_known_by"])
    yield from _reviewers(packs, old["reviewers"], new["reviewers"])
    for track in TRACKS:
        before, after = (tree["targets_hours"].get(track) for tree in (old, new))
        if before != after:
            yield Change(f"targets_hours.{track}", "settings", "changed", "none",
                         f"The target for {track} is {listed(after)} working hours instead of "
                         f"{listed(before)}.", listed(before), listed(after), None, True,
                         _TARGET)  # fmt: skip


def _minimum(packs: Packs, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    for prefix in sorted(old.keys() | new.keys()):
        before, after = old.get(prefix), new.get(prefix)
        if before == after:
            continue
        # What is not named falls back to a shorter prefix, or to a declaration.
        ranks = [_least(prefix, each) for each in (old, new)]
        if ranks[0] == ranks[1]:
            yield Change(prefix, "settings", "changed", "none",
                         f"minimum_known_by names {prefix} differently; what it asks for is the "
                         "same.", before or "not named", after or "not named")  # fmt: skip
            continue
        direction: Direction = "heavier" if ranks[1] > ranks[0] else "lighter"
        example = _weaker(packs, prefix, min(ranks))
        sentence = (
            f"Facts about {prefix} must be known at least as {KNOWN_BY[ranks[1]]} instead of "
            f"{KNOWN_BY[ranks[0]]}."
        )
        yield _with_example(packs, f"minimum_known_by.{prefix}", direction, sentence,
                            (before or "not named", after or "not named"), example)  # fmt: skip


def _least(prefix: str, wanted: Mapping[str, str]) -> int:
    names = [name for name in wanted if prefix == name or prefix.startswith(f"{name}.")]
    return KNOWN_BY.index(wanted[max(names, key=len)]) if names else 0


def _weaker(packs: Packs, prefix: str, rank: int) -> Example | None:
    """A release in which one fact is known just well enough for one of the packs."""
    for kind in packs.kinds:
        probe = packs.probe(kind, packs.start)
        names = [name for name in sorted(probe.types)
                 if name == prefix or name.startswith(f"{prefix}.")]  # fmt: skip
        releases: list[tuple[Setting, Known]] = [
            (setting, {name: rank}) for setting in probe.starts for name in names
        ]
        example = first_release(probe, releases, lambda old, new: old.core != new.core)
        if example is not None:
            return example
    return None


def _reviewers(
    packs: Packs, old: Mapping[str, list[str]], new: Mapping[str, list[str]]
) -> Iterator[Change]:
    for track in TRACKS:
        before, after = old.get(track, []), new.get(track, [])
        if before == after:
            continue
        gained, lost = set(after) - set(before), set(before) - set(after)
        if not gained and not lost:
            yield Change(f"reviewers.{track}", "settings", "changed", "none",
                         f"The reviewers of {track} stand in another order.", listed(before),
                         listed(after))  # fmt: skip
            continue
        direction: Direction = "other" if gained and lost else "heavier" if gained else "lighter"
        sentence = (
            f"{capitalised(track)} is reviewed by {listed(after)} instead of {listed(before)}."
        )
        example = _of_track(packs, TRACKS.index(track))
        yield _with_example(packs, f"reviewers.{track}", direction, sentence,
                            (listed(before), listed(after)), example)  # fmt: skip


def _of_track(packs: Packs, track: int) -> Example | None:
    for kind in packs.kinds:
        probe = packs.probe(kind, packs.start)
        releases: list[tuple[Setting, Known]] = [
            (base.setting, {}) for base in probe.bases(track=track)
        ]
        example = first_release(probe, releases, lambda old, new: set(old.roles) != set(new.roles))
        if example is not None:
            return example
    return None


def _with_example(
    packs: Packs,
    part: str,
    direction: Direction,
    sentence: str,
    texts: tuple[str, str],
    example: Example | None,
) -> Change:
    if example is None:
        return Change(part, "settings", "changed", direction, sentence, *texts, None, True,
                      _NO_RELEASE)  # fmt: skip
    told = f"{sentence} {example_sentence((packs.new, packs.old), example)}"
    return Change(part, "settings", "changed", direction, told, *texts, example)


def fact_changes(packs: Packs) -> Iterator[Change]:
    """Facts of both packs whose type, values or direction differ."""
    old, new = packs.old.tree["facts"], packs.new.tree["facts"]
    for name in sorted(old.keys() & new.keys()):
        if old[name] == new[name]:
            continue
        keys = [key for key in old[name] if old[name][key] != new[name][key]]
        decides = {"type", "values"} & set(keys)
        reason = (
            "The same recorded value may be read differently; that is not compared."
            if decides else "It changes no condition."
        )  # fmt: skip
        yield Change(name, "facts", "changed", "other",
                     f"The fact {name} has another {joined(keys)}.",
                     listed({key: old[name][key] for key in keys}),
                     listed({key: new[name][key] for key in keys}), None, not decides,
                     reason)  # fmt: skip


def wording_changes(packs: Packs) -> Iterator[Change]:
    """Parts that decide alike and are put into other words; empty for packs without texts."""
    old, new = packs.old.texts, packs.new.texts
    if not old.get("parts") or not new.get("parts"):
        return
    for section in SECTIONS:
        before, after = (parts_of(pack.tree, section) for pack in (packs.old, packs.new))
        for part in before:
            same = before[part] == after.get(part)
            if same and old["parts"].get(part) != new["parts"].get(part):
                keys = _differing(old["parts"][part], new["parts"][part])
                yield _wording(part, section, f"{part} has other words in {joined(keys)}.")
    for section in ("controls", "facts"):
        for name in sorted(old[section].keys() | new[section].keys()):
            before_text, after_text = old[section].get(name), new[section].get(name)
            if before_text != after_text:
                state = "is new" if before_text is None else "is gone"
                if before_text is not None and after_text is not None:
                    state = "has other words"
                yield _wording(name, section, f"{name} {state}.")
    for key in ("title", "roles", "expected_wait", "review_hours"):
        if old.get(key) != new.get(key):
            yield _wording(key, "settings", f"{capitalised(key.replace('_', ' '))} changed.",
                           listed(old.get(key)), listed(new.get(key)))  # fmt: skip


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return [key for key in {**old, **new} if old.get(key) != new.get(key)]


def _wording(part: str, section: str, sentence: str, old: str = "", new: str = "") -> Change:
    return Change(part, section, "wording", "none", f"{sentence} Wording only.", old, new)
