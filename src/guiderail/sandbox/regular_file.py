"""Read a file whole without being held up or filled up by what only looks like one."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO


class NotRegularError(ValueError):
    """There is something under this name, and it is no file."""


_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def read_regular(path: Path, largest: int, *, links: bool = True) -> bytes:
    """The bytes of a regular file; without `links` the name itself must be the file.

    The check is made on what was opened, not on the name, so nothing can be put in its place in
    between. Raises NotRegularError, OverflowError for more than `largest` bytes, OSError.
    """
    with _opened(path, links) as stream:
        size = os.fstat(stream.fileno()).st_size
        content = stream.read(min(size, largest) + 1)
    if len(content) > largest or size > largest:
        raise OverflowError(f"{path.name} is larger than {largest} bytes")
    return content


def first_bytes(path: Path, count: int) -> bytes:
    """At most the first `count` bytes of a regular file. Raises NotRegularError, OSError."""
    with _opened(path, links=True) as stream:
        return stream.read(count)


def _opened(path: Path, links: bool) -> BinaryIO:
    # O_NONBLOCK: opening a pipe that nobody writes to must not wait for ever.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    stream = os.fdopen(os.open(path, flags if links else flags | os.O_NOFOLLOW), "rb")
    mode = os.fstat(stream.fileno()).st_mode
    if not stat.S_ISREG(mode):
        stream.close()
        kind = next((words for test, words in _KINDS if test(mode)), "something else")
        raise NotRegularError(f"{path.name} is {kind}, not a file")
    return stream
