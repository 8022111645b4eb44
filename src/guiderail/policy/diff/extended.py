"""The pack that an own pack extends, as it would decide alone, to show what was made lighter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from guiderail.policy.diff import Change, lightened
from guiderail.policy.pack import Pack, make_pack
from guiderail.policy.pack_builder import build
from guiderail.policy.pack_reader import PackSources, Reading

_SETTINGS: Final = ("limits", "minimum_known_by", "reviewers")


def lighter_than_extended(reading: Reading, pack: Pack) -> tuple[Change, ...]:
    """What the last pack of a reading makes lighter than those below it; empty without any.

    pack: the whole, compiled. The change that stands for a comparison that could not be made has
    `decided` False.
    """
    if len(reading.packs) < 2 or not _touches(reading.packs[-1], reading.packs[:-1]):
        return ()
    *lower, last = reading.packs[:-1]
    upper = reading.packs[-1].pack
    if not set(last.pack.kinds) & set(upper.kinds):
        # A foundation decides about nothing by itself: it is read for the kinds of the own pack.
        last = replace(last, pack=last.pack.model_copy(update={"kinds": upper.kinds}))
    built = build(Reading([*lower, last]))
    if built.problems:
        return (
            Change(last.pack.id, "settings", "changed", "other",
                   f"What is lighter than {last.pack.id} is not decided.", "", "", None, False,
                   f"{last.pack.id} cannot be compiled alone: {built.problems[0].message}"),
        )  # fmt: skip
    return lightened(make_pack(built.tree, built.texts), pack)


def _touches(upper: PackSources, below: list[PackSources]) -> bool:
    """Does a pack change anything of those below it, instead of only adding to them?"""
    if upper.pack.drops or any(
        getattr(source.part, "overrides", None) is not None
        for sources in upper.sections.values() for source in sources
    ):  # fmt: skip
        return True
    for name in _SETTINGS:
        own: Mapping[str, object] = getattr(upper.pack, name)
        for pack in below:
            lower: Mapping[str, object] = getattr(pack.pack, name)
            if any(lower[key] != own[key] for key in own.keys() & lower.keys()):
                return True
    return bool(upper.pack.minimum_known_by) and bool(below[-1].pack.kinds)
