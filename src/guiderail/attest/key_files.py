"""The files of private keys: made, read, protected by a passphrase, and destroyed.

A key of a role (`checkpoint` or `permit`) stands in `ROLE.pem` if it was there from the beginning
and in `ROLE-ID.pem` if it came later; PKCS 8, readable by the owner only. A key that a key service
holds has a `.uri` file instead, with one line that says where it is.

Changing the passphrase of several files at once is safe against a crash: all new files are written
first, then the marker `protect.ready`, then each takes the place of the old one. Who finds the
marker finishes the work, for which no passphrase is needed; who finds new files without it removes
them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guiderail.attest.pkcs8 import ENCRYPTED, to_pem
from guiderail.attest.secrets import Secrets
from guiderail.core.errors import ConflictError, InputError, IntegrityError

_NEW: Final = ".protect"
_READY: Final = "protect.ready"
_LOCK: Final = ".lock"


@contextmanager
def locked(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """One process at a time changes the files of keys; the lock ends with the process.

    Raises ConflictError `keys/in-use` where another one does and `wait` is False.
    """
    handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise ConflictError(
                "Another command is changing the keys.",
                advice="Try again when it has finished.",
                code="keys/in-use",
            ) from error
        yield
    finally:
        os.close(handle)


def private_files(folder: Path) -> list[Path]:
    """Every file with a private key or the place of one."""
    return sorted(
        path
        for role in ("checkpoint", "permit")
        for end in ("pem", "uri")
        for path in (*folder.glob(f"{role}.{end}"), *folder.glob(f"{role}-*.{end}"))
    )


def file_of(folder: Path, role: str, short_id: str) -> Path:
    """Where the key with this id is, or would be if it were there from the beginning."""
    for name in (f"{role}-{short_id}.pem", f"{role}-{short_id}.uri"):
        if (folder / name).exists():
            return folder / name
    return folder / f"{role}.pem"


def is_protected(path: Path) -> bool:
    """Whether a key file is encrypted. Raises OSError where it cannot be read."""
    return path.read_bytes().startswith(ENCRYPTED)


def new_key(passphrase: str | None = None) -> tuple[Ed25519PrivateKey, bytes]:
    """A new Ed25519 key and its file's content, encrypted where there is a passphrase."""
    key = Ed25519PrivateKey.generate()
    return key, to_pem(key, passphrase)


def load_key(pem: bytes, path: Path, asked: Secrets) -> Ed25519PrivateKey:
    """The key in a file; the passphrase is asked for only where it is encrypted.

    Raises InputError `keys/wrong-passphrase` or as `Secrets.passphrase` does, IntegrityError
    `keys/broken` for what is no Ed25519 key.
    """
    encrypted = pem.startswith(ENCRYPTED)
    password = asked.passphrase().encode("utf-8") if encrypted else None
    try:
        key = serialization.load_pem_private_key(pem, password=password)
    except (ValueError, TypeError) as error:
        if encrypted:
            raise InputError(
                f"The passphrase does not open {path}, or the file is damaged.",
                advice="Give the passphrase that guiderail keys protect set last; without it "
                "restore the folder of keys from a backup, or see the guide about lost keys.",
                code="keys/wrong-passphrase",
            ) from error
        raise broken(path, "is not a private key") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise broken(path, "is not an Ed25519 key")
    return key


def protect(folder: Path, asked: Secrets, passphrase: str | None) -> list[Path]:
    """Encrypt every key file with a passphrase, or with None write them unencrypted.

    All files change or none; the lock of the folder must be held. Gives the files.
    """
    finish_protection(folder)
    paths = [path for path in private_files(folder) if path.suffix == ".pem"]
    keys = {path: load_key(read_private(path), path, asked) for path in paths}
    for path, key in keys.items():
        write_private(path.with_name(path.name + _NEW), to_pem(key, passphrase))
    write_private(folder / _READY, b"")
    finish_protection(folder)
    return paths


def finish_protection(folder: Path) -> None:
    """Complete, or take back, what a crash interrupted; the lock of the folder must be held."""
    ready = (folder / _READY).exists()
    for new in folder.glob(f"*{_NEW}"):
        if ready:
            new.replace(new.with_name(new.name.removesuffix(_NEW)))
        else:
            new.unlink()
    sync(folder)
    if ready:
        (folder / _READY).unlink()
        sync(folder)


def protection_interrupted(folder: Path) -> bool:
    return (folder / _READY).exists() or any(folder.glob(f"*{_NEW}"))


def read_or_create(path: Path, content: bytes, mode: int = 0o600) -> tuple[bytes, bool]:
    """What the file holds, and whether this call made it. Never seen half-written."""
    try:
        return read_private(path, mode), False
    except FileNotFoundError:
        temporary = path.with_name(f".{path.name}-{secrets.token_hex(8)}.part")
    try:
        _write_new(temporary, content, mode)
        os.link(temporary, path)
    except FileExistsError:
        return read_private(path, mode), False
    finally:
        temporary.unlink(missing_ok=True)
    return content, True


def read_private(path: Path, mode: int = 0o600) -> bytes:
    """A file of keys. Raises InputError `keys/open-to-others` where others may read a private one
    or change a public one.
    """
    if os.name == "posix":
        found, private = stat.S_IMODE(path.stat().st_mode), mode == 0o600
        if found & (0o077 if private else 0o022):
            can = "read" if private else "changed"
            after = "replace the key" if private else "compare it with the original"
            raise InputError(
                f"The key file {path} can be {can} by others (mode {found:o}).",
                advice=f"Run chmod {mode:o} {path}, and {after} if somebody may have done so.",
                code="keys/open-to-others",
            )
    return path.read_bytes()


def write_private(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Put a file in place in one step. It is on disk when this returns."""
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(8)}.part")
    try:
        _write_new(temporary, content, mode)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)


def sync(folder: Path) -> None:
    """Names in a folder are on disk when this returns."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # not every file system can
            os.fsync(handle)
    finally:
        os.close(handle)


def broken(path: Path, why: str) -> IntegrityError:
    return IntegrityError(
        f"The key file {path} {why}.",
        advice="Restore the folder of keys from a backup; a new key starts a new log.",
        code="keys/broken",
    )


def _write_new(path: Path, content: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
