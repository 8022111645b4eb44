"""A permit that was taken back opens no door, here or at a target that is told later."""

from __future__ import annotations

from pathlib import Path

import pytest

from guiderail.core.errors import ConflictError, GuiderailError, InputError, RefusedError
from guiderail.manifest.load import load_release
from guiderail.service.deploy import deploy
from guiderail.service.gate import gate
from guiderail.service.key_changes import retire, rotate
from guiderail.service.permit_commands import revoke, state, state_document
from guiderail.service.permits import permit_of_release
from guiderail.service.roll_back import roll_back
from guiderail.service.traffic import target
from tests.service.depot import SUBMITTER, WORKLOAD, Depot

REASON = "The test data were wrong."


def digest(release: Path) -> str:
    return load_release(release).digest


def permit_id(depot: Depot, release: Path) -> str:
    with depot.acting().store.read() as snapshot:
        found = permit_of_release(snapshot, WORKLOAD, digest(release))
    assert found is not None
    return found.id


def code_of(call: object, *arguments: object, **more: object) -> str:
    with pytest.raises(GuiderailError) as caught:
        call(*arguments, **more)  # type: ignore[operator]
    return caught.value.code


def test_a_permit_that_was_taken_back_starts_nothing(live_depot: Depot) -> None:
    release = live_depot.releases.green
    case = live_depot.submit(release).case
    permit = permit_id(live_depot, release)
    before = live_depot.event_types()
    revoke(live_depot.acting(), permit, REASON)
    assert live_depot.event_types()[len(before) :] == ["permit.revoked"]
    with pytest.raises((ConflictError, RefusedError)):
        deploy(live_depot.acting(), case.id)
    assert gate(live_depot.acting(), release, digest(release))["allowed"] is False
    held = target(live_depot.acting()).state()
    assert held is not None
    assert held.revoked == {permit}
    assert code_of(revoke, live_depot.acting(), permit, REASON) == "permit/revoked"


def test_who_may_take_a_permit_back(live_depot: Depot) -> None:
    live_depot.submit(live_depot.releases.green)
    permit = permit_id(live_depot, live_depot.releases.green)
    assert code_of(revoke, live_depot.acting("xenia"), permit, REASON) == "authz/revoke-role"
    assert code_of(revoke, live_depot.acting(), permit, " ") == "permit/no-reason"
    assert code_of(revoke, live_depot.acting(), "permit-none", REASON) == "permit/unknown"
    revoke(live_depot.acting("rita"), permit, REASON)


def test_what_serves_production_is_stopped_only_on_purpose(live_depot: Depot) -> None:
    release = live_depot.releases.first
    permit = permit_id(live_depot, release)
    assert code_of(revoke, live_depot.acting(SUBMITTER), permit, REASON) == "permit/serves"
    from guiderail.service.status import start_gateway

    start_gateway(live_depot.acting())
    assert live_depot.ask()[0] == 200
    revoke(live_depot.acting(SUBMITTER), permit, REASON, stop_serving=True)
    assert live_depot.ask()[0] == 503


def test_going_back_needs_no_new_permit_even_if_the_keys_of_the_old_one_were_retired(
    two_versions: Depot,
) -> None:
    first = two_versions.releases.first
    rotate(two_versions.acting(), ["checkpoint", "permit"])
    retire(two_versions.acting())
    assert roll_back(two_versions.acting("edda"), WORKLOAD).to_version == "v1"
    assert two_versions.served() == {digest(first): 100}


def test_a_target_refuses_an_older_state_and_one_that_nobody_signed(
    live_depot: Depot, tmp_path: Path
) -> None:
    release = live_depot.releases.green
    live_depot.submit(release)
    old = state(live_depot.acting())
    revoke(live_depot.acting(), permit_id(live_depot, release), REASON)
    new = state(live_depot.acting())
    assert state_document(live_depot.acting(), new)["version"] == 2
    local = target(live_depot.acting())
    assert code_of(local.take_state, old) == "state/older"
    assert code_of(local.take_state, b"{}") == "dsse/bad-envelope"
    path = tmp_path / "state.json"
    path.write_bytes(old + b"\n")
    assert code_of(gate, live_depot.acting(), release, digest(release), path) == "state/older"
    path.write_bytes(new + b"\n")
    answer = gate(live_depot.acting(), release, digest(release), path)
    assert (answer["allowed"], "taken back" in answer["reason"]) == (False, True)
    missing = tmp_path / "none.json"
    assert code_of(gate, live_depot.acting(), release, None, missing) == "state/unreadable"


def test_the_state_is_issued_when_it_says_something_new_and_on_demand(
    live_depot: Depot,
) -> None:
    first = state(live_depot.acting())
    assert state(live_depot.acting()) == first
    live_depot.clock.days = 4
    renewed = state(live_depot.acting())
    assert state_document(live_depot.acting(), renewed)["version"] == 2
    assert state_document(live_depot.acting(), renewed)["revoked"] == []


def test_a_workspace_may_require_a_valid_state(live_depot: Depot) -> None:
    release = live_depot.releases.green
    live_depot.submit(release)
    settings = live_depot.home / "workspace.yaml"
    settings.write_text(settings.read_text() + "require_permit_state: true\n")
    from guiderail.service.workspace import open_workspace

    def place() -> object:
        return open_workspace(live_depot.root, clock=live_depot.clock)

    answer = gate(place(), release, digest(release))  # type: ignore[arg-type]
    assert (answer["allowed"], "state of permits" in answer["reason"]) == (False, True)
    target(live_depot.acting()).take_state(state(live_depot.acting()))
    assert gate(place(), release, digest(release))["allowed"] is True  # type: ignore[arg-type]
    live_depot.clock.days = 8
    answer = gate(place(), release, digest(release))  # type: ignore[arg-type]
    assert (answer["allowed"], "was valid until" in answer["reason"]) == (False, True)


def test_an_unknown_input_is_no_state(live_depot: Depot) -> None:
    target(live_depot.acting()).folder.root.mkdir(parents=True, exist_ok=True)
    target(live_depot.acting()).folder.permit_state.write_bytes(b"[]")
    with pytest.raises(InputError) as caught:
        gate(live_depot.acting(), live_depot.releases.first, None)
    assert caught.value.code == "target/state-unreadable"
