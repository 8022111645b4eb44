"""What a model server reaches when the code of its model turns against it, and what is said of it.

No model file brings code past the allow-list, so the loader itself is replaced here by one whose
model does, at prediction, what such code would try.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from releases import SAMPLE, WORKLOAD, Version, ask, permitted

from guiderail.core.digest import file_digest
from guiderail.rollout.gateway.admission import Admitted
from guiderail.rollout.gateway.child import ModelProcess
from guiderail.rollout.gateway.served_release import ServedRelease
from guiderail.rollout.local import LocalTarget
from guiderail.sandbox import process

HOSTILE = """
import numpy as np
import socket
import subprocess
from pathlib import Path
from guiderail.core.errors import InputError
from guiderail.sandbox.scored import Scored


class ModelRefusedError(InputError):
    code = "model/refused"


class LoadedModel:
    def frame(self, rows):
        return rows

    def score(self, rows):
        (row,) = rows
        return Scored(("done", tried(row["what"], row["where"])), "none", None, None,
                      (tried(row["what"], row["where"]),))


def load_model(path):
    return LoadedModel()


def tried(what, where):
    try:
        return ACTS[what](where)
    except Exception as problem:
        return type(problem).__name__


def connect(where):
    with socket.create_connection(("127.0.0.1", int(where)), timeout=2):
        return "connected"


def unix(where):
    line = socket.socket(socket.AF_UNIX)
    line.connect(where)
    return "connected"


def post(where):
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    return one.sendto(b"ours", where) and "sent"


def bind(where):
    line = socket.socket(socket.AF_UNIX)
    line.bind(where)
    return "bound"


