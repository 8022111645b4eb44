"""Deploying: steps, pause, abort and breaker, with a real gateway on this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from guiderail.core.errors import ConflictError, RefusedError
from guiderail.ledger.read import entries
from guiderail.review.cases import Case
from guiderail.review.states import State
from guiderail.rollout.local import LocalTarget
from guiderail.service import deploy as use_case
from guiderail.service import roll_back as roll_back_module
from guiderail.service.deploy import Step, abort, advance, deploy, pause
from guiderail.service.gate import gate
from guiderail.service.roll_back import roll_back
from guiderail.service.status import list_workloads, start_gateway
from guiderail.service.traffic import target
from tests.service import parcels
from tests.service.depot import WORKLOAD, Depot


def digest(release: Path) -> str:
    return parcels.load_release(release).digest


def test_a_green_release_goes_through_its_steps_to_all_of_the_traffic(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.green).case
    told: list[Step] = []
    slept: list[float] = []
    last = deploy(live_depot.acting(), case.id, told=told.append, sleep=slept.append)
    assert [(step.percent, step.state) for step in told] == [
        (10, "rolling"),
        (50, "rolling"),
        (100, "rolling"),
        (100, "live"),
    ]
    assert slept == [0, 0, 0]
    assert last.url is not None
    assert live_depot.ask() == (200, case.release_digest)
    assert live_depot.case("case-0001").state is State.RETIRED
    assert live_depot.event_types()[-4:] == [
        "rollout.started",
        "rollout.step",
        "rollout.step",
        "rollout.finished",
    ]
    (line,) = list_workloads(live_depot.acting())
    assert (line.production_version, line.previous_version, line.rollout) == ("v2", "v1", None)
    with live_depot.acting().store.read() as snapshot:
        recorded = [entry.payload for entry in entries(snapshot, case=case.id)][-3:]
    served = target(live_depot.acting()).observed(WORKLOAD)
    assert served is not None
    for payload in recorded:
        assert payload is not None
        assert payload["isolation"] == served.arms[0].isolation, "what the server reached is kept"


def test_one_step_splits_the_traffic_and_everybody_keeps_their_side(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.green).case
    step = deploy(live_depot.acting(), case.id, one_step=True)
    assert (step.number, step.of, step.percent, step.state) == (1, 3, 10, "rolling")
    old, new = digest(live_depot.releases.first), case.release_digest
    assert live_depot.served() == {old: 90, new: 10}
    first = [live_depot.ask(f"parcel-{n}") for n in range(60)]
    assert {release for _, release in first} == {old, new}
    again = [live_depot.ask(f"parcel-{n}") for n in range(60)]
    assert again == first
    advance(live_depot.acting(), WORKLOAD)
    assert live_depot.served() == {old: 50, new: 50}


def test_a_paused_rollout_holds_its_share_until_it_goes_on(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.green).case
    deploy(live_depot.acting(), case.id, one_step=True)
    assert pause(live_depot.acting(), WORKLOAD).state == "paused"
    assert live_depot.served()[case.release_digest] == 10
    with pytest.raises(RefusedError, match="it is paused"):
        deploy(live_depot.acting(), case.id)
    resumed = advance(live_depot.acting(), WORKLOAD)
    assert (resumed.state, resumed.percent) == ("rolling", 10)
    assert deploy(live_depot.acting(), case.id).state == "live"


def test_an_aborted_rollout_gives_everybody_back_and_takes_the_permit(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.green).case
    deploy(live_depot.acting(), case.id, one_step=True)
    step = abort(live_depot.acting(), WORKLOAD, "complaints")
    assert (step.state, step.percent) == ("aborted", 0)
    assert live_depot.served() == {digest(live_depot.releases.first): 100}
    assert live_depot.case("case-0001").state is State.LIVE
    assert gate(live_depot.acting(), live_depot.releases.green, None)["allowed"] is False
    assert live_depot.event_types()[-2:] == ["permit.revoked", "rollout.aborted"]
    again = live_depot.submit(live_depot.releases.green).case
    assert again.state is State.PERMITTED
    assert deploy(live_depot.acting(), again.id).state == "live"


def test_a_tripped_breaker_aborts_the_rollout_at_its_next_step(
    live_depot: Depot, tmp_path: Path
) -> None:
    directory = parcels.variant(
        live_depot.releases.yellow,
        tmp_path / "halves",
        {"rollout": {"steps": [50, 100], "hold_seconds": 0}},
    )
    case = live_depot.submit(directory).case
    live_depot.approve(case.id, "emil")
    deploy(live_depot.acting(), case.id, one_step=True)
    # The callers do not send the new feature: the new version refuses request after request.
    for number in range(80):
        live_depot.ask(f"parcel-{number}", without=parcels.APPROVED)
    with pytest.raises(ConflictError) as refusal:
        advance(live_depot.acting(), WORKLOAD)
    assert refusal.value.code == "rollout/breaker"
    assert "could not use the inputs" in refusal.value.what
    assert live_depot.case(case.id).state is State.ABORTED
    assert live_depot.served() == {digest(live_depot.releases.first): 100}


def test_a_model_of_scikit_learn_is_deployed_and_answers(live_depot: Depot, tmp_path: Path) -> None:
    import pandas as pd
    import skops.io
    from sklearn.linear_model import LogisticRegression

    release = parcels.copy(live_depot.releases.green, tmp_path / "skops")
    table = pd.read_csv(release / "training.csv")
    model = LogisticRegression().fit(table[list(parcels.INPUTS)], table["urgent"])
    skops.io.dump(model, release / "model.skops")
    parcels.edit(release, {"model": {"file": "model.skops"}})
    parcels.report(release)
    live_depot.make_live(release)
    assert live_depot.ask() == (200, digest(release))
    assert live_depot.served() == {digest(release): 100}


def test_the_target_refuses_bytes_that_were_changed_after_the_permit(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.green).case
    live_depot.stop()
    folder = live_depot.acting().releases / case.release_digest.removeprefix("sha256:")
    model = folder / parcels.MODEL
    model.chmod(0o600)
    model.write_bytes((live_depot.releases.tree / parcels.MODEL).read_bytes())
    with pytest.raises(RefusedError):
        deploy(live_depot.acting(), case.id)
    assert live_depot.case(case.id).state is State.ABORTED
    assert live_depot.served() == {digest(live_depot.releases.first): 100}


def test_a_permit_that_was_not_used_in_time_starts_nothing(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.green).case
    live_depot.clock.days = 15
    with pytest.raises(RefusedError, match="time to start ended"):
        deploy(live_depot.acting(), case.id)
    assert live_depot.case(case.id).state is State.PERMITTED
    assert "rollout.started" not in live_depot.event_types()[-2:]


@pytest.mark.parametrize("person", ["rita", "dora"])
def test_who_neither_submitted_nor_runs_the_platform_moves_nothing(
    live_depot: Depot, person: str
) -> None:
    case = live_depot.submit(live_depot.releases.green).case
    with pytest.raises(RefusedError) as refusal:
        deploy(live_depot.acting(person), case.id)
    assert refusal.value.code == "authz/deploy-role"
    assert live_depot.case(case.id).state is State.PERMITTED


def test_what_is_live_is_not_deployed_again_and_nothing_else_advances(live_depot: Depot) -> None:
    with pytest.raises(ConflictError) as refusal:
        deploy(live_depot.acting(), "case-0001")
    assert refusal.value.code == "deploy/live"
    for move in (advance, pause):
        with pytest.raises(ConflictError, match="no rollout"):
            move(live_depot.acting(), WORKLOAD)
    with pytest.raises(ConflictError, match="no rollout"):
        abort(live_depot.acting(), WORKLOAD, "just so")


def test_a_gateway_that_starts_again_serves_what_it_served_last(two_versions: Depot) -> None:
    assert start_gateway(two_versions.acting()).running
    assert two_versions.ask() == (200, digest(two_versions.releases.green))


class PowerCutError(Exception):
    """The process dies here."""


def cut(*_: object) -> None:
    raise PowerCutError


def abort_dies_before_the_target_is_told(
    depot: Depot, release: Path, monkeypatch: pytest.MonkeyPatch
) -> Case:
    case = depot.submit(release).case
    deploy(depot.acting(), case.id, one_step=True)
    with monkeypatch.context() as patched:
        patched.setattr(use_case, "apply", cut)
        with pytest.raises(PowerCutError):
            abort(depot.acting(), WORKLOAD, "complaints")
    assert depot.case(case.id).state is State.ABORTED
    assert case.release_digest in depot.served()
    return case


@pytest.mark.parametrize("command", ["abort", "advance", "deploy", "rollback"])
def test_an_abort_that_died_before_the_target_was_told_is_mended_by_the_next_command(
    live_depot: Depot, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    case = abort_dies_before_the_target_is_told(live_depot, live_depot.releases.green, monkeypatch)
    acting = live_depot.acting()
    commands: dict[str, Callable[[], object]] = {
        "abort": lambda: abort(acting, WORKLOAD, "complaints"),
        "advance": lambda: advance(acting, WORKLOAD),
        "deploy": lambda: deploy(acting, case.id),
        "rollback": lambda: roll_back(acting, WORKLOAD),
    }
    with pytest.raises((ConflictError, RefusedError)) as refusal:
        commands[command]()
    assert refusal.value.code in ("rollout/none", "deploy/no-permit", "rollback/first")
    first = digest(live_depot.releases.first)
    assert live_depot.served() == {first: 100}
    assert live_depot.ask() == (200, first)
    assert len(target(acting).state().revoked) == 1


def test_switching_off_again_ends_a_first_release_whose_abort_died(
    new_depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = new_depot.submit(new_depot.releases.first).case
    if not new_depot.profile_confirmed(case.id):
        case = new_depot.confirm(case.id)
    new_depot.approve_all(case.id)
    deploy(new_depot.acting(), case.id, one_step=True)
    with monkeypatch.context() as patched:
        patched.setattr(use_case, "apply", cut)
        with pytest.raises(PowerCutError):
            abort(new_depot.acting(), WORKLOAD, "complaints")
    assert new_depot.ask() == (200, case.release_digest)
    with pytest.raises(ConflictError, match="already serves nothing"):
        roll_back(new_depot.acting(), WORKLOAD, "off")
    assert new_depot.served() == {}
    assert new_depot.ask()[0] == 503


def test_an_abort_that_dies_while_the_target_is_told_has_already_revoked(
    live_depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = live_depot.submit(live_depot.releases.green).case
    deploy(live_depot.acting(), case.id, one_step=True)
    with monkeypatch.context() as patched:
        patched.setattr(LocalTarget, "apply", lambda *_, **__: cut())
        with pytest.raises(PowerCutError):
            abort(live_depot.acting(), WORKLOAD, "complaints")
    assert live_depot.served().get(case.release_digest, 0) == 0
    answers = {live_depot.ask(f"parcel-{number}") for number in range(40)}
    assert answers == {(200, digest(live_depot.releases.first))}


def test_nothing_is_deployed_while_an_interrupted_rollback_is_under_way(
    two_versions: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = two_versions.submit(two_versions.releases.yellow).case
    two_versions.approve(case.id, "emil")
    with monkeypatch.context() as patched:
        patched.setattr(roll_back_module, "apply", cut)
        with pytest.raises(PowerCutError):
            roll_back(two_versions.acting(), WORKLOAD)
    commands: tuple[Callable[[], object], ...] = (
        lambda: deploy(two_versions.acting(), case.id),
        lambda: advance(two_versions.acting(), WORKLOAD),
    )
    for command in commands:
        with pytest.raises(ConflictError) as refusal:
            command()
        assert refusal.value.code == "rollout/under-way"
        assert f"guiderail rollback {WORKLOAD}" in refusal.value.advice
    assert two_versions.case(case.id).state is State.PERMITTED
    assert roll_back(two_versions.acting(), WORKLOAD).to_version == "v1"
    assert deploy(two_versions.acting(), case.id).state == "live"
