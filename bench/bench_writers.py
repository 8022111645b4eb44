"""What the ledger costs 16 writers at once: `python bench/bench_writers.py [--processes N]`.

A state change reads one row, updates it and adds a message; with the ledger it appends one event
too. Both run in turns, in 16 threads of one process and in N processes of 16/N threads each, on
SQLite and on PostgreSQL (the packaged server of the tests, or GUIDERAIL_TEST_POSTGRES). Without the
ledger there are the same threads, the same store and the same shared commits.

Prints state changes per second, the median and the 99th percentile of what one takes, and the
ratio; before, how many times per second this disk flushes, because everything here waits for that.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Engine, bindparam, create_engine, insert, make_url, select, text, update

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from guiderail.core.subject import Actor, Subject
from guiderail.ledger.append import append
from guiderail.ledger.events import Event
from guiderail.store.database import Store
from guiderail.store.tables import outbox, workload

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
WRITERS = 16
ROUNDS = 5
SECONDS = 2.0

_READ = select(workload.c.reviewed_digest).where(workload.c.name == bindparam("of"))
_MOVE = update(workload).where(workload.c.name == bindparam("of"))


@dataclass(frozen=True, slots=True)
class Round:
    """changes, wall and CPU seconds of this process, and the seconds that each change took."""

    wall: float
    cpu: float
    latencies: list[float]

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.wall


def change(store: Store, writer: int, number: int, *, with_ledger: bool) -> None:
    name = f"model-{writer}"
    with store.transaction() as tx:
        tx.execute(_READ, {"of": name}).scalar_one()
        tx.execute(_MOVE, {"of": name, "reviewed_digest": str(number)})
        tx.execute(insert(outbox), {"topic": "bench", "body": name, "created_at": "x"})
        if with_ledger:
            subject = Subject("model", name, "sha256:" + "0" * 64)
            append(tx, Event("case.submitted", subject, Actor("ann"), NOW, {"case": str(number)}))


def bare_change(engine: Engine, writer: int, number: int) -> None:
    """The same change without Guiderail's store: as many writers at once as the database lets."""
    name = f"model-{writer}"
    with engine.begin() as connection:
        connection.execute(_READ, {"of": name}).scalar_one()
        connection.execute(_MOVE, {"of": name, "reviewed_digest": str(number)})
        connection.execute(insert(outbox), {"topic": "bench", "body": name, "created_at": "x"})


