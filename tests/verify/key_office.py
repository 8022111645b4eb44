"""Keys in memory that make a chain: each step adds, retires or gives up some of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner, Signer

from guiderail.attest.key_versions import next_keys, older_keys, sign_first, sign_next, signing_now
from guiderail.attest.keys import FreshKey
from guiderail_verify.key_chain import KeyVersion
from guiderail_verify.note import NoteKey
from guiderail_verify.signature import key_id
from guiderail_verify.trusted_keys import EndedKey, Role, TrustedKeys

ORIGIN = "guiderail.local/office"
AT = "2026-11-23T09:30:00.000000Z"


def fresh(role: Role, seed: int, origin: str = ORIGIN) -> FreshKey:
    """A key that is the same in every run."""
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 31 + role[:1].encode())
    public = key.public_key().public_bytes_raw()
    id_ = NoteKey(origin, public).to_text() if role == "checkpoint" else key_id(public)
    return FreshKey(role, id_, public, CryptoSigner(key))


@dataclass
class KeyOffice:
    """versions: the chain so far. signers: every private key that was ever there."""

    origin: str = ORIGIN
    versions: list[KeyVersion] = field(default_factory=list)
    signers: dict[str, Signer] = field(default_factory=dict)
    _made: int = 0

    def __post_init__(self) -> None:
        first = [self.make("checkpoint"), self.make("permit")]
        keys = TrustedKeys(
            self.origin,
            (NoteKey(self.origin, first[0].public),),
            {first[1].id: first[1].public},
        )
        signers = {key.id: key.signer for key in first}
        self.versions.append(sign_first(keys, signers, AT))

    @property
    def keys(self) -> TrustedKeys:
        return self.versions[-1].keys

    @property
    def chain(self) -> list[bytes]:
        return [version.envelope for version in self.versions]

    def make(self, role: Role) -> FreshKey:
        self._made += 1
        made = fresh(role, self._made, self.origin)
        self.signers[made.id] = made.signer
        return made

    def rotate(self, *roles: Role) -> TrustedKeys:
        return self._step([self.make(role) for role in roles], [])

    def retire(self, size: int) -> TrustedKeys:
        old = older_keys(self.chain, self.keys)
        return self._step([], [EndedKey(*key, size, size, "retired") for key in old])

    def give_up(self, role: Role, until: int, size: int) -> TrustedKeys:
        """The keys of a role are compromised."""
        gone = [key for key in signing_now(self.keys) if key[0] == role]
        ended = [EndedKey(*key, until, size, "compromised") for key in gone]
        return self._step([self.make(role)], ended)

    def signed(
        self, keys: TrustedKeys, by: Sequence[str], previous: str | None = None
    ) -> KeyVersion:
        """The version after the newest one, signed by whom one likes; nothing is checked of it."""
        from guiderail.attest.key_versions import _signed

        envelope = _signed(
            keys,
            self.versions[-1].digest if previous is None else previous,
            {id_: self.signers[id_] for id_ in by},
            AT,
        )
        return KeyVersion(keys, previous, AT, envelope)

    def _step(self, made: list[FreshKey], ended: list[EndedKey]) -> TrustedKeys:
        keys = next_keys(self.keys, made, ended)
        signers: Mapping[str, Signer] = self.signers
        self.versions.append(sign_next(self.versions[-1], keys, signers, AT))
        return keys
