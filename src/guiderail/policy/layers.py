"""Packs that extend one another, as one: which part of which pack holds, and what was changed.

An extending pack adds parts, takes the place of a part (`overrides: PACK` in a file with its id) or
drops one (`drops` in `pack.yaml`, with a reason). Two parts with one id and no `overrides` are a
mistake, never a silent replacement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from guiderail.policy.pack_files import FactFile, PackFile
from guiderail.policy.pack_reader import PackSources, Source
from guiderail.policy.problem import Problem
from guiderail.policy.vocabulary import did_you_mean

MERGED: Final = (
    "minimum_known_by", "reviewers", "targets_hours", "review_hours", "expected_wait", "roles",
    "limits",
)  # fmt: skip
"""Settings that an extending pack completes instead of replacing."""


@dataclass(slots=True)
class Layers:
    """The parts that hold, by section, in the order in which they are compiled.

    overrides: id -> pack whose part was replaced. drops: id -> why it does not hold.
    """

    settings: PackFile
    sections: dict[str, list[Source]] = field(default_factory=dict)
    overrides: dict[str, str] = field(default_factory=dict)
    drops: dict[str, str] = field(default_factory=dict)


def layered(packs: Sequence[PackSources], problems: list[Problem]) -> Layers:
    """Lay the packs over one another, the extended ones first."""
    layers = Layers(_settings(packs))
    origin: dict[str, str] = {}
    for pack in packs:
        _drop(pack, layers, origin, problems)
        for section, sources in pack.sections.items():
            kept = layers.sections.setdefault(section, [])
            for source in sources:
                _lay(source, section, pack.pack.id, kept, layers, origin, problems)
    return layers


def _settings(packs: Sequence[PackSources]) -> PackFile:
    whole = packs[-1].pack
    for extended in reversed(packs[:-1]):
        older = extended.pack
        whole = whole.model_copy(
            update={name: {**getattr(older, name), **getattr(whole, name)} for name in MERGED}
        )
    return whole


def _drop(
    pack: PackSources, layers: Layers, origin: dict[str, str], problems: list[Problem]
) -> None:
    for name, reason in pack.pack.drops.items():
        if name not in origin:
            hint = did_you_mean(name, origin) or "Only parts of an extended pack can be dropped."
            place = pack.document.place(("drops", name))
            problems.append(Problem(place, f"There is no {name} to drop.", hint))
            continue
        del origin[name]
        layers.drops[name] = reason
        layers.overrides.pop(name, None)
        for sources in layers.sections.values():
            sources[:] = [source for source in sources if source.part.id != name]


def _lay(
    source: Source,
    section: str,
    pack: str,
    kept: list[Source],
    layers: Layers,
    origin: dict[str, str],
    problems: list[Problem],
) -> None:
    part = source.part
    overrides = None if isinstance(part, FactFile) else part.overrides
    at = next((index for index, other in enumerate(kept) if other.part.id == part.id), None)
    if overrides is None:
        if part.id in origin:
            problems.append(_twin(source, origin[part.id], pack))
            return
        kept.append(source)
    elif at is None or origin.get(part.id) != overrides:
        problems.append(_nothing_to_override(source, section, overrides, layers.sections, origin))
        return
    else:
        kept[at] = source
        layers.overrides[part.id] = overrides
    origin[part.id] = pack


def _twin(source: Source, other: str, pack: str) -> Problem:
    hint = "Ids are the names of pages: give each part its own."
    if other != pack:
        hint = f"{hint} To take the place of that one write `overrides: {other}`."
    place = source.document.value_place(("id",))
    return Problem(place, f"The id {source.part.id} is used twice.", hint)


def _nothing_to_override(
    source: Source,
    section: str,
    pack: str,
    sections: Mapping[str, list[Source]],
    origin: Mapping[str, str],
) -> Problem:
    there = [other.part.id for other in sections[section] if origin.get(other.part.id) == pack]
    hint = did_you_mean(source.part.id, there)
    if source.part.id in origin:
        hint = (
            f"It stands in {origin[source.part.id]}: write `overrides: {origin[source.part.id]}`."
        )
    return Problem(
        source.document.value_place(("overrides",)),
        f"There is nothing called {source.part.id} among the {section} of {pack} to override.",
        hint or "Leave out `overrides` for a part of your own.",
    )
