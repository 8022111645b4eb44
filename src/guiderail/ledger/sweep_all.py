"""Sweep all stretches of a log, one after the other or in several processes.

Either way they are given back in their order, so a report does not depend on the machine.
"""

from __future__ import annotations

import gc
import multiprocessing
import signal
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from itertools import islice

from guiderail.core.processors import usable_processors
from guiderail.ledger.sweep import Swept, sweep
from guiderail.store.database import Store
from guiderail.store.transaction import Snapshot

Task = tuple[int, int, Sequence[int]]
"""(start of the stretch, its level, sizes of the log at which its root is needed)"""

FEW = 32
"""So few stretches are swept here: starting a process takes as long."""

_AHEAD = 4
"""Stretches for each process that are swept before somebody asks for them; bounds the memory."""


def sweep_all(
    store: Store, snapshot: Snapshot, end: int, level: int, sizes: Sequence[int]
) -> Generator[Swept | None, None, None]:
    """Every stretch of the first `end` entries, as `sweep` finds it. Close it when you have enough.

    level: of a stretch in the tree.
    sizes: of the log, at which the caller needs its root, ascending.
    """
    tasks = _tasks(end, level, sizes)
    processes = usable_processors()
    if processes == 1 or len(tasks) <= FEW:
        yield from (sweep(snapshot, *task) for task in tasks)
        return
    # The others see the log a moment later: it has grown, and what is swept is the same.
    with ProcessPoolExecutor(
        processes, multiprocessing.get_context("spawn"), _begin, (store.address,)
    ) as pool:
        try:
            yield from _shared(pool, snapshot, tasks, processes * _AHEAD)
        finally:
            pool.shutdown(cancel_futures=True)


def _shared(
    pool: ProcessPoolExecutor, snapshot: Snapshot, tasks: Sequence[Task], ahead: int
) -> Iterator[Swept | None]:
    asked: deque[Future[Swept | None]] = deque()
    later = iter(tasks)
    for task in tasks:
        try:
            asked.extend(pool.submit(_sweep, *next_) for next_ in islice(later, ahead - len(asked)))
            found = asked.popleft().result()
        except (BrokenProcessPool, IndexError):
            # One was ended from outside, for want of memory perhaps: what is left is done here.
            asked.clear()
            found = sweep(snapshot, *task)
        yield found


def _tasks(end: int, level: int, sizes: Sequence[int]) -> list[Task]:
    within: dict[int, list[int]] = {start: [] for start in range(0, end, 1 << level)}
    for size in sizes:
        start = size >> level << level
        if size > start:
            within[start].append(size)
    return [(start, level, inside) for start, inside in within.items()]


_open = ExitStack()
"""What a process that helps keeps open until it ends."""

_snapshots: list[Snapshot] = []
"""What it reads from; empty elsewhere."""


def _begin(address: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started it ends it
    gc.disable()  # nothing here is in a cycle, and looking for them takes a tenth of the time
    store = _open.enter_context(Store.open_url(address))
    _snapshots.append(_open.enter_context(store.read()))


def _sweep(start: int, level: int, sizes: Sequence[int]) -> Swept | None:
    return sweep(_snapshots[0], start, level, sizes)
