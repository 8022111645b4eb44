"""Which pages there are: every part of every shipped pack and every fact, each with its place.

A part that several packs share has one page. Two packs that use one id for different parts get a
page each, and links inside a pack lead to the pack's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from guiderail.policy.pack import COMPILED_FILE, SHIPPED, Pack, load_pack
from guiderail.policy.pages import Page, page, page_ids

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of page. kind: as in `Page`. folder: where its pages are."""

    kind: str
    folder: str
    title: str
    about: str


SECTIONS: Final = (
    Section("gate", "gates", "Gates",
            "A gate is one control. It passes, fails, or has insufficient evidence, which never "
            "counts as passed. A gate that fails blocks until it is fixed or waived, on every "
            "track."),
    Section("track rule", "track-rules", "Track rules",
            "Track rules say how much attention a release gets. Each looks at one thing that "
            "changed and can only make the track heavier."),
    Section("tier rule", "tier-rules", "Tier rules",
            "Tier rules say how risky the use is. The heaviest rule that is true decides; what is "
            "not known counts as the worst it could be."),
    Section("advice", "advice", "Advice",
            "Advice shows early what a reviewer will ask. It never blocks and never asks for a "
            "person."),
    Section("question", "questions", "Questions",
            "The interview asks only what no file can tell, and only when the answer could change "
            "something."),
    Section("control", "controls", "Controls",
            "Controls are what laws, supervisors and standards ask for, in our own words. Each "
            "names the gates and rules that are evidence for it, and the clauses that it comes "
            "from. "
            "Evidence for a clause is not a promise that the clause is met."),
    Section("fact", "facts", "Facts",
            "A fact is one value about a release, with its source, or unknown with a reason. Rules "
            "and gates ask about nothing else."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """A page and where it is. packs: ids of the packs that share it, in which the links lead."""

    page: Page
    section: Section
    path: str
    packs: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Every pack that decides, and every page."""

    packs: tuple[Pack, ...]
    entries: tuple[Entry, ...]

    def of(self, section: Section) -> list[Entry]:
        return [entry for entry in self.entries if entry.section == section]

    def sections(self) -> list[Section]:
        """The sections that have pages."""
        return [section for section in SECTIONS if self.of(section)]

    def find(self, page_id: str, packs: Sequence[str]) -> Entry | None:
        """The page with this id as the given packs mean it; None where there is none."""
        named = [entry for entry in self.entries if entry.page.id == page_id]
        near = [entry for entry in named if set(entry.packs) & set(packs)]
        return next(iter(near or named), None)

    def role(self, name: str) -> str:
        """The title of a role, from the first pack that has one."""
        titles = (pack.texts["roles"].get(name) for pack in self.packs)
        return next((str(title) for title in titles if title), name.replace("-", " "))


def shipped_packs() -> tuple[Pack, ...]:
    """Every shipped pack. Those that decide about a kind come first."""
    names = sorted(file.parent.name for file in SHIPPED.glob(f"*/{COMPILED_FILE}"))
    return tuple(sorted((load_pack(name) for name in names), key=lambda pack: not pack.kinds))


def stock(packs: Sequence[Pack]) -> Shelf:
    """Read the pages of all packs, those that decide first; pages that say the same are one.

    What a pack that decides about no kind says differently from every other holds nowhere: no page.
    """
    shelf: dict[tuple[str, Page], Entry] = {}
    seen: set[str] = set()
    for pack in packs:
        for page_id in page_ids(pack):
            if page_id in pack.texts["controls"]:
                continue
            one = page(page_id, pack)
            key = (one.kind, _meaning(one))
            known = shelf.get(key)
            if known is None and page_id in seen and not pack.kinds:
                continue
            seen.add(page_id)
            section = next(section for section in SECTIONS if section.kind == one.kind)
            shelf[key] = (
                Entry(one, section, "", (pack.id,))
                if known is None
                else replace(
                    known, page=_joined(known.page, one, pack), packs=(*known.packs, pack.id)
                )
            )
    deciding = tuple(pack for pack in packs if pack.kinds)
    return Shelf(deciding, tuple(_placed([*shelf.values(), *_controls(packs)])))


def _controls(packs: Sequence[Pack]) -> Iterator[Entry]:
    """Controls name the gates and rules of every pack, so they are read from all at once."""
    texts = {
        name: {key: told for pack in packs for key, told in pack.texts[name].items()}
        for name in ("parts", "controls")
    }
    whole = replace(packs[0], texts={**packs[0].texts, **texts})
    section = next(section for section in SECTIONS if section.kind == "control")
    for name, told in sorted(texts["controls"].items()):
        tier = told["from_tier"]
        how = "on every tier" if tier == "low" else f"from tier {tier} on"
        one = replace(page(name, whole), asked_of=tuple((kind, how) for kind in told["kinds"]))
        yield Entry(one, section, "", tuple(pack.id for pack in packs))


def _meaning(one: Page) -> Page:
    """What has to be equal for two packs to share a page: everything but who else refers to it."""
    if one.kind == "fact":
        return replace(one, why="", tools=(), used_by=(), questions=(), asked_of=())
    return replace(one, used_by=(), questions=(), asked_of=(), examples=())


def _joined(first: Page, second: Page, pack: Pack) -> Page:
    """One page for two packs. The text about who refers to it is of the pack that has most.

    A pack that decides about no kind adds none for which the page would hold.
    """
    fuller = second if len(second.used_by) > len(first.used_by) else first
    return replace(
        fuller,
        used_by=_union(first.used_by, second.used_by),
        questions=_union(first.questions, second.questions),
        asked_of=_union(first.asked_of, second.asked_of if pack.kinds else ()),
        examples=first.examples or second.examples,
    )


def _union(first: Iterable[T], second: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _placed(entries: list[Entry]) -> Iterator[Entry]:
    """Pages with their paths. Of those with one id, only the most shared is named by the id alone.

    The others carry the pack in their name, so that a new pack moves no page of an older one.
    """
    uses = Counter((entry.section.folder, entry.page.id) for entry in entries)
    shared = sorted(entries, key=lambda entry: ("baseline" not in entry.packs, -len(entry.packs)))
    first: dict[tuple[str, str], Entry] = {}
    for entry in shared:
        first.setdefault((entry.section.folder, entry.page.id), entry)
    for entry in entries:
        key = (entry.section.folder, entry.page.id)
        plain = uses[key] == 1 or (first[key] is entry and len(entry.packs) > 1)
        note = "" if plain else entry.packs[0]
        name = entry.page.id if plain else f"{entry.page.id}-{note}"
        yield replace(entry, path=f"{entry.section.folder}/{name}.md", note=note)
