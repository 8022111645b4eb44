"""Witnesses, checkpoints and time stamps at the terminal, as two people type them."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from guiderail.service.audit import checkpoint
from guiderail.witness.folder import WitnessFolder
from guiderail.witness.server import application
from tests.authority import new_authority, stamping
from tests.cli.terminal import Terminal
from tests.service.outside import Platform, copied, platform_template
from tests.witness.running import answering

COULD = "nobody outside could notice"
STANDING = {
    "witnesses", "quorum", "required", "within_hours", "entries", "witnessed", "contradictions",
    "warnings",
}  # fmt: skip


@pytest.fixture
def platform(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Platform:
    """The terminal's workspace. The terminal has the real clock."""
    monkeypatch.delenv("GUIDERAIL_WITNESS", raising=False)
    made = copied(platform_template(tmp_path_factory), tmp_path / "platform")
    monkeypatch.chdir(made.root)
    return made


def words(text: str) -> str:
    return " ".join(text.split())


def key_in(text: str, line: str) -> str:
    return next(one.partition(": ")[2] for one in text.splitlines() if one.startswith(line))


def test_an_auditor_and_a_platform_team_set_up_a_witness(
    guiderail: Terminal, platform: Platform, tmp_path: Path
) -> None:
    folder = shlex.quote(str(tmp_path / "audit"))
    made = guiderail(f"witness init audit.example/w1 --folder {folder}")
    assert made.code == 0
    key = key_in(made.out, "Key of this witness")
    before = guiderail("ledger witness list")
    assert COULD in words(before.out)
    log_key = key_in(before.out, "Key of this log")
    followed = guiderail(f"witness follow {log_key} --folder {folder}")
    assert "Nothing is cosigned yet" in followed.out
    with answering(application(WitnessFolder.open(tmp_path / "audit"))) as url:
        added = guiderail(f"ledger witness add {url} {key}")
        assert added.code == 0
        assert "Cosigned by the witness audit.example/w1" in words(added.out)
        assert "WARNING" not in added.out
        printed = guiderail("ledger checkpoint")
    assert printed.out.count("\n— ") == 2
    assert "Fingerprint, for paper: " in printed.err
    assert "WARNING" not in printed.err
    assert "WARNING" not in guiderail("status").out
    shown = guiderail(f"witness show --folder {folder}")
    assert printed.out.split("\n")[2] in shown.out
    assert "CONTRADICTION" not in shown.out
    document = guiderail("ledger witness list --format json").json
    assert set(document) >= STANDING | {"log_keys"}
    assert set(guiderail("ledger checkpoint --format json").json) >= STANDING | {
        "size", "checkpoint", "fingerprint",
    }  # fmt: skip
    assert set(guiderail(f"witness show --folder {folder} --format json").json) >= {
        "name", "key", "folder", "logs",
    }  # fmt: skip
    assert document["witnesses"][0]["answer"]["outcome"] == "cosigned"
    assert guiderail("ledger witness require --quorum 1 --within-hours 6").code == 0
    assert COULD in words(guiderail("ledger witness remove audit.example/w1").out)
    assert "ann no longer asks the witness" in words(guiderail("ledger log").out)


def test_every_place_says_that_nobody_could_notice(guiderail: Terminal, platform: Platform) -> None:
    assert COULD in words(guiderail("status").out)
    assert COULD in words(guiderail("ledger verify").out)
    assert COULD in words(guiderail("ledger checkpoint").err)
    exported = guiderail("ledger export pack")
    assert COULD in words(exported.out)
    for page in ("README.txt", "index.html"):
        assert COULD in words((platform.root / "pack" / page).read_text("utf-8"))
    for command in ("status", "ledger witness list", "ledger checkpoint"):
        document = guiderail(f"{command} --format json").json
        assert COULD in document.get("ledger", document)["warnings"][0]
    assert COULD in guiderail("ledger verify --format json").json["outside"]["warnings"][0]


