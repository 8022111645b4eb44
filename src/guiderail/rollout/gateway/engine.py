"""Desired state in, serving state out: admits, starts, switches and stops versions."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from guiderail.core.digest import sha256_digest, short
from guiderail.core.errors import InputError
from guiderail.core.time import Clock, to_text
from guiderail.rollout.breaker import Answer, Breaker
from guiderail.rollout.desired import Desired, parse_desired
from guiderail.rollout.folder import Folder, write_atomically
from guiderail.rollout.gateway.admission import (
    Admitted,
    Circumstances,
    admit,
)
from guiderail.rollout.gateway.breaker_file import Trip, read_trips, write_trips
from guiderail.rollout.gateway.child import ModelProcess, StartError
from guiderail.rollout.gateway.serving import LiveArm, Serving
from guiderail.rollout.pinned import held_state, newer_keys
from guiderail.rollout.status import Control, RefusedArm, WorkloadStatus
from guiderail_verify.errors import VerifyError
from guiderail_verify.permit_state import PermitState, accept_state
from guiderail_verify.trusted_keys import TrustedKeys

POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Note:
    """How a workload's desired state and what is served relate."""

    control: Control
    reason: str | None = None
    refused: tuple[RefusedArm, ...] = ()


@dataclass(slots=True)
class Engine:
    """All workloads of one gateway. Used from one event loop only.

    private: a folder that only the gateway's user may open, for model copies and sockets.
    """

    folder: Folder
    private: Path
    environment: str
    keys: TrustedKeys
    clock: Clock
    require_state: bool = False
    serving: dict[str, Serving] = field(default_factory=dict)
    _notes: dict[str, _Note] = field(default_factory=dict)
    _seen: object = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _endings: set[asyncio.Task[None]] = field(default_factory=set)
    _started: int = 0
    _state: PermitState | None = None

    async def reconcile(self) -> None:
        """Read every control file and serve what may be served."""
        async with self._lock:
            self._seen = await asyncio.to_thread(self._stamps)
            await asyncio.to_thread(self._follow_keys)
            names = set(self.folder.workloads()) | self.serving.keys()
            for workload in sorted(names):
                await self._reconcile_one(workload)

    async def poll(self) -> None:
        """Reconcile whenever a control file changed; runs until cancelled."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            if await asyncio.to_thread(self._stamps) != self._seen:
                await self.reconcile()

    async def close(self) -> None:
        """Stop every model server."""
        async with self._lock:
            stopping = [arm.process.stop() for row in self.serving.values() for arm in row.arms]
            self.serving = {}
            await asyncio.gather(*stopping, *self._endings)

    def status(self) -> tuple[WorkloadStatus, ...]:
        return tuple(
            self._status_of(workload) for workload in sorted(self._notes.keys() | self.serving)
        )

    def answered(self, serving: Serving, arm: LiveArm, answer: Answer) -> None:
        """Count one answer; opens the breaker of a canary at once, in memory first."""
        if not arm.canary or arm.breaker.tripped is not None:
            return
        arm.breaker = arm.breaker.after(answer)
        if arm.breaker.tripped is not None:
            serving.share_out()
            task = asyncio.create_task(self._record_trip(serving.desired.workload, arm))
            self._endings.add(task)
            task.add_done_callback(self._endings.discard)

    async def _record_trip(self, workload: str, arm: LiveArm) -> None:
        path = self.folder.breaker(workload)
        reason = arm.breaker.tripped or "it opened"
        trip = Trip(arm.admitted.permit, arm.digest, to_text(self.clock()), reason)

        def write() -> None:
            try:
                known: Mapping[str, Trip] = read_trips(path)
            except (OSError, ValueError):
                known = {}
            write_trips(path, {**known, trip.permit: trip})

        try:
            await asyncio.to_thread(write)
        except OSError as error:
            arm.breaker = replace(
                arm.breaker, tripped=f"{reason} (not yet on disk: {error.strerror})"
            )

    def _stamps(self) -> object:
        """Changes whenever a file that the controller writes does."""
        stamps: list[tuple[object, ...]] = []
        told = (self.folder.permit_state, self.folder.key_chain)
        paths = {name: self.folder.desired(name) for name in self.folder.workloads()}
        for name, path in (*paths.items(), *((path.name, path) for path in told)):
            try:
                stat = path.stat()
            except OSError as error:
                stamps.append((name, error.errno))
            else:
                stamps.append((name, stat.st_mtime_ns, stat.st_size, stat.st_ino))
        return tuple(stamps)

    def _follow_keys(self) -> None:
        """Take newer keys if the chain leads to them, and read the state of permits anew."""
        try:
            keys = newer_keys(self.folder, self.keys)
        except VerifyError as error:
            sys.stderr.write(f"The pinned keys stay: {error.reason} [{error.code}]\n")
            return
        if keys.version != self.keys.version:
            self.keys, self._state = keys, None

    async def _reconcile_one(self, workload: str) -> None:
        wanted = await asyncio.to_thread(_read_state, self.folder.desired(workload), workload)
        now = await asyncio.to_thread(self._circumstances, workload)
        current = self.serving.get(workload)
        if current is not None:
            self._take_out_revoked(current, now)
        if isinstance(wanted, str):
            await self._keep(workload, current, now, _Note("kept", wanted))
            return
        desired, raw = wanted
        state = sha256_digest(raw)
        if current is not None and current.state == state and not current.partial:
            self._notes[workload] = _Note("current")
            return
        arms, refused = await self._prepare(desired, current, now)
        reason = "The desired state is refused."
        if not refused:
            try:
                await self._switch(Serving(desired, state, arms), raw)
            except OSError as error:
                reason = f"The approved state cannot be recorded ({error.strerror})."
            else:
                self._notes[workload] = _Note("current")
                return
        self._discard(arms, current)
        await self._keep(workload, current, now, _Note("kept", reason, refused))

    async def _keep(
        self, workload: str, current: Serving | None, now: Circumstances, note: _Note
    ) -> None:
        """Fail static: what was approved last goes on, also after a restart of the gateway."""
        if current is None:
            last = await asyncio.to_thread(_read_state, self.folder.applied(workload), workload)
            if not isinstance(last, str):
                desired, raw = last
                arms, refused = await self._prepare(desired, None, now)
                if arms:
                    current = Serving(desired, sha256_digest(raw), arms, partial=bool(refused))
                    self.serving[workload] = current
                note = replace(note, refused=note.refused or refused)
        self._notes[workload] = note if current is not None else replace(note, control="none")

    def _circumstances(self, workload: str) -> Circumstances:
        trips: Mapping[str, Trip] | None
        try:
            trips = read_trips(self.folder.breaker(workload))
        except (OSError, ValueError):
            trips = None
        last = _read_state(self.folder.applied(workload), workload)
        started = () if isinstance(last, str) else last[0].arms
        problem = None
        try:
            held = held_state(self.folder, self.keys, self.environment)
            if held is not None:
                self._state = accept_state(held, self._state)
        except VerifyError as error:
            problem = error.reason
        return Circumstances(
            workload=workload,
            environment=self.environment,
            now=self.clock(),
            started=frozenset(arm.digest for arm in started),
            state=self._state,
            state_problem=problem,
            state_required=self.require_state,
            trips=trips,
        )

    def _take_out_revoked(self, current: Serving, now: Circumstances) -> None:
        """Revoking is explicit, so it also ends what runs; an unreadable state ends nothing."""
        for arm in current.arms:
            arm.revoked = now.state is not None and arm.admitted.permit in now.state.revoked
        current.share_out()

    async def _prepare(
        self, desired: Desired, current: Serving | None, now: Circumstances
    ) -> tuple[tuple[LiveArm, ...], tuple[RefusedArm, ...]]:
        """Admit and start every arm; what already runs is kept running."""
        decided = await asyncio.to_thread(
            lambda: [admit(arm, self.folder, self.private, self.keys, now) for arm in desired.arms]
        )
        live = await asyncio.gather(
            *(self._start(each, current) for each in decided if isinstance(each, Admitted))
        )
        refused = [each for each in (*decided, *live) if isinstance(each, RefusedArm)]
        return tuple(arm for arm in live if isinstance(arm, LiveArm)), tuple(refused)

    async def _start(self, admitted: Admitted, current: Serving | None) -> LiveArm | RefusedArm:
        running = current.find(admitted.arm.digest) if current is not None else None
        if running is not None:
            same = running.admitted.permit == admitted.permit and admitted.arm.canary
            breaker = running.breaker if same else Breaker()
            return LiveArm(admitted, running.process, breaker)
        self._started += 1
        digest = admitted.arm.digest
        process = ModelProcess(admitted, self.private, str(self._started))
        try:
            await process.start()
        except (StartError, OSError) as error:
            reason = f"{short(digest)} is refused: {error}."
            return RefusedArm(digest, "target/does-not-start", reason)
        return LiveArm(admitted, process)

    async def _switch(self, new: Serving, raw: bytes) -> None:
        """Record what is approved, then serve it in one assignment, then stop what left."""
        workload = new.desired.workload
        await asyncio.to_thread(write_atomically, self.folder.applied(workload), raw)
        old = self.serving.get(workload)
        self.serving[workload] = new
        if old is not None:
            self._discard(old.arms, new)

    def _discard(self, arms: tuple[LiveArm, ...], keep: Serving | None) -> None:
        """Stop the processes of arms that `keep` does not use, after their last answer."""
        kept = {id(arm.process) for arm in keep.arms} if keep is not None else set()
        for arm in arms:
            if id(arm.process) not in kept:
                task = asyncio.create_task(arm.process.stop())
                self._endings.add(task)
                task.add_done_callback(self._endings.discard)

    def _status_of(self, workload: str) -> WorkloadStatus:
        note = self._notes.get(workload, _Note("none", "It was not read yet."))
        current = self.serving.get(workload)
        return WorkloadStatus(
            workload=workload,
            control=note.control,
            control_reason=note.reason,
            state=current.state if current is not None else None,
            arms=tuple(arm.status(current) for arm in current.arms) if current is not None else (),
            refused=note.refused,
        )


def _read_state(path: Path, workload: str) -> tuple[Desired, bytes] | str:
    """A desired state and its bytes, or why there is none, in words."""
    try:
        data = path.read_bytes()
        desired = parse_desired(data)
    except FileNotFoundError:
        return "The desired state is missing."
    except OSError as error:
        return f"The desired state cannot be read ({error.strerror})."
    except InputError as error:
        return error.what
    if desired.workload != workload:
        return f"The desired state is that of {desired.workload}."
    return desired, data


async def poll_forever(engine: Engine) -> None:
    """The polling task, ended quietly on shutdown."""
    with contextlib.suppress(asyncio.CancelledError):
        await engine.poll()
