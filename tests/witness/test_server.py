"""The witness as a process: over HTTP, under load, and killed at any moment."""

from __future__ import annotations

import http.client
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from guiderail.core.errors import InputError
from guiderail.witness.folder import WitnessFolder
from guiderail.witness.server import application, serve
from guiderail.witness.wire import LARGEST_REQUEST, SIZE_TYPE
from guiderail_verify.cosignature import cosignatures

from .logs import KEY, Log
from .running import answering

SAME = 20
"""Entries that the two histories have in common."""


@pytest.fixture
def witness(tmp_path: Path) -> WitnessFolder:
    made = WitnessFolder.create(tmp_path / "witness", "audit.example/w1")
    made.follow(KEY)
    return made


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    kind: str
    body: bytes


def post(url: str, data: bytes, path: str = "/add-checkpoint", method: str = "POST") -> Reply:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    try:
        connection.request(method, path, data)
        response = connection.getresponse()
        return Reply(response.status, response.headers["content-type"] or "", response.read())
    finally:
        connection.close()


def test_statuses_and_types_over_http(witness: WitnessFolder) -> None:
    log = Log.of(5)
    with answering(application(witness)) as url:
        good = post(url, log.request(0))
        assert (good.status, good.kind) == (200, "text/plain; charset=utf-8")
        assert cosignatures(log.note() + good.body.decode("utf-8"), [witness.key])
        assert post(url, log.request(0)) == Reply(409, SIZE_TYPE, b"5\n")
        assert post(url, b"hello").status == 400
        assert post(url, b"", method="GET").status == 405
        assert post(url, b"", path="/other").status == 404
        assert post(url, Log.of(6, "b").request(5)).status == 422


def test_a_large_request_is_refused_before_it_is_read(witness: WitnessFolder) -> None:
    with answering(application(witness)) as url:
        assert post(url, b"old 0\n\n" + b"x" * LARGEST_REQUEST).status == 413
        assert post(url, b"x" * LARGEST_REQUEST).status == 400


def test_a_damaged_memory_is_an_error_and_no_signature(witness: WitnessFolder) -> None:
    with answering(application(witness)) as url:
        assert post(url, Log.of(5).request(0)).status == 200
        (newest,) = witness.folder.glob("logs/*/newest.txt")
        newest.write_bytes(b"damaged")
        reply = post(url, Log.of(6).request(5))
    assert reply.status == 500
    assert str(witness.folder).encode() not in reply.body


def test_an_address_in_use_is_said(witness: WitnessFolder) -> None:
    with answering(application(witness)) as url, pytest.raises(InputError) as refusal:
        serve(witness, "127.0.0.1", int(url.rpartition(":")[2]), print)
    assert refusal.value.code == "witness/address"


def test_many_clients_at_once_get_one_history(witness: WitnessFolder) -> None:
    race = Race()
    with answering(application(witness)) as url:
        threads = [race.run(history, url) for history in "abab"]
        time.sleep(1.5)
        race.stop.set()
        for thread in threads:
            thread.join()
    race.expect_one_history()


@pytest.mark.slow
def test_killed_at_any_moment_it_never_cosigns_two_histories(witness: WitnessFolder) -> None:
    """Two histories race for the witness while it is killed again and again."""
    moments, race = random.Random(7), Race()
    for _ in range(6):
        with process(witness.folder) as (url, child):
            race.stop.clear()
            threads = [race.run(history, url) for history in "ab"]
            race.wait_for(len(race.cosigned) + moments.randint(1, 12))
            time.sleep(moments.uniform(0, 0.02))
            child.kill()
            race.stop.set()
            for thread in threads:
                thread.join()
        race.expect_one_history()
        known = witness.newest(witness.logs()[0])
        assert known is not None
        assert known.size >= max(size for size, _ in race.cosigned), "an answer was forgotten"
    assert max(size for size, _ in race.cosigned) > SAME


@dataclass
class Race:
    """Clients with two histories of one log, and what was cosigned for them."""

    stop: threading.Event = field(default_factory=threading.Event)
    cosigned: list[tuple[int, str]] = field(default_factory=list)

    def run(self, history: str, url: str) -> threading.Thread:
        thread = threading.Thread(target=self._ask, args=(history, url))
        thread.start()
        return thread

    def wait_for(self, count: int) -> None:
        """Until so many answers are cosigned."""
        until = time.monotonic() + 60
        while len(self.cosigned) < count:
            assert time.monotonic() < until
            time.sleep(0.002)

    def expect_one_history(self) -> None:
        assert self.cosigned
        assert len({history for size, history in self.cosigned if size > SAME}) <= 1

    def _ask(self, history: str, url: str) -> None:
        """Goes on from whatever the witness says that it knows, as an insider would."""
        log = Log([*Log.of(SAME).entries, *Log.of(400, history).entries])
        old, size = 0, 1
        while not self.stop.is_set():
            try:
                reply = post(url, log.request(old, size))
            except (OSError, http.client.HTTPException):
                return
            if reply.status == 200:
                self.cosigned.append((size, history))
                old, size = size, min(size + 1, len(log.entries))
            elif reply.status == 409:
                old = int(reply.body)
                size = max(size, min(old + 1, len(log.entries)))
            elif reply.status == 422:
                size = min(size + 1, len(log.entries))


@contextmanager
def process(folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`guiderail witness serve` as a process of its own."""
    command = [sys.executable, "-m", "guiderail", "witness", "serve", "--folder", str(folder)]
    with subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        found = re.search(r"http://\S+", child.stdout.readline())
        assert found is not None
        try:
            yield found[0], child
        finally:
            child.kill()
