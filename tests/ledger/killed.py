"""Writers that die at any moment, run by the tests: `killed.py <database url> <home> <rounds>`.

Each round forks a process that appends and seals as fast as it can; it is killed with SIGKILL after
a random time, and the next one goes on. Prints the number of every entry that a writer had
acknowledged: what its transaction returned from, it wrote into a pipe.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

from sqlalchemy import insert

from guiderail.attest.keys import Keyring
from guiderail.ledger.append import append
from guiderail.ledger.seal import seal
from guiderail.store.database import Store
from guiderail.store.tables import outbox
from tests.ledger.conftest import NOW, submitted

LONGEST = 0.12
"""Seconds that a writer lives at most after its first acknowledgement."""


def write_forever(url: str, home: Path, acknowledge: int) -> None:
    keyring = Keyring.open(home)
    with Store.open_url(url) as store:
        for number in range(1_000_000):
            with store.transaction() as tx:
                tx.execute(insert(outbox), {"topic": "t", "body": "b", "created_at": "x"})
                appended = append(tx, submitted(f"model-{number % 3}", f"case-{number}"))
            os.write(acknowledge, b"%d\n" % appended.seq)
            if number % 5 == 4:
                seal(store, keyring, NOW)


def main(url: str, home: str, rounds: int) -> None:
    pause = random.Random(32)
    for _ in range(rounds):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            write_forever(url, Path(home), writer)
        os.close(writer)
        first = os.read(reader, 1 << 16)
        time.sleep(pause.uniform(0, LONGEST))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(reader, "rb") as rest:
            sys.stdout.write((first + rest.read()).decode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
