"""Time stamps of the ledger: asked for, stored verbatim, shown, exported, checked by openssl."""

from __future__ import annotations

from pathlib import Path

import pytest

from guiderail.core.errors import InputError
from guiderail.service.audit import verify
from guiderail.service.audit_pack import export
from guiderail.service.timestamps import ROOTS_FILE, timestamp
from guiderail_verify.audit import verify_pack
from tests.authority import Authority, new_authority, run_openssl, stamping
from tests.service.outside import Platform, copied, platform_template


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return new_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def platform(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    return copied(platform_template(tmp_path_factory), tmp_path / "platform")


def test_a_time_stamp_is_checked_once_roots_are_pinned_and_openssl_agrees(
    platform: Platform, authority: Authority, tmp_path: Path
) -> None:
    workspace = platform.workspace
    with stamping(authority) as url:
        first = timestamp(workspace, url=url)
        assert (first["state"], first["authority"]) == ("not-checked", url)
        assert [one["state"] for one in verify(workspace)["timestamps"]] == ["not-checked"]
        assert verify(workspace)["problems"] == []
        platform.append("risk")
        second = timestamp(workspace, roots=authority.roots)
        assert (second["state"], second["size"]) == ("good", first["size"] + 1)
        timestamp(workspace)
    assert [one["state"] for one in verify(workspace)["timestamps"]] == ["good"] * 3

    pack = tmp_path / "pack"
    assert export(workspace, pack)["problems"] == []
    names = sorted(path.name for path in (pack / "timestamps").iterdir())
    size = second["size"]
    assert names == [
        f"{size - 1}-1.tsr", f"{size - 1}.txt", f"{size}-1.tsr", f"{size}-2.tsr", f"{size}.txt",
    ]  # fmt: skip
    command = next(
        line
        for line in (pack / "README.txt").read_text("utf-8").splitlines()
        if "-verify -" in line
    )
    for name in names:
        if name.endswith(".tsr"):
            words = command.replace("timestamps/SIZE-1.tsr", f"timestamps/{name}")
            words = words.replace("SIZE", name.partition("-")[0])
            words = words.replace("ROOTS.pem", str(authority.roots))
            done = run_openssl(*words.split()[1:], folder=pack)
            assert "Verification: OK" in done.stdout + done.stderr
    (pack / "timestamps" / f"{size}.txt").write_text("other bytes\n", "utf-8")
    with pytest.raises(OSError, match="message imprint mismatch"):
        run_openssl(*words.split()[1:], folder=pack)
    assert not verify_pack(pack).ok


def test_roots_of_somebody_else_make_the_ledger_fail(
    platform: Platform, authority: Authority, tmp_path: Path
) -> None:
    with stamping(authority) as url:
        timestamp(platform.workspace, url=url)
    (tmp_path / "other").mkdir()
    other = new_authority(tmp_path / "other")
    (platform.workspace.home / ROOTS_FILE).write_bytes(other.roots.read_bytes())
    (problem,) = verify(platform.workspace)["problems"]
    assert "does not verify against the pinned roots" in problem
    (platform.workspace.home / ROOTS_FILE).write_text("nothing", "utf-8")
    (problem,) = verify(platform.workspace)["problems"]
    assert "cannot be read" in problem


def test_an_authority_must_be_named_once(platform: Platform, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refusal:
        timestamp(platform.workspace)
    assert refusal.value.code == "timestamp/authority"
    with pytest.raises(InputError):
        timestamp(platform.workspace, url="http://127.0.0.1:1", roots=tmp_path / "none.pem")
