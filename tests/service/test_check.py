"""The pre-flight check: with and without a workspace, against any baseline, never half-blind."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from guiderail.core.errors import InputError, IntegrityError, RefusedError
from guiderail.core.scales import Outcome
from guiderail.service.check import check, parse_day
from guiderail.service.snapshot import snapshot_path
from guiderail.service.status import list_workloads
from tests.service import parcels
from tests.service.depot import WORKLOAD, Depot
from tests.service.parcels import Releases


def rules(found: object) -> set[str]:
    return {reason.rule for reason in found.decision.track_reasons}  # type: ignore[attr-defined]  # Checked


def test_outside_any_workspace_everything_is_a_first_release(parcel_releases: Releases) -> None:
    found = check(parcel_releases.first, None)
    assert found.compared_with is None
    assert "first-release" in rules(found)
    assert found.facts["use.confirmed"].value is False


def test_a_directory_can_be_the_baseline(new_depot: Depot) -> None:
    releases = new_depot.releases
    found = check(releases.red, new_depot.acting(), baseline=str(releases.first))
    assert found.compared_with == parcels.load_release(releases.first).digest
    assert "features-unapproved" in rules(found)
    assert "first-release" not in rules(found)


def test_production_is_the_baseline_unless_another_is_named(two_versions: Depot) -> None:
    releases = two_versions.releases
    usual = check(releases.yellow, two_versions.acting())
    assert usual.compared_with == parcels.load_release(releases.green).digest
    first = parcels.load_release(releases.first).digest
    other = check(releases.yellow, two_versions.acting(), baseline=first)
    assert other.compared_with == first


def test_a_digest_that_nobody_knows_is_no_baseline(live_depot: Depot) -> None:
    unknown = "sha256:" + "0" * 64
    for workspace in (live_depot.acting(), None):
        with pytest.raises(InputError) as refusal:
            check(live_depot.releases.green, workspace, baseline=unknown)
        assert refusal.value.code == "baseline/unknown"


def test_checking_submits_nothing_and_changes_nothing(live_depot: Depot) -> None:
    events = live_depot.event_types()
    digest = parcels.load_release(live_depot.releases.red).digest
    check(live_depot.releases.red, live_depot.acting())
    assert live_depot.event_types() == events
    assert not (live_depot.acting().releases / digest.removeprefix("sha256:")).exists()


def test_the_check_and_the_submission_agree(live_depot: Depot) -> None:
    checked = check(live_depot.releases.tree, live_depot.acting())
    submitted = live_depot.submit(live_depot.releases.tree)
    assert submitted.decision == checked.decision


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"not json",
        b"\xff\xfe{}",
        b"[" * 100_000,
        b"[]",
        b"{}",
        b'{"format": 2}',
        b'{"format": 1, "baselines": []}',
        b'{"format": 1, "baselines": {"production": {}}}',
        b'{"format": 1, "baselines": {"production": {"digest": 1, "facts": {}}}}',
        b'{"format": 1, "baselines": {"production": {"digest": "", "facts": []}}}',
    ],
)
def test_a_snapshot_that_cannot_be_read_is_an_error_and_no_first_release(
    live_depot: Depot, damage: bytes
) -> None:
    path = snapshot_path(live_depot.acting().snapshots, WORKLOAD)
    path.write_bytes(damage)
    with pytest.raises(IntegrityError) as refusal:
        check(live_depot.releases.green, live_depot.acting())
    assert refusal.value.code == "integrity/snapshot"
    assert "guiderail status" in refusal.value.advice
    path.unlink()
    list_workloads(live_depot.acting())
    assert check(live_depot.releases.green, live_depot.acting()).decision.outcome is Outcome.GO


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("confirmed_profiles", "sha256"),
        ("confirmed_profiles", [1]),
        ("data_approvals", {}),
        ("data_approvals", [{"source": "a", "purpose": "b", "granted": "no", "until": "x"}]),
        ("last_rehearsal", 0),
        ("open_signals", ""),
        ("open_signals", [5]),
        ("answers", {}),
        ("answers", ["a"]),
    ],
)
def test_a_snapshot_with_a_wrong_shape_inside_is_an_error(
    live_depot: Depot, key: str, value: object
) -> None:
    path = snapshot_path(live_depot.acting().snapshots, WORKLOAD)
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, key: value}), encoding="utf-8")
    with pytest.raises(IntegrityError) as refusal:
        check(live_depot.releases.green, live_depot.acting())
    assert refusal.value.code == "integrity/snapshot"


def test_a_workspace_whose_feature_registry_is_not_utf8_is_refused_with_its_place(
    live_depot: Depot,
) -> None:
    path = live_depot.acting().home / "features.yaml"
    path.write_bytes(b"features: []\n# \xff\n")
    with pytest.raises(InputError) as refusal:
        check(live_depot.releases.green, live_depot.acting())
    assert refusal.value.code == "yaml/not-utf8"
    assert str(refusal.value.place) == f"{path}:2:3"


def test_a_stored_baseline_that_changed_is_an_error_and_no_first_release(
    live_depot: Depot,
) -> None:
    production = live_depot.case("case-0001").release_digest
    folder = live_depot.acting().releases / production.removeprefix("sha256:")
    data = folder / "evaluation.csv"
    data.chmod(0o600)
    data.write_text(data.read_text(encoding="utf-8").replace("yes", "no"), encoding="utf-8")
    with pytest.raises(IntegrityError) as refusal:
        check(live_depot.releases.green, live_depot.acting())
    assert refusal.value.code == "integrity/release"
    shutil.rmtree(folder)
    with pytest.raises(IntegrityError):
        check(live_depot.releases.green, live_depot.acting())


def test_a_snapshot_edited_to_be_lighter_fools_the_check_but_not_the_submission(
    new_depot: Depot,
) -> None:
    digest = check(new_depot.releases.first, new_depot.acting())
    assert digest.facts["use.confirmed"].value is False
    from guiderail.facts.use.profile import use_profile_digest

    path = snapshot_path(new_depot.acting().snapshots, WORKLOAD)
    content = json.loads(path.read_text(encoding="utf-8"))
    profile = use_profile_digest(parcels.load_release(new_depot.releases.first))
    content["confirmed_profiles"] = [profile]
    path.write_text(json.dumps(content), encoding="utf-8")
    fooled = check(new_depot.releases.first, new_depot.acting())
    submitted = new_depot.submit(new_depot.releases.first)
    assert (fooled.decision.tier, submitted.decision.tier) == ("low", "medium")


def test_the_day_decides_which_scan_and_which_policy_count(live_depot: Depot) -> None:
    later = datetime.fromtimestamp(live_depot.clock().timestamp() + 8 * 86_400, UTC)
    found = check(live_depot.releases.green, live_depot.acting(), at=later)
    gates = {gate.id: gate.verdict for gate in found.decision.gates}
    assert gates["security-scan"] == "insufficient"
    assert found.decision.track == "yellow"
    with pytest.raises(RefusedError, match="is in force from"):
        check(live_depot.releases.green, live_depot.acting(), at=datetime(2020, 1, 1, tzinfo=UTC))


def test_a_report_about_another_release_is_no_evidence(live_depot: Depot, tmp_path: Path) -> None:
    directory = parcels.copy(live_depot.releases.green, tmp_path / "edited")
    parcels.edit(directory, {"version": "v2b"})
    found = check(directory, live_depot.acting())
    gates = {gate.id: gate.verdict for gate in found.decision.gates}
    assert gates["tests"] == "insufficient"
    assert gates["security-scan"] == "insufficient"
    assert found.decision.outcome is Outcome.NEEDS_REVIEW


@pytest.mark.parametrize(
    ("kind", "gates"),
    [
        ("app", {"personal-data", "staging", "rollback-plan", "code-review", "tests"}),
        ("pipeline", {"data-quality", "freshness", "lineage", "cost", "tests"}),
    ],
)
def test_apps_and_pipelines_are_checked_and_hear_what_is_missing(
    live_depot: Depot, tmp_path: Path, kind: str, gates: set[str]
) -> None:
    parcels.write_bare(tmp_path, kind)
    found = check(tmp_path, live_depot.acting())
    assert found.decision.policy.pack == kind
    verdicts = {gate.id: gate.verdict for gate in found.decision.gates if gate.enforced}
    assert {verdicts[name] for name in gates} == {"insufficient"}
    assert found.decision.track == "red"
    assert "first-release" in rules(found)


@pytest.mark.parametrize("kind", ["app", "pipeline"])
def test_an_app_or_a_pipeline_cannot_be_submitted_for_want_of_a_target(
    live_depot: Depot, tmp_path: Path, kind: str
) -> None:
    parcels.write_bare(tmp_path, kind)
    before = live_depot.event_types()
    with pytest.raises(RefusedError) as refusal:
        live_depot.submit(tmp_path)
    assert refusal.value.code == "submit/no-target"
    assert f"kind {kind}" in refusal.value.what
    assert "guiderail check" in refusal.value.advice
    assert live_depot.event_types() == before


def test_a_day_means_its_last_moment_and_a_moment_means_itself() -> None:
    assert parse_day("2026-12-31").isoformat() == "2026-12-31T23:59:59.999999+00:00"
    assert parse_day("2026-12-31T09:00:00+01:00").isoformat() == "2026-12-31T09:00:00+01:00"
    assert parse_day("2026-12-31T09:00:00").tzinfo is UTC
    for text in ("tomorrow", "31.12.2026", "", "2026-13-01"):
        with pytest.raises(InputError) as refusal:
            parse_day(text)
        assert refusal.value.code == "input/date"
