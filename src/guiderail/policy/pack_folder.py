"""The bytes of a pack directory, read within limits: regular files only, nothing from elsewhere.

A pack may come from somebody else. So nothing is opened before it is known to be a regular file
that really lies in the directory: a named pipe would wait for ever, a link could bring in a file
that nobody reviewed. What looks like a part of a pack but would not be read is a problem as well,
because a rule in a folder called `track` would silently not hold.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from guiderail.core.errors import Place
from guiderail.policy.lookalikes import first_foreign, instead, what_stands
from guiderail.policy.problem import Problem
from guiderail.policy.vocabulary import did_you_mean

LARGEST_FILE: Final = 256 * 1024
"""Bytes of one file; the longest that ships has a fiftieth of it."""
MOST_FILES: Final = 1000
LARGEST_PACK: Final = 8 * 1024 * 1024
"""Bytes of all files of one directory."""

LONGEST_CHAIN: Final = 6
"""Packs that extend one another."""

PACK_FILE: Final = "pack.yaml"
SHIPPED: Final = Path(__file__).resolve().parent.parent / "packs"
SECTIONS: Final = ("tiers", "tracks", "gates", "advice", "questions", "controls", "facts")
"""The folders of a pack, in the order in which they are compiled."""


class UnreadableError(Exception):
    """A file must not or cannot be read. `message` and `hint` say why and what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(slots=True)
class PackFolder:
    """What is in a pack directory. files: name, such as `gates/cost.yaml` -> bytes, in order."""

    directory: Path
    files: dict[str, bytes] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def _check_link(path: Path, root: Path) -> None:
    if path.is_symlink() and not path.resolve(strict=True).is_relative_to(root):
        raise UnreadableError("The link leads out of the pack.",
                              "Copy what it leads to into the pack.")  # fmt: skip


def parent_of(directory: Path, name: str) -> Path | None:
    """The pack that a pack in `directory` means by `extends: name`: beside it, or shipped."""
    for root in (directory.resolve().parent, SHIPPED):
        if (root / name / PACK_FILE).is_file():
            return root / name
    return None


def read_folder(directory: Path) -> PackFolder:
    """Read `pack.yaml` and the files of the folders in `SECTIONS`."""
    folder = PackFolder(directory)
    root = directory.resolve()
    room = LARGEST_PACK
    for name in _wanted(folder):
        if len(folder.files) == MOST_FILES:
            folder.problems.append(
                Problem(Place(str(directory)), f"The pack has more than {MOST_FILES} files.",
                        "Nobody can review that many: split it into packs for single kinds.")
            )  # fmt: skip
            break
        try:
            data = read_regular(directory / name, root)
        except UnreadableError as error:
            folder.problems.append(Problem(Place(str(directory / name)), error.message, error.hint))
            continue
        room -= len(data)
        if room < 0:
            folder.problems.append(
                Problem(Place(str(directory / name)),
                        f"The files of the pack are larger than {LARGEST_PACK} bytes together.",
                        "Keep data elsewhere; a pack holds rules and words.")
            )  # fmt: skip
            break
        folder.files[name] = data
    return folder


def read_regular(file: Path, root: Path, most: int = LARGEST_FILE) -> bytes:
    """The bytes of a regular file. Raises UnreadableError for anything else.

    root: where a link may lead; the directory of the file is checked by whoever lists it.
    most: bytes that are read; a larger file is refused without reading it.
    """
    try:
        _check_link(file, root)
        # Without O_NONBLOCK opening a named pipe waits until somebody writes into it.
        handle = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UnreadableError(f"The file cannot be read: {reason}.",
                              "Check the path and the permissions.") from None  # fmt: skip
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError("This is not a regular file.",
                                  "A pack holds text files only: remove it.")  # fmt: skip
        data = None
        if status.st_size <= most:
            with open(handle, "rb", closefd=False) as stream:
                data = stream.read(most + 1)
    finally:
        os.close(handle)
    if data is None or len(data) > most:
        raise UnreadableError(f"The file is larger than {most} bytes.",
                              "Split the rule, or keep long texts elsewhere.")  # fmt: skip
    return data


def _wanted(folder: PackFolder) -> Iterator[str]:
    """The names of the files to read; what must not be there becomes a problem on the way."""
    for entry in _listed(folder.directory, folder.problems):
        if entry.name in SECTIONS:
            if not entry.is_dir():
                _refuse(folder, entry.name, f"{entry.name} is not a directory.",
                        "It holds one file for each part.")  # fmt: skip
                continue
            yield from _section(folder, entry.name)
        elif entry.name == PACK_FILE:
            yield entry.name
        elif not entry.name.startswith(".") and (entry.is_dir() or _is_yaml(entry.name)):
            hint = did_you_mean(entry.name, SECTIONS) or f"Folders: {', '.join(SECTIONS)}."
            _refuse(folder, entry.name, f"{entry.name} is no part of a pack: nothing reads it.",
                    hint)  # fmt: skip


def _section(folder: PackFolder, section: str) -> Iterator[str]:
    try:
        _check_link(folder.directory / section, folder.directory.resolve())
    except UnreadableError as error:
        _refuse(folder, section, error.message, error.hint)
        return
    for entry in _listed(folder.directory / section, folder.problems):
        name = f"{section}/{entry.name}"
        foreign = first_foreign(entry.name)
        if foreign is not None:
            sign = entry.name[foreign]
            _refuse(folder, name, f"The name of the file is not plain: {what_stands(sign)}",
                    instead(sign))  # fmt: skip
        elif not entry.name.endswith(".yaml"):
            _refuse(folder, name, f"{entry.name} is not a .yaml file.",
                    "A pack holds data only: move it elsewhere.")  # fmt: skip
        else:
            yield name


def _listed(directory: Path, problems: list[Problem]) -> list[os.DirEntry[str]]:
    """The entries of a directory by name; at most as many as a pack may have files, and some."""
    entries: list[os.DirEntry[str]] = []
    try:
        with os.scandir(directory) as found:
            for entry in found:
                entries.append(entry)
                if len(entries) > MOST_FILES:
                    problems.append(
                        Problem(Place(str(directory)),
                                f"The directory has more than {MOST_FILES} entries.",
                                "Keep everything that is no part of the pack elsewhere.")
                    )  # fmt: skip
                    return []
    except OSError as error:
        problems.append(
            Problem(Place(str(directory)), f"The directory cannot be read: {error.strerror}.",
                    "Check the path and the permissions.")
        )  # fmt: skip
    return sorted(entries, key=lambda entry: entry.name)


def _is_yaml(name: str) -> bool:
    return name.lower().endswith((".yaml", ".yml"))


def _refuse(folder: PackFolder, name: str, message: str, hint: str) -> None:
    folder.problems.append(Problem(Place(str(folder.directory / name)), message, hint))
