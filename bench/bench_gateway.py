"""CPU time of the gateway per request, with every decision recorded.

    python bench/bench_gateway.py [--requests 4000] [--clients 16]

Two permitted versions share the traffic 90:10. The figures are CPU time from /proc (user and
system), not wall time; the calibration kernel runs in this process beside it, so that the ratio
can be compared between machines. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import aiohttp

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "rollout"))

from releases import SAMPLE, WORKLOAD, as_skops, fit, permitted, release
from sklearn.tree import DecisionTreeClassifier

from guiderail.rollout.local import LocalTarget

BUDGET_US = 500.0
WARM_UP = 300


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def calibration_seconds() -> float:
    """CPU seconds of a fixed piece of pure Python."""
    started = time.process_time()
    total = 0
    for number in range(3_000_000):
        total += number & 7
    return time.process_time() - started if total else 0.0


async def ask(port: int, requests: int, clients: int) -> None:
    body = json.dumps({"inputs": SAMPLE}).encode()
    numbers = iter(range(requests))
    async with aiohttp.ClientSession() as session:

        async def client() -> None:
            for number in numbers:
                headers = {"X-Unit-Id": f"unit-{number}", "Content-Type": "application/json"}
                url = f"http://127.0.0.1:{port}/{WORKLOAD}/predict"
                async with session.post(url, data=body, headers=headers) as response:
                    await response.read()
                    assert response.status == 200, await response.text()

        await asyncio.gather(*(client() for _ in range(clients)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--clients", type=int, default=16)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="guiderail-bench-") as name:
        home = Path(name)
        old = release(home, as_skops(home, "v1", fit()))
        new = release(home, as_skops(home, "v2", fit(kind=DecisionTreeClassifier)), version="2")
        target = LocalTarget(home)
        arms = [
            permitted(home, old, weight=90),
            replace(permitted(home, new, weight=10), canary=True),
        ]
        try:
            port = target.start_gateway().port
            target.apply(WORKLOAD, arms)
            assert port is not None
            measure(target, port, options.requests, options.clients)
        finally:
            target.stop_gateway()


def measure(target: LocalTarget, port: int, requests: int, clients: int) -> None:
    asyncio.run(ask(port, WARM_UP, clients))
    status = target.gateway_status()
    row = status.workload(WORKLOAD)
    assert status.pid is not None
    assert row is not None
    servers = [arm.pid for arm in row.arms if arm.pid is not None]
    gateway, models = cpu_seconds(status.pid), sum(map(cpu_seconds, servers))
    started = time.perf_counter()
    asyncio.run(ask(port, requests, clients))
    wall = time.perf_counter() - started
    counted = target.decisions(WORKLOAD)
    gateway = (cpu_seconds(status.pid) - gateway) / requests
    models = (sum(map(cpu_seconds, servers)) - models) / requests
    recorded = sum(arm.answered for arm in counted) - WARM_UP
    share = min(arm.answered for arm in counted) / sum(arm.answered for arm in counted)
    print(f"requests                     {requests} over {clients} connections")
    print(f"gateway CPU per request      {1e6 * gateway:.0f} us (budget {BUDGET_US:.0f} us)")
    print(f"model server CPU per request {1e6 * models:.0f} us")
    print(f"decisions recorded           {recorded} of {requests}")
    print(f"share of the 10 % version    {100 * share:.1f} %")
    print(f"requests per second          {requests / wall:.0f} (clients and models on one machine)")
    print(f"gateway per calibration      {gateway / calibration_seconds():.5f}")
    if recorded != requests:
        sys.exit("some decisions were not recorded")


if __name__ == "__main__":
    main()