def test_a_checkpoint_comes_back_from_mail_and_paper(
    guiderail: Terminal, platform: Platform
) -> None:
    note = guiderail("ledger checkpoint").out
    printed = checkpoint(platform.workspace)["fingerprint"]
    platform.append("risk")
    (platform.root / "mail.txt").write_bytes(b"\r\n" + note.replace("\n", " \r\n").encode())
    said = guiderail("ledger verify --held mail.txt")
    assert said.code == 0
    assert "It continues what you hold" in said.out
    said = guiderail(f"ledger verify --fingerprint {shlex.quote(printed.lower())}")
    assert said.code == 0
    assert "It continues what you hold" in said.out


@pytest.mark.parametrize("tail", ["Kind regards\n", "\nKind regards\n", "— Ann\n"])
def test_a_greeting_after_the_signatures_is_refused(
    guiderail: Terminal, platform: Platform, tail: str
) -> None:
    note = guiderail("ledger checkpoint").out
    (platform.root / "mail.txt").write_text(note + tail, "utf-8")
    said = guiderail("ledger verify --held mail.txt")
    assert said.code == 1
    assert "The checkpoint you hold" in said.out


def test_a_fingerprint_of_another_history_is_a_problem(
    guiderail: Terminal, platform: Platform
) -> None:
    printed = checkpoint(platform.workspace)["fingerprint"]
    size, _, letters = printed.partition(" ")
    other = letters.replace(letters[-1], "A" if letters[-1] != "A" else "B")
    for typed, why in {
        f"{size} {other}": "another fingerprint",
        f"{int(size) - 1} {letters}": "another fingerprint",
        f"{int(size) + 1} {letters}": "entries at the end were removed",
        f"{10**18} {letters}": "entries at the end were removed",
    }.items():
        said = guiderail(f"ledger verify --fingerprint {shlex.quote(typed)}")
        assert (said.code, why in words(said.out)) == (1, True), typed
    assert guiderail("ledger verify --fingerprint hello").code == 4


def test_a_time_stamp_is_not_checked_until_roots_are_pinned(
    guiderail: Terminal, platform: Platform, tmp_path: Path
) -> None:
    (tmp_path / "authority").mkdir()
    authority = new_authority(tmp_path / "authority")
    assert guiderail("ledger timestamp").code == 4
    with stamping(authority) as url:
        said = guiderail(f"ledger timestamp --url {url}")
        assert said.code == 0
        assert "was not checked: no root is pinned" in words(said.out)
        assert "was not checked" in words(guiderail("ledger verify").out)
        said = guiderail(f"ledger timestamp --roots {shlex.quote(str(authority.roots))}")
    assert "verifies against the pinned roots" in words(said.out)
    assert guiderail("ledger verify").code == 0
    with stamping(b"garbage") as url:
        assert guiderail(f"ledger timestamp --url {url}").code == 4


@pytest.mark.parametrize(
    "line",
    [
        "witness show", "witness serve", "witness follow nonsense", "witness init 'a b'",
        "witness init w --folder .guiderail/w", "ledger witness add http://127.0.0.1:1 nonsense",
        "ledger witness remove nobody", "ledger witness require", "ledger witness require "
        "--quorum 3", "witness init w --folder .",
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_explained(
    guiderail: Terminal, platform: Platform, line: str
) -> None:
    said = guiderail(line)
    assert said.code == 4
    assert "went wrong that should not" not in said.err


def test_a_witness_may_begin_with_a_checkpoint_that_the_auditor_holds(
    guiderail: Terminal, platform: Platform
) -> None:
    note = guiderail("ledger checkpoint").out
    (platform.root / "held.txt").write_bytes(note.replace("\n", "\r\n").encode())
    size = int(note.split("\n")[1])
    (platform.root / "bad.txt").write_text(note.replace(f"\n{size}\n", f"\n{size - 1}\n"), "utf-8")
    key = key_in(guiderail("ledger witness list").out, "Key of this log")
    guiderail("witness init audit.example/w1 --folder ../w")
    assert guiderail(f"witness follow {key} --from bad.txt --folder ../w").code == 4
    said = guiderail(f"witness follow {key} --from held.txt --folder ../w")
    assert said.code == 0
    assert f"over {size} entries" in said.out
    assert guiderail(f"witness follow {key} --from held.txt --folder ../w").code == 4
