"""The home page and the page in front of each section."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from guiderail.policy.words import joined
from website.documents import Shown, excerpt
from website.markdown import code, link, table, text
from website.part_page import KINDS, holds_for
from website.shelf import Entry, Section, Shelf

_HOME = """\
# Guiderail

Guiderail is the governed way into production for apps, machine-learning models and data pipelines.
It reads what is changing in a release, chooses the guard rails that fit, and says why in plain words
before anything is deployed. Harmless releases start by themselves in minutes; the ones that can hurt
somebody get the people they deserve. This site explains every rule that can be in your way: what it
checks, why, what good looks like, and how to get there.
{{: .lead }}

## Where to start

| you want to | go to |
| --- | --- |
| understand green, yellow and red in ten minutes | [Learn the tracks](tracks.md) |
| release something of your own | [Your first release in ten minutes](tutorial.md) |
| know what a name in square brackets means, such as `[performance-large]` | type it into the search above, or run `guiderail explain NAME` |
| review somebody else's release | [Review a case](how-to/review-a-case.md) |
| know which evidence is asked for, and by whom | [Gates](gates/index.md), [Controls](controls/index.md) |
| know why it works this way | [How a decision is made](explanation/how-a-decision-is-made.md), [Decisions on record](adr/index.md) |
| change a rule, or add a gate | [Contributing](project/contributing.md) |

## What is here

{sections}

These pages are written from {packs}. They hold for {kinds}.

## Words
{words}
"""  # noqa: E501 - rows of a table stand on one line


def home_page(shelf: Shelf) -> str:
    rows = (
        (f"[{section.title}]({section.folder}/index.md)", str(len(shelf.of(section))),
         text(section.about))
        for section in shelf.sections()
    )  # fmt: skip
    sections = "\n".join(table(("section", "pages", "what it is"), rows))
    packs = joined([f"the pack {code(pack.id)} {text(pack.version)}" for pack in shelf.packs])
    kinds = list(dict.fromkeys(kind for pack in shelf.packs for kind in pack.kinds))
    content = _HOME.format(
        sections=sections,
        packs=packs,
        kinds=joined([KINDS.get(kind, kind) for kind in kinds]),
        words=excerpt("Words").rstrip(),
    )
    if any(section.kind == "control" for section in shelf.sections()):
        return content
    return content.replace(", [Controls](controls/index.md)", "")


def section_page(section: Section, shelf: Shelf) -> str:
    """What the section is, and a table of its pages."""
    lines = [f"# {section.title}", "", text(section.about), ""]
    rows = _ROWS.get(section.kind, _titles)(shelf.of(section), shelf, f"{section.folder}/index.md")
    return "\n".join([*lines, *rows]) + "\n"


def folder_page(title: str, about: str, shown: Sequence[Shown]) -> str:
    """The page in front of written documents: each with its first paragraph."""
    lines = [f"# {title}", "", about, ""]
    for one in shown:
        lines += [f"- [{one.title}]({one.path.rpartition('/')[2]})"]
    return "\n".join(lines) + "\n"


def _titles(entries: Sequence[Entry], _: Shelf, page: str) -> Iterator[str]:
    yield from table(
        ("name", "about", "for"),
        ((_name(entry, page), text(entry.page.title), _kinds(entry)) for entry in entries),
    )


def _gates(entries: Sequence[Entry], shelf: Shelf, page: str) -> Iterator[str]:
    yield from table(
        ("gate", "about", "asked of", "owner"),
        (
            (_name(entry, page), text(entry.page.title), text(holds_for(entry)),
             text(shelf.role(entry.page.owner)))
            for entry in entries
        ),
    )  # fmt: skip


def _rules(entries: Sequence[Entry], _: Shelf, page: str) -> Iterator[str]:
    yield from table(
        ("rule", "about", "what it does", "for"),
        (
            (_name(entry, page), text(entry.page.title), _effects(entry), _kinds(entry))
            for entry in entries
        ),
    )


def _questions(entries: Sequence[Entry], shelf: Shelf, page: str) -> Iterator[str]:
    yield from table(
        ("question", "what is asked", "fact"),
        (
            (_name(entry, page), text(entry.page.title), _facts(entry.page.facts, shelf, page))
            for entry in sorted(entries, key=lambda entry: entry.page.id)
        ),
    )


def _fact_rows(entries: Sequence[Entry], _: Shelf, page: str) -> Iterator[str]:
    """One table for each subject, in the order of the catalogue."""
    subjects: dict[str, list[Entry]] = {}
    for entry in entries:
        subjects.setdefault(entry.page.id.partition(".")[0], []).append(entry)
    for subject, facts in subjects.items():
        yield from ("", f"## {subject}", "")
        yield from table(
            ("fact", "what it is", "which value is safer"),
            ((_name(one, page), text(one.page.title), text(one.page.good)) for one in facts),
        )


_ROWS = {
    "gate": _gates,
    "tier rule": _rules,
    "track rule": _rules,
    "question": _questions,
    "fact": _fact_rows,
}


def _name(entry: Entry, page: str) -> str:
    note = f" ({entry.note})" if entry.note else ""
    return link(code(entry.page.id), entry.path, page) + note


def _kinds(entry: Entry) -> str:
    return joined([KINDS.get(kind, kind) for kind, _ in entry.page.asked_of])


def _effects(entry: Entry) -> str:
    return text("; ".join(dict.fromkeys(label for label, _ in entry.page.conditions)))


def _facts(names: Iterable[str], shelf: Shelf, page: str) -> str:
    found = ((name, shelf.find(name, ())) for name in names)
    return ", ".join(
        code(name) if entry is None else link(code(name), entry.path, page) for name, entry in found
    )
