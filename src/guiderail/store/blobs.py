"""Files kept by the digest of their content. Standard library only."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO, Protocol

from guiderail.core.digest import Digest, file_digest, sha256_digest
from guiderail.core.errors import InputError, IntegrityError

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
_CHUNK = 1 << 20


class BlobStore(Protocol):
    """What a workspace needs of the place where its evidence is kept."""

    def put_bytes(self, data: bytes) -> Digest: ...

    def put_file(self, source: Path) -> Digest: ...

    def read(self, digest: str) -> bytes: ...


def open_blobs(folder: Path, url: str | None) -> BlobStore:
    """The store at a URL, or the folder where there is none.

    Raises InputError where the URL is none or its library is not installed.
    """
    if url is None:
        return Blobs(folder)
    from guiderail.store.remote_blobs import RemoteBlobs

    return RemoteBlobs(url)


def blob_name(digest: str) -> str:
    """`sha256/ab/abcdef...`. Raises InputError for anything but a digest."""
    if not _DIGEST.match(digest):
        raise InputError(
            f"{digest!r} is not a SHA-256 digest.",
            advice="Give sha256: and 64 hexadecimal digits.",
            code="blob/bad-digest",
        )
    name = digest.removeprefix("sha256:")
    return f"sha256/{name[:2]}/{name}"


class Blobs:
    """A folder of immutable files, `root/sha256/ab/abcdef...`.

    mode: permission bits of a stored file; 0o600 keeps it to the owner, 0o644 lets others read.
    A file appears under its name only when all its bytes are on disk.
    """

    __slots__ = ("_mode", "root")

    def __init__(self, root: Path, *, mode: int = 0o600) -> None:
        self.root = root
        self._mode = mode

    def put_bytes(self, data: bytes) -> Digest:
        return self._put(sha256_digest(data), [data].__iter__)

    def put_file(self, source: Path) -> Digest:
        """Copy a file in. Raises OSError where it cannot be read.

        Raises InputError where the file changed while it was copied: nothing is kept then.
        """
        digest = file_digest(source)
        with source.open("rb") as stream:
            return self._put(digest, lambda: _chunks(stream))

    def read(self, digest: str) -> bytes:
        """The bytes, hashed again. Raises IntegrityError where they are missing or changed."""
        path = self.path(digest)
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise _missing(digest) from error
        if sha256_digest(data) != digest:
            raise _changed(digest, path)
        return data

    def checked_path(self, digest: str) -> Path:
        """Where the file is, after hashing it. Raises IntegrityError as `read` does."""
        path = self.path(digest)
        try:
            found = file_digest(path)
        except FileNotFoundError as error:
            raise _missing(digest) from error
        if found != digest:
            raise _changed(digest, path)
        return path

    def path(self, digest: str) -> Path:
        """Where the file is or would be. Raises InputError for anything but a digest."""
        return self.root / blob_name(digest)

    def _put(self, digest: Digest, chunks: Callable[[], Iterable[bytes]]) -> Digest:
        final = self.path(digest)
        if final.exists() and file_digest(final) == digest:
            return digest
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary = final.parent / f".{final.name[:12]}-{secrets.token_hex(8)}.part"
        try:
            descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, self._mode)
            with os.fdopen(descriptor, "wb") as stream:
                for chunk in chunks():
                    stream.write(chunk)
                stream.flush()
                os.fsync(stream.fileno())
            if file_digest(temporary) != digest:
                raise InputError(
                    "The file changed while it was being stored.",
                    advice="Wait until nothing writes to it, then repeat the command.",
                    code="blob/changed-while-storing",
                )
            temporary.replace(final)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(final.parent)
        return digest


def _chunks(stream: BinaryIO) -> Iterable[bytes]:
    return iter(lambda: stream.read(_CHUNK), b"")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _missing(digest: str) -> IntegrityError:
    return IntegrityError(
        f"The stored file {digest} is missing.",
        advice="Restore it from a backup; nothing that needs it can go on.",
        code="blob/missing",
    )


def _changed(digest: str, path: Path) -> IntegrityError:
    return IntegrityError(
        f"The stored file {path} no longer matches its digest {digest}.",
        advice="Restore it from a backup and find out who changed it.",
        code="blob/changed",
    )
