"""Evidence in an object store: a real server that speaks S3, and fsspec's folder and memory."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fsspec
import pytest

from guiderail.core.digest import sha256_digest
from guiderail.core.errors import InputError, IntegrityError
from guiderail.store.blobs import open_blobs
from guiderail.store.remote_blobs import RemoteBlobs

BUCKET = "evidence"


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    """The address of moto's server, a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as server:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        server.terminate()


@pytest.fixture
def credentials(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    return s3_server


@pytest.fixture(params=["s3", "memory", "file"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    name = tmp_path.name.replace("_", "-").lower()
    if request.param == "file":
        return f"file://{tmp_path}/objects"
    if request.param == "memory":
        return f"memory://{name}"
    request.getfixturevalue("credentials")
    fsspec.filesystem("s3").makedirs(BUCKET, exist_ok=True)
    return f"s3://{BUCKET}/{name}"


@pytest.fixture
def blobs(url: str) -> RemoteBlobs:
    return RemoteBlobs(url)


def overwrite(blobs: RemoteBlobs, digest: str, data: bytes) -> None:
    """What somebody does who has the keys of the bucket."""
    filesystem, _ = fsspec.core.url_to_fs(blobs.url)
    filesystem.pipe_file(blobs.path(digest), data)


def test_bytes_and_files_come_back_in_another_process(url: str, tmp_path: Path) -> None:
    source = tmp_path / "model.bin"
    source.write_bytes(os.urandom(3 << 20))
    blobs = RemoteBlobs(url)

    first, second = blobs.put_bytes(b"a report"), blobs.put_file(source)

    assert RemoteBlobs(url).read(first) == b"a report"
    assert RemoteBlobs(url).read(second) == source.read_bytes()


def test_storing_twice_leaves_the_first_object_alone(blobs: RemoteBlobs) -> None:
    filesystem: Any = fsspec.core.url_to_fs(blobs.url)[0]
    digest = blobs.put_bytes(b"data")
    before = filesystem.info(blobs.path(digest))
    time.sleep(0.02)

    assert blobs.put_bytes(b"data") == digest

    filesystem.invalidate_cache()
    after = filesystem.info(blobs.path(digest))
    for key in ("LastModified", "mtime", "created"):
        assert before.get(key) == after.get(key)


def test_a_missing_object_is_said_with_advice(blobs: RemoteBlobs) -> None:
    with pytest.raises(IntegrityError) as caught:
        blobs.read(sha256_digest(b"never stored"))
    assert caught.value.code == "blob/missing"
    assert "backup" in caught.value.advice


def test_a_damaged_object_is_neither_read_nor_overwritten(blobs: RemoteBlobs) -> None:
    digest = blobs.put_bytes(b"data")
    overwrite(blobs, digest, b"Data")
    for touch in (lambda: blobs.read(digest), lambda: blobs.put_bytes(b"data")):
        with pytest.raises(IntegrityError) as caught:
            touch()
        assert caught.value.code == "blob/changed"
    filesystem, _ = fsspec.core.url_to_fs(blobs.url)
    assert filesystem.cat_file(blobs.path(digest)) == b"Data"


def test_many_writers_of_the_same_bytes_end_with_one_object(blobs: RemoteBlobs) -> None:
    with ThreadPoolExecutor(8) as pool:
        digests = set(pool.map(lambda _: blobs.put_bytes(b"the same"), range(16)))
    assert [blobs.read(digest) for digest in digests] == [b"the same"]


def test_s3_refuses_to_overwrite_even_where_two_writers_race(credentials: str) -> None:
    filesystem = fsspec.filesystem("s3")
    filesystem.makedirs(BUCKET, exist_ok=True)
    blobs = RemoteBlobs(f"s3://{BUCKET}/race")
    digest = blobs.put_bytes(b"first")
    with pytest.raises(OSError, match=r".*"):
        filesystem.pipe_file(blobs.path(digest), b"second", mode="create")
    assert blobs.read(digest) == b"first"


def test_a_bucket_that_is_not_there_is_no_stored_file(credentials: str) -> None:
    blobs = RemoteBlobs("s3://no-such-bucket/x")
    with pytest.raises(InputError) as caught:
        blobs.put_bytes(b"x")
    assert caught.value.code == "blob/unreachable"


@pytest.mark.parametrize("url", ["s4://bucket", "nonsense://x"])
def test_an_address_that_nobody_understands_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_blobs(tmp_path, url)
    assert caught.value.code == "blob/url"


def test_only_a_digest_is_a_name(blobs: RemoteBlobs) -> None:
    with pytest.raises(InputError) as caught:
        blobs.read("sha256:../../x")
    assert caught.value.code == "blob/bad-digest"
