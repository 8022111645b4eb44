"""The documents that people write, as pages of the site: links follow them to their new places.

A link to a document that is not on the site, such as the licence, becomes its name in the checkout.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from posixpath import dirname, normpath, relpath
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_FENCE: Final = re.compile(r"(^```.*?^```[^\n]*$)", re.M | re.S)
_LINK: Final = re.compile(r"\[(?P<words>[^\]]*)\]\((?P<target>[^)\s]+)\)")
_TITLE: Final = re.compile(r"^# (.+)$", re.M)


@dataclass(frozen=True, slots=True)
class Shown:
    """A document. source: its path in the checkout. path: its page on the site."""

    source: str
    path: str
    content: str

    @property
    def title(self) -> str:
        found = _TITLE.search(self.content)
        return found[1] if found else PurePosixPath(self.source).stem

    @property
    def opening(self) -> str:
        """The first paragraph after the title."""
        after = _COMMENT.sub("", _TITLE.split(self.content, maxsplit=1)[-1])
        paragraphs = (part.strip() for part in after.split("\n\n"))
        return next((part for part in paragraphs if part and part[0] not in "#|`-"), "")


_COMMENT: Final = re.compile(r"<!--.*?-->", re.S)

_OTHERS: Final = (
    ("ARCHITECTURE.md", "project/architecture.md"),
    ("CONTRIBUTING.md", "project/contributing.md"),
    ("CHANGELOG.md", "project/changelog.md"),
    ("examples/README.md", "project/examples.md"),
    ("packages/guiderail-verify/README.md", "project/guiderail-verify.md"),
)
"""Documents outside of docs/ that belong on the site."""

_REPLACED: Final = {"README.md": "index.md", "docs/README.md": "index.md"}
"""Entrances to the checkout; the site has its own."""

_LEFT_OUT: Final = frozenset({"docs/adr/0000-template.md"})


def documents(root: Path = ROOT) -> tuple[Shown, ...]:
    """Every document of the site, links already leading to pages of the site."""
    places = dict(_OTHERS)
    for file in sorted((root / "docs").rglob("*.md")):
        source = file.relative_to(root).as_posix()
        if source not in _REPLACED and source not in _LEFT_OUT:
            place = file.relative_to(root / "docs").as_posix()
            places[source] = place.replace("README.md", "index.md")
    known = {**places, **_REPLACED}
    return tuple(
        Shown(source, path, _moved((root / source).read_text("utf-8"), source, path, known))
        for source, path in places.items()
    )


def excerpt(heading: str, root: Path = ROOT) -> str:
    """A section of the README, without its heading."""
    return (root / "README.md").read_text("utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]


def _moved(content: str, source: str, path: str, known: dict[str, str]) -> str:
    def moved(found: re.Match[str]) -> str:
        target, mark, anchor = found["target"].partition("#")
        if not target or "://" in target or target.startswith("mailto:"):
            return found[0]
        there = normpath(f"{dirname(source)}/{target}".lstrip("/"))
        place = known.get(there)
        if place is None:
            return f"{found['words']} (`{there}` in the checkout)"
        if place == "index.md":
            mark, anchor = "", ""
        return f"[{found['words']}]({relpath(place, dirname(path) or '.')}{mark}{anchor})"

    parts = _FENCE.split(content)
    return "".join(
        part if index % 2 else _LINK.sub(moved, part) for index, part in enumerate(parts)
    )
