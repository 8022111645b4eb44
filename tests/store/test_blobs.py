"""What was stored comes back, or an error does."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guiderail.core.digest import sha256_digest
from guiderail.core.errors import InputError, IntegrityError
from guiderail.store.blobs import Blobs


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


@given(data=st.binary(max_size=5000))
def test_bytes_come_back(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    blobs = Blobs(tmp_path_factory.mktemp("blobs"))
    digest = blobs.put_bytes(data)
    assert digest == sha256_digest(data)
    assert blobs.read(digest) == data


def test_a_file_comes_back(blobs: Blobs, tmp_path: Path) -> None:
    source = tmp_path / "model.bin"
    source.write_bytes(b"x" * (3 << 20))
    digest = blobs.put_file(source)
    assert blobs.read(digest) == source.read_bytes()
    assert blobs.checked_path(digest) == blobs.path(digest)


def test_storing_twice_is_storing_once(blobs: Blobs) -> None:
    digest = blobs.put_bytes(b"data")
    inode = blobs.path(digest).stat().st_ino
    assert blobs.put_bytes(b"data") == digest
    assert blobs.path(digest).stat().st_ino == inode


def test_a_changed_file_is_noticed(blobs: Blobs) -> None:
    digest = blobs.put_bytes(b"data")
    blobs.path(digest).write_bytes(b"Data")
    for look in (blobs.read, blobs.checked_path):
        with pytest.raises(IntegrityError) as caught:
            look(digest)
        assert caught.value.code == "blob/changed"


def test_storing_again_mends_a_changed_file(blobs: Blobs) -> None:
    digest = blobs.put_bytes(b"data")
    blobs.path(digest).write_bytes(b"Data")
    blobs.put_bytes(b"data")
    assert blobs.read(digest) == b"data"


def test_a_missing_file_is_noticed(blobs: Blobs) -> None:
    digest = sha256_digest(b"never stored")
    for look in (blobs.read, blobs.checked_path):
        with pytest.raises(IntegrityError) as caught:
            look(digest)
        assert caught.value.code == "blob/missing"


@pytest.mark.parametrize(
    "name", ["", "sha256:", "sha256:../../etc/passwd", "sha256:" + "A" * 64, "x" * 71]
)
def test_only_a_digest_is_a_name(blobs: Blobs, name: str) -> None:
    with pytest.raises(InputError) as caught:
        blobs.path(name)
    assert caught.value.code == "blob/bad-digest"


def test_files_are_private_unless_asked_otherwise(tmp_path: Path) -> None:
    private, shared = Blobs(tmp_path / "a"), Blobs(tmp_path / "b", mode=0o644)
    assert private.path(private.put_bytes(b"x")).stat().st_mode & 0o777 == 0o600
    assert shared.path(shared.put_bytes(b"x")).stat().st_mode & 0o044 == 0o044


def test_nothing_half_written_stays_behind(blobs: Blobs, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        blobs.put_file(tmp_path / "missing")
    digest = blobs.put_bytes(b"data")
    files = [path for path in blobs.root.rglob("*") if path.is_file()]
    assert files == [blobs.path(digest)]
