"""Releases and workspaces that several folders of tests share; trained and deployed once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from guiderail.cli.main import ONE_THREAD

if TYPE_CHECKING:
    from tests.service.depot import Depot
    from tests.service.parcels import Releases

# As the command line does: threads of numeric libraries would fight over cores with other tests.
# Before anything imports numpy; processes that tests start inherit it.
for _library in ONE_THREAD:
    os.environ.setdefault(_library, "1")

# The same examples everywhere and every day; `--hypothesis-profile search` looks for new ones.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("search", derandomize=False, deadline=None, print_blob=True)
settings.load_profile("steady")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests remember what they checked in a directory of theirs, not in the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def parcel_releases(tmp_path_factory: pytest.TempPathFactory) -> Releases:
    """Small real releases of one workload, one directory each; tests change copies only."""
    from tests.service.parcels import build_all

    return build_all(tmp_path_factory.mktemp("parcels"))


@pytest.fixture(scope="session")
def new_template(tmp_path_factory: pytest.TempPathFactory, parcel_releases: Releases) -> Depot:
    """The workspace that `new_depot` copies."""
    from tests.service.depot import open_depot

    depot = open_depot(tmp_path_factory.mktemp("new"), parcel_releases)
    depot.rehearse(parcel_releases.first)
    return depot


@pytest.fixture(scope="session")
def live_template(tmp_path_factory: pytest.TempPathFactory, new_template: Depot) -> Depot:
    """The workspace that `live_depot` copies."""
    from tests.service.depot import copy_depot

    depot = copy_depot(new_template, tmp_path_factory.mktemp("live"))
    depot.make_live(depot.releases.first)
    depot.stop()
    return depot


@pytest.fixture(scope="session")
def two_template(tmp_path_factory: pytest.TempPathFactory, live_template: Depot) -> Depot:
    """The workspace that `two_versions` copies."""
    from tests.service.depot import copy_depot

    depot = copy_depot(live_template, tmp_path_factory.mktemp("two"))
    depot.make_live(depot.releases.green)
    depot.stop()
    return depot


@pytest.fixture
def new_depot(
    new_template: Depot, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Depot]:
    """A workspace in which going back was rehearsed and nothing was submitted."""
    yield from _lent(new_template, tmp_path, request)


@pytest.fixture
def live_depot(
    live_template: Depot, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Depot]:
    """A workspace in which the first release is live; its gateway starts when it is needed."""
    yield from _lent(live_template, tmp_path, request)


@pytest.fixture
def two_versions(
    two_template: Depot, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Depot]:
    """A workspace in which v2 is live and v1 is the version before; its gateway is stopped."""
    yield from _lent(two_template, tmp_path, request)


def _lent(template: Depot, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Depot]:
    """A copy for one test. Whatever the test did, its ledger still verifies, unless it tampered."""
    from tests.service.depot import copy_depot

    depot = copy_depot(template, tmp_path / "depot")
    yield depot
    depot.stop()
    if request.node.get_closest_marker("tampers") is None:
        assert depot.problems() == []
