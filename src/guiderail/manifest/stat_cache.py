"""File digests remembered by size, times and inode: a shortcut on the author's own machine."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from guiderail.core.digest import Digest, file_digest

_SETTLED = 2_000_000_000
"""Nanoseconds after which a file's times are finer than the edits they must tell apart."""
_LARGEST = 5_000
_FORMAT = 1


class StatCache:
    """Digests of files, recomputed when size, modification time, change time or inode differ.

    A file that changed within the last two seconds is never remembered: a second edit may leave
    the same times. A cache file that cannot be read counts as empty.
    """

    def __init__(
        self,
        file: Path | None,
        entries: dict[str, tuple[list[int], str]],
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        self._file = file
        self._entries = entries
        self._now = now
        self._changed = False

    @classmethod
    def read(cls, file: Path | None, now: Callable[[], int] = time.time_ns) -> StatCache:
        """The cache in a file; with None nothing is remembered. now: Unix time in nanoseconds."""
        return cls(file, _entries(file) if file is not None else {}, now)

    def digest(self, path: Path) -> Digest:
        """The digest of a file's bytes. Raises OSError as `open` does."""
        if self._file is None:
            return file_digest(path)
        key, stamp = str(path), _stamp(path)
        known = self._entries.get(key)
        if known is not None and known[0] == stamp:
            return Digest(known[1])
        digest = file_digest(path)
        settled = max(stamp[1], stamp[2]) + _SETTLED < self._now()
        if settled and _stamp(path) == stamp:
            self._entries.pop(key, None)  # the newest entries stand last
            self._entries[key] = (stamp, digest)
            self._changed = True
        return digest

    def write(self) -> None:
        """Store what was learnt, all at once; a directory that cannot be written is left alone."""
        if self._file is None or not self._changed:
            return
        newest = dict(list(self._entries.items())[-_LARGEST:])
        text = json.dumps({"format": _FORMAT, "files": newest})
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._file.parent, prefix=".digests-")
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
            os.replace(name, self._file)
        except OSError:
            return
        self._changed = False


def _stamp(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]


def _entries(file: Path) -> dict[str, tuple[list[int], str]]:
    """The entries of a cache file; none where it is missing or damaged."""
    try:
        content = json.loads(file.read_bytes())
        if content["format"] != _FORMAT:
            return {}
        entries = {}
        for path, (stamp, digest) in content["files"].items():
            if _is_digest(digest) and len(stamp) == 4:
                entries[str(path)] = ([int(part) for part in stamp], digest)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}
    return entries


def _is_digest(text: object) -> bool:
    return isinstance(text, str) and text.startswith("sha256:") and len(text) == 71
