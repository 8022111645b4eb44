"""Beginnings and rehearsals: a new workspace, who acts in it, and going back before it matters."""

from __future__ import annotations

from pathlib import Path

import pytest

from guiderail.attest.keys import read_trusted
from guiderail.core.errors import InputError, RefusedError
from guiderail.ledger.verify import verify
from guiderail.service.evidence import bind_reports
from guiderail.service.rehearse import rehearse
from guiderail.service.set_up import new_manifest, new_workspace
from guiderail.service.workspace import find_home, open_workspace
from guiderail.store import tables
from tests.service import parcels
from tests.service.depot import WORKLOAD, Depot


def test_a_new_workspace_begins_its_ledger_and_knows_one_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("set_up", "workspace"):
        name = f"guiderail.service.{module}.operating_system_user"
        monkeypatch.setattr(name, lambda: "Ana-Maria.01")
    monkeypatch.delenv("GUIDERAIL_HOME", raising=False)
    new_workspace(tmp_path)
    workspace = open_workspace(tmp_path)
    assert workspace.demo is False
    assert workspace.actor.roles == ()
    assert workspace.person.os_users == ("Ana-Maria.01",)
    report = verify(workspace.store, read_trusted(workspace.home))
    # The workspace, its keys, four registers, and the policy of each of three kinds.
    assert (report.size, report.problems) == (9, ())
    assert (workspace.home / "keys").stat().st_mode & 0o077 == 0
    with pytest.raises(InputError) as refusal:
        new_workspace(tmp_path)
    assert refusal.value.code == "workspace/exists"


def test_the_nearest_workspace_upwards_is_found_unless_one_is_named(new_depot: Depot) -> None:
    deep = new_depot.root / "a" / "b"
    deep.mkdir(parents=True)
    assert find_home(deep, {}) == new_depot.home
    assert find_home(deep, {"GUIDERAIL_HOME": "/elsewhere"}) == Path("/elsewhere")
    assert find_home(Path("/"), {}) is None


def test_a_manifest_is_proposed_from_what_is_there_and_nothing_is_overwritten(
    parcel_releases: parcels.Releases, tmp_path: Path
) -> None:
    directory = parcels.copy(parcel_releases.first, tmp_path / "repository")
    (directory / "guiderail.yaml").unlink()
    proposed = new_manifest(directory)
    assert str(directory / "guiderail.yaml") in proposed["written"]
    assert parcels.load_release(directory).manifest.kind == "model"
    assert any("purpose" in key for key in proposed["unknown"])
    before = (directory / "guiderail.yaml").read_bytes()
    with pytest.raises(InputError):
        new_manifest(directory)
    assert (directory / "guiderail.yaml").read_bytes() == before


def test_a_rehearsal_is_recorded_and_production_is_not_touched(live_depot: Depot) -> None:
    before = live_depot.event_types()
    found = rehearse(live_depot.acting(), WORKLOAD, live_depot.releases.yellow)
    assert found["seconds"] > 0
    assert live_depot.event_types() == [*before, "rollback.rehearsed"]
    assert live_depot.served_versions() == ["v1"]


def test_a_rehearsal_that_fails_is_recorded_as_failed_and_refused(
    live_depot: Depot, tmp_path: Path
) -> None:
    import skops.io
    from sklearn.preprocessing import StandardScaler

    directory = parcels.copy(live_depot.releases.green, tmp_path / "mute")
    rows = [[0.0, 1.0, 2.0], [1.0, 0.0, 1.0]]
    skops.io.dump(StandardScaler().fit(rows), directory / "model.skops")
    parcels.edit(directory, {"model": {"file": "model.skops"}})
    with pytest.raises(RefusedError) as refusal:
        rehearse(live_depot.acting(), WORKLOAD, directory)
    assert refusal.value.code == "rehearse/failed"
    with live_depot.acting().store.read() as snapshot:
        newest = snapshot.execute(
            tables.rehearsal.select().order_by(tables.rehearsal.c.at.desc())
        ).first()
    assert newest is not None
    assert newest.outcome == "failed"
    assert live_depot.event_types()[-1] == "rollback.rehearsed"


def test_a_rehearsal_of_another_workload_is_refused(live_depot: Depot) -> None:
    with pytest.raises(InputError) as refusal:
        rehearse(live_depot.acting(), "another-workload", live_depot.releases.green)
    assert refusal.value.code == "rehearse/workload"


def test_reports_are_bound_to_the_release_in_the_directory(
    parcel_releases: parcels.Releases, tmp_path: Path
) -> None:
    directory = parcels.copy(parcel_releases.first, tmp_path / "release")
    for statement in directory.glob("*.intoto.json"):
        statement.unlink()
    bound = bind_reports(directory)
    assert bound["release"] == parcels.load_release(directory).digest
    assert len(bound["written"]) == 2
    assert bound["missing"] == []
    (directory / "tests.xml").unlink()
    with pytest.raises(InputError):
        bind_reports(directory)
