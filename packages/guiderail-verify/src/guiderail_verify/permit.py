"""The permit: the signed go for one digest in one environment, checked without any server.

A permit is two files. The envelope (DSSE) holds an in-toto Simple Verification Result with the
subject's digest and the conditions. The proof (`.tlog-proof`) shows that the ledger recorded the
issue of exactly this envelope. Both must be good: a stolen permit key alone leaves a trace or
gives nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from guiderail_verify.canonical import parse_object
from guiderail_verify.dsse import open_envelope
from guiderail_verify.errors import VerifyError
from guiderail_verify.moments import read_moment
from guiderail_verify.permit_state import PermitState, require_current
from guiderail_verify.proof import parse_proof, verify_proof
from guiderail_verify.trusted_keys import TrustedKeys

__all__ = ["Permit", "TrustedKeys", "open_permit", "parse_permit", "verify_permit"]

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
VERIFICATION_RESULT = "https://in-toto.io/attestation/svr/v0.1"
VERIFIER = "urn:guiderail:verifier:v1"
PERMITTED = "GUIDERAIL_PERMITTED"
EXTENSION = "guiderail_permit"
"""The field of the predicate that carries what the standard has no field for."""

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far the target's clock may be behind the one that signed."""

_BAD = "permit/bad-content"
_HEX = re.compile(r"[0-9a-f]{64}\Z")
_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?\Z")


@dataclass(frozen=True, slots=True)
class Permit:
    """What was permitted.

    digest, dossier, policy: `sha256:` and 64 hexadecimal digits; policy is the pack's digest.
    highest_share: the largest share of traffic, above 0 and at most 1.
    start_until: when a rollout may begin at the latest; a running version is not ended by it.
    """

    id: str
    case: str
    kind: str
    workload: str
    digest: str
    environment: str
    highest_share: Decimal
    conditions: tuple[str, ...]
    issued_at: datetime
    start_until: datetime
    dossier: str
    policy: str
    properties: tuple[str, ...] = (PERMITTED,)


def verify_permit(
    envelope: bytes,
    proof: str,
    keys: TrustedKeys,
    *,
    environment: str,
    digest: str,
    now: datetime,
    restoring: bool = False,
    revoked: Set[str] = frozenset(),
    state: PermitState | None = None,
    state_required: bool = False,
) -> Permit:
    """The permit, if it allows `digest` to start in `environment` at `now`.

    restoring: the digest had its permit earlier and comes back, so the end of the time to start
        does not count; everything else does.
    revoked: ids of permits that were taken back, as far as the target knows.
    state: the newest signed state that the target accepted; the permits and keys in it end here.
    state_required: whether nothing may start without a state that is still valid. What comes back
        may: going back must not wait for a file.
    Raises VerifyError with one of the codes `permit/unknown-key`, `bad-signature`,
    `bad-envelope`, `bad-content`, `bad-proof`, `ended-key`, `not-in-log`, `revoked`,
    `other-digest`, `other-environment`, `not-yet`, `expired`, or `state/missing`, `state/expired`.
    """
    if state is not None:
        keys, revoked = keys.without(state.ended), revoked | state.revoked
    permit = open_permit(envelope, proof, keys)
    if permit.id in revoked:
        raise VerifyError("permit/revoked", f"The permit {permit.id} was taken back.")
    if permit.digest != digest:
        raise VerifyError(
            "permit/other-digest", f"The permit is for {permit.digest}, not for {digest}."
        )
    if permit.environment != environment:
        raise VerifyError(
            "permit/other-environment",
            f"The permit is for the environment {permit.environment!r}, not for {environment!r}.",
        )
    if now + CLOCK_TOLERANCE < permit.issued_at:
        raise VerifyError("permit/not-yet", "The permit was issued after this clock's time.")
    if state_required and not restoring:
        require_current(state, now)
    if not restoring and now > permit.start_until:
        raise VerifyError(
            "permit/expired", f"The time to start ended at {_to_text(permit.start_until)}."
        )
    return permit


