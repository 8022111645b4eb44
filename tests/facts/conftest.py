"""One trained release for the run; every test works on its own copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from guiderail.manifest.load import load_release
from guiderail.manifest.release import Release
from tests.facts.small_release import write


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("trained") / "v1")


@pytest.fixture
def directory(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "release"))


@pytest.fixture
def release(directory: Path) -> Release:
    return load_release(directory)
