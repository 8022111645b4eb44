"""What a target holds against its controller: the keys that it pinned, and the state of permits.

Keys: those of `public.json` when the target started, and later ones only through the chain beside
it. State: the newest signed one that was handed in; an older one is refused.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from guiderail.core.errors import InputError, RefusedError
from guiderail.rollout.folder import Folder, write_atomically
from guiderail_verify.errors import VerifyError
from guiderail_verify.key_chain import follow, read_chain
from guiderail_verify.permit_state import PermitState, accept_state, open_state
from guiderail_verify.trusted_keys import TrustedKeys

LARGEST_STATE = 1 << 20


def pinned_keys(folder: Folder) -> TrustedKeys:
    """The public keys as they are at the start; a file that changes later changes nothing.

    Raises InputError `target/no-keys`.
    """
    try:
        return TrustedKeys.from_json(folder.public_keys.read_bytes())
    except OSError as error:
        what = f"The public keys {folder.public_keys} cannot be read ({error.strerror})."
    except VerifyError as error:
        what = f"The public keys {folder.public_keys} cannot be used: {error.reason}"
    raise InputError(
        what,
        code="target/no-keys",
        advice="Without them no permit can be checked; copy them from the workspace that signs.",
    )


def newer_keys(folder: Folder, pinned: TrustedKeys) -> TrustedKeys:
    """The keys at the end of the chain, if it leads there from the pinned ones.

    Raises VerifyError `keys/...` where it does not; what is pinned then stays.
    """
    try:
        chain = folder.key_chain.read_bytes()
    except OSError:
        return pinned
    return follow(pinned, read_chain(chain))


def held_state(folder: Folder, keys: TrustedKeys, environment: str) -> PermitState | None:
    """The state that was handed in last; None where none ever was.

    Raises VerifyError where it cannot be read or no key that signs now signed it: "nothing was
    taken back" must not be what somebody gets by damaging a file.
    """
    data = state_bytes(folder)
    return None if data is None else open_state(data, keys, environment=environment)


def state_bytes(folder: Folder) -> bytes | None:
    """The state as it was signed. Raises VerifyError `state/unreadable`."""
    try:
        with folder.permit_state.open("rb") as stream:
            return stream.read(LARGEST_STATE + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise VerifyError(
            "state/unreadable", f"The state of permits cannot be read ({error.strerror})."
        ) from error


def keep_state(folder: Folder, envelope: bytes, environment: str) -> PermitState:
    """Keep a state in place of the one before. Raises RefusedError `state/...` for an older one.

    One that is held and whose signature counts no more (its key ended) is replaced by any that
    is well signed.
    """
    keys = pinned_keys(folder)
    folder.root.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        try:
            held = held_state(folder, keys, environment)
        except VerifyError:
            held = None
        try:
            offered = open_state(envelope, keys, environment=environment)
            kept = accept_state(offered, held)
        except VerifyError as error:
            raise RefusedError(
                f"The state of permits is refused: {error.reason}",
                code=error.code,
                advice="Hand in the newest one: guiderail permit state prints it. What was taken "
                "back before stays so.",
            ) from error
        write_atomically(folder.permit_state, envelope)
    return kept


@contextmanager
def _locked(folder: Folder) -> Iterator[None]:
    handle = os.open(folder.root / "_permit-state.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
