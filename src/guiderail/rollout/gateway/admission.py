"""May this version start? Decided offline from files: the permit, its proof, the model's bytes."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from guiderail.core.digest import (
    Digest,
    files_below,
    files_digest,
    path_digest,
    sha256_digest,
    short,
)
from guiderail.rollout.desired import Arm
from guiderail.rollout.folder import Folder
from guiderail.rollout.gateway.breaker_file import Trip
from guiderail.rollout.gateway.served_release import ServedRelease, read_release
from guiderail.rollout.status import RefusedArm
from guiderail_verify.errors import VerifyError
from guiderail_verify.permit import Permit, verify_permit
from guiderail_verify.permit_state import PermitState
from guiderail_verify.trusted_keys import TrustedKeys

LARGEST_PERMIT = 1 << 20
LARGEST_DOCUMENT = 16 << 20


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What admission depends on besides the files of the arm.

    started: digests that were served before under a checked permit: expiry limits the *start* of a
    rollout and not a running version. state: the newest signed state of permits that was seen;
    state_problem: why the one that is there cannot be used. state_required: refuse a start without
    a valid one. trips: breakers that opened, by permit id; None where the file cannot be read.
    """

    workload: str
    environment: str
    now: datetime
    started: frozenset[str]
    state: PermitState | None
    trips: Mapping[str, Trip] | None
    state_problem: str | None = None
    state_required: bool = False


@dataclass(frozen=True, slots=True)
class Admitted:
    """A version that may start. model_copy: its verified bytes in the gateway's own folder.

    highest: largest traffic share that the permit allows, in percent.
    """

    arm: Arm
    permit: str
    highest: int
    release: ServedRelease
    model_copy: Path


class RefusalError(Exception):
    """Carries the code and the reason of a refusal out of a check."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def admit(
    arm: Arm, folder: Folder, copies: Path, keys: TrustedKeys, now: Circumstances
) -> Admitted | RefusedArm:
    """Check one arm; every failure, also an unreadable file, is a refusal with its reason."""
    try:
        permit = _check_permit(arm, folder, keys, now)
        release = _check_release(arm, folder, now.workload)
        copy = _copy_model(arm, folder, copies, release)
    except RefusalError as no:
        return RefusedArm(arm.digest, no.code, f"{short(arm.digest)} is refused: {no.reason}.")
    return Admitted(arm, permit.id, highest_percent(permit), release, copy)


def _check_permit(arm: Arm, folder: Folder, keys: TrustedKeys, now: Circumstances) -> Permit:
    if arm.environment != now.environment:
        raise RefusalError(
            "target/other-environment",
            f"it is meant for {arm.environment} and this is {now.environment}",
        )
    envelope = _read(folder.resolve(arm.permit_file), LARGEST_PERMIT, "permit/missing", "permit")
    proof = _read(folder.resolve(arm.proof_file), LARGEST_PERMIT, "permit/no-proof", "proof")
    if now.state_problem is not None:
        reason = f"the state of permits cannot be used ({now.state_problem.rstrip('.')})"
        raise RefusalError("target/state-unreadable", reason)
    try:
        permit = verify_permit(
            envelope,
            proof.decode("utf-8"),
            keys,
            environment=now.environment,
            digest=arm.digest,
            now=now.now,
            restoring=arm.restore or arm.digest in now.started,
            state=now.state,
            state_required=now.state_required,
        )
    except UnicodeDecodeError as error:
        raise RefusalError("permit/bad-proof", "the proof beside its permit is not text") from error
    except VerifyError as error:
        raise RefusalError(error.code, error.reason.rstrip(".")) from error
    if permit.workload != now.workload:
        reason = f"its permit is for {permit.workload}, not for {now.workload}"
        raise RefusalError("permit/other-workload", reason)
    if now.trips is None:
        raise RefusalError(
            "target/breaker-unreadable", "the record of opened breakers cannot be read"
        )
    trip = now.trips.get(permit.id)
    if trip is not None and not arm.restore:
        reason = f"the breaker took its traffic away at {trip.at}, because {trip.reason}"
        raise RefusalError("target/breaker", f"{reason}; it needs a new permit")
    if arm.weight > highest_percent(permit):
        allowed = f"the {highest_percent(permit)} % that its permit allows"
        raise RefusalError("permit/share", f"{arm.weight} % of traffic is more than {allowed}")
    return permit


def highest_percent(permit: Permit) -> int:
    """The largest traffic share in whole percent, rounded down."""
    return int(permit.highest_share * 100)


def _check_release(arm: Arm, folder: Folder, workload: str) -> ServedRelease:
    document = _read(
        folder.resolve(arm.release_file), LARGEST_DOCUMENT, "release/missing", "release document"
    )
    if sha256_digest(document) != arm.digest:
        raise RefusalError(
            "release/changed", "its release document does not have the permitted digest"
        )
    try:
        release = read_release(document)
    except (ValueError, RecursionError) as error:
        raise RefusalError(
            "release/unusable", f"its release document cannot be used: {error}"
        ) from error
    if release.served_as != workload:
        reason = f"it is a release of {release.served_as}, not of {workload}"
        raise RefusalError("release/other-workload", reason)
    return release


def _copy_model(arm: Arm, folder: Folder, copies: Path, release: ServedRelease) -> Path:
    """Copy and hash in one pass: the bytes that were hashed are the bytes that are loaded."""
    source = folder.resolve(arm.model_file)
    target = copies / f"{release.model_digest.removeprefix('sha256:')}{release.suffix}"
    partial = target.with_name(f"{target.name}.part")
    try:
        _remove(partial)
        if _copied(source, partial) != release.model_digest:
            raise RefusalError("model/changed", "its model file changed after it was permitted")
        if not target.is_dir():
            partial.replace(target)
        elif path_digest(target) != release.model_digest:  # else a running version uses it
            _remove(target)
            partial.replace(target)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        reason = f"its model file cannot be read or copied ({said})"
        raise RefusalError("model/unreadable", reason) from error
    finally:
        _remove(partial)
    return target


def _copied(source: Path, target: Path) -> str:
    """Copy a model file, or the files of a model directory; the digest of what was written."""
    if not source.is_dir():
        return _copied_file(source, target)
    target.mkdir()
    files: dict[str, Digest] = {}
    for name, file in files_below(source):
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        files[name] = _copied_file(file, copy)
    return files_digest(files)


def _copied_file(source: Path, target: Path) -> Digest:
    found = hashlib.sha256()
    with source.open("rb") as reading, target.open("wb") as writing:
        while chunk := reading.read(1 << 20):
            found.update(chunk)
            writing.write(chunk)
    return Digest(f"sha256:{found.hexdigest()}")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _read(path: Path, largest: int, code: str, what: str) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(largest + 1)
    except OSError as error:
        raise RefusalError(code, f"its {what} cannot be read ({error.strerror})") from error
    if len(data) > largest:
        raise RefusalError(code, f"its {what} is larger than {largest >> 20} MiB")
    return data
