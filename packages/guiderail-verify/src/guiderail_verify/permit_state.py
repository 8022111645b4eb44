"""The state of permits: what was taken back, in a signed statement that a target keeps.

A permit that was taken back is still well signed, so a target that works offline has to be told.
The state is told as a whole: every permit that was ever taken back and every key that ended, under
a version number that only grows. A target keeps the highest version that it saw and refuses an
older one, and one that forgets something. After `valid_until` a target that requires a state starts
nothing new.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from guiderail_verify.canonical import canonical_json, parse_object
from guiderail_verify.dsse import open_envelope
from guiderail_verify.errors import VerifyError
from guiderail_verify.moments import read_moment
from guiderail_verify.trusted_keys import EndedKey, TrustedKeys

STATE_TYPE = "application/vnd.guiderail.permit-state+json"
_BAD = "state/bad-content"


@dataclass(frozen=True, slots=True)
class PermitState:
    """origin: the name of the log. environment: None for all. version: only grows.

    log_size: entries of the log of which it speaks. revoked: ids of permits.
    valid_until: until when a target that requires a state may start something new under it.
    """

    origin: str
    environment: str | None
    version: int
    log_size: int
    revoked: frozenset[str]
    ended: tuple[EndedKey, ...]
    issued_at: datetime
    valid_until: datetime

    def to_payload(self) -> bytes:
        return canonical_json(
            {
                "v": 1,
                "origin": self.origin,
                "environment": self.environment,
                "version": self.version,
                "log_size": self.log_size,
                "revoked": sorted(self.revoked),
                "ended": [key.to_json() for key in self.ended],
                "issued_at": _to_text(self.issued_at),
                "valid_until": _to_text(self.valid_until),
            }
        )


def open_state(envelope: bytes, keys: TrustedKeys, *, environment: str) -> PermitState:
    """The state that a permit key signed which signs now; an ended key says nothing here.

    Raises VerifyError `state/...` or `dsse/...`.
    """
    state = _parse(open_envelope(envelope, keys.permit, STATE_TYPE).payload)
    if state.origin != keys.origin:
        raise VerifyError("state/other-log", f"The state of permits is of the log {state.origin}.")
    if state.environment not in (None, environment):
        raise VerifyError(
            "state/other-environment",
            f"The state of permits is for the environment {state.environment!r}.",
        )
    return state


def accept_state(offered: PermitState, held: PermitState | None) -> PermitState:
    """The one to keep. Raises VerifyError `state/older`, `state/other` or `state/forgets`."""
    if held is None or offered == held:
        return offered
    if offered.version < held.version:
        raise VerifyError(
            "state/older",
            f"The state of permits has version {offered.version}; version {held.version} was seen "
            "already.",
        )
    if offered.version == held.version:
        raise VerifyError("state/other", f"There are two states of version {held.version}.")
    ended = {(key.role, key.id) for key in offered.ended}
    if (
        not held.revoked <= offered.revoked
        or offered.log_size < held.log_size
        or not {(key.role, key.id) for key in held.ended} <= ended
    ):
        raise VerifyError(
            "state/forgets", "The state of permits forgets what an earlier one took back."
        )
    return offered


def require_current(state: PermitState | None, now: datetime) -> None:
    """For a target that requires a state. Raises VerifyError `state/missing` or `state/expired`."""
    if state is None:
        raise VerifyError(
            "state/missing", "This target requires a state of permits and was never given one."
        )
    if now > state.valid_until:
        until = state.valid_until.strftime("%Y-%m-%d %H:%M UTC")
        raise VerifyError(
            "state/expired", f"The state of permits was valid until {until}; get a newer one."
        )


def _parse(payload: bytes) -> PermitState:
    match parse_object(payload):
        case {
            "v": 1,
            "origin": str(origin),
            "environment": None | str() as environment,
            "version": int(version),
            "log_size": int(size),
            "revoked": list(revoked),
            "ended": list(ended),
            "issued_at": str(issued_at),
            "valid_until": str(valid_until),
            **more,
        } if not more and version >= 1 and size >= 0:
            if not all(isinstance(permit, str) for permit in revoked):
                raise VerifyError(_BAD, "The list of revoked permits holds something else.")
            return PermitState(
                origin,
                environment,
                version,
                size,
                frozenset(revoked),
                tuple(EndedKey.from_json(item) for item in ended),
                read_moment(issued_at, _BAD),
                read_moment(valid_until, _BAD),
            )
    raise VerifyError(_BAD, "The signed statement is not a state of permits.")


def _to_text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