ACTS = {
    "read": lambda where: Path(where).read_text(),
    "list": lambda where: " ".join(sorted(one.name for one in Path(where).iterdir())),
    "write": lambda where: f"wrote {Path(where).write_text('theirs')}",
    "start": lambda where: f"started {subprocess.run([where]).returncode}",
    "connect": connect,
    "unix": unix,
    "post": post,
    "bind": bind,
}
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A running model server. tries: asks its model to do something and says what came of it."""

    place: Path
    isolation: process.Isolation
    tries: Callable[[str, object], str]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The real server in the real child, with only its loader replaced."""
    root = tmp_path / "root"
    package = process.PACKAGE_ROOT / "guiderail"
    shutil.copytree(package, root / "guiderail", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "guiderail" / "sandbox" / "load.py").write_text(HOSTILE)
    monkeypatch.setattr(process, "PACKAGE_ROOT", root)
    private = tmp_path / "p"
    private.mkdir()
    model = private / "model.skops"
    model.write_bytes(b"its own file")
    loop = asyncio.new_event_loop()
    turning = threading.Thread(target=loop.run_forever)
    turning.start()
    child = _process(model, private)
    try:
        asyncio.run_coroutine_threadsafe(child.start(), loop).result(120)
        assert child.isolation is not None
        yield Server(private / "1-1", child.isolation, lambda *what: _ask(private, *what))
    finally:
        asyncio.run_coroutine_threadsafe(child.stop(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        turning.join()
        loop.close()


def _process(model: Path, private: Path) -> ModelProcess:
    release = ServedRelease(WORKLOAD, file_digest(model), ".skops", None, None)
    arm = permitted(private, Version("sha256:" + "0" * 64, model, model))
    return ModelProcess(Admitted(arm, "permit-1", 100, release, model), private, "1")


class _OverUnix(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("model", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def _ask(private: Path, what: str, where: object) -> str:
    line = _OverUnix(private / "1-1" / "s")
    line.request("POST", "/predict", json.dumps({"inputs": {"what": what, "where": str(where)}}))
    reply = line.getresponse()
    body = json.loads(reply.read())
    line.close()
    assert reply.status == 200, body
    return str(body["decision"])


def test_the_model_reads_its_own_file_and_no_other(server: Server, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("ours")
    if not server.isolation.files_confined:
        pytest.skip(f"NOT CHECKED: {'; '.join(server.isolation.notes)}")

    assert server.tries("read", server.place.parent / "model.skops") == "its own file"
    assert server.tries("read", tmp_path / "secret") == "PermissionError"
    assert server.tries("list", server.place.parent) == "PermissionError"
    assert server.tries("read", Path.home() / ".bashrc") in {"PermissionError", "FileNotFoundError"}


def test_the_model_writes_nothing_not_even_what_is_said_of_it(server: Server) -> None:
    if not server.isolation.files_confined:
        pytest.skip(f"NOT CHECKED: {'; '.join(server.isolation.notes)}")

    before = (server.place / "isolation.json").read_bytes()
    for name in ("isolation.json", "note", "../model.skops"):
        assert server.tries("write", server.place / name) == "PermissionError"
    assert (server.place / "isolation.json").read_bytes() == before


def test_the_model_connects_to_nothing(server: Server, tmp_path: Path) -> None:
    if not server.isolation.calls_confined:
        pytest.skip(f"NOT CHECKED: {'; '.join(server.isolation.notes)}")

    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.socket(socket.AF_UNIX) as near,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as letters,
    ):
        near.bind(str(tmp_path / "near"))
        near.listen()
        letters.bind(str(tmp_path / "letters"))
        assert server.tries("connect", listening.getsockname()[1]) == "PermissionError"
        assert server.tries("unix", tmp_path / "near") == "PermissionError"
        assert server.tries("unix", server.place / "s") == "PermissionError"
        assert server.tries("post", tmp_path / "letters") == "PermissionError"
        assert server.tries("bind", server.place / "t") == "PermissionError"


def test_the_model_starts_no_programs(server: Server) -> None:
    if not server.isolation.calls_confined:
        pytest.skip(f"NOT CHECKED: {'; '.join(server.isolation.notes)}")

    assert server.tries("start", "/bin/true") == "PermissionError"


def test_what_was_reached_is_part_of_the_status(
    target: LocalTarget, home: Path, versions: object
) -> None:
    target.apply(WORKLOAD, [permitted(home, versions.v1)])  # type: ignore[attr-defined]

    row = target.observed(WORKLOAD)
    assert row is not None
    (arm,) = row.arms
    assert arm.isolation is not None
    assert set(arm.isolation["limits"]) == {"memory_bytes", "file_bytes", "open_files"}
    told = [arm.isolation[key] for key in ("no_network", "files_confined", "calls_confined")]
    assert all(told) or arm.isolation["notes"], "what is not reached is told with its reason"


def test_it_serves_without_the_walls_of_the_kernel_and_says_so(
    home: Path, versions: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As on a kernel that knows neither Landlock nor filters of calls."""
    root = tmp_path / "root"
    shutil.copytree(
        process.PACKAGE_ROOT / "guiderail",
        root / "guiderail",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    walls = root / "guiderail" / "sandbox" / "kernel_walls.py"
    text = walls.read_text()
    text = text.replace("= 444, 445, 446", "= 9444, 9445, 9446")
    text = text.replace(
        "PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22", "PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 9922"
    )
    walls.write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(root), prepend=":")
    target = LocalTarget(home)
    target.start_gateway()
    try:
        target.apply(WORKLOAD, [permitted(home, versions.v1)])  # type: ignore[attr-defined]
        assert ask(target.gateway_status().port, inputs=SAMPLE).status == 200
        row = target.observed(WORKLOAD)
        assert row is not None
        isolation = row.arms[0].isolation
    finally:
        target.stop_gateway()

    assert isolation is not None
    assert not isolation["files_confined"]
    assert not isolation["calls_confined"]
    said = " ".join(isolation["notes"])
    assert "files could not be walled off: Function not implemented" in said
    assert "system calls could not be filtered" in said
