"""Build the documentation site: `python docs/build.py [DIRECTORY]`, by default build/docs.

The pages are written from the policy packs, the worked examples and the documents; Zensical makes
the site of them. Any warning, dead link or address of another host fails the build. What is in the
directory is replaced.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from website.link_check import problems
from website.pages import navigation, site_pages
from website.settings import settings
from website.shelf import shipped_packs, stock
from website.worked import worked_examples

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def write_pages(directory: Path) -> int:
    """Write what Zensical reads; returns how many pages there are."""
    shelf = stock(shipped_packs())
    pages = site_pages(shelf, worked_examples(shelf))
    for name, content in pages.items():
        file = directory / "pages" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, "utf-8")
    shutil.copyfile(HERE / "website" / "site.css", directory / "pages" / "site.css")
    (directory / "zensical.toml").write_text(settings(navigation(shelf)), "utf-8")
    return sum(name.endswith(".md") for name in pages)


def make_site(directory: Path) -> list[str]:
    """Run Zensical and check what it made; returns everything that is wrong."""
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    done = subprocess.run(
        [*command, "--config-file", str(directory / "zensical.toml")],
        cwd=directory, env={**os.environ, "NO_COLOR": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0 or "Warning" in done.stdout + done.stderr:
        return [done.stdout + done.stderr]
    return list(problems(directory / "site"))


def main(arguments: Sequence[str]) -> int:
    directory = Path(arguments[0]).resolve() if arguments else ROOT / "build" / "docs"
    for made in ("pages", "site"):
        shutil.rmtree(directory / made, ignore_errors=True)
    directory.mkdir(parents=True, exist_ok=True)
    count = write_pages(directory)
    wrong = make_site(directory)
    if wrong:
        sys.stderr.write("\n".join(wrong) + "\n")
        return 1
    site = os.path.relpath(directory / "site")
    sys.stdout.write(
        f"{count} pages: {site}/index.html\n"
        f"The search needs a server: python -m http.server --bind 127.0.0.1 --directory {site}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
