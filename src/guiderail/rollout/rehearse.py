"""Rehearse going back: a scratch gateway serves the new version, then the old one, and is timed.

Nothing of the real target is touched. Where both versions have permits, these very permits are
checked; a candidate that has none yet runs under throwaway keys that exist in the scratch home
only.
"""

from __future__ import annotations

import http.client
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from guiderail.attest.keys import Keyring
from guiderail.attest.permit import envelope_digest, sign_permit
from guiderail.core.digest import canonical_json, sha256_digest, short
from guiderail.core.errors import GuiderailError
from guiderail.core.time import to_text
from guiderail.rollout.desired import Arm
from guiderail.rollout.folder import Folder, write_atomically
from guiderail.rollout.local import LocalTarget
from guiderail_verify.note import Checkpoint
from guiderail_verify.permit import Permit
from guiderail_verify.proof import TlogProof
from guiderail_verify.tree import leaf_hash

OFF = "off"
ASKED = 20
"""Requests that must all be answered by the old version after the switch."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a rehearsal showed.

    seconds: from the decision to go back until the old version answers, starting its model server
        included; None when it did not succeed. own_permits: the versions' own permits were used.
    """

    workload: str
    from_digest: str
    to_digest: str
    succeeded: bool
    seconds: float | None
    own_permits: bool
    sentence: str


class RehearsalError(Exception):
    """The scratch gateway did not behave; the message is one clause for people."""


def rehearse(
    home: Path, workload: str, *, new: Arm, old: Arm | None, sample: bytes, now: datetime
) -> Rehearsal:
    """Switch a scratch gateway from `new` to `old`. A failure is a result with its reason.

    old: None where nothing runs before; switching off is rehearsed then, and the digest that is
    gone back to is `off`. home: the workspace whose keys the permits are checked with.
    sample: body of one `/predict` request that both versions understand. now: start of the
    throwaway permits. Weights of the arms are ignored; each gets all of the traffic in its turn.
    """
    back_to = old.digest if old is not None else OFF
    goal = short(old.digest) if old is not None else "nothing (switched off)"
    with tempfile.TemporaryDirectory(prefix="guiderail-rehearsal-") as name:
        scratch = Path(name)
        folder = Folder(home)
        arms = [_alone(arm, folder) for arm in (new, old) if arm is not None]
        own = all(arm.permit_file.is_file() and arm.proof_file.is_file() for arm in arms)
        target = LocalTarget(scratch, new.environment)
        try:
            if own:
                write_atomically(target.folder.public_keys, folder.public_keys.read_bytes())
            else:
                arms = _permit_for_now(scratch, workload, arms, now)
            target.start_gateway()
            seconds = _switch(target, workload, arms, sample)
        except (GuiderailError, RehearsalError, OSError, http.client.HTTPException) as error:
            reason = error.what if isinstance(error, GuiderailError) else str(error)
            sentence = f"Going back to {goal} failed in the rehearsal: {reason}"
            return Rehearsal(workload, new.digest, back_to, False, None, own, sentence)
        finally:
            target.stop_gateway()
    sentence = f"Going back to {goal} took {seconds:.1f} seconds in the rehearsal."
    if old is None:
        sentence = (
            f"Nothing runs before; switching off took {seconds:.2f} seconds in the rehearsal."
        )
    return Rehearsal(workload, new.digest, back_to, True, seconds, own, sentence)


def _switch(target: LocalTarget, workload: str, arms: Sequence[Arm], sample: bytes) -> float:
    """Seconds from the new version to the one before, or to nothing; arms in that order."""
    new, *before = arms
    target.apply(workload, [new])
    port = target.gateway_status().port
    if port is None:
        raise RehearsalError("the scratch gateway has no port.")
    _expect(port, workload, sample, new.digest, times=1)
    started = time.monotonic()
    target.apply(workload, before)
    if not before:
        _expect_nobody(port, workload, sample)
        return time.monotonic() - started
    _expect(port, workload, sample, before[0].digest, times=1)
    seconds = time.monotonic() - started
    _expect(port, workload, sample, before[0].digest, times=ASKED)
    return seconds


def _expect_nobody(port: int, workload: str, sample: bytes) -> None:
    """After switching off, the answer is 503: nothing approved is served."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        headers = {"Content-Type": "application/json", "X-Unit-Id": "rehearsal"}
        connection.request("POST", f"/{workload}/predict", sample, headers)
        status = connection.getresponse().status
    finally:
        connection.close()
    if status != 503:
        raise RehearsalError(f"it answers {status} after it was switched off.")


def _expect(port: int, workload: str, sample: bytes, digest: str, *, times: int) -> None:
    """Ask as different units and check who answered."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        for unit in range(times):
            headers = {"Content-Type": "application/json", "X-Unit-Id": f"rehearsal-{unit}"}
            connection.request("POST", f"/{workload}/predict", sample, headers)
            response = connection.getresponse()
            body = response.read()
            if response.status != 200:
                said = body[:300].decode(errors="replace")
                raise RehearsalError(f"{short(digest)} answers {response.status}: {said}")
            answered = response.headers.get("X-Guiderail-Release", "")
            if answered != digest:
                raise RehearsalError(f"{short(answered)} answers instead of {short(digest)}.")
    finally:
        connection.close()


def _alone(arm: Arm, folder: Folder) -> Arm:
    return replace(
        arm,
        weight=100,
        canary=False,
        restore=True,
        release_file=folder.resolve(arm.release_file),
        model_file=folder.resolve(arm.model_file),
        permit_file=folder.resolve(arm.permit_file),
        proof_file=folder.resolve(arm.proof_file),
    )


def _permit_for_now(scratch: Path, workload: str, arms: Sequence[Arm], now: datetime) -> list[Arm]:
    """Throwaway keys, one permit for each arm, and a log of one entry to prove each."""
    keyring = Keyring.open(scratch)
    permitted = []
    for place, arm in enumerate(arms):
        permit = Permit(
            id=f"rehearsal-{place}",
            case="rehearsal",
            kind="model",
            workload=workload,
            digest=arm.digest,
            environment=arm.environment,
            highest_share=Decimal(1),
            conditions=("rehearsal only",),
            issued_at=now,
            start_until=now + timedelta(hours=1),
            dossier=sha256_digest(b"rehearsal"),
            policy=sha256_digest(b"rehearsal"),
        )
        envelope = sign_permit(permit, keyring)
        files = (scratch / f"{place}.permit.json", scratch / f"{place}.tlog-proof")
        files[0].write_bytes(envelope)
        files[1].write_text(prove_alone(permit, envelope, keyring), encoding="utf-8")
        permitted.append(replace(arm, permit_file=files[0], proof_file=files[1]))
    return permitted


def prove_alone(permit: Permit, envelope: bytes, keyring: Keyring) -> str:
    """The proof of a log that holds nothing but the issue of this permit."""
    sha256 = envelope_digest(envelope).removeprefix("sha256:")
    entry = canonical_json(
        {
            "v": 1,
            "seq": 0,
            "at": to_text(permit.issued_at),
            "type": "permit.issued",
            "subject": {"kind": permit.kind, "name": permit.workload, "digest": permit.digest},
            "evidence": [{"name": "permit", "sha256": sha256}],
        }
    )
    text = Checkpoint(keyring.origin, 1, leaf_hash(entry)).to_text()
    return TlogProof(0, (), keyring.sign_note(text), entry).to_text()
