"""The chain of keys: every version of a log's public keys, each proved by the one before.

As with the root file of The Update Framework (theupdateframework.github.io/specification, 5.3), who
pinned version N accepts N+1, N+2, ... one by one and nothing else. A version is a DSSE envelope,
kept verbatim, and it holds if and only if

- its number is the one before plus one, and it names the SHA-256 of the envelope before;
- it is of the same log;
- **every** key that signs in the version before signed it, and every key that signs in it did;
- no key is forgotten: what signed before still signs or ended, and what ended never comes back and
  never counts for more than before.

So one stolen key cannot change the keys; both the checkpoint key and the permit key are needed.
The file of a chain has one envelope in each line, version 1 first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from guiderail_verify.canonical import canonical_json, parse_object
from guiderail_verify.dsse import open_envelope, read_payload
from guiderail_verify.errors import VerifyError
from guiderail_verify.note import NoteKey
from guiderail_verify.trusted_keys import TrustedKeys

KEYS_TYPE = "application/vnd.guiderail.keys+json"
LARGEST_CHAIN = 16 << 20
_BAD = "keys/bad-version"


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """One version. previous: SHA-256 of the envelope before, None for version 1.

    at: when it was made, RFC 3339, as its maker's clock said. envelope: as it was signed.
    """

    keys: TrustedKeys
    previous: str | None
    at: str
    envelope: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.envelope).hexdigest()


def version_payload(keys: TrustedKeys, previous: str | None, at: str) -> bytes:
    """The bytes that every key of a version signs."""
    return canonical_json(
        {"v": 1, "keys": parse_object(keys.to_json()), "previous": previous, "at": at}
    )


def open_version(envelope: bytes) -> KeyVersion:
    """A version that all of its own keys signed; nothing says yet that it follows another one.

    Raises VerifyError `keys/...` or `dsse/...`.
    """
    match parse_object(read_payload(envelope, KEYS_TYPE)):
        case {"v": 1, "keys": dict(keys), "previous": None | str() as previous, "at": str(at)}:
            version = KeyVersion(
                TrustedKeys.from_json(canonical_json(keys)), previous, at, envelope
            )
        case _:
            raise VerifyError(_BAD, "A version of the keys cannot be read.")
    if not version.keys.checkpoint or not version.keys.permit:
        raise VerifyError(_BAD, "A version of the keys has no key for checkpoints or for permits.")
    _signed_by_all(version, version.keys, "its own keys")
    return version


def next_version(old: KeyVersion, envelope: bytes) -> KeyVersion:
    """The version after `old`. Raises VerifyError `keys/...` for anything that does not follow."""
    new = open_version(envelope)
    if new.keys.version != old.keys.version + 1:
        raise VerifyError(
            "keys/gap",
            f"Version {new.keys.version} of the keys does not follow {old.keys.version}.",
        )
    if new.previous != old.digest or new.keys.origin != old.keys.origin:
        raise VerifyError(
            "keys/other-chain", f"Version {new.keys.version} of the keys follows another chain."
        )
    _signed_by_all(new, old.keys, "the keys before it")
    _refuse_forgotten(old.keys, new.keys)
    return new


def read_chain(data: bytes) -> list[bytes]:
    """The envelopes of a chain's file, as they were signed. Raises VerifyError `keys/bad-chain`."""
    if not data or not data.endswith(b"\n") or len(data) > LARGEST_CHAIN:
        raise VerifyError("keys/bad-chain", "The file does not hold a chain of keys.")
    return data[:-1].split(b"\n")


def chain_bytes(envelopes: Sequence[bytes]) -> bytes:
    return b"".join(envelope + b"\n" for envelope in envelopes)


def follow(pinned: TrustedKeys | NoteKey, chain: Sequence[bytes]) -> TrustedKeys:
    """The newest keys, for somebody who pinned an earlier version or one checkpoint key of it.

    Raises VerifyError `keys/not-in-chain` where what is pinned is not in the chain, `keys/older`
    where the chain ends before it (an old chain was put back), and as `next_version` does.
    """
    start = _start(pinned, chain)
    version = open_version(chain[start])
    for envelope in chain[start + 1 :]:
        version = next_version(version, envelope)
    return version.keys


def whole_chain(chain: Sequence[bytes]) -> KeyVersion:
    """The newest version of a chain that is followed from version 1. Raises as `follow` does."""
    version = open_version(chain[0])
    if version.keys.version != 1 or version.previous is not None:
        raise VerifyError("keys/gap", "The chain of keys does not begin with version 1.")
    for envelope in chain[1:]:
        version = next_version(version, envelope)
    return version


def _start(pinned: TrustedKeys | NoteKey, chain: Sequence[bytes]) -> int:
    for place, envelope in enumerate(chain):
        try:
            keys = open_version(envelope).keys
        except VerifyError:
            continue  # if it matters, following the chain stops at it
        if keys.version != place + 1:
            raise VerifyError("keys/gap", f"Line {place + 1} of the chain is another version.")
        if isinstance(pinned, NoteKey):
            if any(key.to_text() == pinned.to_text() for key in keys.checkpoint):
                return place
        elif keys.version == pinned.version:
            if keys.to_json() == pinned.to_json():
                return place
            raise VerifyError(
                "keys/not-in-chain", f"Version {keys.version} of the chain is not the one you have."
            )
    if isinstance(pinned, TrustedKeys) and len(chain) < pinned.version:
        raise VerifyError(
            "keys/older",
            f"The chain ends with version {len(chain)} and you have {pinned.version} already.",
        )
    raise VerifyError("keys/not-in-chain", "The key that you have is not in this chain.")


def _signed_by_all(version: KeyVersion, keys: TrustedKeys, whose: str) -> None:
    wanted = keys.signing
    try:
        signed = set(open_envelope(version.envelope, wanted, KEYS_TYPE).key_ids)
    except VerifyError as error:
        if error.code != "dsse/unknown-key":
            raise
        signed = set()
    if signed != wanted.keys():
        raise VerifyError(
            "keys/not-signed",
            f"Version {version.keys.version} of the keys is not signed by all of {whose}.",
        )


def _refuse_forgotten(old: TrustedKeys, new: TrustedKeys) -> None:
    ended = {(key.role, key.id): key for key in new.ended}
    checkpoint = {key.to_text() for key in new.checkpoint}
    signing = {("checkpoint", id_) for id_ in checkpoint} | {("permit", id_) for id_ in new.permit}
    before = {("checkpoint", key.to_text()) for key in old.checkpoint}
    before |= {("permit", id_) for id_ in old.permit}
    right = (
        before <= signing | ended.keys()
        and not signing & ended.keys()
        and all(
            (key.role, key.id) in ended and ended[key.role, key.id].until <= key.until
            for key in old.ended
        )
    )
    if not right:
        raise VerifyError(
            "keys/forgotten",
            f"Version {new.version} of the keys forgets a key or brings back one that ended.",
        )
