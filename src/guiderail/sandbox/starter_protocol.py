"""What a process and its starter say to each other; standard library only.

The process sends one JSON message for each child and with it one end of a line of its own. The
line answers `ACCEPTED` as soon as the child starts, and then `{"code": ...}` when it has ended.
Closing the line ends the child.
"""

from __future__ import annotations

LARGEST_MESSAGE = 100_000
"""Bytes; a packet of this size fits into the buffers that Linux gives every socket."""

ACCEPTED = b"+"
IDLE_SECONDS = 300.0
