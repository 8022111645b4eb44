"""What may start: everything is checked offline, and every doubt is a refusal with its reason."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from releases import mlflow_directory, permitted, release, state

from guiderail.attest.keys import Keyring, read_trusted
from guiderail.core.digest import canonical_json, path_digest, sha256_digest
from guiderail.rollout.folder import Folder
from guiderail.rollout.gateway.admission import Admitted, Circumstances, admit
from guiderail.rollout.gateway.breaker_file import Trip, read_trips, write_trips
from guiderail.rollout.gateway.served_release import read_release
from guiderail.rollout.status import RefusedArm


def decide(home, arm, **changes):
    """Ask the gateway's gatekeeper a moment after the permits were issued."""
    copies = home / "copies"
    copies.mkdir(exist_ok=True)
    circumstances = Circumstances(
        workload="credit",
        environment="production",
        now=datetime.now(UTC) + timedelta(seconds=1),
        started=frozenset(),
        state=None,
        trips={},
    )
    return admit(arm, Folder(home), copies, read_trusted(home), replace(circumstances, **changes))


def refusal(home, arm, **changes):
    decided = decide(home, arm, **changes)
    assert isinstance(decided, RefusedArm), decided
    assert decided.digest == arm.digest
    return decided.code


def test_a_permitted_version_is_admitted_with_a_copy_of_the_permitted_bytes(home, versions):
    admitted = decide(home, permitted(home, versions.v1))
    assert isinstance(admitted, Admitted)
    assert sha256_digest(admitted.model_copy.read_bytes()) == admitted.release.model_digest
    assert admitted.release.threshold == 0.5
    assert admitted.release.positive == "good"
    assert admitted.highest == 100


def test_a_model_of_several_files_is_admitted_as_a_copy_of_all_of_them(home, versions):
    place = mlflow_directory(home, versions.v1.model)
    arm = permitted(home, release(home, place))
    admitted = decide(home, arm)
    assert isinstance(admitted, Admitted)
    assert path_digest(admitted.model_copy) == admitted.release.model_digest
    assert decide(home, arm) == admitted, "a copy that a running version uses stays"
    (admitted.model_copy / "MLmodel").write_text("changed")
    assert decide(home, arm) == admitted
    assert path_digest(admitted.model_copy) == admitted.release.model_digest
    assert sorted(one.name for one in (home / "copies").iterdir()) == [admitted.model_copy.name]

    (place / "extra").write_text("more")
    assert refusal(home, arm) == "model/changed"
    (place / "extra").unlink()
    (place / "extra").symlink_to(versions.v1.model)
    assert refusal(home, arm) == "model/unreadable"


def test_nothing_starts_without_a_permit(home, versions):
    arm = permitted(home, versions.v1)
    arm.permit_file.unlink()
    assert refusal(home, arm) == "permit/missing"


def test_nothing_starts_without_a_proof(home, versions):
    arm = permitted(home, versions.v1)
    arm.proof_file.unlink()
    assert refusal(home, arm) == "permit/no-proof"


def test_a_permit_of_foreign_keys_is_refused(home, versions, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert refusal(home, permitted(elsewhere, versions.v1)) == "permit/unknown-key"


def test_a_permit_for_another_digest_is_refused(home, versions):
    of_v1 = permitted(home, versions.v1)
    arm = replace(
        permitted(home, versions.v2), permit_file=of_v1.permit_file, proof_file=of_v1.proof_file
    )
    assert refusal(home, arm) == "permit/other-digest"


def test_a_proof_of_another_permit_is_refused(home, versions):
    arm = replace(permitted(home, versions.v1), proof_file=permitted(home, versions.v2).proof_file)
    assert refusal(home, arm) == "permit/not-in-log"


def test_a_permit_for_another_environment_is_refused_whatever_the_arm_says(home, versions):
    staging = permitted(home, versions.v1, environment="staging")
    assert refusal(home, staging) == "target/other-environment"
    assert refusal(home, replace(staging, environment="production")) == "permit/other-environment"


def test_an_expired_permit_starts_nothing_and_ends_nothing(home, versions):
    past = datetime.now(UTC) - timedelta(days=9)
    expired = permitted(home, versions.v1, issued_at=past, start_until=past + timedelta(days=7))
    assert refusal(home, expired) == "permit/expired"
    assert isinstance(decide(home, expired, started=frozenset({expired.digest})), Admitted)
    assert isinstance(decide(home, replace(expired, restore=True)), Admitted)


def test_a_revoked_permit_starts_nothing_not_even_to_go_back(home, versions):
    arm = replace(permitted(home, versions.v1, id="p-1"), restore=True)
    assert refusal(home, arm, state=state(home, "p-1")) == "permit/revoked"
    assert refusal(home, arm, state_problem="it is damaged") == "target/state-unreadable"


def test_a_permit_for_another_workload_is_refused(home, versions):
    arm = permitted(home, versions.v1, workload="mail-sorting")
    assert refusal(home, arm) == "permit/other-workload"


def test_a_release_of_another_workload_is_refused_even_with_a_permit(home, versions, tmp_path):
    other = release(tmp_path, versions.v1.model, name="mail-sorting")
    other = replace(other, model=versions.v1.model)
    assert refusal(home, permitted(home, other)) == "release/other-workload"


def test_more_traffic_than_the_permit_allows_is_refused(home, versions):
    narrow = permitted(home, versions.v2, weight=11, highest_share=Decimal("0.10"))
    assert refusal(home, narrow) == "permit/share"
    assert isinstance(decide(home, replace(narrow, weight=10)), Admitted)


def test_a_changed_model_file_is_refused(home, versions, tmp_path):
    changed = tmp_path / "changed.skops"
    changed.write_bytes(versions.v1.model.read_bytes() + b"\0")
    arm = replace(permitted(home, versions.v1), model_file=changed)
    assert refusal(home, arm) == "model/changed"
    assert not list((home / "copies").glob("*.part"))


def test_a_missing_model_file_is_refused(home, versions, tmp_path):
    arm = replace(permitted(home, versions.v1), model_file=tmp_path / "gone")
    assert refusal(home, arm) == "model/unreadable"


def test_a_moved_threshold_is_another_release_and_has_no_permit(home, versions):
    document = versions.v1.document.read_bytes().replace(b'"0.5"', b'"0.1"')
    moved = home / "moved.json"
    moved.write_bytes(document)
    arm = replace(permitted(home, versions.v1), release_file=moved)
    assert refusal(home, arm) == "release/changed"
    relabelled = replace(arm, digest=sha256_digest(document))
    assert refusal(home, relabelled) == "permit/other-digest"


def test_a_version_whose_breaker_opened_needs_a_new_permit(home, versions):
    arm = permitted(home, versions.v1, id="p-1")
    trips = {"p-1": Trip("p-1", arm.digest, "2026-11-23T10:00:00.000000Z", "it failed")}
    assert refusal(home, arm, trips=trips) == "target/breaker"
    assert refusal(home, arm, trips=None) == "target/breaker-unreadable"
    assert isinstance(decide(home, replace(arm, restore=True), trips=trips), Admitted)
    renewed = permitted(home, versions.v1, id="p-2")
    assert isinstance(decide(home, renewed, trips=trips), Admitted)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**6), byte=st.integers(0, 255), of_proof=st.booleans())
