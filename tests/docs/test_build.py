"""The real build: no warning, no dead link, nothing from another host."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from website.documents import documents
from website.link_check import problems

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_site_builds_without_warnings_and_opens_without_a_network(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "build.py"), str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    site = tmp_path / "site"
    assert list(problems(site)) == []
    pages = {file.relative_to(tmp_path / "pages") for file in (tmp_path / "pages").rglob("*.md")}
    built = {file.relative_to(site) for file in site.rglob("*.html")}
    assert {page.with_suffix(".html") for page in pages} <= built
    assert len(pages) > 200
    home = (site / "index.html").read_text("utf-8")
    assert 'href="site.css"' in home.replace("./", "")
    assert "search" in {file.stem for file in site.glob("*.json")}


WRONG = [
    ("a page that is not there", '<a href="other.html">x</a>', "other.html leads nowhere"),
    ("an anchor that is not there", '<a href="#there">x</a>', "#there has no such anchor"),
    ("a picture that is not there", '<img src="a.png">', "a.png leads nowhere"),
    ("a link out of the site", '<a href="../../etc/passwd">x</a>', "leads nowhere"),
    ("a script of another host", '<script src="https://c.example/a.js"></script>', "another host"),
    ("a larger picture of another host", '<img srcset="https://c.example/a.png 2x">',
     "another host"),
    ("a host without a scheme", '<img src="//cdn.example/a.png">', "another host"),
    ("a style sheet of another host", '<link rel="stylesheet" href="https://f.example/a.css">',
     "another host"),
    ("a connection made ahead", '<link rel="preconnect" href="https://f.example">', "another host"),
    ("a style of the page", "<style>@import 'https://f.example/a.css';</style>", "another host"),
    ("a style of an element", '<p style="background: url(https://f.example/a.png)">x</p>',
     "another host"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "said"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_the_checker_finds(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "index.html").write_text(f"<html><body>{content}</body></html>", "utf-8")
    found = list(problems(tmp_path))
    assert len(found) == 1
    assert said in found[0]


def test_the_checker_finds_a_font_in_a_style_sheet(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("@font-face {src: url('https://f.example/a.woff2')}", "utf-8")
    assert len(list(problems(tmp_path))) == 1


def test_the_checker_lets_good_links_and_links_that_lead_out_pass(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "index.html").write_text('<h2 id="one">x</h2>', "utf-8")
    (tmp_path / "index.html").write_text(
        '<a href="deep/index.html#one">x</a><a href="deep/">x</a><a href="https://a.example">x</a>'
        '<img src="data:image/png;base64,AAAA">', "utf-8",
    )  # fmt: skip
    assert list(problems(tmp_path)) == []


def test_links_of_a_document_lead_to_pages_or_name_the_file(tmp_path: Path) -> None:
    for name, content in (
        ("docs/how-to/one.md", "# One\n\nSee [two](../two.md#part), [all](../README.md#x) and "
         "[the licence](../../LICENSE).\n\n```text\n[kept](../two.md)\n```\n"),
        ("docs/two.md", "# Two\n\n## Part\n"),
        *((name, "# Other\n") for name in ("ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md",
          "examples/README.md", "packages/guiderail-verify/README.md")),
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, "utf-8")
    shown = {one.source: one for one in documents(tmp_path)}["docs/how-to/one.md"]
    assert "[two](../two.md#part)" in shown.content
    assert "[all](../index.md)" in shown.content
    assert "the licence (`LICENSE` in the checkout)" in shown.content
    assert "[kept](../two.md)" in shown.content
    assert shown.title == "One"
