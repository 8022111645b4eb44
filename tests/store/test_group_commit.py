"""Threads that share a commit: each keeps or loses its own change, as if it were alone."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, event, insert, select, text
from sqlalchemy.exc import DBAPIError

from guiderail.core.errors import ConflictError
from guiderail.store import group_commit
from guiderail.store.database import Store
from guiderail.store.tables import outbox
from guiderail.store.transaction import Transaction

Block = Callable[[Transaction], None]


@pytest.fixture(scope="module", autouse=True)
def _patience() -> Iterator[None]:
    """A slow machine must not split the groups that the tests make."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(group_commit, "LONGEST_SECONDS", 60.0)
        yield


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as store:
        yield store


@pytest.fixture(scope="module")
def emptied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store for all examples of a law."""
    with Store.open(tmp_path_factory.mktemp("store")) as store:
        yield store


class Commits:
    """How often the database was asked to commit, and rolled back."""

    def __init__(self, store: Store) -> None:
        self.made = 0
        event.listen(store._engine, "commit", self._count)

    def _count(self, connection: object) -> None:
        self.made += 1


def add(topic: str) -> Block:
    def block(tx: Transaction) -> None:
        tx.execute(insert(outbox), {"topic": topic, "body": "{}", "created_at": "x"})

    return block


def fail(topic: str) -> Block:
    def block(tx: Transaction) -> None:
        add(topic)(tx)
        raise ZeroDivisionError(topic)

    return block


def break_off(topic: str) -> Block:
    def block(tx: Transaction) -> None:
        add(topic)(tx)
        tx.execute(text("INSERT INTO no_such_table VALUES (1)"))

    return block


def swallow(topic: str) -> Block:
    def block(tx: Transaction) -> None:
        with pytest.raises(DBAPIError):
            break_off(topic)(tx)

    return block


def break_the_commit(tx: Transaction) -> None:
    """A broken reference that SQLite looks at only when it commits."""
    tx.execute(text("PRAGMA defer_foreign_keys = ON"))
    tx.execute(text("INSERT INTO log_index VALUES (99, 't', 'k', 'n', 1, NULL)"))


def topics(store: Store) -> list[str]:
    with store.read() as snapshot:
        return [row.topic for row in snapshot.execute(select(outbox).order_by(outbox.c.id))]


def until(holds: Callable[[], object]) -> None:
    for _ in range(5000):
        if holds():
            return
        time.sleep(0.001)
    raise AssertionError("it did not happen within five seconds")


def _waits(store: Store, place: int) -> bool:
    return len(store._writers._waiting) >= place


def together(
    store: Store, blocks: list[Block], *, alone: frozenset[int] = frozenset()
) -> list[Any]:
    """Run the blocks in threads that all wait while the first one is inside; how each ended."""
    ends: list[Any] = [None] * len(blocks)

    inside, everybody = threading.Event(), threading.Event()

    def run(place: int) -> None:
        try:
            with store.transaction(alone=place in alone) as tx:
                if place == 0:
                    inside.set()
                    assert everybody.wait(10)
                blocks[place](tx)
            ends[place] = "kept"
        except Exception as error:  # noqa: BLE001 - how it ended is what the tests look at
            ends[place] = error

    threads = []
    for place in range(len(blocks)):
        threads.append(threading.Thread(target=run, args=(place,)))
        threads[-1].start()
        assert inside.wait(10)
        if place:
            until(partial(_waits, store, place))
    everybody.set()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    return ends


def test_writers_that_wait_share_one_commit(store: Store) -> None:
    commits = Commits(store)
    names = [str(number) for number in range(8)]
    assert together(store, [add(name) for name in names]) == ["kept"] * 8
    assert commits.made == 1
    assert topics(store) == names, "in the order in which they came"


@pytest.mark.parametrize("broken", [fail, break_off, swallow])
@pytest.mark.parametrize("place", [0, 1, 3])
def test_an_error_takes_nobody_along(
    store: Store, broken: Callable[[str], Block], place: int
) -> None:
    blocks = [add(str(number)) for number in range(4)]
    blocks[place] = broken("broken")
    ends = together(store, blocks)
    assert isinstance(ends.pop(place), ZeroDivisionError | DBAPIError | ConflictError)
    assert ends == ["kept"] * 3
    assert topics(store) == [str(number) for number in range(4) if number != place]


def test_a_commit_that_fails_fails_for_everybody_and_the_next_one_works(store: Store) -> None:
    ends = together(store, [add("a"), break_the_commit, fail("b")])
    assert [end.code for end in ends] == ["store/failed-transaction"] * 3
    assert topics(store) == []
    assert together(store, [add("c")]) == ["kept"]


def test_a_commit_that_fails_for_one_alone_says_why(store: Store) -> None:
    (end,) = together(store, [break_the_commit])
    assert "FOREIGN KEY" in str(end)
    assert topics(store) == []


def test_what_a_full_disk_undoes_nobody_believes_to_be_kept(store: Store) -> None:
    with store.transaction() as tx:
        pages = tx.execute(text("PRAGMA page_count")).scalar_one()

    def fill_up(tx: Transaction) -> None:
        tx.execute(text(f"PRAGMA max_page_count = {pages + 1}"))
        try:
            add("x" * 100_000)(tx)
        finally:
            tx.connection.connection.driver_connection.execute(  # type: ignore[union-attr]
                "PRAGMA max_page_count = 1000000"
            )

    ends = together(store, [add("a"), add("b"), fill_up, add("c")])
    assert "full" in str(ends[2])
    kept = [name for name, end in zip("ab?c", ends, strict=True) if end == "kept"]
    assert topics(store) == kept
    assert together(store, [add("d")]) == ["kept"]


def test_nobody_leaves_and_nobody_reads_before_the_commit(store: Store) -> None:
    left, go_on = threading.Event(), threading.Event()
    seen: list[list[str]] = []

    def first() -> None:
        with store.transaction() as tx:
            until(lambda: store._writers._waiting)
            add("a")(tx)
        left.set()

    def second() -> None:
        with store.transaction() as tx:
            add("b")(tx)
            seen.append([row.topic for row in tx.execute(select(outbox)).all()])
            go_on.wait(10)

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    until(lambda: store._writers._writer is not None)
    threads[1].start()
    until(lambda: seen)
    assert topics(store) == [], "a reader sees committed changes only"
    assert not left.wait(0.05)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert left.is_set()
    assert seen == [["a", "b"]], "the next block begins where the one before ended"
    assert topics(store) == ["a", "b"]


def test_an_error_that_followed_from_another_change_is_told_when_that_change_is_durable(
    store: Store,
) -> None:
    def conclude(tx: Transaction) -> None:
        found = [row.topic for row in tx.execute(select(outbox)).all()]
        raise ZeroDivisionError(found)

    ends = together(store, [add("a"), conclude, break_the_commit])
    assert isinstance(ends[1], ConflictError), "what it concluded from was lost"


def test_a_block_alone_begins_on_durable_state_only(store: Store) -> None:
    def look(tx: Transaction) -> None:
        assert topics(store) == [row.topic for row in tx.execute(select(outbox)).all()] == ["a"]
        add("b")(tx)

    commits = Commits(store)
    assert together(store, [add("a"), look, add("c")], alone=frozenset({1})) == ["kept"] * 3
    assert commits.made >= 3
    assert topics(store) == ["a", "b", "c"]


@settings(max_examples=40)
@given(st.lists(st.sampled_from([add, fail, break_off, swallow]), min_size=1, max_size=6))
def test_exactly_what_was_acknowledged_is_there(
    emptied: Store, kinds: list[Callable[[str], Block]]
) -> None:
    with emptied.transaction() as tx:
        tx.execute(delete(outbox))
    ends = together(emptied, [kind(str(place)) for place, kind in enumerate(kinds)])
    assert topics(emptied) == [str(place) for place, end in enumerate(ends) if end == "kept"]
    assert [end == "kept" for end in ends] == [kind is add for kind in kinds]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """As on a terminal; what runs in the background of a shell begins with the signal ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_who_is_interrupted_while_waiting_stops_nobody(store: Store) -> None:
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with store.transaction() as tx:
            inside.set()
            until(lambda: store._writers._waiting)
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            leave.wait(10)
            add("a")(tx)

    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait(10)
    with pytest.raises(KeyboardInterrupt), store.transaction() as tx:
        add("never")(tx)
    leave.set()
    holder.join(10)
    assert together(store, [add("b"), add("c")]) == ["kept"] * 2
    assert topics(store) == ["a", "b", "c"]


@pytest.mark.usefixtures("interruptible")
def test_who_is_interrupted_inside_keeps_nothing_and_the_others_go_on(store: Store) -> None:
    def interrupt(tx: Transaction) -> None:
        add("never")(tx)
        signal.raise_signal(signal.SIGINT)
        time.sleep(10)

    with pytest.raises(KeyboardInterrupt), store.transaction() as tx:
        interrupt(tx)
    assert together(store, [add("a"), add("b")]) == ["kept"] * 2
    assert topics(store) == ["a", "b"]


def test_a_block_that_is_given_up_half_way_keeps_nothing(store: Store) -> None:
    context = store.transaction()
    add("never")(context.__enter__())
    del context
    assert together(store, [add("a"), add("b")]) == ["kept"] * 2
    assert topics(store) == ["a", "b"]
