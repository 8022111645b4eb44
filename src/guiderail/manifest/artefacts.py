"""Digests of the files that a manifest names."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from guiderail.core.digest import Digest, files_digest
from guiderail.core.errors import InputError, Place
from guiderail.manifest.mlflow_uri import is_uri, place_of
from guiderail.manifest.named_paths import NamedPath, named_paths
from guiderail.manifest.pins import LOCK_NAME, Pin, read_pins
from guiderail.manifest.problems import ManifestError
from guiderail.manifest.release import AnyManifest
from guiderail.manifest.stat_cache import StatCache

LARGEST_DIRECTORY = 10_000
"""Most files that a model directory or image layout may hold."""


def artefact_digests(
    manifest: AnyManifest, root: Path, places: Mapping[str, Place], cache: StatCache
) -> dict[str, Digest]:
    """Manifest path -> digest, for everything that is part of the release.

    root: the manifest's directory, resolved. A directory's digest covers the sorted relative names
    of its files with their digests. Raises ManifestError with every file that is missing,
    unreadable or outside the root; reports under `evidence` may be missing, not outside.
    """
    digests: dict[str, Digest] = {}
    problems: list[InputError] = []
    paths = named_paths(manifest)
    pins = read_pins(root) if any(is_uri(path.name) for path in paths) else {}
    for path in paths:
        if path.name in digests or (path.name == LOCK_NAME and not pins):
            continue  # without a lock nothing was fetched, which is said once for each name
        try:
            digest = (
                _fetched_digest(path, root, pins, cache)
                if is_uri(path.name)
                else _digest(path, root, cache)
            )
        except _UnusableError as error:
            place = places.get(path.dotted, places.get("", Place("guiderail.yaml")))
            problems.append(
                InputError(error.what, code=error.code, advice=error.advice, place=place)
            )
        else:
            if digest is not None:
                digests[path.name] = digest
    if problems:
        raise ManifestError(problems)
    return digests


class _UnusableError(Exception):
    """A named file cannot be part of a release; the caller knows where its name is written."""

    def __init__(self, code: str, what: str, advice: str) -> None:
        super().__init__(what)
        self.code, self.what, self.advice = code, what, advice


def _digest(path: NamedPath, root: Path, cache: StatCache) -> Digest | None:
    """The digest of an artefact; None for a report. Raises _UnusableError."""
    try:
        target = _inside(root / path.name, root, path)
        if not path.artefact:
            return None
        if target.is_file():
            return cache.digest(target)
        if not target.exists():
            raise _missing(path, root)
        if target.is_dir() and path.directory:
            return _directory_digest(target, root, path, cache)
    except OSError as error:
        raise _UnusableError(
            "manifest/unreadable-file",
            f"{path.dotted}: {path.name} cannot be read: {error.strerror or error}.",
            "Check the permissions of the file.",
        ) from None
    raise _UnusableError(
        "manifest/not-a-file",
        f"{path.dotted}: {path.name} is not a file.",
        "Name a file. Directories are accepted for models of several files and image layouts.",
    )


def _fetched_digest(
    path: NamedPath, root: Path, pins: Mapping[str, Pin], cache: StatCache
) -> Digest:
    """The digest of the copy of what MLflow names, which must be the one that was fetched."""
    pin = pins.get(path.name)
    copy = replace(path, name=place_of(path.name), directory=path.key == ("model", "file"))
    if pin is None or not (root / copy.name).exists():
        raise _UnusableError(
            "manifest/not-fetched",
            f"{path.dotted}: {path.name} was not fetched yet.",
            "Run `guiderail fetch`; it asks MLflow, pins the version in guiderail.lock and keeps a "
            "copy.",
        )
    if _digest(copy, root, cache) != pin.digest:
        raise _UnusableError(
            "manifest/fetched-changed",
            f"{path.dotted}: the copy of {path.name} is not what guiderail.lock says.",
            "Run `guiderail fetch` to get what was pinned, or `guiderail fetch --update` to pin "
            "what MLflow has now.",
        )
    return pin.digest


def _inside(target: Path, root: Path, path: NamedPath) -> Path:
    """The file behind all links, which must lie inside the root."""
    try:
        resolved = target.resolve()
    except RuntimeError:  # a loop of links, before Python 3.13
        resolved = target
    if not resolved.is_relative_to(root):
        raise _UnusableError(
            "manifest/path-outside",
            f"{path.dotted}: {path.name} is a link that leads out of the manifest's directory.",
            "Copy the file into the directory.",
        )
    return resolved


def _missing(path: NamedPath, root: Path) -> _UnusableError:
    wanted = root / path.name
    near: list[str] = []
    if wanted.parent.is_dir():
        names = sorted(entry.name for entry in wanted.parent.iterdir())
        near = difflib.get_close_matches(wanted.name, names, n=1)
    hint = f"Did you mean {(Path(path.name).parent / near[0]).as_posix()}? " if near else ""
    return _UnusableError(
        "manifest/missing-file",
        f"{path.dotted}: there is no file {path.name}.",
        f"{hint}Paths are relative to the manifest's directory; build the file first if a script "
        "writes it.",
    )


def _directory_digest(directory: Path, root: Path, path: NamedPath, cache: StatCache) -> Digest:
    files: dict[str, Digest] = {}
    for file in _files(directory, path):
        if len(files) >= LARGEST_DIRECTORY:
            raise _UnusableError(
                "manifest/directory-too-large",
                f"{path.dotted}: {path.name} holds more than {LARGEST_DIRECTORY} files.",
                "Name the directory of the model alone.",
            )
        name = file.relative_to(directory).as_posix()
        files[name] = cache.digest(_inside(file, root, path))
    if not files:
        raise _UnusableError(
            "manifest/empty-directory",
            f"{path.dotted}: {path.name} is an empty directory.",
            "Name a directory that holds the model.",
        )
    return files_digest(files)


def _files(directory: Path, path: NamedPath) -> Iterator[Path]:
    """Every file below a directory; links to directories, sockets and devices are refused."""

    def stop(error: OSError) -> None:
        raise error

    for parent, directories, names in os.walk(directory, onerror=stop):
        directories.sort()
        linked = [name for name in directories if Path(parent, name).is_symlink()]
        special = [name for name in names if not Path(parent, name).is_file()]
        for name in (*linked, *special):
            shown = Path(parent, name).relative_to(directory).as_posix()
            raise _UnusableError(
                "manifest/not-a-file",
                f"{path.dotted}: {path.name}/{shown} is neither a file nor a directory.",
                "Replace it with a copy of what it stands for.",
            )
        for name in sorted(names):
            yield Path(parent, name)
