"""One worker process at a time, ended where it takes more than the limits (Linux)."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEGABYTES = 4096
SECONDS = 120
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""Threads of linear algebra that wait for each other spin, and that counts as processor time."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Found:
    """seconds, reading (a part of seconds), megabytes: None where there is a reason instead."""

    seconds: float | None = None
    reading: float | None = None
    megabytes: float | None = None
    figures: dict[str, Any] | None = None
    reason: str = ""


def ask(
    python: Path, worker: str, question: str, data: Path, answer: Path, limit: int = SECONDS
) -> Found:
    """Run a worker; what it found is kept in the file `answer`, stopped or not.

    limit: processor seconds.
    """
    script = Path(__file__).parent / f"{worker}.py"
    partly = answer.with_suffix(".partly")
    partly.unlink(missing_ok=True)
    parts = [str(python), "-W", "ignore", str(script), question, str(data), str(partly)]
    with answer.with_suffix(".log").open("w") as log:
        process = subprocess.Popen(parts, stdout=log, stderr=log, env=os.environ | ONE_THREAD)
        reason = _watch(process, limit)
    if not reason and partly.exists():
        partly.rename(answer)
        return found_in(answer)
    if not reason:
        lines = answer.with_suffix(".log").read_text(encoding="utf-8").strip().splitlines()
        reason = f"failed: {lines[-1] if lines else f'code {process.returncode}'}"
    answer.write_text(json.dumps({"reason": reason}), encoding="utf-8")
    return found_in(answer)


def found_in(answer: Path) -> Found:
    held = json.loads(answer.read_text(encoding="utf-8"))
    if "reason" in held:
        return Found(reason=held["reason"])
    seconds = held["reading"] + held["measuring"]
    return Found(seconds, held["reading"], held["megabytes"], held["figures"])


def _watch(process: subprocess.Popen[bytes], limit: int) -> str:
    """Wait; "" where the process ended by itself, else why it was ended."""
    while process.poll() is None:
        megabytes, seconds = _used(process.pid)
        reason = ""
        if megabytes > MEGABYTES:
            reason = f"stopped at {MEGABYTES // 1024} GB"
        elif seconds > limit:
            reason = f"stopped at {limit} s"
        if reason:
            process.kill()
            process.wait()
            return reason
        time.sleep(0.05)
    return ""


def _used(pid: int) -> tuple[float, float]:
    """Megabytes held now, and processor seconds so far."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return 0.0, 0.0
    _, _, held = status.partition("VmRSS:")
    times = stat.rpartition(")")[2].split()[11:13]
    megabytes = int(held.split()[0]) / 1024 if held else 0.0
    return megabytes, sum(int(part) for part in times) / _TICKS
