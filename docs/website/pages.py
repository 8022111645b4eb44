"""Every page of the site with its content, and the navigation over them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from website.documents import Shown, documents
from website.entrances import folder_page, home_page, section_page
from website.part_page import part_page
from website.settings import Nav
from website.shelf import Section, Shelf
from website.tracks_page import PATH, tracks_page, works_by_part
from website.worked import Worked

_FOLDERS: Final = (
    ("how-to", "How-to", "Each guide does one thing, for somebody who knows what they want."),
    ("explanation", "Explanation", "Why Guiderail works as it does."),
    ("reference", "Reference", "Written from the code; a test fails when they differ."),
    ("project", "Project", "For whoever changes Guiderail itself."),
)
"""Folders of written documents that have no README of their own."""


def site_pages(shelf: Shelf, examples: Sequence[Worked]) -> dict[str, str]:
    """Path of every file of the site's source, with its content."""
    shown = documents()
    works = works_by_part(examples)
    pages = {"index.md": home_page(shelf), PATH: tracks_page(shelf, examples)}
    pages |= {one.path: one.content for one in shown}
    for folder, title, about in _FOLDERS:
        pages[f"{folder}/index.md"] = folder_page(title, about, _inside(folder, shown))
    for section in shelf.sections():
        pages[f"{section.folder}/index.md"] = section_page(section, shelf)
    for entry in shelf.entries:
        told = [work for work in works.get(entry.page.id, ()) if work.pack in entry.packs]
        pages[entry.path] = part_page(entry, shelf, told, PATH)
    for example in examples:
        facts = json.dumps(example.written, indent=2, ensure_ascii=False) + "\n"
        pages[f"worked-examples/{example.id}.json"] = facts
    return pages


def navigation(shelf: Shelf) -> Nav:
    shown = documents()
    by_source: Mapping[str, Shown] = {one.source: one for one in shown}
    start = [by_source["docs/tutorial.md"]]
    return (
        ("Home", (("", "index.md"), ("Learn the tracks", PATH))),
        ("Guides", (
            *_titled(start),
            ("How-to", (("", "how-to/index.md"), *_titled(_inside("how-to", shown)))),
        )),
        ("Guard rails", tuple(_section(section, shelf) for section in shelf.sections())),
        ("Background", (
            ("Explanation", (("", "explanation/index.md"),
                             *_titled(_inside("explanation", shown)))),
            ("Decisions on record", (("", "adr/index.md"), *_titled(_inside("adr", shown)))),
            ("Project", (("", "project/index.md"), *_titled(_inside("project", shown)))),
        )),
        ("Reference", (
            ("", "reference/index.md"),
            *_titled(_inside("reference", shown)),
            *_titled([by_source["docs/performance.md"]]),
        )),
    )  # fmt: skip


def _section(section: Section, shelf: Shelf) -> tuple[str, Nav]:
    """Names as the terminal prints them, because that is what people look for."""
    pages = tuple(
        (f"{entry.page.id} ({entry.note})" if entry.note else entry.page.id, entry.path)
        for entry in shelf.of(section)
    )
    return section.title, (("", f"{section.folder}/index.md"), *pages)


def _titled(shown: Sequence[Shown]) -> Nav:
    return tuple((one.title, one.path) for one in shown)


def _inside(folder: str, shown: Sequence[Shown]) -> list[Shown]:
    return [
        one
        for one in shown
        if one.path.startswith(f"{folder}/") and not one.path.endswith("/index.md")
    ]