def run_threads(threads: int, seconds: float, work: Callable[[int, int], None]) -> Round:
    latencies: list[list[float]] = [[] for _ in range(threads)]
    until = time.perf_counter() + seconds

    def go(writer: int) -> None:
        number = 0
        while (begin := time.perf_counter()) < until:
            work(writer, number)
            latencies[writer].append(time.perf_counter() - begin)
            number += 1

    wall, cpu = time.perf_counter(), time.process_time()
    started = [threading.Thread(target=go, args=(writer,)) for writer in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Round(wall, cpu, [one for each in latencies for one in each])


def prepare(store: Store) -> None:
    with store.transaction() as tx:
        tx.execute(
            insert(workload),
            [{"name": f"model-{n}", "kind": "model", "created_at": "x"} for n in range(WRITERS)],
        )


def child(url: str, first: int, threads: int, seconds: float, with_ledger: bool) -> None:
    """One of several writing processes: prints how long each change took."""
    with Store.open_url(url) as store:
        sys.stdin.readline()
        done = run_threads(
            threads,
            seconds,
            lambda writer, number: change(store, first + writer, number, with_ledger=with_ledger),
        )
    print(done.wall, done.cpu, *done.latencies)


def run_processes(url: str, processes: int, *, with_ledger: bool) -> Round:
    each = WRITERS // processes
    arguments = [str(each), str(SECONDS), str(int(with_ledger))]
    started = [
        subprocess.Popen(
            [sys.executable, __file__, "--child", url, str(index * each), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for index in range(processes)
    ]  # fmt: skip
    time.sleep(0.5 * processes)
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    found = [[float(value) for value in one.communicate()[0].split()] for one in started]
    latencies = [value for numbers in found for value in numbers[2:]]
    return Round(max(one[0] for one in found), sum(one[1] for one in found), latencies)


def report(title: str, plain: list[Round], ledger: list[Round]) -> None:
    print(f"\n{title}")
    for name, rounds in (("without ledger", plain), ("with ledger", ledger)):
        times = sorted(1000 * one for each in rounds for one in each.latencies)
        rate = statistics.median(one.rate for one in rounds)
        cpu = statistics.median(1e6 * one.cpu / len(one.latencies) for one in rounds)
        print(
            f"  {name:15} {rate:8.0f}/s   p50 {times[len(times) // 2]:6.1f} ms   "
            f"p99 {times[len(times) * 99 // 100]:6.1f} ms   CPU {cpu:6.0f} us each"
        )
    ratios = [a.rate / b.rate for a, b in zip(plain, ledger, strict=True)]
    print(
        f"  cost of the ledger: {statistics.median(ratios):.2f} times "
        f"(rounds: {', '.join(f'{ratio:.2f}' for ratio in sorted(ratios))})"
    )


def in_turns(run: Callable[[bool], Round]) -> tuple[list[Round], list[Round]]:
    run(True)
    pairs = [(run(False), run(True)) for _ in range(ROUNDS)]
    return [plain for plain, _ in pairs], [ledger for _, ledger in pairs]


def bench(url: str, title: str, process_counts: list[int]) -> None:
    with Store.open_url(url) as store:
        prepare(store)
        plain, ledger = in_turns(
            lambda with_ledger: run_threads(
                WRITERS,
                SECONDS,
                lambda writer, number: change(store, writer, number, with_ledger=with_ledger),
            )
        )
        report(f"{title}, one process with {WRITERS} threads", plain, ledger)
        if store.address.startswith("postgresql"):
            engine = create_engine(url, pool_size=WRITERS)
            bare = [
                run_threads(WRITERS, SECONDS, partial(bare_change, engine)) for _ in range(ROUNDS)
            ]
            report(f"{title}, {WRITERS} threads without the store's lock, afterwards", bare, ledger)
            engine.dispose()
    for count in process_counts:
        plain, ledger = in_turns(
            lambda with_ledger, count=count: run_processes(url, count, with_ledger=with_ledger)
        )
        report(f"{title}, {count} processes with {WRITERS // count} threads each", plain, ledger)


def flushes_per_second(folder: Path) -> float:
    """Small writes that are flushed one after the other: the yardstick of a disk."""
    with (folder / "yardstick").open("wb", buffering=0) as stream:
        begin, count = time.perf_counter(), 0
        while time.perf_counter() - begin < 1:
            stream.write(b"x" * 4096)
            os.fdatasync(stream.fileno())
            count += 1
    return count / (time.perf_counter() - begin)


@contextmanager
def new_postgresql() -> Iterator[str]:
    from tests.postgres import server

    with server() as address:
        engine = create_engine(make_url(address), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("DROP DATABASE IF EXISTS guiderail_bench"))
            connection.execute(text("CREATE DATABASE guiderail_bench"))
        url = make_url(address).set(database="guiderail_bench")
        yield url.render_as_string(hide_password=False)
        with engine.connect() as connection:
            connection.execute(text("DROP DATABASE guiderail_bench WITH (FORCE)"))
        engine.dispose()


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        url, first, threads, seconds, with_ledger = sys.argv[2:]
        child(url, int(first), int(threads), float(seconds), with_ledger == "1")
        return
    parser = argparse.ArgumentParser(description="What the ledger costs 16 writers at once.")
    parser.add_argument("--processes", type=int, nargs="*", default=[4])
    parser.add_argument("--databases", nargs="*", default=["sqlite", "postgresql"])
    parser.add_argument(
        "--folder", type=Path, help="where to write; a temporary folder if left out"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        print(f"flushes of this disk: {flushes_per_second(Path(folder)):.0f}/s, "
              f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")  # fmt: skip
        if "sqlite" in arguments.databases:
            bench(f"sqlite:///{folder}/guiderail.db", "SQLite", arguments.processes)
    if "postgresql" in arguments.databases:
        with new_postgresql() as url:
            bench(url, "PostgreSQL", arguments.processes)


if __name__ == "__main__":
    main()
