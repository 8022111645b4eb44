"""What one workload serves at this moment: its live versions and their shares."""

from __future__ import annotations

from dataclasses import dataclass, field

from guiderail.core.digest import Digest
from guiderail.rollout.breaker import Breaker
from guiderail.rollout.desired import Desired
from guiderail.rollout.gateway.admission import Admitted
from guiderail.rollout.gateway.child import ModelProcess
from guiderail.rollout.split import Share, choose
from guiderail.rollout.status import ArmStatus


@dataclass(slots=True, eq=False)
class LiveArm:
    """A version with its process. Lives in one event loop; the breaker is replaced as it counts."""

    admitted: Admitted
    process: ModelProcess
    breaker: Breaker = field(default_factory=Breaker)
    revoked: bool = False

    @property
    def digest(self) -> str:
        return self.admitted.arm.digest

    @property
    def canary(self) -> bool:
        return self.admitted.arm.canary

    @property
    def may_serve(self) -> bool:
        return not self.revoked and self.breaker.tripped is None

    def status(self, serving: Serving) -> ArmStatus:
        isolation = self.process.isolation
        return ArmStatus(
            digest=self.digest,
            weight=self.admitted.arm.weight,
            share=serving.share_of(self),
            permit=self.admitted.permit,
            canary=self.canary,
            running=self.process.session is not None,
            restarts=self.process.restarts,
            tripped="its permit was revoked" if self.revoked else self.breaker.tripped,
            pid=self.process.pid,
            isolation=isolation.to_json() if isolation is not None else None,
        )


@dataclass(slots=True, eq=False)
class Serving:
    """The arms of one desired state and how they share the traffic now.

    partial: some arms of the state could not be started again; the state is tried anew when its
        file changes. shares: canaries first, percents relative to their sum.
    """

    desired: Desired
    state: Digest
    arms: tuple[LiveArm, ...]
    partial: bool = False
    shares: tuple[Share[LiveArm], ...] = ()

    def __post_init__(self) -> None:
        self.share_out()

    def share_out(self) -> None:
        """Give the traffic to the arms that may serve, none above what its permit allows."""
        active = [arm for arm in self.arms if arm.may_serve and arm.admitted.arm.weight]
        while active:
            total = sum(arm.admitted.arm.weight for arm in active)
            fitting = [
                arm
                for arm in active
                if 100 * arm.admitted.arm.weight <= arm.admitted.highest * total
            ]
            if len(fitting) == len(active):
                break
            active = fitting
        active.sort(key=lambda arm: not arm.canary)
        self.shares = tuple(Share(arm, arm.admitted.arm.weight) for arm in active)

    def share_of(self, arm: LiveArm) -> int:
        """Percent of traffic that an arm gets now, rounded."""
        total = sum(share.percent for share in self.shares)
        own = sum(share.percent for share in self.shares if share.to is arm)
        return round(100 * own / total) if total else 0

    def find(self, digest: str) -> LiveArm | None:
        return next((arm for arm in self.arms if arm.digest == digest), None)

    def candidates(self, hashed: bytes) -> tuple[LiveArm, ...]:
        """Who answers a unit, and who stands in while that one is away.

        Only a version whose permit allows all of the traffic stands in for another.
        """
        first = choose(self.shares, hashed)
        if first is None:
            return ()
        others = [
            arm
            for arm in self.arms
            if arm is not first and arm.may_serve and arm.admitted.highest == 100
        ]
        return (first, *others)
