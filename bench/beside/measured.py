"""What every worker shares: one question answered and measured in this process (Linux).

A worker runs in the environment of its library, so this file needs the standard library only.
Imports are done when `run` is called and are not measured as time; the peak of memory holds them.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROUNDS = 3
LONG = 5.0
"""Seconds after which a question is not asked again."""

Figures = dict[str, Any]
"""What was found: "measure|of what" -> a number, or a pair of bounds where only those are known."""


@dataclass(frozen=True)
class Question:
    """read: from the folder with the files to what the library takes. measure: to its answer.

    figures: from what was read and the answer to figures that can be compared; not measured.
    """

    read: Callable[[Path], Any]
    measure: Callable[[Any], Any]
    figures: Callable[[Any, Any], Figures]


def run(questions: Mapping[str, Question]) -> None:
    """Arguments of the process: question, folder with the files, file for what is found."""
    question, folder, found = questions[sys.argv[1]], Path(sys.argv[2]), Path(sys.argv[3])
    rounds: list[tuple[float, float]] = []
    peak, kept = 0.0, None
    while not rounds or (len(rounds) < ROUNDS and sum(rounds[-1]) < LONG):
        started = time.process_time()
        data = question.read(folder)
        read = time.process_time()
        answer = question.measure(data)
        rounds.append((read - started, time.process_time() - read))
        peak = peak or peak_megabytes()
        if sum(rounds[-1]) == min(sum(one) for one in rounds):
            kept = data, answer
    assert kept is not None
    reading, measuring = min(rounds, key=sum)
    told = {
        "reading": reading,
        "measuring": measuring,
        "megabytes": peak,
        "figures": question.figures(*kept),
    }
    found.write_text(json.dumps(told, default=float), encoding="utf-8")


def peak_megabytes() -> float:
    """The most memory that this process held so far, libraries included."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
