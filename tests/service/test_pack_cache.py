"""What a check remembers: the same bytes give the same answer, and nothing else is believed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from guiderail.core.digest import sha256_digest
from guiderail.policy import load_pack_directory
from guiderail.policy import problems as problems_module
from guiderail.policy.problems import CheckedPack
from guiderail.service.pack_cache import cache_folder, recall
from guiderail.service.policy_check import check_pack, compiled_directory
from tests.policy.seven_files import FILES, write_small_pack

TODAY = date(2026, 11, 23)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return write_small_pack(tmp_path / "packs" / "small")


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The directories that were really checked, one entry each time."""
    done: list[Path] = []
    check = problems_module.check_pack_directory

    def counted(directory: Path, *, today: date) -> CheckedPack:
        done.append(directory)
        return check(directory, today=today)

    monkeypatch.setattr(problems_module, "check_pack_directory", counted)
    return done


def entry() -> Path:
    folder = cache_folder()
    assert folder is not None
    (file,) = folder.glob("*.pack")
    return file


def test_a_second_check_of_the_same_bytes_comes_from_memory(
    small: Path, checks: list[Path]
) -> None:
    first = check_pack(small, TODAY)
    assert check_pack(small, TODAY) == first
    assert checks == [small]
    assert first["problems"] == []


def test_problems_are_remembered_with_their_carets(small: Path, checks: list[Path]) -> None:
    write_small_pack(small, tiers__regulated=FILES["tiers/regulated.yaml"].replace("law", "lav"))
    first = check_pack(small, TODAY)
    assert check_pack(small, TODAY) == first
    assert checks == [small]
    assert first["problems"][0]["caret"]


@pytest.mark.parametrize(
    "change",
    [
        lambda small: (small / "tiers" / "regulated.yaml").write_text(
            FILES["tiers/regulated.yaml"].replace("to: high", "to: low"), "utf-8"
        ),
        lambda small: (small / "gates" / "tested.yaml").unlink(),
        lambda small: (small / "gates" / "tested.yaml").rename(small / "gates" / "other.yaml"),
        lambda small: (small / "gate").mkdir(),
        lambda small: os.mkfifo(small / "gates" / "pipe.yaml"),
    ],
    ids=["an edit", "a file less", "another name", "a strange folder", "a pipe"],
)
def test_whatever_changes_in_the_directory_is_checked_again(
    small: Path, checks: list[Path], change: Callable[[Path], object]
) -> None:
    before = check_pack(small, TODAY)
    change(small)
    after = check_pack(small, TODAY)
    assert checks == [small, small]
    assert (after["digest"], after["problems"]) != (before["digest"], before["problems"])


def test_another_day_is_checked_again_because_clauses_grow_old(
    small: Path, checks: list[Path]
) -> None:
    assert check_pack(small, TODAY)["problems"] == []
    later = check_pack(small, date(2027, 11, 23))
    assert "was last looked up on 2026-11-01" in later["problems"][0]["message"]
    assert checks == [small, small]


def test_a_pack_that_is_extended_counts_as_well(small: Path, checks: list[Path]) -> None:
    upper = small.parent / "upper"
    upper.mkdir()
    (upper / "pack.yaml").write_text(
        "id: upper\nversion: '1'\ntitle: T\neffective_from: '2026-11-01'\nowner: risk-officer\n"
        "extends: small\nkinds: [model]\n",
        "utf-8",
    )
    before = check_pack(upper, TODAY)
    assert check_pack(upper, TODAY) == before
    assert checks == [upper]
    rule = FILES["tiers/regulated.yaml"].replace("raises_to: high", "raises_to: low")
    write_small_pack(small, tiers__regulated=rule)
    assert check_pack(upper, TODAY)["digest"] != before["digest"]
    assert checks == [upper, upper]


def test_a_pack_that_appears_beside_and_is_meant_from_now_on_counts(
    small: Path, checks: list[Path]
) -> None:
    from guiderail.policy import load_pack

    upper = small.parent / "upper"
    upper.mkdir()
    (upper / "pack.yaml").write_text(
        "id: upper\nversion: '1'\ntitle: T\neffective_from: '2026-11-01'\nowner: risk-officer\n"
        f"extends: model\nextends_digest: {load_pack('model').digest}\nkinds: [model]\n",
        "utf-8",
    )
    assert check_pack(upper, TODAY)["problems"] == []
    write_small_pack(small.parent / "model", pack=FILES["pack.yaml"].replace("small", "model", 1))
    assert (
        "is not the pack that this one was written for"
        in (check_pack(upper, TODAY)["problems"][0]["message"])
    )
    assert checks == [upper, upper]


def forged(file: Path, change: Callable[[dict[str, Any]], None], *, sealed: bool) -> None:
    digest, _, data = file.read_bytes().partition(b"\n")
    content = json.loads(data)
    change(content)
    changed = json.dumps(content).encode()
    file.write_bytes((sha256_digest(changed).encode() if sealed else digest) + b"\n" + changed)


def sealed(data: bytes) -> bytes:
    return sha256_digest(data).encode() + b"\n" + data


def lighter(content: dict[str, Any]) -> None:
    content["tree"]["tiers"] = []


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(file.read_bytes()[:1000]),
        lambda file: file.write_text("[]", "utf-8"),
        lambda file: file.write_bytes(sealed(b"[" * 100_000)),
        lambda file: file.write_bytes(sealed(b"{}")),
        lambda file: forged(file, lighter, sealed=False),
        lambda file: forged(file, lambda told: told.update(program="another"), sealed=True),
        lambda file: forged(file, lambda told: told.update(files="0" * 64), sealed=True),
        lambda file: forged(file, lambda told: told.update(format=2), sealed=True),
        lambda file: forged(file, lambda told: told.update(chain=[]), sealed=True),
        lambda file: file.chmod(0o666),
        lambda file: file.parent.chmod(0o777),
    ],
    ids=[
        *("empty", "cut", "a list", "deep", "nothing in it", "a rule less", "another program"),
        *("other bytes", "another format", "no chain", "file of others", "folder of others"),
    ],
)
def test_an_entry_that_is_damaged_or_not_ours_is_never_believed(
    small: Path, checks: list[Path], damage: Callable[[Path], object]
) -> None:
    before = check_pack(small, TODAY)
    damage(entry())
    assert recall(small, cache_folder()) is None
    assert check_pack(small, TODAY) == before
    assert compiled_directory(small).digest == load_pack_directory(small).digest
    assert checks == [small, small]


def test_deciding_with_a_directory_uses_what_the_check_compiled(small: Path) -> None:
    check_pack(small, TODAY)
    known = recall(small, cache_folder())
    assert known is not None
    assert known.pack is not None
    assert known.pack.digest == compiled_directory(small).digest
    assert known.pack.tree == json.loads(json.dumps(load_pack_directory(small).tree))


def test_a_cache_that_cannot_be_written_changes_nothing(
    small: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert check_pack(small, TODAY)["problems"] == []
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME")
    assert cache_folder() is None
    assert compiled_directory(small).id == "small"


def test_a_relative_cache_directory_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder({"XDG_CACHE_HOME": "here", "HOME": "/h"}) == Path(
        "/h/.cache/guiderail/packs"
    )
