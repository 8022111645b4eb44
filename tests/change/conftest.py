"""Trained versions of one workload: v1, a retrain of it, and one with another input."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from guiderail.manifest.load import load_release
from guiderail.manifest.release import Release
from tests.facts.small_release import NUMBERS, TEXTS, write


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """v1, never edited."""
    return load_release(write(tmp_path_factory.mktemp("first") / "v1"))


@pytest.fixture(scope="session")
def scores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that tests share: what was scored once is not scored again."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def trained_retrain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("retrain") / "v2", C=0.02)


@pytest.fixture(scope="session")
def trained_wider(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("wider") / "v3", inputs=(*TEXTS, *NUMBERS, "savings"))


@pytest.fixture
def same(first: Release, tmp_path: Path) -> Path:
    return Path(shutil.copytree(first.root, tmp_path / "same"))


@pytest.fixture
def retrain(trained_retrain: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained_retrain, tmp_path / "retrain"))


@pytest.fixture
def wider(trained_wider: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained_wider, tmp_path / "wider"))
