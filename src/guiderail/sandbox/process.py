"""Run one of our Python modules on untrusted input in a child process with limits.

The child confines itself (`sandbox.confine`) before it imports the module. Whatever happens to it,
the caller gets a value: `Completed`, or `Failure` with a reason in plain words.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from guiderail.sandbox import starter
from guiderail.sandbox.regular_file import read_regular

PACKAGE_ROOT = Path(__file__).resolve().parents[2]
KEPT_OUTPUT = 8_192
MOST_ERRORS = 64 * 1024**2

LAUNCHER = """
import json, sys
from pathlib import Path
root, module, limits, report, places = sys.argv[1:6]
sys.path.insert(0, root)
from guiderail.sandbox.confine import confine
import runpy
confine(json.loads(limits), Path(report), **json.loads(places))
sys.argv = [module, *sys.argv[6:]]
runpy.run_module(module, run_name="__main__", alter_sys=False)
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the child may use. Seconds, bytes, counts; 0 switches one limit off."""

    cpu_seconds: int = 120
    memory_bytes: int = 4 * 1024**3
    file_bytes: int = 1024**3
    open_files: int = 256
    wall_seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Isolation:
    """What isolation the child reached, recorded as evidence.

    limits: names of the resource limits in force. network: True where the child could reach no
    network. privileges_dropped: True where it held no privilege and could gain none.
    files_confined: True where every file but those it needs was closed to it. calls_confined: True
    where it could start no programs and make none of the calls that nothing here needs.
    """

    limits: tuple[str, ...] = ()
    network: bool = False
    privileges_dropped: bool = False
    files_confined: bool = False
    calls_confined: bool = False
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        return {
            "limits": list(self.limits),
            "no_network": self.network,
            "privileges_dropped": self.privileges_dropped,
            "files_confined": self.files_confined,
            "calls_confined": self.calls_confined,
            "notes": list(self.notes),
        }


NO_ISOLATION = Isolation(notes=("the child ended before it could confine itself",))


@dataclass(frozen=True, slots=True)
class Completed:
    """The child ran to its end. errors: the last part of what it wrote to standard error."""

    isolation: Isolation
    errors: str


@dataclass(frozen=True, slots=True)
class Failure:
    """The child did not finish, or what it did is of no use; `reason` is one clause for people."""

    reason: str
    isolation: Isolation = NO_ISOLATION


def command(
    module: str,
    arguments: Sequence[str],
    limits: Limits,
    report: Path,
    *,
    read: Sequence[Path] | None = None,
    write: Sequence[Path] = (),
) -> list[str]:
    """The command line of a confined child; for callers that keep the child running.

    read, write: the only files and directories it may use, beside those of Python; None for all.
    """
    return [
        *(sys.executable, "-I", "-c", LAUNCHER, str(PACKAGE_ROOT), module),
        *(json.dumps(asdict(limits)), str(report), json.dumps(_places(read, write)), *arguments),
    ]


def _places(read: Sequence[Path] | None, write: Sequence[Path]) -> dict[str, list[str] | None]:
    """The files and directories that stay open to a child, as `confine` takes them."""
    return {
        "read": None if read is None else [str(path.resolve()) for path in read],
        "write": [str(path.resolve()) for path in write],
    }


def clean_environment(home: Path) -> dict[str, str]:
    """An environment with nothing of the caller's in it: fixed values only."""
    return starter.environment(str(home))


def run_python(
    module: str,
    arguments: Sequence[str],
    *,
    workdir: Path,
    limits: Limits | None = None,
    read: Sequence[Path] | None = None,
    imports: Sequence[str] = (),
) -> Completed | Failure:
    """Run `python -m module arguments` confined, with `workdir` (a fresh directory) as its place.

    read: what it may read beside its place and Python's own files; None closes no file and no
    call, and the record says so. imports: trusted modules that many children need and that are
    then imported once for all of them (`sandbox.starter`); without any, the child is a new process
    in which nothing ran before. A child that leaves `failure.txt` in workdir explains itself: the
    text becomes the reason. What it says about its
    isolation lies outside of workdir while it runs, so that a model cannot rewrite it where files
    are walled off, and is put there as isolation.json afterwards.
    """
    limits = limits or Limits()
    with tempfile.TemporaryDirectory(prefix="guiderail-report-") as place:
        report = Path(place) / "isolation.json"
        job = _Job(module, arguments, workdir, limits, report, read)
        done = _run_child(job, imports)
        (workdir / "isolation.json").unlink(missing_ok=True)
        if report.is_file():
            shutil.copyfile(report, workdir / "isolation.json")
    return done


