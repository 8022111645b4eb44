"""The examples, built as their scripts build them; once for all tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.examples.scripts import ALL, EXAMPLES, VERSIONS, script
from tests.shared import made_once


@pytest.fixture(scope="session")
def training() -> dict[str, ModuleType]:
    return {example: script(f"{example}/train.py") for example in VERSIONS}


@pytest.fixture(scope="session")
def releases(training: dict[str, ModuleType], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every version of both examples with its reports; for reading only."""

    def make(root: Path) -> None:
        for example, version in ALL:
            training[example].build(training[example].VERSIONS[version], root / example / version)
        folders = [str(root / example / version) for example, version in ALL]
        subprocess.run([sys.executable, str(EXAMPLES / "report.py"), *folders], check=True)

    return made_once(tmp_path_factory, "releases-of-examples", make)
