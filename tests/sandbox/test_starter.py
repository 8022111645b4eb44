"""Children that share their imports share nothing else, and nobody is left behind."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from guiderail.sandbox import process, starter
from guiderail.sandbox.process import Completed, Failure, Limits, run_python

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the starter is for Linux only")

SHARED = """
import os, time
imported_by, born, state = os.getpid(), time.monotonic_ns(), []
"""

CHILD = """
import json, os, sys, time
from pathlib import Path
import shared
if sys.argv[1] == "sleep":
    Path("pid").write_text(str(os.getpid()))
    time.sleep(60)
if sys.argv[1] == "kill the starter":
    os.kill(shared.imported_by, 9)
shared.state.append(os.getpid())
os.environ["LEFT"] = "behind"
Path("said").write_text(json.dumps({
    "pid": os.getpid(), "born": shared.born, "imported_by": shared.imported_by,
    "state": shared.state, "open": sorted(map(int, os.listdir("/proc/self/fd"))),
    "environment": dict(os.environ), "place": os.getcwd(),
}))
"""


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the modules `shared` and `asking` importable in children, beside Guiderail."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "guiderail").symlink_to(process.PACKAGE_ROOT / "guiderail")
    (root / "shared.py").write_text(SHARED)
    (root / "asking.py").write_text(CHILD)
    monkeypatch.setattr(process, "PACKAGE_ROOT", root)
    return root


def run(
    place: Path,
    what: str = "say",
    *,
    imports: tuple[str, ...] = ("shared",),
    limits: Limits | None = None,
) -> Completed | Failure:
    place.mkdir()
    return run_python("asking", [what], workdir=place, read=[], imports=imports, limits=limits)


def said(place: Path, **more: Any) -> dict[str, Any]:
    done = run(place, **more)
    assert isinstance(done, Completed), done.reason
    content: dict[str, Any] = json.loads((place / "said").read_text())
    return content


def test_what_children_need_is_imported_once(tmp_path: Path) -> None:
    one, other = said(tmp_path / "1"), said(tmp_path / "2")

    assert one["born"] == other["born"]
    assert len({one["pid"], other["pid"], one["imported_by"]}) == 3
    assert said(tmp_path / "3", imports=())["imported_by"] != one["imported_by"]


def test_a_child_sees_nothing_of_the_child_before(tmp_path: Path) -> None:
    said(tmp_path / "1")
    second = said(tmp_path / "2")

    assert second["state"] == [second["pid"]]
    assert second["place"] == str(tmp_path / "2")
    assert second["environment"] == process.clean_environment(tmp_path / "2") | {"LEFT": "behind"}


def test_a_child_holds_no_line_to_the_starter_or_to_us(tmp_path: Path) -> None:
    listing = 3  # the handle with which it reads the list of its handles
    assert said(tmp_path / "1")["open"] == [0, 1, 2, listing]


def test_what_cannot_be_imported_is_for_the_child_to_say(tmp_path: Path, root: Path) -> None:
    (root / "shared.py").write_text("raise RuntimeError('torn')")

    failed = run(tmp_path / "1", imports=("no_such_module", "shared"))

    assert isinstance(failed, Failure)
    assert failed.reason == "it ended with code 1: RuntimeError: torn"


def test_a_starter_that_was_killed_is_replaced(tmp_path: Path) -> None:
    first = said(tmp_path / "1")
    os.kill(first["imported_by"], signal.SIGKILL)
    second = said(tmp_path / "2")

    assert second["imported_by"] not in (first["imported_by"], os.getpid())


def test_a_child_that_kills_its_starter_harms_itself_at_most(tmp_path: Path) -> None:
    run(tmp_path / "1", "kill the starter")

    assert said(tmp_path / "2")["born"]


def test_nobody_waits_means_the_child_ends(tmp_path: Path) -> None:
    """As when somebody presses Ctrl-C."""

    def interrupt() -> None:
        while not (tmp_path / "1" / "pid").exists() or not (tmp_path / "1" / "pid").read_text():
            time.sleep(0.01)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    # Whoever runs tests in the background starts them deaf to Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Thread(target=interrupt, daemon=True).start()
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "1", "sleep")
    finally:
        signal.signal(signal.SIGINT, before)

    assert ended(int((tmp_path / "1" / "pid").read_text()))


def test_children_run_side_by_side_and_each_has_its_own_end(tmp_path: Path) -> None:
    found: dict[str, Completed | Failure] = {}

    def one(name: str, **more: Any) -> None:
        found[name] = run(tmp_path / name, **more)

    late = threading.Thread(
        target=one, args=("late",), kwargs={"what": "sleep", "limits": Limits(wall_seconds=3)}
    )
    late.start()
    quick = [threading.Thread(target=one, args=(f"{number}",)) for number in range(4)]
    for thread in quick:
        thread.start()
    for thread in (*quick, late):
        thread.join()

    assert all(isinstance(found[f"{number}"], Completed) for number in range(4))
    assert isinstance(found["late"], Failure)
    assert found["late"].reason == "it did not finish within 3 seconds"
    assert ended(int((tmp_path / "late" / "pid").read_text()))


def test_a_copy_of_this_process_has_a_starter_of_its_own(tmp_path: Path) -> None:
    ours = said(tmp_path / "1")["imported_by"]
    copy = os.fork()
    if copy == 0:
        code = 1
        try:
            code = 0 if said(tmp_path / "2")["imported_by"] != ours else 2
            starter._end()
        finally:
            os._exit(code)
    _, status = os.waitpid(copy, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert said(tmp_path / "3")["imported_by"] == ours


def test_a_starter_ends_with_the_process_that_uses_it(tmp_path: Path) -> None:
    ours = said(tmp_path / "1")["imported_by"]

    starter._end()

    assert ended(ours)


def ended(pid: int) -> bool:
    """Whether the process is gone within four seconds, or is dead and only not collected yet."""
    for _ in range(200):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False
