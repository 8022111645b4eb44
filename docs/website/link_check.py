"""Check a built site: links and anchors lead somewhere, nothing is loaded from another host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

_LOADED: Final = {
    "script": ("src",), "img": ("src", "srcset"), "iframe": ("src",), "source": ("src", "srcset"),
    "video": ("src", "poster"), "audio": ("src",), "embed": ("src",), "object": ("data",),
    "input": ("src",), "track": ("src",), "use": ("href", "xlink:href"),
}  # fmt: skip
"""Attributes whose address the browser fetches by itself. `link` depends on its `rel`."""

_LINKED_ONLY: Final = frozenset({"next", "prev", "canonical", "alternate", "describedby"})
_STYLE_URL: Final = re.compile(r"url\(\s*['\"]?([^'\")\s]+)|@import\s+['\"]([^'\"]+)")


@dataclass(slots=True)
class _Reader(HTMLParser):
    """What one page links to, what it loads, and which anchors it has."""

    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    _in_style: bool = False

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        self._in_style = tag == "style"
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag == "link" and given.get("href"):
            fetched = set(given.get("rel", "").split()) - _LINKED_ONLY
            (self.loads if fetched else self.links).append(given["href"])
        for name in given.keys() & _LOADED.get(tag, ()):
            self.loads += _listed(given[name]) if name == "srcset" else [given[name]]
        self.loads += _addresses(given.get("style", ""))

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.loads += _addresses(data)


def problems(site: Path) -> Iterator[str]:
    """One sentence for each link that leads nowhere and for each load from another host."""
    pages = {file: _read(file) for file in sorted(site.rglob("*.html"))}
    for file, page in pages.items():
        name = file.relative_to(site).as_posix()
        for link in page.links:
            if (wrong := _dead(link, file, site, pages)) is not None:
                yield f"{name}: {link} {wrong}"
        for load in page.loads:
            if _is_elsewhere(load):
                yield f"{name}: {load} would be loaded from another host"
            elif (wrong := _dead(load, file, site, pages)) is not None:
                yield f"{name}: {load} {wrong}"
    for file in sorted(site.rglob("*.css")):
        for load in _addresses(file.read_text("utf-8")):
            if _is_elsewhere(load):
                name = file.relative_to(site).as_posix()
                yield f"{name}: {load} would be loaded from another host"


def _read(file: Path) -> _Reader:
    reader = _Reader()
    reader.feed(file.read_text("utf-8"))
    return reader


def _listed(sources: str) -> list[str]:
    """The addresses of a srcset."""
    return [part.split()[0] for part in sources.split(",") if part.strip()]


def _addresses(style: str) -> list[str]:
    return [one or other for one, other in _STYLE_URL.findall(style)]


def _is_elsewhere(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme not in ("", "data")


def _dead(address: str, file: Path, site: Path, pages: dict[Path, _Reader]) -> str | None:
    """What is wrong with a link inside the site; None for a good one and for one that leads out."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return None
    base = site if parts.path.startswith("/") else file.parent
    target = (base / unquote(parts.path).lstrip("/")).resolve() if parts.path else file
    if target.is_dir():
        target /= "index.html"
    if not target.is_file() or not target.is_relative_to(site.resolve()):
        return "leads nowhere"
    anchor = unquote(parts.fragment)
    if anchor and target in pages and anchor not in pages[target].anchors:
        return "has no such anchor"
    return None
