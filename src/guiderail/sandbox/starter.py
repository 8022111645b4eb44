"""Children that need not import everything again: forks of one process that did, once.

Importing pandas and scikit-learn takes longer than most of what a child does. So one process, the
starter, imports them, reads nothing of anybody's, and starts every child as a copy of itself; only
the copy confines itself and meets a model. Children share nothing but what was imported: a child
can no more reach the next one than a process of its own could.

The starter begins with the first child and ends with this process, or when nobody asks for five
minutes. It is not used where the system has no cheap and safe copies (outside Linux).
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guiderail.sandbox.starter_protocol import ACCEPTED, LARGEST_MESSAGE

PATIENCE = 60.0
"""Seconds beyond the child's own that are waited for an answer: for imports, and for a full
machine."""

_PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from guiderail.sandbox.starter_child import serve
serve(int(sys.argv[2]))
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """code: as of `subprocess`, negative for a signal; None for a child that took too long."""

    code: int | None


@dataclass(frozen=True, slots=True)
class _Running:
    process: subprocess.Popen[bytes]
    control: socket.socket
    root: Path


_lock = threading.Lock()
_running: _Running | None = None


def start(
    root: Path, imports: Sequence[str], job: Mapping[str, Any], wall_seconds: float
) -> Ended | None:
    """Run one child to its end; None where there is no starter, so that nothing has run.

    root: where Guiderail is imported from. imports: modules that are imported once, before any
    child; one that is missing is left to the child, which says so. job: what
    `starter_child` runs, as JSON.
    """
    if sys.platform != "linux":
        return None
    message = json.dumps({**job, "imports": list(imports), "wall_seconds": wall_seconds}).encode()
    if len(message) > LARGEST_MESSAGE:
        return None
    for _ in range(2):  # the starter may have ended for lack of work just now
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                sent = _send(root, message, theirs)
            if not sent:
                continue
            ours.settimeout(wall_seconds + PATIENCE)
            try:
                if ours.recv(len(ACCEPTED)) == ACCEPTED:
                    return _ended(ours)
            except TimeoutError:
                return Ended(None)
    return None


def _ended(line: socket.socket) -> Ended:
    """What became of a child that was started. Closing the line ends it, if it still runs."""
    try:
        answer = line.recv(256)
    except TimeoutError:
        return Ended(None)
    if not answer:  # whoever watched the child was killed, and the child with it
        return Ended(-9)
    code = json.loads(answer)["code"]
    return Ended(None if code is None else int(code))


def _send(root: Path, message: bytes, line: socket.socket) -> bool:
    with _lock:
        control = _control(root)
        try:
            socket.send_fds(control, [message], [line.fileno()])
        except OSError:
            _end()
            return False
    return True


def _control(root: Path) -> socket.socket:
    global _running
    if _running is not None and (_running.root != root or _running.process.poll() is not None):
        _end()
    if _running is None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-I", "-c", _PROGRAM, str(root), str(theirs.fileno())],
                cwd="/",
                env=environment("/"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        _running = _Running(process, ours, root)
    return _running.control


def environment(home: str) -> dict[str, str]:
    """An environment with nothing of the caller's in it: fixed values only."""
    return {
        "HOME": home,
        "TMPDIR": home,
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }


def _end() -> None:
    """Let the starter end; it and its children do when the line to it is closed."""
    global _running
    running, _running = _running, None
    if running is None:
        return
    running.control.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        running.process.wait(timeout=5)


def _forget() -> None:
    """A copy of this process has no starter: two processes must not share one line."""
    global _lock, _running
    _lock = threading.Lock()
    if _running is not None:
        _running.control.close()
        _running.process.returncode = 0  # not a child of the copy: nothing to wait for
        _running = None


atexit.register(_end)
os.register_at_fork(after_in_child=_forget)
