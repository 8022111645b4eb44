"""What loading and checking every shipped pack costs: `python bench/bench_packs.py`.

Prints processor time in milliseconds and relative to reading and hashing the bytes of the same
files, run in turn with each line. Checking is measured three ways: nothing remembered, in this
process; remembered, in this process; and `guiderail policy check` as a new process, remembered.
The directory of what is remembered is one of its own and removed at the end.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date

from guiderail.policy.pack import SHIPPED, load_pack
from guiderail.policy.problems import check_pack_directory
from guiderail.service.policy_check import check_pack, shipped_names

DAY = date(2026, 11, 23)


def hash_files() -> None:
    for path in sorted(SHIPPED.rglob("*.yaml")):
        hashlib.sha256(path.read_bytes())


def load_all() -> None:
    for name in shipped_names():
        load_pack(name)


def check_all_anew() -> None:
    for name in shipped_names():
        checked = check_pack_directory(SHIPPED / name, today=DAY)
        assert checked.problems == ()


def check_all_remembered() -> None:
    for name in shipped_names():
        assert check_pack(SHIPPED / name, DAY)["problems"] == []


def command(*arguments: str) -> float:
    """CPU seconds, user and system, of one process that ran to its end without an error."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def seconds(work: Callable[[], None]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def measure(name: str, work: Callable[[], None], runs: int) -> None:
    """The medians of the time and of its ratio to hashing the files."""
    work()
    pairs = [(seconds(work), seconds(hash_files)) for _ in range(runs)]
    millis = statistics.median(own for own, _ in pairs) * 1000
    ratio = statistics.median(own / other for own, other in pairs)
    print(f"{name:<44} {millis:8.1f} ms   {ratio:7.1f} x hashing the files")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    files = sum(1 for _ in SHIPPED.rglob("*.yaml"))
    print(f"{len(shipped_names())} packs, {files} files")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        measure("load every pack, compiled", load_all, runs)
        measure("check every pack, nothing remembered", check_all_anew, runs)
        measure("check every pack, remembered", check_all_remembered, runs)
        first = command("-m", "guiderail", "policy", "check")
        pairs = [
            (command("-m", "guiderail", "policy", "check"), command("-c", "pass"))
            for _ in range(runs)
        ]
        own = statistics.median(pair[0] for pair in pairs)
        ratio = statistics.median(ours / bare for ours, bare in pairs)
        print(f"guiderail policy check, first run            {first * 1000:8.1f} ms")
        print(f"guiderail policy check, remembered           {own * 1000:8.1f} ms   "
              f"{ratio:7.1f} x a bare python")  # fmt: skip


if __name__ == "__main__":
    main()
