"""What a target should run: the desired state of one workload and its file form.

The gateway reads nothing but these files. Nothing in them is believed where it can be checked:
the threshold and the model's digest come from the release document, whose own digest the permit
names.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from guiderail.core.digest import Digest, canonical_json, sha256_digest
from guiderail.core.errors import InputError

if TYPE_CHECKING:
    from guiderail.manifest.release import Release

FORMAT = 1
WORKLOAD_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
LARGEST_FILE = 1 << 20


@dataclass(frozen=True, slots=True)
class Arm:
    """One version among those that share the traffic of a workload.

    digest: release digest, the one the permit names.
    weight: percent of traffic, 0 to 100.
    environment: where it runs; the permit must name the same.
    release_file: canonical release document; its SHA-256 is `digest` (see `release_document`).
    model_file: the model file, usually in the blob store.
    permit_file, proof_file: the signed permit and its proof of inclusion in the ledger.
    canary: the new version of a rollout; the breaker may take its traffic away.
    restore: this digest once ran under its permit and is going back, so that an expired start
        does not stop it. A revoked permit always does.
    """

    digest: Digest
    weight: int
    environment: str
    release_file: Path
    model_file: Path
    permit_file: Path
    proof_file: Path
    canary: bool = False
    restore: bool = False


@dataclass(frozen=True, slots=True)
class Desired:
    """The traffic of one workload. Weights are whole percent and add up to 100.

    salt: decides with the unit which version answers; a new salt draws a new split.
    unit: name of the input that identifies a person or case, used where the request has no
        `X-Unit-Id` header; None where there is none.
    timeout_seconds: how long one prediction may take.
    """

    workload: str
    arms: tuple[Arm, ...]
    salt: str
    unit: str | None = None
    timeout_seconds: float = 5.0

    def __post_init__(self) -> None:
        _check_workload(self.workload)
        if len({arm.digest for arm in self.arms}) != len(self.arms):
            raise _bad(f"{self.workload} names one version twice")
        if any(not 0 <= arm.weight <= 100 for arm in self.arms):
            raise _bad(f"a weight of {self.workload} is not between 0 and 100")
        if self.arms and sum(arm.weight for arm in self.arms) != 100:
            total = sum(arm.weight for arm in self.arms)
            raise _bad(f"the weights of {self.workload} add up to {total}, not to 100")
        if self.arms and all(arm.canary for arm in self.arms):
            raise _bad(f"every version of {self.workload} is a canary")
        if sum(arm.canary for arm in self.arms) > 1:
            raise _bad(f"{self.workload} has more than one canary")
        if not (math.isfinite(self.timeout_seconds) and 0 < self.timeout_seconds <= 600):
            raise _bad(f"the timeout of {self.workload} is not between 0 and 600 seconds")


def release_document(release: Release) -> bytes:
    """The bytes whose SHA-256 is the release digest: what a target needs to know of a release."""
    return canonical_json(
        {"manifest": dict(release.canonical), "artefacts": dict(release.artefacts)}
    )


def desired_bytes(desired: Desired) -> bytes:
    """The file form, stable for equal values, so that writing twice changes nothing."""
    body = {
        "guiderail": FORMAT,
        "workload": desired.workload,
        "salt": desired.salt,
        "unit": desired.unit,
        "timeout_seconds": desired.timeout_seconds,
        "arms": [_arm_to_json(arm) for arm in desired.arms],
    }
    return (json.dumps(body, indent=1, sort_keys=True) + "\n").encode()


def state_digest(desired: Desired) -> Digest:
    """Identifies one desired state: the SHA-256 of its file form."""
    return sha256_digest(desired_bytes(desired))


def parse_desired(data: bytes) -> Desired:
    """Read the file form strictly. Raises InputError for anything `desired_bytes` did not write."""
    if len(data) > LARGEST_FILE:
        raise _bad("the file is larger than 1 MiB")
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _bad(f"the file is not JSON ({error})") from error
    body = _exact(
        body, "the file", {"guiderail", "workload", "salt", "unit", "timeout_seconds", "arms"}
    )
    if body["guiderail"] != FORMAT:
        raise _bad(f"the file has format {body['guiderail']!r}, this gateway reads {FORMAT}")
    unit, timeout, arms = body["unit"], body["timeout_seconds"], body["arms"]
    if unit is not None and not isinstance(unit, str):
        raise _bad("`unit` is not a text")
    if isinstance(timeout, bool) or not isinstance(timeout, int | float):
        raise _bad("`timeout_seconds` is not a number")
    if not isinstance(arms, list):
        raise _bad("`arms` is not a list")
    return Desired(
        workload=_text(body, "workload"),
        arms=tuple(_arm_from_json(arm) for arm in arms),
        salt=_text(body, "salt"),
        unit=unit,
        timeout_seconds=float(timeout),
    )


_ARM_TEXTS = ("digest", "environment", "release_file", "model_file", "permit_file", "proof_file")


def _arm_to_json(arm: Arm) -> dict[str, object]:
    return {
        **{name: str(getattr(arm, name)) for name in _ARM_TEXTS},
        "weight": arm.weight,
        "canary": arm.canary,
        "restore": arm.restore,
    }


def _arm_from_json(value: object) -> Arm:
    body = _exact(value, "an arm", {*_ARM_TEXTS, "weight", "canary", "restore"})
    weight, canary, restore = body["weight"], body["canary"], body["restore"]
    if isinstance(weight, bool) or not isinstance(weight, int):
        raise _bad("a weight is not a whole number")
    if not isinstance(canary, bool) or not isinstance(restore, bool):
        raise _bad("`canary` and `restore` are true or false")
    digest = _text(body, "digest")
    if not DIGEST.fullmatch(digest):
        raise _bad(f"{digest!r} is not a digest")
    return Arm(
        digest=Digest(digest),
        weight=weight,
        environment=_text(body, "environment"),
        release_file=Path(_text(body, "release_file")),
        model_file=Path(_text(body, "model_file")),
        permit_file=Path(_text(body, "permit_file")),
        proof_file=Path(_text(body, "proof_file")),
        canary=canary,
        restore=restore,
    )


def _exact(value: object, what: str, keys: set[str]) -> Mapping[str, object]:
    if not isinstance(value, dict) or set(value) != keys:
        raise _bad(f"{what} does not have exactly the keys {', '.join(sorted(keys))}")
    return value


def _text(body: Mapping[str, object], key: str) -> str:
    value = body[key]
    if not isinstance(value, str) or not value:
        raise _bad(f"`{key}` is not a text")
    return value


def _check_workload(name: str) -> None:
    if len(name) > 63 or not WORKLOAD_NAME.fullmatch(name):
        raise _bad(f"{name!r} is not a name of a workload")


def _bad(what: str) -> InputError:
    return InputError(
        f"The desired state cannot be used: {what}.",
        code="target/bad-state",
        advice="Deploy or roll back again; the target keeps what it serves.",
    )
