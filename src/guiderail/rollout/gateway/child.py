"""One model server: a confined child process behind a Unix socket, restarted when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from guiderail.core.digest import path_digest
from guiderail.rollout.gateway.admission import Admitted
from guiderail.sandbox.process import (
    Isolation,
    Limits,
    clean_environment,
    command,
    read_isolation,
)

START_SECONDS = 90.0
STOP_SECONDS = 5.0
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 15.0
STEADY_SECONDS = 30.0
LIMITS = Limits(cpu_seconds=0, memory_bytes=4 << 30, file_bytes=1 << 20, open_files=512)
"""A server runs for weeks: its processor time has no end, everything else has."""


class StartError(Exception):
    """The model server did not come up; the message is one clause for people."""


@dataclass(slots=True)
class _Running:
    process: asyncio.subprocess.Process
    session: aiohttp.ClientSession
    isolation: Isolation
    since: float


class ModelProcess:
    """Starts, watches and stops the server of one release.

    The child runs behind the walls of the sandbox: it reads its model file and what Python needs,
    writes nothing, and answers on one socket. The gateway opened that one in a folder of its own,
    which nobody else may open, so that every decision passes the gateway. What the kernel does not
    offer is missing, and the isolation says so. The child ends when the gateway does.
    """

    def __init__(self, admitted: Admitted, folder: Path, name: str) -> None:
        self._release = admitted.release
        self._model = admitted.model_copy
        self._folder = folder
        self._name = name
        self._starts = 0
        self._running: _Running | None = None
        self._watch: asyncio.Task[None] | None = None
        self.restarts = 0
        self.in_flight = 0
        self.last_problem: str | None = None

    @property
    def session(self) -> aiohttp.ClientSession | None:
        """Where to send requests; None while the child is away."""
        return self._running.session if self._running is not None else None

    @property
    def isolation(self) -> Isolation | None:
        return self._running.isolation if self._running is not None else None

    @property
    def pid(self) -> int | None:
        return self._running.process.pid if self._running is not None else None

    async def start(self) -> None:
        """Start the child and wait until it answers. Raises StartError."""
        self._running = await self._spawn()
        self._watch = asyncio.create_task(self._supervise())

    async def stop(self) -> None:
        """Let requests in flight end, then end the child. Safe to call twice."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
            self._watch = None
        deadline = time.monotonic() + STOP_SECONDS
        while self.in_flight and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        running, self._running = self._running, None
        if running is not None:
            await _end(running.process, running.session)

    async def _spawn(self) -> _Running:
        found = await asyncio.to_thread(_digest_or_reason, self._model)
        if found != self._release.model_digest:
            raise StartError("its model file changed after it was permitted")
        self._starts += 1
        place = self._folder / f"{self._name}-{self._starts}"
        place.mkdir(mode=0o700)
        process = await self._launch(place)
        session = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(path=str(place / "s"), limit=0),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        try:
            await self._wait_until_ready(process, session, place)
        except BaseException:
            await _end(process, session)
            raise
        isolation = read_isolation(place / "isolation.json")
        return _Running(process, session, isolation, time.monotonic())

    async def _launch(self, place: Path) -> asyncio.subprocess.Process:
        arguments = ["--model", str(self._model), "--end-with-stdin"]
        if self._release.threshold is not None:
            arguments += ["--threshold", repr(self._release.threshold)]
        if self._release.positive is not None:
            arguments += ["--positive", self._release.positive]
        report = place / "isolation.json"
        with (place / "errors").open("wb") as errors, _listen(place / "s") as listening:
            arguments += ["--socket", str(listening.fileno())]
            return await asyncio.create_subprocess_exec(
                *command("guiderail.sandbox.serve", arguments, LIMITS, report, read=[self._model]),
                pass_fds=(listening.fileno(),),
                cwd=place,
                env=clean_environment(place),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )

    async def _wait_until_ready(
        self, process: asyncio.subprocess.Process, session: aiohttp.ClientSession, place: Path
    ) -> None:
        deadline = time.monotonic() + START_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            if process.returncode is not None:
                raise StartError(f"its model server ended: {_last_line(place / 'errors')}")
            try:
                # The socket listens before the child does anything: the first answer may take long.
                within = aiohttp.ClientTimeout(total=left)
                async with session.get("http://model/healthz", timeout=within) as response:
                    loaded = json.loads(await response.read())["model"]
            except (aiohttp.ClientError, OSError):
                await asyncio.sleep(0.05)
                continue
            if loaded != self._release.model_digest:
                raise StartError("its model server loaded other bytes than were permitted")
            return
        raise StartError(f"its model server was not ready within {START_SECONDS:g} seconds")

    async def _supervise(self) -> None:
        """Wait for the child to die and start it again, with pauses that grow."""
        pause = FIRST_PAUSE
        while True:
            running = self._running
            if running is not None:
                code = await running.process.wait()
                self._running = None
                await _end(running.process, running.session)
                self.last_problem = f"its model server ended with code {code}"
                if time.monotonic() - running.since > STEADY_SECONDS:
                    pause = FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            try:
                self._running = await self._spawn()
            except (StartError, OSError) as error:
                self.last_problem = str(error)
                continue
            self.restarts += 1


async def _end(process: asyncio.subprocess.Process, session: aiohttp.ClientSession) -> None:
    """Close the connections and make sure that the child and all it started are gone."""
    await session.close()
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), timeout=2)
            if sign is signal.SIGKILL:
                return
    if process.stdin is not None:
        process.stdin.close()


def _listen(path: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(str(path))
        listening.listen(128)
    except OSError:
        listening.close()
        raise
    return listening


def _digest_or_reason(path: Path) -> str:
    try:
        return path_digest(path)
    except (OSError, ValueError) as error:
        return f"unreadable: {error}"


def _last_line(path: Path) -> str:
    try:
        lines = path.read_text(errors="replace").strip().splitlines()
    except OSError:
        return "it left no message"
    return lines[-1][:500] if lines else "it left no message"
