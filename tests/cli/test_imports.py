"""What a command loads: starting is quick because heavy libraries stay where they are."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from guiderail.cli.main import ONE_THREAD
from tests.service.depot import Depot

HEAVY = ("numpy", "scipy", "duckdb", "sqlalchemy", "pandas", "sklearn", "skops", "rich", "pyarrow")
SCRIPT = """
import sys
from guiderail.cli.main import main
code = main(sys.argv[1:])
print("LOADED", *sorted({name.split(".")[0] for name in sys.modules}))
sys.exit(code)
"""


def loaded(arguments: list[str], home: str) -> tuple[int, set[str]]:
    """Exit code of a command, and the top-level modules that it left loaded."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        env={**os.environ, "GUIDERAIL_HOME": home},
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stdout.splitlines()[-1].split()
    assert last[0] == "LOADED", done.stderr
    return done.returncode, set(last[1:])


@pytest.mark.parametrize("name", ["green", "yellow", "red"])
def test_a_warm_check_loads_no_database_and_no_numbers(live_depot: Depot, name: str) -> None:
    arguments = ["check", str(getattr(live_depot.releases, name)), "--format", "json"]
    loaded(arguments, str(live_depot.home))
    code, modules = loaded(arguments, str(live_depot.home))
    assert code == 0
    assert modules & set(HEAVY) == set()


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["--version"]])
def test_help_loads_nothing_but_the_command_line(live_depot: Depot, arguments: list[str]) -> None:
    _, modules = loaded(arguments, str(live_depot.home))
    assert modules & {*HEAVY, "pydantic", "yaml", "lark", "cryptography"} == set()


@pytest.mark.parametrize(("set_by_hand", "threads"), [({}, "1"), ({"OMP_NUM_THREADS": "4"}, "4")])
def test_numeric_libraries_get_one_thread_unless_somebody_decided_otherwise(
    set_by_hand: dict[str, str], threads: str
) -> None:
    script = SCRIPT.replace('print("LOADED"', 'import os; print(os.environ["OMP_NUM_THREADS"]')
    usual = {name: value for name, value in os.environ.items() if name not in ONE_THREAD}
    done = subprocess.run(
        [sys.executable, "-c", script, "--version"],
        env={**usual, **set_by_hand},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1].split()[0] == threads
