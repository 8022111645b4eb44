"""Files kept by the digest of their content in an object store, through fsspec.

The place is a URL that fsspec understands: `s3://bucket/prefix` (extra `s3`), `file:///folder`,
`memory://name`. Credentials and the address of a server that speaks S3 come from where s3fs looks
for them (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_ENDPOINT_URL`, `~/.aws`), never from
the workspace.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from guiderail.core.digest import Digest, file_digest, sha256_digest
from guiderail.core.errors import GuiderailError, InputError, IntegrityError
from guiderail.store.blobs import blob_name

CHUNK = 8 << 20
"""Bytes read at once."""


class RemoteBlobs:
    """Immutable objects `url/sha256/ab/abcdef...`.

    Storing is safe to repeat and never overwrites: an object that is there stays as it is, and one
    that no longer has its digest is an error. Everything that is read is hashed again.
    """

    __slots__ = ("_filesystem", "_has_folders", "_prefix", "url")

    def __init__(self, url: str) -> None:
        """Raises InputError where it is no URL of a store, or its library is not installed."""
        self.url = url
        self._filesystem, self._prefix = _open(url)
        # Elsewhere folders do not exist, and asking for one could make a bucket.
        self._has_folders = url.partition(":")[0] in ("file", "memory")

    def put_bytes(self, data: bytes) -> Digest:
        """Raises InputError where the store cannot be reached or refuses to be written."""
        digest = sha256_digest(data)
        with self._reached("written"):
            self._put(digest, lambda path: self._filesystem.pipe_file(path, data, mode="create"))
        return digest

    def put_file(self, source: Path) -> Digest:
        """Copy a file in. Raises OSError where it cannot be read, InputError as `put_bytes`."""
        digest = file_digest(source)
        with self._reached("written"):
            self._put(
                digest,
                lambda path: self._filesystem.put_file(str(source), path, mode="create"),
            )
        return digest

    def read(self, digest: str) -> bytes:
        """The bytes, hashed again.

        Raises IntegrityError where they are missing or changed, InputError where the store cannot
        be reached: that is not the same as a file that is gone.
        """
        path = self.path(digest)
        with self._reached("read"):
            try:
                data = bytes(self._filesystem.cat_file(path))
            except FileNotFoundError as error:
                raise _missing(digest, path) from error
        if sha256_digest(data) != digest:
            raise _changed(digest, path)
        return data

    def path(self, digest: str) -> str:
        """Where the object is or would be. Raises InputError for anything but a digest."""
        return f"{self._prefix}/{blob_name(digest)}"

    def _put(self, digest: str, create: Any) -> None:
        path = self.path(digest)
        if not self._exists(path):
            if self._has_folders:
                self._filesystem.makedirs(path.rpartition("/")[0], exist_ok=True)
            try:
                create(path)
            except Exception:
                # Where somebody else was quicker, what they wrote is checked like our own.
                if not self._exists(path):
                    raise
        if self._digest(path) != digest:
            raise _changed(digest, path)

    def _exists(self, path: str) -> bool:
        self._filesystem.invalidate_cache()
        return bool(self._filesystem.exists(path))

    def _digest(self, path: str) -> str:
        state = hashlib.sha256()
        with self._filesystem.open(path, "rb", block_size=CHUNK, cache_type="none") as stream:
            while chunk := stream.read(CHUNK):
                state.update(chunk)
        return f"sha256:{state.hexdigest()}"

    @contextmanager
    def _reached(self, verb: str) -> Iterator[None]:
        try:
            yield
        except GuiderailError:
            raise
        except Exception as error:
            # Every store has errors of its own; none of them may pass for "there is no such file".
            told = re.sub(r"\s+", " ", str(error))[:200]
            raise InputError(
                f"The blob store {self.url} cannot be {verb} ({type(error).__name__}: {told}).",
                advice="Check the address in workspace.yaml, the network and the credentials in "
                "the environment; nothing was recorded.",
                code="blob/unreachable",
            ) from error


def _open(url: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs

        filesystem, prefix = url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise InputError(
            f"The blob store {url!r} cannot be opened: {error}.",
            advice="Write s3://BUCKET/PREFIX into workspace.yaml and install the extra: "
            'pip install "guiderail[s3]".',
            code="blob/url",
        ) from error
    return filesystem, str(prefix).rstrip("/")


def _missing(digest: str, path: str) -> IntegrityError:
    return IntegrityError(
        f"The stored file {digest} is missing: there is no object {path}.",
        advice="Restore it from a backup or an older version of the bucket; nothing that needs it "
        "can go on.",
        code="blob/missing",
    )


def _changed(digest: str, path: str) -> IntegrityError:
    return IntegrityError(
        f"The object {path} no longer matches its digest {digest}.",
        advice="It is never overwritten: restore an older version of the object and find out who "
        "changed it.",
        code="blob/changed",
    )
