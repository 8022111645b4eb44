"""What runs compared with what the ledger permits: every difference, in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from guiderail.core.digest import short
from guiderail.rollout.status import ArmStatus, GatewayStatus, WorkloadStatus

DifferenceKind = Literal[
    "gateway-down", "ungoverned", "revoked", "missing", "weight", "breaker", "refused", "kept"
]


@dataclass(frozen=True, slots=True)
class Permitted:
    """What the ledger says about one workload.

    weights: release digest to percent of traffic as the last recorded event left it.
    permits: id of every permit that was ever issued and not revoked, to its release digest.
    """

    workload: str
    weights: Mapping[str, int]
    permits: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as the ledger says. digest is None where it concerns no version.

    severe: traffic is or was answered by something the ledger does not permit.
    """

    kind: DifferenceKind
    workload: str | None
    digest: str | None
    sentence: str
    severe: bool = False


def differences(status: GatewayStatus, permitted: Sequence[Permitted]) -> tuple[Difference, ...]:
    """Every difference; an empty tuple means that exactly what is permitted runs.

    A gateway that does not run is one difference when anything should be served.
    """
    if not status.running:
        if not any(row.weights for row in permitted):
            return ()
        unserved = ", ".join(sorted(row.workload for row in permitted if row.weights))
        sentence = f"The gateway is down; not served: {unserved}."
        return (Difference("gateway-down", None, None, sentence),)
    expected = {row.workload: row for row in permitted}
    names = sorted(expected.keys() | {row.workload for row in status.workloads})
    found: list[Difference] = []
    for name in names:
        found += _of_workload(
            expected.get(name, Permitted(name, {}, {})),
            status.workload(name) or WorkloadStatus(name, "none", None, None, (), ()),
        )
    return tuple(found)


def _of_workload(permitted: Permitted, runs: WorkloadStatus) -> list[Difference]:
    found: list[Difference] = []
    for arm in runs.arms:
        found += _of_arm(permitted, runs.workload, arm)
    for digest, percent in sorted(permitted.weights.items()):
        if percent and runs.arm(digest) is None:
            sentence = f"{runs.workload}: {short(digest)} should get {percent} % and does not run."
            found.append(Difference("missing", runs.workload, digest, sentence))
    for refused in runs.refused:
        sentence = f"{runs.workload}: {refused.reason}"
        found.append(Difference("refused", runs.workload, refused.digest, sentence))
    if runs.control == "kept":
        sentence = f"{runs.workload} keeps the last approved state. {runs.control_reason or ''}"
        found.append(Difference("kept", runs.workload, None, sentence.strip()))
    return found


def _of_arm(permitted: Permitted, workload: str, arm: ArmStatus) -> list[Difference]:
    name = f"{workload}: {short(arm.digest)}"
    if permitted.permits.get(arm.permit) != arm.digest:
        once = arm.digest in permitted.permits.values()
        kind: DifferenceKind = "revoked" if once else "ungoverned"
        why = (
            "under a permit that is not in force"
            if once
            else "and the ledger knows no permit for it"
        )
        return [Difference(kind, workload, arm.digest, f"{name} runs {why}.", severe=True)]
    if arm.tripped is not None:
        sentence = f"{name} lost its traffic to the breaker: {arm.tripped}."
        return [Difference("breaker", workload, arm.digest, sentence)]
    wanted = permitted.weights.get(arm.digest, 0)
    if arm.share != wanted:
        sentence = f"{name} gets {arm.share} % of traffic; the ledger says {wanted} %."
        severe = arm.share > wanted
        return [Difference("weight", workload, arm.digest, sentence, severe)]
    return []
