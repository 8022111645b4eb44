"""A release for a difference: close to a calm one, and judged by both packs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from guiderail.policy.diff.behaviour import compared
from guiderail.policy.diff.change import Example
from guiderail.policy.diff.conditions import Found, Side, runnable
from guiderail.policy.diff.probe import Known, Probe
from guiderail.policy.diff.regions import COMPUTED, Setting, Try, spread
from guiderail.policy.pack import Pack
from guiderail.policy.weigh import Weight, direction
from guiderail_verify.evaluate import Expression, Value
from guiderail_verify.judge import KNOWN_BY, TIERS

MOST_FOUND: Final = 48
"""Settings per direction from which examples are sought."""


class Level(IntEnum):
    """What a changed part does at most, the strongest first.

    TOGETHER: a decision changes, and only because other parts changed too. REVERSED: decisions
    change the other way than the part itself. ALONE: by itself it would change decisions; what
    other parts do makes up for it. REASON: no decision changes.
    """

    DECISION = 0
    TOGETHER = 1
    PEOPLE = 2
    REVERSED = 3
    ALONE = 4
    REASON = 5


@dataclass(frozen=True, slots=True)
class Effect:
    """What a changed part does to whole decisions, at most; with an example up to REVERSED."""

    level: Level
    example: Example | None


@dataclass(slots=True)
class Seeker:
    """Seeks releases that show what one changed part does.

    mixed: the old pack with only this part as in the new one, so that what other changes do is not
        taken for its work.
    """

    probe: Probe
    mixed: Pack
    old: Side
    new: Side
    _runs: tuple[tuple[Expression, ...], tuple[Expression, ...]] = field(init=False)

    def __post_init__(self) -> None:
        old, new = (tuple(runnable(tree) for tree in side.trees) for side in (self.old, self.new))
        self._runs = (old, new)

    def strongest(self, found: Sequence[Found], wanted: str) -> Effect:
        """The example with the strongest effect and then the fewest unusual facts."""
        best: tuple[Level, int, dict[str, Try], Known] | None = None
        for one in found:
            for start in self._starts(one):
                setting, known = self._release(start, one)
                level = self._level(setting, known, wanted)
                if level is None:
                    continue
                size = len(unusual(self.probe, setting)) + len(known)
                if best is None or (level, size) < best[:2]:
                    best = (level, size, setting, known)
        if best is None or best[0] > Level.REVERSED:
            return Effect(Level.REASON if best is None else best[0], None)
        level, _, setting, known = best
        setting = self._nearer_to_calm(setting, known, wanted, level)
        return Effect(level, example_of(self.probe, setting, known))

    def _starts(self, found: Found) -> list[Setting]:
        if "tier" not in found.setting:
            return list(self.probe.starts)
        rank = TIERS.index(str(found.setting["tier"]))
        return [
            base.setting for base, _ in zip(self.probe.bases(tier=rank), range(3), strict=False)
        ]

    def _release(self, start: Setting, found: Found) -> tuple[dict[str, Try], Known]:
        given = {k: v for k, v in found.setting.items() if k not in COMPUTED}
        setting = {**start, **given}
        if found.setting.get("evidence.weak") is not True:
            return setting, {}
        judged = self.probe.judge(self.probe.old, setting)
        rank = min(judged.tier, len(TIERS) - 2)
        minimum = self.probe.book(self.probe.old).minimum[rank]
        name = next((name for name, least in minimum if least > 0), None)
        return setting, {} if name is None else {name: 0}

    def _level(self, setting: Setting, known: Known, wanted: str) -> Level | None:
        """How strong the effect is here; None where the part itself makes no such difference."""
        probe = self.probe
        if self._part_direction(setting, known) != wanted:
            return None
        old, new = probe.weights(setting, known)
        alone = probe.weigh(self.mixed, setting, known)
        whole, single = direction(old, new), direction(old, alone)
        if whole == wanted:
            if old.core == new.core:
                return Level.PEOPLE
            return Level.DECISION if single == wanted else Level.TOGETHER
        if single == wanted and not whole:
            return Level.ALONE
        return Level.REVERSED if whole and single == whole else Level.REASON

    def _part_direction(self, setting: Setting, known: Known) -> str:
        judged = self.probe.judge(self.probe.old, setting, known)
        values: dict[str, Value] = {}
        for name, value in setting.items():
            values.update(spread(name, value))
        values.update({name: judged.values[name] for name in ("tier", "evidence.weak")})
        old, new = ([run(values) for run in runs] for runs in self._runs)
        before, after = self.old.label(old), self.new.label(new)
        return "" if before == after else compared(before, after)

    def _nearer_to_calm(
        self, setting: Setting, known: Known, wanted: str, level: Level
    ) -> dict[str, Try]:
        """Put back every fact that the effect does not need."""
        nearer = dict(setting)
        for name in unusual(self.probe, setting):
            tried = {**nearer, name: self.probe.calm[name]}
            if self._level(tried, known, wanted) == level:
                nearer = tried
        return nearer


def unusual(probe: Probe, setting: Setting) -> tuple[str, ...]:
    """The facts that are not as in the calm release."""
    return tuple(name for name in sorted(setting) if setting[name] != probe.calm[name])


def example_of(probe: Probe, setting: Setting, known: Known) -> Example:
    """The example as both packs judge it from facts, the way any release is judged."""
    old, new = probe.verified(setting, known)
    return Example(
        kind=probe.kind,
        day=probe.day,
        facts=dict(setting),
        differs=tuple(dict.fromkeys((*unusual(probe, setting), *sorted(known)))),
        known_by={name: KNOWN_BY[rank] for name, rank in sorted(known.items())},
        old=old,
        new=new,
    )


def first_release(
    probe: Probe,
    releases: Sequence[tuple[Setting, Known]],
    wanted: Callable[[Weight, Weight], bool],
) -> Example | None:
    """The first of some releases about which the packs differ as wanted."""
    for setting, known in releases:
        if wanted(*probe.weights(setting, known)):
            return example_of(probe, setting, known)
    return None
