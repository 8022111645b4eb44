"""`python -m guiderail.rollout.gateway --home DIR [--port P] [--environment NAME]
[--require-state]`.

Needs no database and no control plane: only the files under DIR. Prints nothing but problems.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import uvicorn

from guiderail.core.errors import ConflictError, GuiderailError, InputError
from guiderail.core.time import system_clock, to_text
from guiderail.rollout.decision_log import Recorder
from guiderail.rollout.folder import Folder, write_atomically
from guiderail.rollout.gateway.app import Gateway
from guiderail.rollout.gateway.engine import Engine
from guiderail.rollout.pinned import pinned_keys

LOCK_SECONDS = 3.0
PRIVATE = "guiderail-gateway-"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="guiderail.rollout.gateway", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the workspace")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--environment", default="production", help="what permits must name")
    parser.add_argument(
        "--require-state",
        action="store_true",
        help="start nothing new without a signed state of permits that is still valid",
    )
    options = parser.parse_args(arguments)
    folder = Folder(options.home.absolute())
    try:
        _only_one(folder)
        with _private_folder(folder) as private:
            asyncio.run(_serve(folder, private, options))
    except GuiderailError as error:
        sys.stderr.write(f"{error}\n")
        return 4
    return 0


async def _serve(folder: Folder, private: Path, options: argparse.Namespace) -> None:
    keys = pinned_keys(folder)
    token = _token(folder)
    listening = _listen(options.port)
    recorder = _recorder(folder)
    engine = Engine(folder, private, options.environment, keys, system_clock, options.require_state)
    config = uvicorn.Config(
        Gateway(engine, recorder, token, listening.getsockname()[1]),
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=10,
    )
    server = uvicorn.Server(config)
    for sign in (signal.SIGTERM, signal.SIGINT):
        # Also in force after the server has put its own handlers away and raises the signal again.
        asyncio.get_running_loop().add_signal_handler(sign, _ask_to_stop, server)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    governing = asyncio.create_task(_govern(folder, engine, listening.getsockname()[1]))
    try:
        await asyncio.wait({serving, governing}, return_when=asyncio.FIRST_COMPLETED)
        _ask_to_stop(server)
        await serving
        governing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await governing
    finally:
        folder.running.unlink(missing_ok=True)
        await engine.close()
        await asyncio.to_thread(recorder.close)
    if recorder.waiting:
        sys.stderr.write(f"{recorder.waiting} decisions are lost: {recorder.problem}\n")


def _ask_to_stop(server: uvicorn.Server) -> None:
    server.should_exit = True


async def _govern(folder: Folder, engine: Engine, port: int) -> None:
    """Serve what the files say, tell the controller where, and follow the files."""
    await engine.reconcile()
    _announce(folder, port)
    await engine.poll()


def _token(folder: Folder) -> str:
    try:
        token = folder.token.read_text().strip()
    except OSError as error:
        token, why = "", error.strerror
    else:
        why = "it is empty"
    if not token:
        raise InputError(
            f"The token {folder.token} cannot be used ({why}).",
            code="target/no-token",
            advice="Start the gateway through the command line, which writes it.",
        )
    return token


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted connections inherit this. Without it every answer waits some 40 ms for the client's
    # delayed acknowledgement, because head and body are written one after the other.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        listening.close()
        raise InputError(
            f"Port {port} of 127.0.0.1 cannot be used ({error}).",
            code="target/port",
            advice="Choose another port, or 0 for a free one.",
        ) from error
    listening.listen(512)
    return listening


def _recorder(folder: Folder) -> Recorder:
    recorder = Recorder(folder.decisions)
    try:
        recorder.start()
    except sqlite3.Error as error:
        raise InputError(
            f"Decisions cannot be recorded in {folder.decisions}: {error}.",
            code="target/decision-log",
            advice="Free some disk space or move the damaged file away, then start again.",
        ) from error
    return recorder


def _announce(folder: Folder, port: int) -> None:
    body = {
        "port": port,
        "started_at": to_text(system_clock()),
    }
    write_atomically(folder.running, (json.dumps(body, indent=1) + "\n").encode())


def _only_one(folder: Folder) -> None:
    """Take the lock and write our process id into it.

    It is never given back: the system frees it when this process has ended, however it ended, so
    that a free lock means that no gateway runs.
    """
    folder.root.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder.lock, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise ConflictError(
                    f"A gateway for {folder.home} is already running.",
                    code="target/already-running",
                    advice="Stop it first; one workspace has one gateway.",
                ) from error
            time.sleep(0.05)
        else:
            break
    folder.running.unlink(missing_ok=True)
    os.ftruncate(handle, 0)
    os.write(handle, f"{os.getpid()}\n".encode())


@contextlib.contextmanager
def _private_folder(folder: Folder) -> Iterator[Path]:
    """A short path (sockets allow 107 bytes) that only this user may open, removed at the end.

    What a gateway that was killed left behind is removed first.
    """
    left = folder.root / "_private"
    if left.is_symlink():
        _remove_private(left.readlink())
        left.unlink()
    private = Path(tempfile.mkdtemp(prefix=PRIVATE))
    try:
        left.symlink_to(private)
        yield private
    finally:
        _remove_private(private)
        left.unlink(missing_ok=True)


def _remove_private(path: Path) -> None:
    """Remove a folder that `mkdtemp` made for us; anything else stays, whatever a link says."""
    temporary = Path(tempfile.gettempdir())
    try:
        ours = path.lstat().st_uid == os.getuid()
    except OSError:
        return
    if ours and path.parent == temporary and path.name.startswith(PRIVATE):
        shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
