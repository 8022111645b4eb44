"""The keys of a workspace: one for checkpoints and one for permits, two of each while they change.

They are created on first use in `home/keys`: `checkpoint.pem` and `permit.pem` (Ed25519, PKCS 8,
readable by the owner only, see `key_files`) and `public.json`, which a target pins. A crash in the
middle leaves files that the next opening completes; two processes that open at once end up with the
same keys. `public.json` says which keys sign; a private key that it does not name signs nothing.

`latest-checkpoint.txt` beside them is the newest checkpoint that the keys signed: it is kept out of
the database, so that who can write there cannot take it back. `chain.jsonl` is the chain of key
versions (`guiderail_verify.key_chain`), a copy of what the database holds.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from securesystemslib.signer import (  # type: ignore[attr-defined] # it re-exports without __all__
    CryptoSigner,
    Signer,
)

from guiderail.attest.key_files import (
    broken,
    file_of,
    finish_protection,
    load_key,
    locked,
    new_key,
    protection_interrupted,
    read_or_create,
    read_private,
    write_private,
)
from guiderail.attest.key_service import import_public, service_signer
from guiderail.attest.secrets import Secrets
from guiderail.core.errors import InputError, RefusedError
from guiderail_verify.errors import VerifyError
from guiderail_verify.note import NoteKey, compose, is_key_name, signature_line
from guiderail_verify.signature import ED25519_SIZE, key_id
from guiderail_verify.trusted_keys import Role, TrustedKeys

PUBLIC_FILE = "public.json"
CHAIN_FILE = "chain.jsonl"
KEPT_FILE = "latest-checkpoint.txt"
_ORIGIN_FILE = "origin.txt"
_CHECKPOINT_FILE = "checkpoint.pem"
_PERMIT_FILE = "permit.pem"
_PUBLIC_MODE = 0o644

Entropy = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Keyring:
    """What signs, and what is public about it.

    trusted: the public part. permit_signers, checkpoint_signers: every key that signs now, by its
    id; the ids of the latter are verifier keys as text. folder: where the key files are.
    created: True where this opening made the keys, so that the caller can record `key.created`.
    """

    trusted: TrustedKeys
    permit_signers: Mapping[str, Signer]
    checkpoint_signers: Mapping[str, Signer]
    created: bool
    folder: Path

    @property
    def origin(self) -> str:
        """The name of the log that these keys speak for."""
        return self.trusted.origin

    @property
    def note_key(self) -> NoteKey:
        """The newest key for checkpoints."""
        return self.trusted.checkpoint[0]

    @property
    def permit_key_id(self) -> str:
        return next(iter(self.trusted.permit))

    @property
    def signers(self) -> dict[str, Signer]:
        """Every key under the id that it has in the chain of keys."""
        return {**self.checkpoint_signers, **self.permit_signers}

    @classmethod
    def open(
        cls,
        home: Path,
        *,
        entropy: Entropy = secrets.token_bytes,
        asked: Secrets | None = None,
    ) -> Keyring:
        """Read the keys of a workspace; create them where there are none.

        entropy: random bytes for a new log's name. asked: where a passphrase comes from.
        Raises InputError where the folder cannot be used, a key file is open to others or its
        passphrase is wrong or unknown, and IntegrityError where a key file cannot be read or does
        not match `public.json`.
        """
        folder, asked = home / "keys", asked or Secrets()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if protection_interrupted(folder):
                with locked(folder):
                    finish_protection(folder)
            if (folder / PUBLIC_FILE).exists():
                return _open_all(folder, asked)
            return _create(folder, entropy, asked)
        except OSError as error:
            raise _unusable(folder, error) from error

    def sign_note(self, text: str) -> str:
        """A note signed by every checkpoint key, from its text, which ends in a newline."""
        lines = []
        for key in self.trusted.checkpoint:
            signature = self.checkpoint_signers[key.to_text()].sign(text.encode("utf-8")).signature
            lines.append(signature_line(key, bytes.fromhex(signature)))
        return compose(text, lines)

    def kept_checkpoint(self) -> str | None:
        """The checkpoint that was kept last. Raises InputError where it cannot be read."""
        return _read_kept(self.folder)

    def keep_checkpoint(self, note: str) -> None:
        """Keep a checkpoint in place of the one before. It is on disk when this returns.

        Raises InputError where the folder cannot be written.
        """
        path = self.folder / KEPT_FILE
        try:
            write_private(path, note.encode("utf-8"), _PUBLIC_MODE)
        except OSError as error:
            raise InputError(
                f"The checkpoint {path} cannot be kept: {error.strerror}.",
                advice="Make the folder writable for the user who runs Guiderail.",
                code="keys/unusable",
            ) from error


@dataclass(frozen=True, slots=True)
class FreshKey:
    """A key that nobody uses yet. id: as in the chain of keys."""

    role: Role
    id: str
    public: bytes
    signer: Signer


def make_key(
    folder: Path,
    role: Role,
    origin: str,
    *,
    passphrase: str | None,
    uri: str | None,
    asked: Secrets,
) -> FreshKey:
    """Make a private key and put it on disk, or take the one that a key service holds at `uri`.

    Raises RefusedError `keys/kind` where a checkpoint key would not be Ed25519: the format of
    checkpoints (c2sp.org/signed-note) has no other kind that everybody checks.
    """
    signer: Signer
    if uri is None:
        key, content = new_key(passphrase)
        public, signer = key.public_key().public_bytes_raw(), CryptoSigner(key)
    else:
        kept, public = import_public(uri, asked)
        if role == "checkpoint" and len(public) != ED25519_SIZE:
            raise RefusedError(
                "The key for checkpoints has to be Ed25519; the key service holds another kind.",
                advice="Keep the checkpoint key in a file protected by a passphrase, or use a key "
                "service with Ed25519 (hv:). The permit key may be on P-256.",
                code="keys/kind",
            )
        signer, content = service_signer(kept, public, asked), kept.encode("utf-8") + b"\n"
    id_ = NoteKey(origin, public).to_text() if role == "checkpoint" else key_id(public)
    end = "pem" if uri is None else "uri"
    write_private(folder / f"{role}-{_short(role, id_)}.{end}", content)
    return FreshKey(role, id_, public, signer)


def private_file(folder: Path, role: Role, id_: str) -> Path:
    """Where the private part of a key is, or would have to be."""
    return file_of(folder, role, _short(role, id_))


def files_in_use(folder: Path, trusted: TrustedKeys) -> set[Path]:
    """The private files of the keys that sign now."""
    pairs: list[tuple[Role, str]] = [("checkpoint", key.to_text()) for key in trusted.checkpoint]
    pairs += [("permit", id_) for id_ in trusted.permit]
    return {private_file(folder, role, id_) for role, id_ in pairs}


def install(folder: Path, chain: bytes, trusted: TrustedKeys) -> None:
    """Put a new version of the public keys in place; `public.json` comes last."""
    write_private(folder / CHAIN_FILE, chain, _PUBLIC_MODE)
    write_private(folder / PUBLIC_FILE, trusted.to_json(), _PUBLIC_MODE)


def read_chain_file(home: Path) -> bytes | None:
    """The chain beside the keys, unchecked; None where there is none or it cannot be read."""
    try:
        return (home / "keys" / CHAIN_FILE).read_bytes()
    except OSError:
        return None


def read_kept(home: Path) -> str | None:
    """The newest checkpoint that a workspace kept beside its keys, or None where it kept none.

    Nothing is checked but that it is text. Raises InputError where it cannot be read.
    """
    return _read_kept(home / "keys")


def read_trusted(home: Path) -> TrustedKeys:
    """The public keys of a workspace. Raises InputError where they are missing or unreadable."""
    path = home / "keys" / PUBLIC_FILE
    try:
        return TrustedKeys.from_json(read_private(path, _PUBLIC_MODE))
    except OSError as error:
        raise InputError(
            f"The public keys {path} cannot be read: {error.strerror}.",
            advice="Copy keys/public.json from the workspace that issues the permits.",
            code="keys/missing",
        ) from error
    except VerifyError as error:
        raise InputError(
            f"The public keys {path} cannot be read: {error.reason}",
            advice="Copy keys/public.json from the workspace that issues the permits.",
            code="keys/unreadable",
        ) from error


def _create(folder: Path, entropy: Entropy, asked: Secrets) -> Keyring:
    """Make what is missing; `public.json` is written last."""
    name = f"guiderail.local/{entropy(8).hex()}".encode()
    origin_bytes, made = read_or_create(folder / _ORIGIN_FILE, name)
    origin = origin_bytes.decode("utf-8").strip()
    if not is_key_name(origin):
        raise broken(folder / _ORIGIN_FILE, "is not the name of a log")
    public = {}
    for file in (_CHECKPOINT_FILE, _PERMIT_FILE):
        pem, fresh = read_or_create(folder / file, new_key()[1])
        public[file] = load_key(pem, folder / file, asked).public_key().public_bytes_raw()
        made = made or fresh
    trusted = TrustedKeys(
        origin,
        (NoteKey(origin, public[_CHECKPOINT_FILE]),),
        {key_id(public[_PERMIT_FILE]): public[_PERMIT_FILE]},
    )
    read_or_create(folder / PUBLIC_FILE, trusted.to_json(), _PUBLIC_MODE)
    return replace(_open_all(folder, asked), created=made)


def _open_all(folder: Path, asked: Secrets) -> Keyring:
    """The keys that `public.json` names. A missing private one is a loss, never made again."""
    try:
        trusted = TrustedKeys.from_json(read_private(folder / PUBLIC_FILE, _PUBLIC_MODE))
    except VerifyError as error:
        raise broken(folder / PUBLIC_FILE, f"cannot be read ({error.reason})") from error
    if not (folder / _ORIGIN_FILE).exists():
        raise broken(folder / _ORIGIN_FILE, "is missing")
    if read_private(folder / _ORIGIN_FILE).decode("utf-8").strip() != trusted.origin:
        raise broken(folder / PUBLIC_FILE, "does not belong to the log named beside it")
    return Keyring(
        trusted,
        {id_: _signer(folder, "permit", id_, key, asked) for id_, key in trusted.permit.items()},
        {
            key.to_text(): _signer(folder, "checkpoint", key.to_text(), key.public, asked)
            for key in trusted.checkpoint
        },
        created=False,
        folder=folder,
    )


def _signer(folder: Path, role: Role, id_: str, public: bytes, asked: Secrets) -> Signer:
    path = file_of(folder, role, _short(role, id_))
    if not path.exists():
        raise broken(path, "is missing")
    content = read_private(path)
    if path.suffix == ".uri":
        return service_signer(content.decode("utf-8").strip(), public, asked)
    key = load_key(content, path, asked)
    if key.public_key().public_bytes_raw() != public:
        raise broken(folder / PUBLIC_FILE, f"does not belong to the private key {path.name}")
    return CryptoSigner(key)


def _short(role: Role, id_: str) -> str:
    return NoteKey.from_text(id_).key_id.hex() if role == "checkpoint" else id_[:16]


def _read_kept(folder: Path) -> str | None:
    path = folder / KEPT_FILE
    try:
        return path.read_bytes().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(
            f"The kept checkpoint {path} cannot be read: {error.strerror}.",
            advice="Make the file readable for the user who runs Guiderail.",
            code="keys/unusable",
        ) from error


def _unusable(folder: Path, error: OSError) -> InputError:
    return InputError(
        f"The keys in {folder} cannot be used: {error.strerror}.",
        advice="Make the folder readable and writable for the user who runs Guiderail.",
        code="keys/unusable",
    )
