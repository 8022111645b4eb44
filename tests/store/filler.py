"""A process whose files may not grow beyond a limit, run by the tests: `filler.py <home>`.

Appends until the disk is full, says what it was told, gets more room and goes on. Prints the number
of each acknowledged entry, `refused CODE`, `room`, and again numbers.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from sqlalchemy import insert

from guiderail.core.errors import GuiderailError
from guiderail.ledger.append import append
from guiderail.store.database import DATABASE_FILE, Store
from guiderail.store.tables import outbox
from tests.ledger.conftest import submitted

ROOM = 400_000


def change(store: Store, number: int) -> int:
    with store.transaction() as tx:
        row = {"topic": "t", "body": "b" * 2000, "created_at": "x"}
        tx.execute(insert(outbox), row)
        return append(tx, submitted("credit", f"case-{number}")).seq


def main(home: Path) -> None:
    with Store.open(home) as store:
        write_ahead = (home / f"{DATABASE_FILE}-wal").stat().st_size
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (write_ahead + ROOM, hard))
        refused = 0
        for number in range(10_000):
            try:
                sys.stdout.write(f"{change(store, number)}\n")
            except GuiderailError as error:
                sys.stdout.write(f"refused {error.code}\n")
                refused += 1
                if refused == 3:
                    break
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        sys.stdout.write("room\n")
        for number in range(3):
            sys.stdout.write(f"{change(store, number)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
