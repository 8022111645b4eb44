"""The starter itself: import what children need, fork for each, and watch it to its end.

Three processes take part. The *starter* imports trusted libraries and waits for jobs. For each it
forks a *watcher*, which forks the *child*, ends it and everything it started when it takes too long
or nobody waits any more, and says how it ended. Only the child, confined, reads what is untrusted.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import tempfile
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from guiderail.sandbox.confine import confine
from guiderail.sandbox.starter_protocol import ACCEPTED, IDLE_SECONDS, LARGEST_MESSAGE


def serve(number: int) -> NoReturn:
    """Start children for whoever holds the other end of the socket with this number."""
    control = socket.socket(fileno=number)
    control.settimeout(IDLE_SECONDS)
    while True:
        try:
            message, lines, *_ = socket.recv_fds(control, LARGEST_MESSAGE, 1)
        except TimeoutError:
            break
        if not message:
            break
        _collect(os.WNOHANG)
        job = json.loads(message)
        _import(job["imports"])
        if os.fork() == 0:
            control.close()
            _watch(job, socket.socket(fileno=lines[0]))
        os.close(lines[0])
    control.close()
    _collect(0)
    os._exit(0)


def _collect(options: int) -> None:
    """Take leave of watchers that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, options)[0]:
            pass


def _import(names: list[str]) -> None:
    """What cannot be imported here fails again in the child, which says why."""
    missing = [name for name in names if name not in sys.modules]
    for name in missing:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    if missing:
        gc.collect()
        gc.freeze()  # memory that is never looked through stays shared with the children


def _watch(job: Mapping[str, Any], line: socket.socket) -> NoReturn:
    """The watcher: one child, to its end."""
    woken, wakes = socket.socketpair()
    wakes.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes.fileno())
    child = os.fork()
    if child == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _become(job)
    ready: list[Any] = []
    with contextlib.suppress(OSError):
        line.sendall(ACCEPTED)
        ready, _, _ = select.select([line, woken], [], [], job["wall_seconds"])
    _end_group(child)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status) if ready else None
    with contextlib.suppress(OSError):
        line.sendall(json.dumps({"code": code}).encode())
    os._exit(0)


def _end_group(child: int) -> None:
    """Kill the child, if it still runs, and everything that it started."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(child, signal.SIGKILL)


def _become(job: Mapping[str, Any]) -> NoReturn:
    """The child: what a fresh process would be, but for the modules that are there already."""
    code = 1
    try:
        os.setsid()
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        os.dup2(os.open(job["errors"], flags, 0o600), 2)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        os.chdir(job["workdir"])
        os.environ.clear()
        os.environ.update(job["environment"])
        tempfile.tempdir = None
        confine(job["limits"], Path(job["report"]), **job["places"])
        sys.argv = [job["module"], *job["arguments"]]
        runpy.run_module(job["module"], run_name="__main__", alter_sys=False)
        code = 0
    except SystemExit as leave:
        code = _code(leave)
    except BaseException:  # noqa: BLE001  # as the interpreter itself would: say it and end with 1
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        os._exit(code)


def _code(leave: SystemExit) -> int:
    if leave.code is None or isinstance(leave.code, int):
        return (leave.code or 0) & 0xFF
    print(leave.code, file=sys.stderr)  # noqa: T201  # what the interpreter does with it
    return 1
