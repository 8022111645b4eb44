"""Make the next version of a log's public keys, and sign it with the old and the new ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from securesystemslib.signer import Signer  # type: ignore[attr-defined] # no __all__

from guiderail.attest.envelope import sign_envelope
from guiderail.attest.keys import FreshKey
from guiderail_verify.key_chain import (
    KEYS_TYPE,
    KeyVersion,
    next_version,
    open_version,
    version_payload,
)
from guiderail_verify.note import NoteKey
from guiderail_verify.trusted_keys import EndedKey, Role, TrustedKeys

SignsNow = tuple[Role, str, bytes]
"""Role, id and public bytes of a key that signs now."""


def signing_now(keys: TrustedKeys) -> list[SignsNow]:
    found: list[SignsNow] = [("checkpoint", key.to_text(), key.public) for key in keys.checkpoint]
    return [*found, *(("permit", id_, public) for id_, public in keys.permit.items())]


def older_keys(chain: Sequence[bytes], keys: TrustedKeys) -> list[SignsNow]:
    """The keys of each role that sign now and are not its newest."""
    since: dict[tuple[Role, str], int] = {}
    for envelope in chain:
        version = open_version(envelope).keys
        for role, id_, _ in signing_now(version):
            since.setdefault((role, id_), version.version)
    newest: dict[Role, int] = {}
    for role, id_, _ in signing_now(keys):
        newest[role] = max(newest.get(role, 0), since[role, id_])
    return [key for key in signing_now(keys) if since[key[0], key[1]] < newest[key[0]]]


def next_keys(
    keys: TrustedKeys, fresh: Iterable[FreshKey], ended: Iterable[EndedKey]
) -> TrustedKeys:
    """The version after `keys`: with the fresh ones, without those that end."""
    made = list(fresh)
    notes = [NoteKey(keys.origin, key.public) for key in made if key.role == "checkpoint"]
    permit = {key.id: key.public for key in made if key.role == "permit"}
    grown = replace(
        keys,
        version=keys.version + 1,
        checkpoint=(*notes, *keys.checkpoint),
        permit={**permit, **keys.permit},
    )
    return grown.without(ended)


def sign_first(keys: TrustedKeys, signers: Mapping[str, Signer], at: str) -> KeyVersion:
    """Version 1 of a chain."""
    return open_version(_signed(keys, None, signers, at))


def sign_next(
    before: KeyVersion, keys: TrustedKeys, signers: Mapping[str, Signer], at: str
) -> KeyVersion:
    """The version after `before`, signed by every key of both.

    Raises VerifyError where nobody would accept it.
    """
    wanted = before.keys.signing.keys() | keys.signing.keys()
    needed = {id_: signer for id_, signer in signers.items() if id_ in wanted}
    return next_version(before, _signed(keys, before.digest, needed, at))


def _signed(
    keys: TrustedKeys, previous: str | None, signers: Mapping[str, Signer], at: str
) -> bytes:
    return sign_envelope(version_payload(keys, previous, at), KEYS_TYPE, signers)
