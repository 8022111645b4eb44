"""What a directory says about itself: names, owners and files, read and never executed.

Git is not run: a repository's own configuration can make it execute programs.
"""

from __future__ import annotations

import configparser
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from guiderail.manifest.named_paths import why_unsafe

_LARGEST_TEXT = 64 * 1024
_MOST_FILES = 20_000
_DEEPEST = 6
_LONGEST_PATH = 400
_SKIPPED = frozenset(
    {"node_modules", "__pycache__", "site-packages", "venv", "env", "dist", "demo"}
)


@dataclass(frozen=True, slots=True)
class Found:
    """A value with the sentence that says where it was read."""

    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Repository:
    """What was read; None where nothing says it.

    files: paths relative to the directory, with `/`, shallow ones first. Hidden directories,
        virtual environments, links and names that no manifest can hold are left out.
    complete: False when there were too many files to list.
    """

    name: Found | None
    owner: Found | None
    version: Found | None
    purpose: Found | None
    files: tuple[str, ...]
    complete: bool = True


def read_repository(directory: Path) -> Repository:
    """Read a workload's directory. Files that cannot be read count as absent."""
    root = _git_root(directory)
    git = _git_config(root) if root is not None else {}
    files, complete = _files(directory)
    project = _project(directory)
    name = _remote_name(git) if root == directory.resolve() else None
    return Repository(
        name=name or project.get("name") or _directory_name(directory),
        owner=_code_owner(directory, root) or _git_owner(git),
        version=project.get("version"),
        purpose=project.get("description") or _readme(directory),
        files=files,
        complete=complete,
    )


def read_text(file: Path) -> str:
    """The first 64 KiB of a regular file as text; empty where it cannot be read."""
    try:
        if not file.is_file():
            return ""
        with file.open("rb") as stream:
            return stream.read(_LARGEST_TEXT).decode("utf-8", "replace")
    except OSError:
        return ""


def _files(directory: Path) -> tuple[tuple[str, ...], bool]:
    found: list[str] = []
    for parent, directories, names in os.walk(directory):
        here = Path(parent)
        depth = len(here.relative_to(directory).parts)
        directories[:] = sorted(
            name
            for name in directories
            if depth < _DEEPEST and not name.startswith(".") and name not in _SKIPPED
        )
        for name in sorted(names):
            file = here / name
            if name.startswith(".") or not file.is_file() or file.is_symlink():
                continue
            if len(found) >= _MOST_FILES:
                return _shallow_first(found), False
            path = file.relative_to(directory).as_posix()
            if path.isprintable() and why_unsafe(path) is None and len(path) <= _LONGEST_PATH:
                found.append(path)
    return _shallow_first(found), True


def _shallow_first(files: list[str]) -> tuple[str, ...]:
    return tuple(sorted(files, key=lambda name: (name.count("/"), name)))


def _git_root(directory: Path) -> Path | None:
    resolved = directory.resolve()
    return next(
        (parent for parent in (resolved, *resolved.parents) if (parent / ".git").is_dir()), None
    )


def _git_config(root: Path) -> Mapping[str, Mapping[str, str]]:
    """Sections of .git/config; empty where it cannot be read. Includes are not followed."""
    parser = configparser.RawConfigParser(
        strict=False, allow_no_value=True, comment_prefixes=("#", ";")
    )
    text = "\n".join(line.strip() for line in read_text(root / ".git" / "config").splitlines())
    try:
        parser.read_string(text)
    except configparser.Error:
        return {}
    return {
        section: {key: value for key, value in parser.items(section) if value is not None}
        for section in parser.sections()
    }


def _remote_name(git: Mapping[str, Mapping[str, str]]) -> Found | None:
    url = git.get('remote "origin"', {}).get("url", "")
    name = re.split(r"[/:]", url.rstrip("/"))[-1].removesuffix(".git")
    return _found(name, "name of the git remote")


def _git_owner(git: Mapping[str, Mapping[str, str]]) -> Found | None:
    return _found(git.get("user", {}).get("email", ""), "user.email of .git/config")


def _directory_name(directory: Path) -> Found | None:
    return _found(directory.resolve().name, "name of the directory")


def _code_owner(directory: Path, root: Path | None) -> Found | None:
    """The owner that CODEOWNERS gives to the whole directory: the last rule that covers it."""
    top = root or directory.resolve()
    inside = directory.resolve().relative_to(top).as_posix()
    for place in ("CODEOWNERS", ".github/CODEOWNERS", ".gitlab/CODEOWNERS", "docs/CODEOWNERS"):
        owner = None
        for line in read_text(top / place).splitlines():
            pattern, _, owners = line.partition("#")[0].strip().partition(" ")
            if owners.strip() and _covers(pattern, inside):
                owner = _found(owners.split()[0], place) or owner
        if owner is not None:
            return owner
    return None


def _covers(pattern: str, inside: str) -> bool:
    """Whether a CODEOWNERS pattern covers a whole directory; wildcards inside paths do not."""
    if pattern in ("*", "/", "/**", "**"):
        return True
    prefix = pattern.strip("/").removesuffix("/**").removesuffix("/*")
    return f"{inside}/".startswith(f"{prefix}/")


def _project(directory: Path) -> dict[str, Found]:
    """name, version and description from pyproject.toml, package.json or dbt_project.yml."""
    return (
        _told(_toml_project(directory), "pyproject.toml")
        or _told(_json_project(directory), "package.json")
        or _told(_dbt_project(directory), "dbt_project.yml")
    )


def _told(content: object, source: str) -> dict[str, Found]:
    if not isinstance(content, Mapping):
        return {}
    told = {
        key: _found(content[key], source)
        for key in ("name", "version", "description")
        if isinstance(content.get(key), str)
    }
    return {key: found for key, found in told.items() if found is not None}


def _found(text: str, source: str) -> Found | None:
    """The text on one line without invisible signs; None where nothing is left of it."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    line = " ".join(printable.split())
    return Found(line, source) if line else None


def _toml_project(directory: Path) -> object:
    try:
        return tomllib.loads(read_text(directory / "pyproject.toml")).get("project")
    except tomllib.TOMLDecodeError:
        return None


def _json_project(directory: Path) -> object:
    try:
        return json.loads(read_text(directory / "package.json"))
    except (ValueError, RecursionError):
        return None


def _dbt_project(directory: Path) -> object:
    text = read_text(directory / "dbt_project.yml")
    pairs = re.findall(r"^(name|version):\s*['\"]?([\w.-]+)['\"]?\s*(?:#.*)?$", text, re.M)
    return dict(pairs)


def _readme(directory: Path) -> Found | None:
    """The first paragraph of prose in a README."""
    for name in ("README.md", "README.rst", "README.txt", "README"):
        for paragraph in _paragraphs(read_text(directory / name)):
            found = _found(paragraph, name)
            if found is not None and len(found.value) > 20:
                return found
    return None


def _without_markup(text: str) -> str:
    """Markdown prose as plain text: links by their words, no emphasis, no code signs."""
    linked = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"\*\*?|`", "", linked)


def _paragraphs(text: str) -> Iterator[str]:
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        lines = block.strip().splitlines()
        if not lines or not re.match(r"[A-Za-z\"'`*_]", lines[0]):
            continue  # headings, images, badges, lists, tables, directives
        if any(re.fullmatch(r"[=\-~^#*]{3,}", line.strip()) for line in lines):
            continue  # a heading with a rule below
        yield _without_markup(" ".join(lines))
