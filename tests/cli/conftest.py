"""A terminal, and workspaces that it finds by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.service.depot import Depot


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No workspace, no colour settings and no bug traces of whoever runs the tests."""
    for name in ("GUIDERAIL_HOME", "GUIDERAIL_DEBUG", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def guiderail(capsys: pytest.CaptureFixture[str]) -> Terminal:
    """`guiderail` in a directory without a workspace."""
    return Terminal(capsys)


@pytest.fixture
def live(live_depot: Depot, monkeypatch: pytest.MonkeyPatch) -> Depot:
    """The terminal's workspace is one in which the first release is live."""
    monkeypatch.setenv("GUIDERAIL_HOME", str(live_depot.home))
    return live_depot


@pytest.fixture
def two(two_versions: Depot, monkeypatch: pytest.MonkeyPatch) -> Depot:
    """The terminal's workspace is one in which v2 is live and v1 is the version before."""
    monkeypatch.setenv("GUIDERAIL_HOME", str(two_versions.home))
    return two_versions
