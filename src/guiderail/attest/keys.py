"""The keys of a workspace: one Ed25519 key for checkpoints, one for permits.

They are created on first use in `home/keys`: `checkpoint.pem` and `permit.pem` (PKCS 8, readable
by the owner only) and `public.json`, which a target pins. A crash in the middle leaves files that
the next opening completes; two processes that open at once end up with the same keys.

`latest-checkpoint.txt` beside them is the newest checkpoint that the keys signed: it is kept out of
the database, so that who can write there cannot take it back.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import (  # type: ignore[attr-defined] # it re-exports without __all__
    CryptoSigner,
    Signer,
    SSlibKey,
)

from guiderail.core.errors import InputError, IntegrityError
from guiderail_verify.errors import VerifyError
from guiderail_verify.note import NoteKey, compose, is_key_name, signature_line
from guiderail_verify.permit import TrustedKeys

PUBLIC_FILE = "public.json"
KEPT_FILE = "latest-checkpoint.txt"
_ORIGIN_FILE = "origin.txt"
_CHECKPOINT_FILE = "checkpoint.pem"
_PERMIT_FILE = "permit.pem"

Entropy = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Keyring:
    """The private keys and what is public about them.

    trusted: the public part. permit_signer: signs envelopes (securesystemslib).
    created: True where this opening made the keys, so that the caller can record `key.created`.
    folder: where the key files are.
    """

    trusted: TrustedKeys
    permit_signer: Signer
    checkpoint_key: Ed25519PrivateKey
    created: bool
    folder: Path

    @property
    def origin(self) -> str:
        """The name of the log that these keys speak for."""
        return self.trusted.origin

    @property
    def note_key(self) -> NoteKey:
        return self.trusted.checkpoint[0]

    @property
    def permit_key_id(self) -> str:
        return next(iter(self.trusted.permit))

    @classmethod
    def open(cls, home: Path, *, entropy: Entropy = secrets.token_bytes) -> Keyring:
        """Read the keys of a workspace; create them where there are none.

        entropy: random bytes for a new log's name.
        Raises InputError where the folder cannot be used or a key file is open to others, and
        IntegrityError where a key file cannot be read or does not match `public.json`.
        """
        folder = home / "keys"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _refuse_lost_keys(folder)
            name = f"guiderail.local/{entropy(8).hex()}".encode()
            origin, made = _read_or_create(folder / _ORIGIN_FILE, name)
            checkpoint, made_checkpoint = _read_or_create(folder / _CHECKPOINT_FILE, _new_key())
            permit, made_permit = _read_or_create(folder / _PERMIT_FILE, _new_key())
            keyring = _assemble(
                origin.decode("utf-8").strip(),
                _load(checkpoint, folder / _CHECKPOINT_FILE),
                _load(permit, folder / _PERMIT_FILE),
                created=made or made_checkpoint or made_permit,
                folder=folder,
            )
            public, _ = _read_or_create(folder / PUBLIC_FILE, keyring.trusted.to_json(), 0o644)
        except OSError as error:
            raise InputError(
                f"The keys in {folder} cannot be used: {error.strerror}.",
                advice="Make the folder readable and writable for the user who runs Guiderail.",
                code="keys/unusable",
            ) from error
        if public != keyring.trusted.to_json():
            raise _broken(folder / PUBLIC_FILE, "does not belong to the private keys beside it")
        return keyring

    def sign_note(self, text: str) -> str:
        """A signed note from its text, which ends in a newline."""
        signature = self.checkpoint_key.sign(text.encode("utf-8"))
        return compose(text, [signature_line(self.note_key, signature)])

    def kept_checkpoint(self) -> str | None:
        """The checkpoint that was kept last. Raises InputError where it cannot be read."""
        return _read_kept(self.folder)

    def keep_checkpoint(self, note: str) -> None:
        """Keep a checkpoint in place of the one before. It is on disk when this returns.

        Raises InputError where the folder cannot be written.
        """
        path = self.folder / KEPT_FILE
        temporary = path.with_name(f".{path.name}-{secrets.token_hex(8)}.part")
        try:
            with temporary.open("x", encoding="utf-8", newline="") as stream:
                stream.write(note)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise InputError(
                f"The checkpoint {path} cannot be kept: {error.strerror}.",
                advice="Make the folder writable for the user who runs Guiderail.",
                code="keys/unusable",
            ) from error


def read_kept(home: Path) -> str | None:
    """The newest checkpoint that a workspace kept beside its keys, or None where it kept none.

    Nothing is checked but that it is text. Raises InputError where it cannot be read.
    """
    return _read_kept(home / "keys")


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


def read_trusted(home: Path) -> TrustedKeys:
    """The public keys of a workspace. Raises InputError where they are missing or unreadable."""
    path = home / "keys" / PUBLIC_FILE
    try:
        return TrustedKeys.from_json(path.read_bytes())
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


def _refuse_lost_keys(folder: Path) -> None:
    """`public.json` is written last: where it is, a missing private key is a loss."""
    if not (folder / PUBLIC_FILE).exists():
        return
    for name in (_ORIGIN_FILE, _CHECKPOINT_FILE, _PERMIT_FILE):
        if not (folder / name).exists():
            raise _broken(folder / name, "is missing")


def _assemble(
    origin: str,
    checkpoint: Ed25519PrivateKey,
    permit: Ed25519PrivateKey,
    *,
    created: bool,
    folder: Path,
) -> Keyring:
    if not is_key_name(origin):
        raise _broken(Path(_ORIGIN_FILE), "is not the name of a log")
    public = SSlibKey.from_crypto(permit.public_key())
    raw = permit.public_key().public_bytes_raw()
    trusted = TrustedKeys(
        origin=origin,
        checkpoint=(NoteKey(origin, checkpoint.public_key().public_bytes_raw()),),
        permit={public.keyid: raw},
    )
    return Keyring(trusted, CryptoSigner(permit, public), checkpoint, created, folder)


def _new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _read_or_create(path: Path, content: bytes, mode: int = 0o600) -> tuple[bytes, bool]:
    """What the file holds, and whether this call made it. Never seen half-written."""
    try:
        return _read_private(path, mode), False
    except FileNotFoundError:
        temporary = path.with_name(f".{path.name}-{secrets.token_hex(8)}.part")
    try:
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(temporary, path)
    except FileExistsError:
        return _read_private(path, mode), False
    finally:
        temporary.unlink(missing_ok=True)
    return content, True


def _read_private(path: Path, mode: int) -> bytes:
    if mode == 0o600 and os.name == "posix":
        found = stat.S_IMODE(path.stat().st_mode)
        if found & 0o077:
            raise InputError(
                f"The key file {path} can be read by others (mode {found:o}).",
                advice=f"Run chmod 600 {path}, and replace the key if somebody may have read it.",
                code="keys/open-to-others",
            )
    return path.read_bytes()


def _load(pem: bytes, path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise _broken(path, "is not a private key") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _broken(path, "is not an Ed25519 key")
    return key


def _broken(path: Path, why: str) -> IntegrityError:
    return IntegrityError(
        f"The key file {path} {why}.",
        advice="Restore the folder of keys from a backup; a new key starts a new log.",
        code="keys/broken",
    )
