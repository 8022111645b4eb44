"""Write the reports about release directories: run their tests, scan their code.

    python examples/report.py demo/credit/v1 demo/credit/v2

Tools write both reports: pytest the JUnit file, bandit the SARIF file. Beside each lies a statement
that says which release the report is about. In a company this is the job of the build system.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from guiderail.core.errors import InputError
from guiderail.facts.evidence.binding import bind
from guiderail.manifest.load import load_release


def run_tests(release: Path, code: list[str], report: Path) -> None:
    """Failed tests are a finding that the report carries, not an error of this script.

    The tests run with pytest alone, without the settings and plug-ins of wherever this runs.
    """
    tests = [name for name in code if name.startswith("tests/")]
    options = ["-q", "-c", os.devnull, f"--rootdir={release}", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *options, f"--junitxml={report}", *tests]
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        command, cwd=release, env=alone, capture_output=True, text=True, check=False
    )
    if done.returncode > 1:
        raise SystemExit(f"The tests of {release} could not run:\n{done.stdout}{done.stderr}")


def scan(release: Path, code: list[str], report: Path) -> None:
    """Bandit answers 1 when it has findings; they stand in the report."""
    options = ["--quiet", "--format", "sarif", "--output", str(report)]
    command = [sys.executable, "-m", "bandit", *options, *code]
    done = subprocess.run(command, cwd=release, capture_output=True, text=True, check=False)
    if done.returncode > 1 or not report.exists():
        raise SystemExit(f"The scan of {release} could not run:\n{done.stdout}{done.stderr}")


def report(directory: Path) -> None:
    """Both reports of one release, each bound to the digest of the release."""
    root = directory.resolve()
    release = load_release(root)
    manifest = release.manifest
    if manifest.evidence.tests is None or manifest.evidence.security is None:
        raise SystemExit(f"{root / 'guiderail.yaml'} names no reports under `evidence`.")
    tests, security = root / manifest.evidence.tests, root / manifest.evidence.security
    code = list(manifest.code)
    run_tests(root, code, tests)
    scan(root, code, security)
    for written in (tests, security):
        bind(written, release, datetime.now(UTC))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("releases", type=Path, nargs="+", help="directories with guiderail.yaml")
    wanted = parser.parse_args()
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as side_by_side:
        try:
            list(side_by_side.map(report, wanted.releases))
        except InputError as error:
            raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
