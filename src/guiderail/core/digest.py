"""Canonical bytes and SHA-256 digests.

Signed and hashed bytes are canonical JSON: keys sorted, no spaces, UTF-8, no floats (numbers with
a fraction are decimal strings, see `decimal_string`), integers below 2**53.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import NewType

Digest = NewType("Digest", str)
"""`sha256:` followed by 64 lower-case hexadecimal digits."""

LARGEST_INTEGER = 2**53 - 1


def sha256_digest(data: bytes) -> Digest:
    return Digest("sha256:" + hashlib.sha256(data).hexdigest())


def file_digest(path: Path) -> Digest:
    """Digest of a file's bytes. Raises OSError as `open` does."""
    with path.open("rb") as stream:
        return Digest("sha256:" + hashlib.file_digest(stream, "sha256").hexdigest())


def short(digest: str) -> str:
    """The first twelve hexadecimal digits, for people."""
    return digest.removeprefix("sha256:")[:12]


def decimal_string(number: float) -> str:
    """A finite number as the shortest plain decimal string that reads back as the same number.

    Raises ValueError for NaN and infinities: they are unknown, never a number.
    """
    if not math.isfinite(number):
        raise ValueError(f"{number!r} is not a finite number")
    text = format(Decimal(repr(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def canonical_json(value: object) -> bytes:
    """The one byte form of a JSON value.

    Raises TypeError for floats and non-string keys, ValueError for integers of 2**53 and above.
    """
    _refuse_inexact(value)
    return _ENCODER.encode(value).encode("utf-8")


_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


def json_digest(value: object) -> Digest:
    return sha256_digest(canonical_json(value))


def _refuse_inexact(value: object) -> None:
    if isinstance(value, str):
        return
    if isinstance(value, float):
        raise TypeError("floats have no canonical form: use decimal_string")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST_INTEGER:
        raise ValueError(f"integer {value} is 2**53 or larger")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"object key {key!r} is not a string")
            _refuse_inexact(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_inexact(item)


def path_digest(path: Path) -> Digest:
    """Digest of a file, or of a directory by the relative names and digests of its files.

    The same as a release's digest of the artefact. Raises ValueError for a link, a pipe or anything
    else below a directory that is neither file nor directory, and OSError.
    """
    if not path.is_dir():
        return file_digest(path)
    return files_digest({name: file_digest(file) for name, file in files_below(path)})


def files_digest(files: Mapping[str, Digest]) -> Digest:
    """Digest of a directory: relative names with / between their parts, and the files' digests."""
    return json_digest({"files": dict(files)})


def files_below(directory: Path) -> Iterator[tuple[str, Path]]:
    """Relative name and path of every file, sorted in each directory. Raises as `path_digest`."""
    for entry in sorted(os.scandir(directory), key=lambda entry: entry.name):
        if entry.is_symlink() or not (entry.is_file() or entry.is_dir()):
            raise ValueError(f"{entry.name} is neither a file nor a directory")
        path = directory / entry.name
        if entry.is_dir():
            yield from ((f"{entry.name}/{name}", file) for name, file in files_below(path))
        else:
            yield entry.name, path
