"""What a target says about itself: the status that the gateway answers and the controller reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

Control = Literal["current", "kept", "none"]


@dataclass(frozen=True, slots=True)
class RefusedArm:
    """A version that does not start, and why. `code` is stable, `reason` is for people."""

    digest: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class ArmStatus:
    """One version that serves.

    weight: percent that the desired state asks for; share: percent that it gets now.
    running: False while its process is being restarted.
    tripped: why the breaker took its traffic away; None while it did not.
    isolation: what its model server reached, as `sandbox.process.Isolation` writes it; None while
        none runs.
    """

    digest: str
    weight: int
    share: int
    permit: str
    canary: bool
    running: bool
    restarts: int
    tripped: str | None
    pid: int | None = None
    isolation: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class WorkloadStatus:
    """What is served under one name.

    control: `current` when the desired state is served, `kept` when the last approved one is
        because the desired state is missing, unreadable or refused, `none` when nothing is.
    control_reason: why it is not current.
    state: digest of the desired state that is served; None when nothing is.
    """

    workload: str
    control: Control
    control_reason: str | None
    state: str | None
    arms: tuple[ArmStatus, ...]
    refused: tuple[RefusedArm, ...]

    def arm(self, digest: str) -> ArmStatus | None:
        return next((arm for arm in self.arms if arm.digest == digest), None)


@dataclass(frozen=True, slots=True)
class GatewayStatus:
    """The whole gateway. Without a running one, `running` is False and the rest is empty.

    recorded: decisions written since the start; waiting: decisions not yet written.
    recorder_problem: why decisions cannot be written at the moment, or None.
    """

    running: bool
    pid: int | None = None
    port: int | None = None
    environment: str | None = None
    workloads: tuple[WorkloadStatus, ...] = ()
    recorded: int = 0
    waiting: int = 0
    recorder_problem: str | None = None

    @property
    def url(self) -> str | None:
        return f"http://127.0.0.1:{self.port}" if self.port is not None else None

    def workload(self, name: str) -> WorkloadStatus | None:
        return next((row for row in self.workloads if row.workload == name), None)


def status_to_json(status: GatewayStatus) -> dict[str, object]:
    return asdict(status)


def status_from_json(body: Mapping[str, object]) -> GatewayStatus:
    """The inverse of `status_to_json`. Raises TypeError or KeyError for another form."""
    fields = dict(body)
    rows = fields.pop("workloads")
    if not isinstance(rows, list | tuple):
        raise TypeError("workloads is not a list")
    return GatewayStatus(workloads=tuple(_workload(row) for row in rows), **fields)  # type: ignore[arg-type]  # values come from our own gateway; a wrong key raises TypeError


def _workload(row: Mapping[str, object]) -> WorkloadStatus:
    fields = dict(row)
    arms, refused = fields.pop("arms"), fields.pop("refused")
    if not isinstance(arms, list | tuple) or not isinstance(refused, list | tuple):
        raise TypeError("arms and refused are lists")
    return WorkloadStatus(
        arms=tuple(ArmStatus(**arm) for arm in arms),
        refused=tuple(RefusedArm(**arm) for arm in refused),
        **fields,  # type: ignore[arg-type]  # as above
    )
