"""What proofs and full verification take: `python bench/bench_ledger.py [--entries N]`.

Fills a new workspace with N events of 50 models, a case each, and prints: sealing, one proof, its
check, a full verification of the database, and `guiderail-verify` on an audit pack of the whole
ledger that discloses the details of one workload without cases. Figures are CPU time, helping
processes included, because others use the machine; a calibration stands beside them: SHA-256 of
450 bytes in Python, and one Ed25519 signature checked. What writers wait for is in
`bench_writers.py`. A million entries take a few minutes to fill.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert

from guiderail.core.subject import Actor, Subject
from guiderail.ledger.append import append_all
from guiderail.ledger.events import Event
from guiderail.ledger.proof import prove_entry
from guiderail.ledger.seal import seal
from guiderail.service.audit_pack import export
from guiderail.service.set_up import create
from guiderail.service.workspace import Workspace
from guiderail.store.tables import workload
from guiderail_verify.proof import parse_proof, verify_proof

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
BATCH = 1000
PROOFS = 200
SCOPE = "credit"
"""The workload whose pack is written: known, without cases."""

_VERIFY_PACK = """
import resource, sys
from pathlib import Path
from guiderail_verify.audit import verify_pack
audit = verify_pack(Path(sys.argv[1]))
assert audit.ok, [check for check in audit.checks if not check.ok]
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "MB")
"""

_VERIFY_DATABASE = """
import resource, sys
from pathlib import Path
from guiderail.ledger.verify import verify
from guiderail.service.workspace import open_workspace
workspace = open_workspace(Path(sys.argv[1]))
report = verify(workspace.store, workspace.keyring.trusted)
assert report.ok, report.problems
for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
    print(resource.getrusage(who).ru_maxrss // 1024, "MB", end=" ")
"""


def event(number: int) -> Event:
    subject = Subject("model", f"model-{number % 50}", "sha256:" + "0" * 64)
    return Event("case.submitted", subject, Actor("ann"), NOW, {"case": f"case-{number}"})


def cpu() -> float:
    """Seconds of this process and of those that it started and that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@contextmanager
def measured(title: str) -> Iterator[None]:
    wall, used = time.perf_counter(), cpu()
    yield
    print(f"{title:48} {cpu() - used:8.2f} s CPU   {time.perf_counter() - wall:8.2f} s wall")


def each(title: str, count: int, work: Callable[[], object]) -> None:
    used = time.process_time()
    work()
    print(f"{title:48} {1000 * (time.process_time() - used) / count:8.3f} ms CPU")


def in_a_new_process(title: str, code: str, argument: Path) -> None:
    """So that its memory is its own. The code prints how much, and of what it starts."""
    with measured(title):
        found = subprocess.check_output([sys.executable, "-c", code, str(argument)], text=True)
    print(f"{'its peak memory, and of a process that helps':48} {found.strip()}")


def calibrate() -> None:
    body, key = b"x" * 450, Ed25519PrivateKey.generate()
    signature, public = key.sign(body), key.public_key()
    each("one SHA-256 of 450 bytes", 20_000,
         lambda: [hashlib.sha256(body).digest() for _ in range(20_000)])  # fmt: skip
    each("one Ed25519 signature checked", 500,
         lambda: [public.verify(signature, body) for _ in range(500)])  # fmt: skip


def fill(workspace: Workspace, entries: int) -> None:
    for begin in range(0, entries, BATCH):
        with workspace.store.transaction() as tx:
            append_all(tx, [event(number) for number in range(begin, begin + BATCH)])


def bench_proofs(workspace: Workspace, entries: int) -> None:
    keys = workspace.keyring.trusted
    sample = range(0, entries, max(1, entries // PROOFS))
    prove_entry(workspace.store, 0)
    proofs: list[str] = []
    each("make one proof", len(sample),
         lambda: proofs.extend(prove_entry(workspace.store, seq) for seq in sample))  # fmt: skip
    each("parse one proof", len(sample), lambda: [parse_proof(text) for text in proofs])
    parsed = [parse_proof(text) for text in proofs]
    each("check one proof", len(sample),
         lambda: [verify_proof(proof, proof.extra or b"", keys.checkpoint, keys.origin)
                  for proof in parsed])  # fmt: skip


def bench(home: Path, entries: int) -> None:
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {entries} entries")
    calibrate()
    workspace = create(home, demo=True, people="people: []\n", features="features: []\n")
    with workspace.store.transaction() as tx:
        tx.execute(insert(workload), {"name": SCOPE, "kind": "model", "created_at": "x"})
    with measured("append, a thousand in a transaction"):
        fill(workspace, entries)
    with measured("seal at once"):
        seal(workspace.store, workspace.keyring, NOW)
    bench_proofs(workspace, entries)
    in_a_new_process("verify the database", _VERIFY_DATABASE, home)
    with measured("write an audit pack, and verify it here"):
        assert not export(workspace, home / "pack", workload=SCOPE)["problems"]
    in_a_new_process("guiderail-verify", _VERIFY_PACK, home / "pack")
    calibrate()


def main() -> None:
    parser = argparse.ArgumentParser(description="What proofs and full verification take.")
    parser.add_argument("--entries", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, help="a temporary folder if left out")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        bench(Path(folder) / "workspace", arguments.entries)


if __name__ == "__main__":
    main()
