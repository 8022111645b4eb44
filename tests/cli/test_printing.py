"""What the terminal shows: snapshots of the check, 80 columns, colour only where it belongs."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.terminal import ESCAPE, Terminal, masked
from tests.service import parcels
from tests.service.depot import WORKLOAD, Depot

SNAPSHOTS = Path(__file__).parent / "snapshots"


@pytest.mark.parametrize("name", ["green", "yellow", "red", "blocked"])
def test_the_check_reads_as_it_did(
    guiderail: Terminal, live: Depot, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To accept a new text on purpose, run once with GUIDERAIL_WRITE_SNAPSHOTS=1 and read it."""
    directory = getattr(live.releases, name)
    monkeypatch.chdir(directory)
    said = masked(guiderail("check .").out, directory)
    snapshot = SNAPSHOTS / f"check-{name}.txt"
    if os.environ.get("GUIDERAIL_WRITE_SNAPSHOTS"):
        snapshot.write_text(said, encoding="utf-8")
    assert said == snapshot.read_text(encoding="utf-8")


def too_wide(text: str) -> list[str]:
    """Lines over 80 columns that are not one unbreakable word, such as a path or a digest."""
    return [
        line for line in text.splitlines() if len(line) > 80 and max(map(len, line.split())) < 60
    ]


def test_everything_fits_into_80_columns(
    guiderail: Terminal, live: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = live.submit(live.releases.tree).case.id
    monkeypatch.chdir(live.releases.tree)
    for line in (
        "check .",
        "check . --brief",
        "status",
        f"case show {case}",
        f"review show {case} --as emil",
        "review list --all --as emil",
        f"rollout status {WORKLOAD}",
        f"rollback {WORKLOAD} --to off --dry-run --as emil",
        "ledger log",
        "ledger verify",
        f"as-of {live.clock().date()}",
        "explain fairness",
        "explain high-risk-use",
        "facts",
        "measure columns training.csv",
        f"measure model {parcels.MODEL}",
        "measure drift training.csv evaluation.csv",
    ):
        said = guiderail(line)
        assert said.code == 0, (line, said.err)
        assert too_wide(said.out) == [], line
        assert ESCAPE not in said.out + said.err, line


def in_a_terminal(arguments: list[str], **environment: str) -> str:
    """What a command writes when its output is a real terminal."""
    leader, follower = pty.openpty()
    variables = {**os.environ, "TERM": "xterm-256color", **environment}
    with subprocess.Popen(
        [sys.executable, "-m", "guiderail", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=follower,
        env=variables,
    ) as process:
        os.close(follower)
        seen = b""
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:
                break
            if not part:
                break
            seen += part
        process.wait(timeout=60)
    os.close(leader)
    return seen.decode(errors="replace")


def test_a_terminal_gets_colour_unless_it_is_switched_off(live: Depot) -> None:
    command = ["check", str(live.releases.green)]
    coloured = in_a_terminal(command)
    assert f"{ESCAPE}[32m" in coloured
    plain = in_a_terminal(command, TERM="dumb")
    assert ESCAPE not in plain
    assert "Green: deploys by itself." in plain


def test_no_color_alone_leaves_no_escape_code(live: Depot) -> None:
    said = in_a_terminal(["check", "/nowhere"], NO_COLOR="1")
    assert ESCAPE not in said
    assert "manifest/not-found" in said


def test_a_reader_who_leaves_early_reads_no_trace_and_gets_no_yes(live: Depot) -> None:
    """A yes that nobody could read is none: the gate is closed then."""
    process = subprocess.Popen(
        [sys.executable, "-m", "guiderail", "gate", str(live.releases.first)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 1
    assert said == b""
