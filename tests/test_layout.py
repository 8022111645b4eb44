"""The layout of the repository: where things are, how large they are, what must not be in them."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = (ROOT / "src", ROOT / "packages" / "guiderail-verify" / "src")
LONGEST_FILE = 600
LARGEST_FILE = 5_000_000
GENERATED = ("compiled.json", ".schema.json")
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
TEXT_FILES = {
    *(".cfg", ".csv", ".go", ".in", ".ini", ".json", ".lark", ".md", ".py", ".sh", ".toml", ".txt"),
    *(".typed", ".xml", ".yaml", ".yml", ""),
}

UNFINISHED = re.compile(r"(?:#|//|<!--)\s*(?:TODO|FIXME|XXX)\b")
MACHINE_PATHS = re.compile(
    "|".join((r"/work" r"/\w", r"(?<![\w.])/root" r"/", r"/home" r"/[a-z]", r"/Users" r"/[A-Za-z]"))
)


@cache
def repository_files() -> tuple[Path, ...]:
    """Everything that is committed or about to be."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout, so nobody can say what belongs to it")
    command = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = (ROOT / name for name in listed.split("\0") if name)
    return tuple(path for path in paths if path.is_file())


def source_files() -> list[Path]:
    kept = ("*.py", "*.yaml", "*.lark", "*.json")
    return sorted(
        path
        for source in SOURCES
        for pattern in kept
        for path in source.rglob(pattern)
        if not path.name.endswith(GENERATED)
        and not any(part.startswith(".") for part in path.parts)
    )


def described() -> list[str]:
    """Package directories in the order of the table in ARCHITECTURE.md."""
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    return re.findall(r"^\| `src/guiderail/([a-z_]+)/` \| \S", text, re.M)


def layers() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    found: list[str] = next(item for item in contracts if item["id"] == "layers")["layers"]
    return found


def test_every_package_directory_has_one_line_in_the_architecture() -> None:
    directories = {
        path.name
        for path in (ROOT / "src" / "guiderail").iterdir()
        if path.is_dir() and path.name[0] not in "_."
    }
    assert sorted(described()) == sorted(directories)


def test_the_architecture_lists_the_layers_in_their_order() -> None:
    assert [name for name in described() if name != "packs"] == layers()


def test_every_top_level_directory_has_a_line_in_the_architecture() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    tops = {path.relative_to(ROOT).parts[0] for path in repository_files()}
    directories = {name for name in tops if (ROOT / name).is_dir() and not name.startswith(".")}
    missing = {name for name in directories if f"| `{name}/" not in text}
    assert missing == set()


def test_no_source_file_is_two_ideas() -> None:
    files = source_files()
    assert len(files) > 100
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in files}
    assert {path for path, length in lengths.items() if length > LONGEST_FILE} == set()


def test_the_name_of_every_module_says_where_things_are() -> None:
    names = {
        part.removesuffix(".py"): path
        for path in source_files()
        for part in path.relative_to(ROOT).parts
    }
    assert NAMES_THAT_SAY_NOTHING & set(names) == set()


@pytest.mark.parametrize("name", ["run.txt", "dev.txt"])
def test_lock_files_pin_and_hash_everything_and_name_no_address(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text("utf-8")
    assert "://" not in text
    joined = text.replace("\\\n", " ")
    entries = [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    assert len(entries) > 20
    for entry in entries:
        assert re.match(r"[A-Za-z0-9._-]+(\[[^\]]+\])?==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_the_demo_installs_what_the_tests_install_or_less() -> None:
    pins = [
        set(re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;]+)", text, re.M))
        for text in ((ROOT / "requirements" / f"{name}.txt").read_text() for name in ("run", "dev"))
    ]
    assert pins[0]
    assert pins[0] <= pins[1]


def test_no_file_of_the_repository_is_large() -> None:
    sizes = {path: path.stat().st_size for path in repository_files()}
    assert {path for path, size in sizes.items() if size > LARGEST_FILE} == set()


def test_the_readme_shows_exactly_two_commands_first() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    first = re.search(r"^```\w*\n(.*?)^```$", text, re.M | re.S)
    assert first is not None
    assert first[1].splitlines() == ["make demo", "make test"]


def test_make_has_at_most_eight_verbs_and_help_lists_them_all() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY: (.+)$", text, re.M)
    assert phony is not None
    verbs = phony[1].split()
    assert len(verbs) <= 8
    assert verbs == re.findall(r"^([a-z]+):.*## \S", text, re.M)


def test_no_file_names_a_path_of_somebodys_machine_or_is_unfinished() -> None:
    found = []
    for path in repository_files():
        if path.suffix not in TEXT_FILES or path == Path(__file__).resolve():
            continue
        text = path.read_text("utf-8", errors="replace")  # the suite keeps files that are no text
        for number, line in enumerate(text.splitlines(), start=1):
            if MACHINE_PATHS.search(line) or UNFINISHED.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert found == []
