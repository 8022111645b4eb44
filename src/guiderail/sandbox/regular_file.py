"""Read a file whole without being held up or filled up by what only looks like one."""

from __future__ import annotations

import os
import stat
from pathlib import Path


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
    # O_NONBLOCK: opening a pipe that nobody writes to must not wait for ever.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    handle = os.open(path, flags if links else flags | os.O_NOFOLLOW)
    with os.fdopen(handle, "rb") as stream:
        found = os.fstat(stream.fileno())
        mode = found.st_mode
        if not stat.S_ISREG(mode):
            kind = next((words for test, words in _KINDS if test(mode)), "something else")
            raise NotRegularError(f"{path.name} is {kind}, not a file")
        content = stream.read(min(found.st_size, largest) + 1)
    if len(content) > largest or found.st_size > largest:
        raise OverflowError(f"{path.name} is larger than {largest} bytes")
    return content
