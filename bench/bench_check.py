"""What a warm `guiderail check` costs: CPU time in a new process, and what it loads.

Trains the mail-sorting example in a temporary directory, checks it once so that everything
measured is cached, and then measures further checks, each after a bare `python -c pass`. The ratio
of the two is the figure to compare between machines.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from guiderail.service.set_up import create

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
HEAVY = ("numpy", "scipy", "duckdb", "sqlalchemy", "pandas", "sklearn", "skops", "rich")
SCRIPT = """
import sys
from guiderail.cli.main import main
code = main(sys.argv[1:])
print("\\n".join(sorted({name.split(".")[0] for name in sys.modules})), file=sys.stderr)
sys.exit(code)
"""


def cpu_of(arguments: list[str]) -> float:
    """CPU seconds, user and system, of one process that ran to its end without an error."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def build(root: Path) -> Path:
    """A workspace with the example in it."""
    release = root / "mail-sorting"
    script = EXAMPLES / "mail-sorting" / "train.py"
    command = [sys.executable, str(script), "--version", "v1", "--without-reports"]
    subprocess.run([*command, "--out", str(release)], stdout=subprocess.DEVNULL, check=True)
    create(
        root,
        demo=True,
        people=(EXAMPLES / "people.yaml").read_text(encoding="utf-8"),
        features=(EXAMPLES / "features.yaml").read_text(encoding="utf-8"),
    ).store.close()
    return release


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory(prefix="guiderail-bench-") as name:
        root = Path(name)
        release = build(root)
        os.environ["GUIDERAIL_HOME"] = str(root / ".guiderail")
        check = ["-m", "guiderail", "check", str(release), "--format", "json"]
        cold = cpu_of(check)
        pairs = [(cpu_of(["-c", "pass"]), cpu_of(check)) for _ in range(runs)]
        bare = statistics.median(pair[0] for pair in pairs)
        warm = statistics.median(pair[1] for pair in pairs)
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, *check[2:]], capture_output=True, text=True, check=True
        )
        facts = json.loads(done.stdout)["facts"]
        loaded = set(done.stderr.split())
    print(f"first check, nothing cached: {cold:.2f} s CPU")
    print(
        f"warm check: {warm:.3f} s CPU (median of {runs}), {warm / bare:.1f} x a bare python "
        f"({bare:.3f} s); {len(facts)} facts"
    )
    print(f"heavy libraries loaded by a warm check: {sorted(loaded & set(HEAVY)) or 'none'}")


if __name__ == "__main__":
    main()
