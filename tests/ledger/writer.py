"""A process that appends, run by the tests: `writer.py <url> <subject> <count> [threads]`.

Prints the number of each entry once its transaction has committed. Several threads append `count`
entries each.
"""

from __future__ import annotations

import os
import sys
import threading
from datetime import UTC, datetime

from sqlalchemy import insert

from guiderail.core.subject import Actor, Subject
from guiderail.ledger.append import append
from guiderail.ledger.events import Event
from guiderail.store.database import Store
from guiderail.store.tables import outbox


def main(url: str, name: str, count: int, threads: int = 1) -> None:
    with Store.open_url(url) as store:
        started = [
            threading.Thread(target=append_all, args=(store, name, count)) for _ in range(threads)
        ]
        for thread in started:
            thread.start()
        for thread in started:
            thread.join()


def append_all(store: Store, name: str, count: int) -> None:
    for number in range(count):
        at = datetime(2026, 11, 23, 9, 30, 0, number % 1_000_000, tzinfo=UTC)
        event = Event(
            "case.submitted",
            Subject("model", name),
            Actor(f"author of {name}"),
            at,
            {"case": f"{name}-{number}"},
        )
        with store.transaction() as tx:
            row = {"topic": name, "body": str(number), "created_at": "x"}
            tx.execute(insert(outbox), row)
            appended = append(tx, event)
        os.write(1, b"%d\n" % appended.seq)  # in one piece, however many threads print


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), *map(int, sys.argv[4:]))
