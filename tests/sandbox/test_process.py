"""The confined child: what it may not do, and what the parent is told."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from guiderail.sandbox import process
from guiderail.sandbox.process import Completed, Failure, Limits, run_python

Run = Callable[..., Completed | Failure]

CHILD = """
import os, signal, socket, sys, time
from pathlib import Path
what = sys.argv[1]
if what == "spin":
    while True: pass
if what == "sleep":
    time.sleep(60)
if what == "memory":
    held = bytearray(8 << 30)
if what == "crash":
    os.kill(os.getpid(), signal.SIGSEGV)
if what == "write":
    Path("big").write_bytes(bytes(1 << 20))
if what == "explain":
    Path("failure.txt").write_text("the table is upside down")
    sys.exit(1)
if what == "raise":
    raise RuntimeError("something odd")
if what == "fork":
    if os.fork() == 0:
        Path("grandchild").write_text(str(os.getpid()))
        time.sleep(60)
    while not Path("grandchild").exists() or not Path("grandchild").read_text():
        time.sleep(0.01)
if what == "connect":
    with socket.create_connection(("127.0.0.1", int(sys.argv[2])), timeout=2) as line:
        line.sendall(b"hello")
if what == "look":
    import json
    def tried(act):
        try:
            return act()
        except OSError as error:
            return type(error).__name__
    place = Path(sys.argv[2])
    Path("looked").write_text(json.dumps({
        "given": tried((place / "given").read_text),
        "secret": tried((place / "secret").read_text),
        "write": tried(lambda: (place / "given").write_text("changed")),
    }))
if what == "start":
    import subprocess
    subprocess.run(["/bin/true"], check=True)
if what == "boast":
    Path("isolation.json").write_text('{"limits": [], "network": true, '
        '"privileges_dropped": true, "notes": ["everything"]}')
if what == "point":
    os.symlink(sys.argv[2], "failure.txt")
    sys.exit(1)
if what == "pipe":
    os.mkfifo("failure.txt")
    sys.exit(1)
if what == "see":
    Path("seen").write_text(f"{os.getcwd()} {sorted(os.environ)}")
"""


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    place = tmp_path / "work"
    place.mkdir()
    return place


@pytest.fixture(autouse=True)
def children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the module `misbehaving` importable in the child, beside Guiderail."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "guiderail").symlink_to(process.PACKAGE_ROOT / "guiderail")
    (root / "misbehaving.py").write_text(CHILD)
    monkeypatch.setattr(process, "PACKAGE_ROOT", root)


@pytest.fixture(params=["a process of its own", "a copy of the starter"])
def run(request: pytest.FixtureRequest, workdir: Path) -> Run:
    """Runs the child either way; what holds for one holds for the other."""
    imports = ("decimal",) if request.param == "a copy of the starter" else ()

    def run(
        *arguments: str, limits: Limits | None = None, read: Sequence[Path] = ()
    ) -> Completed | Failure:
        return run_python(
            *("misbehaving", arguments),
            workdir=workdir,
            limits=limits,
            read=read,
            imports=imports,
        )

    return run


def test_a_child_that_ends_well_says_how_it_was_isolated(run: Run) -> None:
    done = run("nothing")

    assert isinstance(done, Completed)
    assert set(done.isolation.limits) == {
        "cpu_seconds",
        "memory_bytes",
        "file_bytes",
        "open_files",
    }


def test_the_child_sees_no_environment_of_ours(
    run: Run, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPANY_SECRET", "1")

    run("see")

    place, _, names = (workdir / "seen").read_text().partition(" ")
    assert place == str(workdir)
    assert "COMPANY_SECRET" not in names
    assert "PATH" not in names


@pytest.mark.parametrize(
    ("what", "limits", "reason"),
    [
        ("spin", Limits(cpu_seconds=1), "more than 1 seconds of processor time"),
        ("sleep", Limits(wall_seconds=0.5), "did not finish within 0.5 seconds"),
        ("memory", Limits(memory_bytes=1 << 30), "MemoryError"),
        ("crash", Limits(), "crashed (SIGSEGV)"),
        ("write", Limits(file_bytes=1 << 16), "File too large"),
        ("explain", Limits(), "the table is upside down"),
        ("raise", Limits(), "RuntimeError: something odd"),
    ],
)
def test_a_child_that_fails_is_a_value_with_the_reason(
    run: Run, what: str, limits: Limits, reason: str
) -> None:
    failed = run(what, limits=limits)

    assert isinstance(failed, Failure)
    assert reason in failed.reason


@pytest.mark.parametrize("imports", [(), ("decimal",)])
def test_a_module_that_does_not_exist_is_a_failure(workdir: Path, imports: Sequence[str]) -> None:
    failed = run_python("no_such_module", [], workdir=workdir, imports=imports)

    assert isinstance(failed, Failure)
    assert "no_such_module" in failed.reason


def test_what_the_child_started_ends_with_it(run: Run, workdir: Path) -> None:
    run("fork")

    started = int((workdir / "grandchild").read_text())
    for _ in range(200):
        try:
            os.kill(started, 0)
        except ProcessLookupError:
            return
        if sys.platform == "linux" and _is_ended(started):
            return
        time.sleep(0.02)
    pytest.fail("the grandchild still runs")


def _is_ended(pid: int) -> bool:
    """A killed process that its new parent has not collected yet is ended all the same."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_the_child_reaches_no_network_where_namespaces_allow(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = run("connect", str(server.getsockname()[1]))

    if done.isolation.network:
        assert isinstance(done, Failure)
    else:
        assert done.isolation.notes


def test_the_child_reads_and_writes_only_what_it_was_given(
    run: Run, workdir: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("ours")
    (tmp_path / "given").write_text("for you")
    done = run("look", str(tmp_path), read=[tmp_path / "given"])

    seen = json.loads((workdir / "looked").read_text())
    assert seen["given"] == "for you"
    if done.isolation.files_confined:
        assert seen["secret"] == seen["write"] == "PermissionError"
        assert (tmp_path / "given").read_text() == "for you"
    else:
        assert done.isolation.notes


def test_the_child_starts_no_programs_where_calls_can_be_refused(run: Run) -> None:
    done = run("start")

    if done.isolation.calls_confined:
        assert isinstance(done, Failure)
        assert "PermissionError" in done.reason
    else:
        assert done.isolation.notes


def test_what_the_child_says_about_its_isolation_cannot_be_rewritten(
    run: Run, workdir: Path
) -> None:
    done = run("boast")

    assert "everything" not in done.isolation.notes
    assert "everything" not in (workdir / "isolation.json").read_text()


@pytest.mark.parametrize("what", ["point", "pipe"])
def test_a_reason_that_is_a_link_or_a_pipe_is_not_followed(
    run: Run, tmp_path: Path, what: str
) -> None:
    (tmp_path / "secret").write_text("ours")

    failed = run(what, str(tmp_path / "secret"))

    assert isinstance(failed, Failure)
    assert failed.reason == "it failed and left something unreadable as its reason"
