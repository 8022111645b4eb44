"""The digest cache answers only while a file is certainly the same."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from guiderail.core.digest import file_digest
from guiderail.manifest.stat_cache import StatCache

WRONG = "sha256:" + "0" * 64


def an_hour_later() -> int:
    return time.time_ns() + 3_600_000_000_000


def remembered(cache: Path, file: Path) -> dict[str, tuple[list[int], str]]:
    """Digest a file long after it was written, and return what the cache file then holds."""
    one = StatCache.read(cache, now=an_hour_later)
    assert one.digest(file) == file_digest(file)
    one.write()
    files: dict[str, tuple[list[int], str]] = json.loads(cache.read_text())["files"]
    return files


def poison(cache: Path) -> None:
    """Replace the stored digests, so that an answer from the cache shows."""
    content = json.loads(cache.read_text())
    content["files"] = {path: (stamp, WRONG) for path, (stamp, _) in content["files"].items()}
    cache.write_text(json.dumps(content))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "model.skops"
    file.write_text("weights")
    return file


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "digests.json"


def test_an_unchanged_file_is_answered_from_the_cache(cache: Path, file: Path) -> None:
    remembered(cache, file)
    poison(cache)
    assert StatCache.read(cache).digest(file) == WRONG


def test_a_file_that_has_just_changed_is_not_remembered(cache: Path, file: Path) -> None:
    one = StatCache.read(cache)
    one.digest(file)
    one.write()
    assert not cache.exists()


def test_same_size_and_a_restored_time_do_not_hide_a_change(cache: Path, file: Path) -> None:
    remembered(cache, file)
    stat = file.stat()
    file.write_text("WEIGHTS")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert StatCache.read(cache).digest(file) == file_digest(file)


def test_a_replaced_file_is_read_again(cache: Path, file: Path) -> None:
    remembered(cache, file)
    poison(cache)
    stat = file.stat()
    other = file.with_name("other")
    other.write_text("WEIGHTS")
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    os.replace(other, file)
    assert StatCache.read(cache).digest(file) == file_digest(file)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"format": 2, "files": {}}', '{"format": 1, "files": []}',
     '{"format": 1, "files": {"a": 1}}', '{"format": 1, "files": {"a": [["x"], "y"]}}',
     "[" * 100_000, "\x00"],
)  # fmt: skip
def test_a_damaged_cache_counts_as_empty(cache: Path, file: Path, content: str) -> None:
    cache.parent.mkdir()
    cache.write_text(content)
    assert list(remembered(cache, file)) == [str(file)]


def test_entries_with_something_else_than_a_digest_are_dropped(cache: Path, file: Path) -> None:
    files = remembered(cache, file)
    stamp, _ = files[str(file)]
    cache.write_text(json.dumps({"format": 1, "files": {str(file): [stamp, "trust me"]}}))
    assert StatCache.read(cache).digest(file) == file_digest(file)


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path, file: Path) -> None:
    (tmp_path / "blocked").write_text("a file where the directory should be")
    one = StatCache.read(tmp_path / "blocked" / "digests.json", now=an_hour_later)
    assert one.digest(file) == file_digest(file)
    one.write()
    assert (tmp_path / "blocked").is_file()


def test_no_temporary_files_are_left(cache: Path, file: Path) -> None:
    remembered(cache, file)
    assert [entry.name for entry in cache.parent.iterdir()] == ["digests.json"]
