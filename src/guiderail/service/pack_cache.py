"""What checking a pack directory gave, remembered by the digest of everything that was read.

Checking YAML takes a second; reading and hashing the same bytes takes milliseconds. An entry counts
only when the bytes of the pack and of every pack that it extends, the program, and the entry itself
are those that it was written for; everything else is forgotten without a word. Entries lie in the
cache directory of the user and nowhere else: one that came with somebody's repository would decide.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import guiderail_verify
from guiderail.core.digest import sha256_digest
from guiderail.core.errors import InputError
from guiderail.policy.pack import Pack, make_pack
from guiderail.policy.pack_folder import (
    LONGEST_CHAIN,
    PACK_FILE,
    UnreadableError,
    parent_of,
    read_folder,
    read_regular,
)

_FORMAT: Final = 1
_LARGEST_ENTRY: Final = 16 * 1024 * 1024
_PACKAGE: Final = Path(__file__).resolve().parents[1]
_PROGRAM: Final = (
    *(_PACKAGE / name for name in ("core", "facts", "manifest", "policy")),
    Path(guiderail_verify.__file__).parent,
)


@dataclass(frozen=True, slots=True)
class Remembered:
    """tree and texts: of the compiled pack, None where the directory cannot be compiled.

    document: what a check said on `day` about the directory under the name `named`.
    """

    tree: Mapping[str, Any] | None
    texts: Mapping[str, Any] | None
    day: str | None = None
    named: str | None = None
    document: Mapping[str, Any] = field(default_factory=dict)

    @property
    def pack(self) -> Pack | None:
        """The compiled pack, its digests computed anew."""
        if self.tree is None or self.texts is None:
            return None
        return make_pack(self.tree, self.texts)


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Where entries lie: below XDG_CACHE_HOME, else below .cache of the home directory."""
    named = environment.get("XDG_CACHE_HOME")
    if named and Path(named).is_absolute():
        return Path(named) / "guiderail" / "packs"
    home = environment.get("HOME")
    return Path(home) / ".cache" / "guiderail" / "packs" if home else None


def recall(directory: Path, folder: Path | None) -> Remembered | None:
    """What is remembered of a pack directory as it is now; None where nothing is."""
    if folder is None:
        return None
    file = folder / _file_name(directory)
    try:
        digest, _, content = _own_bytes(file).partition(b"\n")
        if digest.decode() != sha256_digest(content):
            return None
        told = json.loads(content)
        if told["format"] != _FORMAT:
            return None
        chain = [(Path(place), extends) for place, extends in told["chain"]]
        if told["program"] != _program() or not _still_leads(directory, chain):
            return None
        if told["files"] != _bytes_digest([place for place, _ in chain]):
            return None
        return Remembered(told["tree"], told["texts"], told["day"], told["named"], told["document"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a check rests on: the packs with what each extends, and one digest over their bytes."""

    chain: tuple[tuple[Path, str | None], ...]
    files: str


def look(directory: Path) -> Seen | None:
    """The state of a pack directory; None where some of it is refused or cannot be read."""
    try:
        chain = _chain(directory)
    except (InputError, UnreadableError, AttributeError):
        return None
    files = _bytes_digest([place for place, _ in chain])
    return Seen(tuple(chain), files) if files is not None else None


def remember(directory: Path, folder: Path | None, seen: Seen | None, found: Remembered) -> None:
    """Keep what was found, unless something has changed since `seen` was looked at.

    A directory that cannot be written is left alone.
    """
    if folder is None or seen is None or look(directory) != seen:
        return
    import tempfile  # only where something is written: the warm path does without

    content = {
        "format": _FORMAT,
        "program": _program(),
        "chain": [[str(place), extends] for place, extends in seen.chain],
        "files": seen.files,
        "day": found.day,
        "named": found.named,
        "document": dict(found.document),
        "tree": found.tree,
        "texts": found.texts,
    }
    data = json.dumps(content).encode()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".entry-")
        with os.fdopen(handle, "wb") as stream:
            stream.write(sha256_digest(data).encode() + b"\n" + data)
        os.replace(name, folder / _file_name(directory))
    except OSError:
        return


def _own_bytes(file: Path) -> bytes:
    """The bytes of an entry that nobody else can have written. Raises OSError for any other."""
    with file.open("rb") as stream:
        for status in (os.fstat(stream.fileno()), file.parent.stat()):
            others = hasattr(os, "getuid") and status.st_uid != os.getuid()
            if others or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise OSError("others can write the cache")
        return stream.read(_LARGEST_ENTRY)


def _file_name(directory: Path) -> str:
    return hashlib.sha256(str(directory.resolve()).encode("utf-8", "replace")).hexdigest() + ".pack"


def _chain(directory: Path) -> list[tuple[Path, str | None]]:
    """The pack and those it extends, each with the name under which it extends the next."""
    from guiderail.manifest.strict_yaml import load_bytes

    chain: list[tuple[Path, str | None]] = []
    place: Path | None = directory
    while place is not None and len(chain) <= LONGEST_CHAIN:
        extends = load_bytes(read_regular(place / PACK_FILE, place.resolve()), PACK_FILE).data.get(
            "extends"
        )
        chain.append((place.resolve(), extends))
        place = parent_of(place, extends) if extends is not None else None
    return chain


def _still_leads(directory: Path, chain: list[tuple[Path, str | None]]) -> bool:
    """Does every name in the chain still mean the same directory?"""
    wanted: list[Path | None] = [directory.resolve()]
    for place, extends in chain:
        wanted.append(parent_of(place, extends) if extends is not None else None)
    return wanted == [*(place for place, _ in chain), None]


def _bytes_digest(places: list[Path]) -> str | None:
    """One digest over the names and bytes of all files; None where some of them are refused."""
    digest = hashlib.sha256()
    for place in places:
        folder = read_folder(place)
        if folder.problems:
            return None
        for name, data in folder.files.items():
            digest.update(f"{name}\0{len(data)}\0".encode())
            digest.update(data)
        digest.update(b"\0\0")
    return digest.hexdigest()


@cache
def _program() -> str:
    """What identifies the program: sizes and times of the modules that read, type and check."""
    stamps = sorted(_stamps())
    return hashlib.sha256("\n".join(stamps).encode()).hexdigest()


def _stamps() -> Iterator[str]:
    for root in _PROGRAM:
        for folder, _, names in os.walk(root):
            for name in names:
                if name.endswith((".py", ".lark")):
                    status = os.stat(os.path.join(folder, name))
                    yield f"{folder}/{name} {status.st_size} {status.st_mtime_ns}"
