"""Releases and workspaces that several folders of tests share; trained and deployed once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from guiderail.cli.main import ONE_THREAD
from tests.one_event import Watch
from tests.shared import made_once

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


@pytest.fixture(autouse=True)
def watch(request: pytest.FixtureRequest) -> Iterator[Watch]:
    """Whatever a test does, every change of state that it makes has exactly one event."""
    watch = Watch()
    with pytest.MonkeyPatch.context() as patch:
        watch.install(patch)
        yield watch
    if request.node.get_closest_marker("plants") is None:
        assert watch.complaints() == []


@pytest.fixture(scope="session")
def parcel_releases(tmp_path_factory: pytest.TempPathFactory) -> Releases:
    """Small real releases of one workload, one directory each; tests change copies only."""
    from tests.service.parcels import build_all, releases_in

    return releases_in(made_once(tmp_path_factory, "parcels", build_all))


@pytest.fixture(scope="session")
def new_template(tmp_path_factory: pytest.TempPathFactory, parcel_releases: Releases) -> Depot:
    """The workspace that `new_depot` copies."""
    from tests.service.depot import Depot, Shifted, open_depot

    def make(root: Path) -> None:
        open_depot(root, parcel_releases).rehearse(parcel_releases.first)

    return Depot(made_once(tmp_path_factory, "new", make), parcel_releases, Shifted())


@pytest.fixture(scope="session")
def live_template(tmp_path_factory: pytest.TempPathFactory, new_template: Depot) -> Depot:
    """The workspace that `live_depot` copies."""
    return _after(new_template, new_template.releases.first, tmp_path_factory, "live")


@pytest.fixture(scope="session")
def two_template(tmp_path_factory: pytest.TempPathFactory, live_template: Depot) -> Depot:
    """The workspace that `two_versions` copies."""
    return _after(live_template, live_template.releases.green, tmp_path_factory, "two")


def _after(before: Depot, release: Path, factory: pytest.TempPathFactory, name: str) -> Depot:
    """The workspace as it is once another release is live, with its gateway stopped."""
    from tests.service.depot import Depot, Shifted, copy_depot

    def make(root: Path) -> None:
        depot = copy_depot(before, root)
        depot.make_live(release)
        depot.stop()

    return Depot(made_once(factory, name, make), before.releases, Shifted())


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
    """A copy for one test. Whatever the test did, its ledger still verifies, unless it tampered.

    And the ledger, replayed, says what the tables say.
    """
    from tests.service.depot import copy_depot
    from tests.service.replayed import by_the_ledger, by_the_tables

    depot = copy_depot(template, tmp_path / "depot")
    yield depot
    depot.stop()
    if request.node.get_closest_marker("tampers") is None:
        assert depot.problems() == []
        assert by_the_ledger(depot.acting()) == by_the_tables(depot.acting())
