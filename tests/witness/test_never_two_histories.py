"""A model of a witness and a log that may forget, fork and lie: one history is cosigned, ever."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from guiderail.witness.decide import Answer, add_checkpoint
from guiderail.witness.folder import WitnessFolder
from guiderail.witness.wire import AddCheckpoint
from guiderail_verify.cosignature import cosignatures

from .logs import KEY, ORIGIN, Log


@dataclass
class Cosigned:
    """What the outside world has in its hands: entries that a cosignature covers."""

    entries: tuple[bytes, ...]


class WitnessAndLog(RuleBasedStateMachine):
    """The log belongs to an insider: it keeps its keys and goes back, forks and lies at will."""

    @initialize()
    def begin(self) -> None:
        self.place = tempfile.TemporaryDirectory()
        folder = Path(self.place.name) / "witness"
        self.witness = WitnessFolder.create(folder, "audit.example/w1")
        self.witness.follow(KEY)
        self.log = Log()
        self.backups: list[list[bytes]] = [[]]
        self.cosigned: list[Cosigned] = []
        self.counter = 0
        self.time = 1_780_000_000

    @rule(count=st.integers(1, 5))
    def append(self, count: int) -> None:
        for _ in range(count):
            self.counter += 1
            self.log.entries.append(f"entry {self.counter}".encode())

    @rule()
    def back_up(self) -> None:
        self.backups.append(list(self.log.entries))

    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        self.log.entries = list(data.draw(st.sampled_from(self.backups)))

    @rule(data=st.data())
    def rewrite(self, data: st.DataObject) -> None:
        if self.log.entries:
            at = data.draw(st.integers(0, len(self.log.entries) - 1))
            self.counter += 1
            self.log.entries[at] = f"false {self.counter}".encode()

    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        """With the size that is known, or with any other; over all entries, or some."""
        size = data.draw(st.integers(0, len(self.log.entries)))
        honest = data.draw(st.booleans())
        old = self.known() if honest else data.draw(st.integers(0, size))
        path: Sequence[bytes] = self.log.prove(old, size) if old <= size else ()
        self.send(AddCheckpoint(old, tuple(path), self.log.note(size)), size)

    @rule(data=st.data())
    def ask_with_any_proof(self, data: st.DataObject) -> None:
        """Hashes of other trees of this log as a proof."""
        size = data.draw(st.integers(0, len(self.log.entries)))
        hashes = st.sampled_from([Log(before).checkpoint().root for before in self.backups])
        path = data.draw(st.lists(hashes, max_size=4))
        self.send(AddCheckpoint(self.known(), tuple(path), self.log.note(size)), size)

    @rule()
    def start_again(self) -> None:
        """As after a crash: a half-written file lies about, and the state is read anew."""
        (place,) = (self.witness.folder / "logs").iterdir()
        (place / ".newest.txt-0000.part").write_bytes(b"half")
        self.witness = WitnessFolder.open(self.witness.folder)

    @rule()
    def a_log_that_goes_on_is_cosigned(self) -> None:
        """It is never too careful either."""
        known = self.cosigned[-1].entries if self.cosigned else ()
        goes_on = Log([*known, b"more"])
        answer = self.send(
            AddCheckpoint(len(known), tuple(goes_on.prove(len(known))), goes_on.note()),
            len(goes_on.entries),
            goes_on,
        )
        assert answer.status == 200

    def known(self) -> int:
        return len(self.cosigned[-1].entries) if self.cosigned else 0

    def send(self, request: AddCheckpoint, size: int, log: Log | None = None) -> Answer:
        self.time += 1
        answer = add_checkpoint(self.witness, request.to_bytes(), lambda: self.time)
        assert answer.status in (200, 400, 409, 422)
        if answer.status == 200:
            (made,) = cosignatures(request.note + answer.body, [self.witness.key])
            assert made.time == self.time
            self.cosigned.append(Cosigned(tuple((log or self.log).entries[:size])))
        elif answer.status == 409:
            assert answer.body == f"{self.known()}\n"
        return answer

    @invariant()
    def one_history(self) -> None:
        """Each cosigned history is the beginning of the next."""
        cosigned = getattr(self, "cosigned", [])
        for before, after in pairwise(cosigned):
            assert after.entries[: len(before.entries)] == before.entries

    @invariant()
    def nothing_cosigned_is_forgotten(self) -> None:
        if getattr(self, "cosigned", []):
            log = self.witness.log(ORIGIN)
            assert log is not None
            newest = self.witness.newest(log)
            assert newest is not None
            assert newest == Log(list(self.cosigned[-1].entries)).checkpoint()

    def teardown(self) -> None:
        if hasattr(self, "place"):
            self.place.cleanup()


def test_a_witness_never_cosigns_two_histories() -> None:
    run_state_machine_as_test(
        WitnessAndLog, settings=settings(max_examples=20, stateful_step_count=20, deadline=None)
    )
