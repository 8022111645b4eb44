"""The settings of Zensical: navigation, looks, and nothing that is loaded from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Sequence

Nav = Sequence[tuple[str, "str | Nav"]]
"""Titles with a page or with what is below; an empty title is the page of the level itself."""

_SETTINGS = """\
# Written by docs/build.py.
[project]
site_name = "Guiderail"
site_description = "The governed way into production for apps, ML models and data pipelines."
docs_dir = "pages"
site_dir = "site"
use_directory_urls = false
extra_css = ["site.css"]
nav = {nav}

[project.theme]
language = "en"
font = false
features = [
  "navigation.tabs", "navigation.indexes", "navigation.path", "navigation.prune",
  "navigation.top", "content.code.copy", "search.highlight",
]

[[project.theme.palette]]
media = "(prefers-color-scheme)"
toggle.icon = "lucide/sun-moon"
toggle.name = "Switch to light mode"

[[project.theme.palette]]
media = "(prefers-color-scheme: light)"
scheme = "default"
primary = "indigo"
toggle.icon = "lucide/sun"
toggle.name = "Switch to dark mode"

[[project.theme.palette]]
media = "(prefers-color-scheme: dark)"
scheme = "slate"
primary = "indigo"
toggle.icon = "lucide/moon"
toggle.name = "Follow the system"

[project.validation]
invalid_links = true
invalid_link_anchors = true
unresolved_references = false

[project.markdown_extensions]
admonition = {{}}
attr_list = {{}}
md_in_html = {{}}
tables = {{}}
toc.permalink = true
pymdownx.details = {{}}
pymdownx.highlight = {{}}
pymdownx.superfences = {{}}
"""


def settings(nav: Nav) -> str:
    """The content of zensical.toml."""
    return _SETTINGS.format(nav=_levels(nav))


def _levels(nav: Nav) -> str:
    items = [
        f"{{{json.dumps(title)} = {_below(below)}}}" if title else _below(below)
        for title, below in nav
    ]
    return f"[{', '.join(items)}]"


def _below(below: str | Nav) -> str:
    return json.dumps(below) if isinstance(below, str) else _levels(below)