@dataclass(frozen=True, slots=True)
class _Job:
    """A child to run: what it is, where, within which limits, and what it may read."""

    module: str
    arguments: Sequence[str]
    workdir: Path
    limits: Limits
    report: Path
    read: Sequence[Path] | None

    @property
    def errors(self) -> Path:
        return self.workdir / "stderr"


def _run_child(job: _Job, imports: Sequence[str]) -> Completed | Failure:
    ended = _started(job, imports) if imports else None
    code = _run_anew(job) if ended is None else ended.code
    isolation = read_isolation(job.report)
    if code is None:
        return Failure(f"it did not finish within {job.limits.wall_seconds:g} seconds", isolation)
    if code != 0:
        return Failure(_reason(code, job.workdir, job.limits), isolation)
    return Completed(isolation, _tail(job.errors))


def _started(job: _Job, imports: Sequence[str]) -> starter.Ended | None:
    """The end of a child that shares its imports with others; None where nothing ran."""
    whole = {
        "module": job.module,
        "arguments": list(job.arguments),
        "workdir": str(job.workdir),
        "environment": clean_environment(job.workdir),
        "errors": str(job.errors),
        "limits": asdict(job.limits),
        "report": str(job.report),
        "places": _places(job.read, [job.workdir]),
    }
    return starter.start(PACKAGE_ROOT, imports, whole, job.limits.wall_seconds)


def _run_anew(job: _Job) -> int | None:
    """The exit code of a child that is a process of its own; None where it took too long."""
    with job.errors.open("wb") as stream:
        child = subprocess.Popen(
            command(
                *(job.module, job.arguments, job.limits, job.report),
                read=job.read,
                write=[job.workdir],
            ),
            cwd=job.workdir,
            env=clean_environment(job.workdir),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stream,
            start_new_session=True,
            close_fds=True,
        )
        try:
            return child.wait(timeout=job.limits.wall_seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            end_group(child)


def end_group(child: subprocess.Popen[bytes]) -> None:
    """Kill the child and everything it started, and wait for it. Does nothing when it is gone."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    except PermissionError:  # macOS answers so for a group whose leader has just ended
        child.kill()
    child.wait()


def read_isolation(report: Path) -> Isolation:
    """What the child wrote about itself; `NO_ISOLATION` where it wrote nothing readable."""
    try:
        data = json.loads(report.read_text("utf-8"))
        return Isolation(
            limits=tuple(data["limits"]),
            network=bool(data["network"]),
            privileges_dropped=bool(data["privileges_dropped"]),
            files_confined=bool(data.get("files_confined", False)),
            calls_confined=bool(data.get("calls_confined", False)),
            notes=tuple(data["notes"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return NO_ISOLATION


def _reason(code: int, workdir: Path, limits: Limits) -> str:
    try:
        explained = read_left(workdir / "failure.txt", KEPT_OUTPUT)
        return explained.decode("utf-8", "replace")[:2_000].strip() or "it gave no reason"
    except FileNotFoundError:
        pass  # it left none: the code says what there is to say
    except (OSError, ValueError, OverflowError):
        return "it failed and left something unreadable as its reason"
    if code == -signal.SIGXCPU:
        return f"it used more than {limits.cpu_seconds} seconds of processor time"
    if code == -signal.SIGXFSZ:
        return f"it wrote more than {limits.file_bytes} bytes to one file"
    if code == -signal.SIGKILL:
        return "it was killed, usually for using too much memory or processor time"
    if code < 0:
        return f"it crashed ({signal.Signals(-code).name})"
    last = _tail(workdir / "stderr").strip().splitlines()
    return f"it ended with code {code}: {last[-1] if last else 'no message'}"


def read_left(path: Path, largest: int) -> bytes:
    """A file that a child left: never what a link leads to, and never a pipe that keeps us waiting.

    Raises OSError, ValueError for something that is no file, OverflowError.
    """
    return read_regular(path, largest, links=False)


def _tail(path: Path) -> str:
    try:
        return read_left(path, MOST_ERRORS)[-KEPT_OUTPUT:].decode("utf-8", errors="replace")
    except (OSError, ValueError, OverflowError):
        return ""
