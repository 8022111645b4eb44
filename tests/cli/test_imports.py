"""What a command loads: starting is quick because heavy libraries stay where they are."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

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
