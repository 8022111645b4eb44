"""An audit pack that several files of tests look at, and the verifier that looks at it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from guiderail.service.audit_pack import export
from guiderail_verify.__main__ import main
from tests.service.audit_packs import Answer, Verify, bare_verifier, verify
from tests.service.depot import Depot, copy_depot


@pytest.fixture(scope="module")
def office(two_template: Depot, tmp_path_factory: pytest.TempPathFactory) -> Depot:
    """A workspace with a release that people approved, a green one, and one that waits."""
    depot = copy_depot(two_template, tmp_path_factory.mktemp("office"))
    depot.submit(depot.releases.yellow)
    return depot


@pytest.fixture(scope="module")
def written(office: Depot) -> Path:
    directory = office.root / "pack"
    export(office.acting(), directory)
    return directory


@pytest.fixture
def pack(written: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return shutil.copytree(written, tmp_path / "pack")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Verify:
    """The verifier in a Python that does not have the product."""
    command = bare_verifier(tmp_path_factory.mktemp("libraries"))
    return lambda *arguments: verify(command, *arguments)


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Verify:
    """The verifier in this process."""

    def run(*arguments: str | Path) -> Answer:
        capsys.readouterr()
        code = main([*map(str, arguments), "--json"])
        return Answer(code, *capsys.readouterr())

    return run
