"""Write the reports about release directories: run their tests, scan their code.

    python examples/report.py demo/credit/v1 demo/credit/v2

Tools write both reports: pytest the JUnit file, bandit the SARIF file. Beside each lies a statement
that says which release the report is about. In a company this is the job of the build system.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from guiderail.core.errors import InputError
from guiderail.facts.evidence.binding import bind
from guiderail.manifest.load import load_release

PRELOADED = ["bandit.cli.main", "guiderail.sandbox.load", "pandas", "pytest", "skops.io"]
"""What every run of tests and scanner imports. Runs are copies of a process that did so once."""


def run_tests(release: Path, code: list[str], report: Path) -> None:
    """Failed tests are a finding that the report carries, not an error of this script.

    The tests run with pytest alone, without the settings and plug-ins of wherever this runs.
    """
    import pytest

    tests = [name for name in code if name.startswith("tests/")]
    options = ["-q", "-c", os.devnull, f"--rootdir={release}", "-p", "no:cacheprovider"]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    code_of_exit, said = quietly(lambda: pytest.main([*options, f"--junitxml={report}", *tests]))
    if code_of_exit > 1:
        raise SystemExit(f"The tests of {release} could not run:\n{said}")


def scan(release: Path, code: list[str], report: Path) -> None:
    """Bandit answers 1 when it has findings; they stand in the report."""
    from bandit.cli.main import main

    sys.argv = ["bandit", "--quiet", "--format", "sarif", "--output", str(report), *code]
    code_of_exit, said = quietly(main)
    if code_of_exit > 1 or not report.exists():
        raise SystemExit(f"The scan of {release} could not run:\n{said}")


def quietly(tool: Callable[[], object]) -> tuple[int, str]:
    """The exit code of a tool and what it said."""
    with (
        tempfile.NamedTemporaryFile("w+", encoding="utf-8") as said,
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
    ):
        try:
            code = tool()
        except SystemExit as leave:
            code = leave.code
        said.seek(0)
        return int(code or 0) if isinstance(code, int | None) else 2, said.read()


def report(directory: Path) -> None:
    """Both reports of one release, each bound to the digest of the release.

    Runs the tools in this process and changes its directory: give it a process of its own.
    """
    root = directory.resolve()
    try:
        release = load_release(root)
    except InputError as error:
        raise SystemExit(str(error)) from error
    manifest = release.manifest
    if manifest.evidence.tests is None or manifest.evidence.security is None:
        raise SystemExit(f"{root / 'guiderail.yaml'} names no reports under `evidence`.")
    tests, security = root / manifest.evidence.tests, root / manifest.evidence.security
    code = list(manifest.code)
    os.chdir(root)
    sys.path.insert(0, str(root))  # as `python -m pytest` does
    run_tests(root, code, tests)
    scan(root, code, security)
    for written in (tests, security):
        bind(written, release, datetime.now(UTC))


def report_all(directories: Sequence[Path]) -> None:
    """The reports of several releases, side by side, each in a process of its own."""
    copies = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if copies else "spawn")
    if copies:
        context.set_forkserver_preload(PRELOADED)
    with ProcessPoolExecutor(
        max_workers=os.cpu_count(), mp_context=context, max_tasks_per_child=1
    ) as processes:
        list(processes.map(report, [directory.resolve() for directory in directories]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("releases", type=Path, nargs="+", help="directories with guiderail.yaml")
    report_all(parser.parse_args().releases)


if __name__ == "__main__":
    main()
