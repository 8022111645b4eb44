"""What starting the command line costs: CPU time of `guiderail --help` in a new process.

CPU seconds of one machine mean little elsewhere: each run is preceded by a bare `python -c pass`,
and the ratio of the two is the figure to compare.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys

COMMANDS = (["--help"], ["--version"], ["check", "--help"], ["explain", "high-risk-use"])


def cpu_of(arguments: list[str]) -> float:
    """CPU seconds, user and system, of one process that ran to its end without an error."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    for command in COMMANDS:
        cpu_of(["-m", "guiderail", *command])
        pairs = [
            (cpu_of(["-c", "pass"]), cpu_of(["-m", "guiderail", *command])) for _ in range(runs)
        ]
        bare = statistics.median(pair[0] for pair in pairs)
        ours = statistics.median(pair[1] for pair in pairs)
        print(
            f"guiderail {' '.join(command):<24} {ours:.3f} s CPU (median of {runs}), "
            f"{ours / bare:.1f} x a bare python ({bare:.3f} s)"
        )


if __name__ == "__main__":
    main()