def open_permit(envelope: bytes, proof: str, keys: TrustedKeys) -> Permit:
    """The permit of a genuine envelope that the ledger recorded, wherever and whenever it counts.

    Raises VerifyError as `verify_permit` does, for everything that does not depend on the target.
    """
    try:
        opened = open_envelope(envelope, keys.every_permit_key)
    except VerifyError as error:
        code = _ENVELOPE_CODES.get(error.code, "permit/bad-envelope")
        raise VerifyError(code, error.reason) from error
    permit = parse_permit(opened.payload)
    try:
        parsed = parse_proof(proof)
        if parsed.extra is None:
            raise VerifyError("permit/bad-proof", "The proof does not carry the ledger entry.")
        verify_proof(parsed, parsed.extra, keys.note_keys, keys.origin)
        entry = parse_object(parsed.extra)
    except VerifyError as error:
        code = _PROOF_CODES.get(error.code, "permit/bad-proof")
        raise VerifyError(code, error.reason) from error
    _check_entry(entry, envelope, permit)
    if not any(keys.counts(key_id, parsed.index) for key_id in opened.key_ids):
        raise VerifyError(
            "permit/ended-key",
            f"The permit is entry {parsed.index} of the log, and the key that signed it does not "
            "count for that entry: it was retired or compromised before.",
        )
    return permit


_ENVELOPE_CODES = {
    "dsse/unknown-key": "permit/unknown-key",
    "dsse/bad-signature": "permit/bad-signature",
}
_PROOF_CODES = {"note/unknown-key": "permit/unknown-key", "note/ended-key": "permit/ended-key"}


def parse_permit(payload: bytes) -> Permit:
    """Read the signed statement. Raises VerifyError `permit/bad-content` or `canonical/...`."""
    match parse_object(payload):
        case {
            "_type": "https://in-toto.io/Statement/v1",
            "predicateType": "https://in-toto.io/attestation/svr/v0.1",
            "subject": [{"name": str(workload), "digest": {"sha256": str(digest)}}],
            "predicate": {
                "verifier": {"id": str(verifier), "policy": {"digest": {"sha256": str(policy)}}},
                "timeCreated": str(issued_at),
                "properties": list(properties),
                "guiderail_permit": dict(extension),
            },
        } if verifier == VERIFIER and PERMITTED in properties:
            return _from_parts(workload, digest, policy, issued_at, properties, extension)
    raise VerifyError(_BAD, "The envelope does not hold a permit.")


def _from_parts(
    workload: str,
    digest: str,
    policy: str,
    issued_at: str,
    properties: list[object],
    extension: dict[str, object],
) -> Permit:
    match extension:
        case {
            "id": str(id_),
            "case": str(case_id),
            "kind": str(kind),
            "environment": str(environment),
            "highest_share": str(share),
            "conditions": list(conditions),
            "start_until": str(start_until),
            "dossier": str(dossier),
        } if len(extension) == 8:
            return Permit(
                id=id_,
                case=case_id,
                kind=kind,
                workload=workload,
                digest="sha256:" + _hex(digest),
                environment=environment,
                highest_share=_share(share),
                conditions=tuple(_text(item) for item in conditions),
                issued_at=read_moment(issued_at, _BAD),
                start_until=read_moment(start_until, _BAD),
                dossier="sha256:" + _hex(dossier.removeprefix("sha256:")),
                policy="sha256:" + _hex(policy),
                properties=tuple(_text(item) for item in properties),
            )
    raise VerifyError(_BAD, "The permit lacks a field or holds one that is not known.")


def _check_entry(entry: Mapping[str, object], envelope: bytes, permit: Permit) -> None:
    """The proven entry must speak of this envelope and this release, not just of any."""
    match entry:
        case {
            "type": "permit.issued",
            "subject": {"kind": str(kind), "name": str(name), "digest": str(digest)},
            "evidence": list(evidence),
        } if (kind, name, digest) == (permit.kind, permit.workload, permit.digest):
            wanted = hashlib.sha256(envelope).hexdigest()
            if any(isinstance(item, dict) and item.get("sha256") == wanted for item in evidence):
                return
    raise VerifyError("permit/not-in-log", "The ledger entry of the proof is not of this permit.")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise VerifyError(_BAD, "A list holds something that is not text.")
    return value


def _hex(value: str) -> str:
    if not _HEX.match(value):
        raise VerifyError(_BAD, "A digest is not 64 hexadecimal digits.")
    return value


def _share(text: str) -> Decimal:
    if not _DECIMAL.match(text):
        raise VerifyError(_BAD, "The highest share of traffic is not a plain decimal number.")
    share = Decimal(text)
    if not 0 < share <= 1:
        raise VerifyError(_BAD, "The highest share of traffic is not above 0 and at most 1.")
    return share


def _to_text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
