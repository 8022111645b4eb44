"""The controller of the local target: starts and stops the gateway and tells it what to serve."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from guiderail.attest.secrets import without_secrets
from guiderail.core.errors import ConflictError, GuiderailError, InputError, RefusedError
from guiderail.rollout import decision_log
from guiderail.rollout.decision_log import ArmCount
from guiderail.rollout.desired import Arm, Desired, desired_bytes, parse_desired, state_digest
from guiderail.rollout.folder import Folder, write_atomically
from guiderail.rollout.pinned import held_state, keep_state, pinned_keys, state_bytes
from guiderail.rollout.status import GatewayStatus, WorkloadStatus, status_from_json
from guiderail_verify.errors import VerifyError
from guiderail_verify.permit_state import PermitState

START_SECONDS = 180.0
STOP_SECONDS = 20.0
APPLY_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class LocalTarget:
    """One workspace's gateway. Every write is atomic; doing a thing twice is doing it once.

    home: the workspace; environment: which one this target is, permits must name it.
    require_state: whether a gateway started from here refuses to start anything new without a
    signed state of permits that is still valid.
    """

    home: Path
    environment: str = "production"
    require_state: bool = False

    @property
    def folder(self) -> Folder:
        return Folder(self.home)

    def start_gateway(self, *, port: int = 0) -> GatewayStatus:
        """Start the gateway in the background, or find it running. Port 0 takes a free one.

        A file of a gateway that no longer runs is ignored. Raises ConflictError with the last
        line of its log when it does not come up.
        """
        if self._is_running():
            found = self._wait_for_running()
            if found is not None:
                return found
        root = self.folder.root
        root.mkdir(parents=True, exist_ok=True)
        self._ensure_token()
        command = [sys.executable, "-m", "guiderail.rollout.gateway", "--home", str(self.home)]
        command += ["--port", str(port), "--environment", self.environment]
        command += ["--require-state"] if self.require_state else []
        return self._wait_for_start(_spawn(command, self.folder.log))

    def stop_gateway(self) -> bool:
        """Stop the gateway and its model servers; True when one was running.

        Asks first; a gateway that has not ended after twenty seconds is ended. Raises
        ConflictError when even that fails.
        """
        if not self._is_running():
            self.folder.running.unlink(missing_ok=True)
            return False
        for sign in (signal.SIGTERM, signal.SIGKILL):
            pid = self._pid()
            if pid is not None:
                _signal(pid, sign)
            if self._wait_until_stopped():
                if pid is not None:
                    _forget(pid)
                self.folder.running.unlink(missing_ok=True)
                return True
        raise ConflictError(
            "The gateway does not stop.",
            code="target/does-not-stop",
            advice=f"See {self.folder.log} and end the process it names.",
        )

    def gateway_status(self) -> GatewayStatus:
        """What the gateway says; `running` is False when there is none."""
        if not self._is_running():
            return GatewayStatus(running=False)
        return status_from_json(self._call("GET", "/-/status"))

    def apply(
        self,
        workload: str,
        arms: Sequence[Arm],
        *,
        salt: str | None = None,
        unit: str | None = None,
        timeout_seconds: float = 5.0,
    ) -> None:
        """Serve exactly these versions with exactly these weights, or raise and keep what runs.

        salt: draws the split; by default the one in force stays, so that nobody changes sides.
        An empty sequence switches the workload off. Raises ConflictError when no gateway runs,
        RefusedError when the gateway refuses a version (its reasons are in the message); the
        desired state before is then put back.
        """
        if not self._is_running():
            raise _gateway_down()
        path = self.folder.desired(workload)
        before = path.read_bytes() if path.exists() else None
        salt = salt or self._salt(before) or workload
        wanted = Desired(workload, tuple(arms), salt, unit, timeout_seconds)
        data = desired_bytes(wanted)
        if data != before:
            write_atomically(path, data)
        status = self._reload()
        row = status.workload(workload)
        if row is not None and row.control == "current" and row.state == state_digest(wanted):
            return
        if before is None:
            path.unlink(missing_ok=True)
        elif data != before:
            write_atomically(path, before)
        if data != before:
            self._reload()
        raise _not_served(workload, row)

    def observed(self, workload: str) -> WorkloadStatus | None:
        """What is served under a name now; None when the gateway runs and knows nothing of it.

        Raises ConflictError when no gateway runs.
        """
        status = self.gateway_status()
        if not status.running:
            raise _gateway_down()
        return status.workload(workload)

    def decisions(self, workload: str, *, since: str = "") -> tuple[ArmCount, ...]:
        """Recorded decisions by version, from the moment `since` (RFC 3339) on."""
        deadline = time.monotonic() + 5
        while self.gateway_status().waiting and time.monotonic() < deadline:
            time.sleep(0.05)
        return decision_log.count(self.folder.decisions, workload, since=since)

    def state(self) -> PermitState | None:
        """What this target knows to be taken back; None where it was never told anything.

        Raises InputError `target/state-unreadable` for a state that does not hold.
        """
        try:
            return held_state(self.folder, pinned_keys(self.folder), self.environment)
        except VerifyError as error:
            raise _state_unreadable(self.folder, error) from error

    def state_bytes(self) -> bytes | None:
        """The state that is held as it was signed. Raises InputError where it cannot be read."""
        try:
            return state_bytes(self.folder)
        except VerifyError as error:
            raise _state_unreadable(self.folder, error) from error

    def take_state(self, envelope: bytes) -> PermitState:
        """Keep a newer signed state of permits. A running gateway acts on it at once.

        Raises RefusedError `state/...` for one that is older, forgets something or is not signed by
        a key that signs now; ConflictError where the gateway does not answer, when it is kept.
        """
        kept = keep_state(self.folder, envelope, self.environment)
        if self._is_running():
            self._reload()
        return kept

    def reload(self) -> GatewayStatus:
        """Let the gateway read its files now. Raises ConflictError when none runs."""
        if not self._is_running():
            raise _gateway_down()
        return self._reload()

    def _reload(self) -> GatewayStatus:
        return status_from_json(self._call("POST", "/-/reload", timeout=APPLY_SECONDS))

    def _salt(self, data: bytes | None) -> str | None:
        try:
            return parse_desired(data).salt if data is not None else None
        except InputError:
            return None

    def _ensure_token(self) -> None:
        if not self.folder.token.exists():
            write_atomically(self.folder.token, secrets.token_hex(32).encode())

    def _is_running(self) -> bool:
        """A running gateway holds a lock on a file for as long as it lives, however it ends."""
        try:
            handle = os.open(self.folder.lock, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False

    def _pid(self) -> int | None:
        """Process id of the gateway that holds the lock."""
        try:
            return int(self.folder.lock.read_text())
        except (OSError, ValueError):
            return None

    def _port(self) -> int | None:
        try:
            value = json.loads(self.folder.running.read_bytes())["port"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return value if isinstance(value, int) else None

    def _wait_for_running(self) -> GatewayStatus | None:
        """The status of a gateway that somebody else started; None when it ends meanwhile.

        A gateway that was killed may hold its lock for a moment longer.
        """
        deadline = time.monotonic() + START_SECONDS
        while self._is_running() and time.monotonic() < deadline:
            if self._port() is not None:
                try:
                    return self.gateway_status()
                except ConflictError:
                    pass  # it listens a moment later, or it is on its way out
            time.sleep(0.05)
        return None

    def _wait_for_start(self, pid: int) -> GatewayStatus:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._port() is not None and self._is_running():
                try:
                    return self.gateway_status()
                except ConflictError:
                    pass  # it listens a moment later
            if _has_ended(pid) and not self._is_running():
                break
            time.sleep(0.05)
        raise ConflictError(
            f"The gateway does not start. {_last_line(self.folder.log)}",
            code="target/does-not-start",
            advice=f"Its log is {self.folder.log}.",
        )

    def _wait_until_stopped(self) -> bool:
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            if not self._is_running():
                return True
            time.sleep(0.05)
        return False

    def _call(self, method: str, path: str, *, timeout: float = 10) -> dict[str, object]:
        port = self._port()
        if port is None:
            raise _gateway_down()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        try:
            token = self.folder.token.read_text().strip()
            connection.request(method, path, headers={"Authorization": f"Bearer {token}"})
            response = connection.getresponse()
            body = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _gateway_down(str(error)) from error
        finally:
            connection.close()
        if response.status != 200 or not isinstance(body, dict):
            raise _gateway_down(f"it answers {response.status}")
        return body


def _state_unreadable(folder: Folder, error: VerifyError) -> InputError:
    return InputError(
        f"The state of permits cannot be used: {error.reason}",
        code="target/state-unreadable",
        advice=f"Put {folder.permit_state} right with guiderail permit state; nothing new starts "
        "until then.",
    )


def _spawn(command: list[str], log: Path) -> int:
    """Start a process of its own session that outlives this one, and give its id."""
    to_log = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    return os.posix_spawn(
        command[0],
        command,
        without_secrets(os.environ),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), to_log, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def _has_ended(pid: int) -> bool:
    """Whether a child of ours has ended; True also for what is no child of ours."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def _forget(pid: int) -> None:
    """Let the system forget a child of ours that has given up its lock, which it does last."""
    deadline = time.monotonic() + 1
    while not _has_ended(pid) and time.monotonic() < deadline:
        time.sleep(0.01)


def _signal(pid: int, sign: signal.Signals) -> None:
    try:
        os.kill(pid, sign)
    except ProcessLookupError:
        return


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""


def _gateway_down(why: str = "") -> ConflictError:
    return ConflictError(
        f"The gateway does not answer{f': {why}' if why else ''}.",
        code="target/gateway-down",
        advice="Start it with `guiderail serve --target local`; nothing was changed.",
    )


def _not_served(workload: str, row: WorkloadStatus | None) -> GuiderailError:
    reasons = [arm.reason for arm in row.refused] if row is not None else []
    if row is not None and not reasons and row.control_reason:
        reasons = [row.control_reason]
    return RefusedError(
        f"The target refuses the new state of {workload}: {' '.join(reasons) or 'no reason given'}",
        code=row.refused[0].code if row is not None and row.refused else "target/refused",
        advice="What was served before is still served.",
    )
