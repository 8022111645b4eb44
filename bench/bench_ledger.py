"""What the ledger costs: `python bench/bench_ledger.py [--entries N]`.

Prints, on one machine and one disk:
- transactions per second that change one row, without and with the ledger event, in turns, and
  their ratio (wall clock, because a commit waits for the disk) and the CPU time per transaction;
- sealing, one proof, its check and a full verification of a log of N entries.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert

from guiderail.attest.keys import Keyring
from guiderail.core.subject import Actor, Subject
from guiderail.ledger.append import append, append_all
from guiderail.ledger.events import Event
from guiderail.ledger.proof import prove_entry
from guiderail.ledger.seal import seal
from guiderail.ledger.verify import verify
from guiderail.store.database import Store
from guiderail.store.tables import outbox
from guiderail_verify.proof import parse_proof, verify_proof

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ROUNDS = 9
PER_ROUND = 100


def event(number: int) -> Event:
    subject = Subject("model", f"model-{number % 50}", "sha256:" + "0" * 64)
    return Event("case.submitted", subject, Actor("ann"), NOW, {"case": f"case-{number}"})


def run_round(store: Store, *, with_ledger: bool) -> tuple[float, float]:
    """Wall and CPU seconds of one round of single transactions."""
    wall, cpu = time.perf_counter(), time.process_time()
    for number in range(PER_ROUND):
        with store.transaction() as tx:
            row = {"topic": "bench", "body": str(number), "created_at": "x"}
            tx.execute(insert(outbox), row)
            if with_ledger:
                append(tx, event(number))
    return time.perf_counter() - wall, time.process_time() - cpu


def bench_transactions(home: Path) -> None:
    with Store.open(home) as store:
        plain, ledger = [], []
        run_round(store, with_ledger=True)
        for _ in range(ROUNDS):
            plain.append(run_round(store, with_ledger=False))
            ledger.append(run_round(store, with_ledger=True))
    wall = [statistics.median(item[0] for item in rounds) for rounds in (plain, ledger)]
    cpu = [statistics.median(item[1] for item in rounds) for rounds in (plain, ledger)]
    ratio = statistics.median(
        without[0] / with_[0] for without, with_ in zip(plain, ledger, strict=True)
    )
    print(f"transactions/s without ledger   {PER_ROUND / wall[0]:10.0f}")
    print(f"transactions/s with ledger      {PER_ROUND / wall[1]:10.0f}")
    print(f"ratio with / without            {ratio:10.2f}")
    print(f"CPU per transaction without     {1e6 * cpu[0] / PER_ROUND:10.0f} us")
    print(f"CPU per transaction with        {1e6 * cpu[1] / PER_ROUND:10.0f} us")


def bench_proofs(home: Path, entries: int) -> None:
    keyring = Keyring.open(home)
    keys = keyring.trusted
    with Store.open(home) as store:
        for begin in range(0, entries, 1000):
            with store.transaction() as tx:
                append_all(tx, [event(number) for number in range(begin, begin + 1000)])
        cpu = time.process_time()
        seal(store, keyring, NOW)
        print(f"seal {entries} entries at once   {time.process_time() - cpu:10.2f} s CPU")
        sample = range(0, entries, max(1, entries // 200))
        cpu = time.process_time()
        proofs = [prove_entry(store, seq) for seq in sample]
        print(f"make one proof                  {per(cpu, len(proofs)):10.3f} ms CPU")
        parsed = [parse_proof(text) for text in proofs]
        cpu = time.process_time()
        for proof in parsed:
            assert proof.extra is not None
            verify_proof(proof, proof.extra, keys.checkpoint, keys.origin)
        print(f"check one proof                 {per(cpu, len(proofs)):10.3f} ms CPU")
        cpu = time.process_time()
        assert verify(store, keys).ok
        print(f"verify the whole log            {time.process_time() - cpu:10.2f} s CPU")


def per(since: float, count: int) -> float:
    return 1000 * (time.process_time() - since) / count


def main() -> None:
    parser = argparse.ArgumentParser(description="What the ledger costs.")
    parser.add_argument("--entries", type=int, default=20_000)
    parser.add_argument(
        "--folder", type=Path, help="where to write; a temporary folder if left out"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        bench_transactions(Path(folder) / "transactions")
        bench_proofs(Path(folder) / "proofs", arguments.entries)


if __name__ == "__main__":
    main()