def test_no_changed_byte_of_permit_or_proof_is_ever_accepted_as_another_content(
    home, versions, place, byte, of_proof
):
    arm = permitted(home, versions.v1)
    path = arm.proof_file if of_proof else arm.permit_file
    good = path.read_bytes()
    place %= len(good)
    changed = good[:place] + bytes([byte]) + good[place + 1 :]
    path.write_bytes(changed)
    decided = decide(home, arm)
    assert isinstance(decided, Admitted) == (changed == good)


def test_a_target_that_requires_a_state_starts_nothing_without_a_valid_one(home, versions):
    arm = permitted(home, versions.v1)
    assert refusal(home, arm, state_required=True) == "state/missing"
    old = state(home, valid_for=timedelta(seconds=-1))
    assert refusal(home, arm, state=old, state_required=True) == "state/expired"
    assert isinstance(decide(home, arm, state=old), Admitted)
    assert isinstance(decide(home, arm, state=state(home), state_required=True), Admitted)


def test_going_back_waits_for_no_state_and_is_still_stopped_by_a_revocation(home, versions):
    arm = replace(permitted(home, versions.v1, id="p-1"), restore=True)
    assert isinstance(decide(home, arm, state_required=True), Admitted)
    old = state(home, "p-1", valid_for=timedelta(seconds=-1))
    assert refusal(home, arm, state=old, state_required=True) == "permit/revoked"


def test_trips_are_read_back_and_a_broken_file_is_an_error(tmp_path):
    path = tmp_path / "credit.breaker.json"
    assert read_trips(path) == {}
    trip = Trip("p", "sha256:" + "0" * 64, "2026-11-23T10:00:00.000000Z", "it failed")
    write_trips(path, {"p": trip})
    assert read_trips(path) == {"p": trip}
    path.write_bytes(b'[{"permit": 1}]')
    with pytest.raises(ValueError, match="not a breaker file"):
        read_trips(path)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"kind": "app"}, "serves models"),
        ({"model": {"file": "other.skops"}}, "which model file"),
        ({"model": {"file": "m.skops", "threshold": {"number": "nan"}}}, "not a number"),
        ({"model": {"file": "m.skops", "threshold": True}}, "not a number"),
        ({"name": None}, "names no workload"),
    ],
)
def test_a_document_that_cannot_be_served_says_why(change, why):
    manifest = {"kind": "model", "name": "credit", "model": {"file": "m.skops"}, **change}
    document = canonical_json({"manifest": manifest, "artefacts": {"m.skops": "sha256:0"}})
    with pytest.raises(ValueError, match=why):
        read_release(document)


def test_the_document_of_a_release_has_the_digest_of_the_release(tmp_path):
    from guiderail.core.digest import Digest
    from guiderail.manifest.release import Release
    from guiderail.manifest.schema import ModelManifest
    from guiderail.rollout.desired import release_document

    canonical = {"kind": "model", "name": "credit", "model": {"file": "m.skops", "threshold": None}}
    manifest = ModelManifest.model_construct(name="credit")
    made = Release(manifest, canonical, {"m.skops": Digest("sha256:0")}, tmp_path, {})
    assert sha256_digest(release_document(made)) == made.digest
    assert read_release(release_document(made)).model_digest == "sha256:0"


def test_the_keyring_of_a_workspace_is_the_one_the_gateway_pins(home):
    assert Keyring.open(home).trusted == read_trusted(home)
