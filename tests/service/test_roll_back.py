"""Going back: the plan first, then the move, and everything that must not be possible."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from guiderail.core.errors import ConflictError, InputError, RefusedError
from guiderail.core.interval import Interval
from guiderail.facts.fact import Unknown
from guiderail.review.states import State
from guiderail.rollout.plan import RollbackPlan
from guiderail.service import roll_back as use_case
from guiderail.service.deploy import deploy
from guiderail.service.roll_back import plan, roll_back
from guiderail.service.status import list_workloads, start_gateway
from guiderail.service.traffic import target
from guiderail.service.withdraw import withdraw
from tests.service import parcels
from tests.service.depot import WORKLOAD, Depot


def digest(release: Path) -> str:
    return parcels.load_release(release).digest


def test_the_plan_shows_contract_flips_and_teams_and_moves_nothing(two_versions: Depot) -> None:
    start_gateway(two_versions.acting())
    events, served = two_versions.event_types(), two_versions.served()
    proposal = plan(two_versions.acting(), WORKLOAD)
    assert proposal.contract.fits is True
    assert isinstance(proposal.flips, Interval)
    assert 0 <= proposal.flips.low <= proposal.flips.value <= proposal.flips.high <= 100
    assert proposal.tell == ("belt-team", "night-shift")
    assert proposal.to_digest == digest(two_versions.releases.first)
    assert any("belt-team" in sentence for sentence in proposal.sentences)
    assert (two_versions.event_types(), two_versions.served()) == (events, served)


def test_going_back_restores_the_version_before_and_twice_is_not_forward(
    two_versions: Depot,
) -> None:
    done = roll_back(two_versions.acting(), WORKLOAD)
    first = digest(two_versions.releases.first)
    assert done.to_version == "v1"
    assert two_versions.ask() == (200, first)
    assert two_versions.served() == {first: 100}
    assert two_versions.case("case-0001").state is State.LIVE
    assert two_versions.case("case-0002").state is State.ROLLED_BACK
    assert two_versions.event_types()[-2:] == ["rollback.started", "rollback.finished"]
    (line,) = list_workloads(two_versions.acting())
    assert (line.production_version, line.rollout) == ("v1", None)
    with pytest.raises(ConflictError) as refusal:
        roll_back(two_versions.acting(), WORKLOAD)
    assert refusal.value.code == "rollback/already"
    again = roll_back(two_versions.acting(), WORKLOAD, "v2")
    assert again.to_version == "v2"
    assert two_versions.case("case-0002").state is State.LIVE


def test_a_real_rollback_counts_as_a_rehearsal(two_versions: Depot) -> None:
    roll_back(two_versions.acting(), WORKLOAD)
    submitted = two_versions.submit(two_versions.releases.yellow)
    days = submitted.facts["rollback.rehearsed_days"].value
    assert isinstance(days, float | int)
    assert days < 1


def test_off_serves_nobody_and_a_version_may_come_back(two_versions: Depot) -> None:
    proposal = plan(two_versions.acting(), WORKLOAD, "off")
    assert isinstance(proposal.flips, Unknown)
    assert roll_back(two_versions.acting(), WORKLOAD, "off").to_version == "off"
    assert two_versions.ask()[0] == 503
    assert two_versions.case("case-0002").state is State.ROLLED_BACK
    with pytest.raises(ConflictError, match="already serves nothing"):
        roll_back(two_versions.acting(), WORKLOAD, "off")
    assert roll_back(two_versions.acting(), WORKLOAD, "v2").to_version == "v2"
    assert two_versions.ask() == (200, digest(two_versions.releases.green))


def test_a_release_that_never_had_a_permit_is_refused(two_versions: Depot) -> None:
    case = two_versions.submit(two_versions.releases.yellow).case
    events = two_versions.event_types()
    for name in (case.release_digest, "v3", "sha256:" + "0" * 64, "v99"):
        with pytest.raises(RefusedError) as refusal:
            roll_back(two_versions.acting(), WORKLOAD, name)
        assert refusal.value.code == "rollback/target"
    assert two_versions.event_types() == events


def test_a_release_whose_permit_was_never_used_cannot_slip_in(two_versions: Depot) -> None:
    case = two_versions.submit(two_versions.releases.yellow).case
    two_versions.approve(case.id, "emil")
    with pytest.raises(RefusedError, match="ran under a permit"):
        roll_back(two_versions.acting(), WORKLOAD, case.release_digest)
    withdraw(two_versions.acting(), case.id)
    with pytest.raises(RefusedError, match="ran under a permit"):
        roll_back(two_versions.acting(), WORKLOAD, case.release_digest)
    (line,) = list_workloads(two_versions.acting())
    assert (line.production_version, line.rollout) == ("v2", None)


def test_an_older_version_that_no_longer_fits_is_refused(live_depot: Depot, tmp_path: Path) -> None:
    live_depot.make_live(live_depot.releases.yellow)
    live_depot.make_live(live_depot.releases.green)
    fewer = [{"name": name, "type": "number"} for name in parcels.INPUTS]
    newest = parcels.copy(live_depot.releases.green, tmp_path / "narrow")
    (newest / "features.yaml").write_text(yaml.safe_dump(fewer), encoding="utf-8")
    parcels.edit(newest, {"version": "v7", "rollout": {"steps": [100]}})
    parcels.report(newest)
    live_depot.make_live(newest)
    assert plan(live_depot.acting(), WORKLOAD).allowed is True
    proposal = plan(live_depot.acting(), WORKLOAD, "v3")
    assert proposal.allowed is False
    assert parcels.APPROVED in proposal.contract.sentence
    events = live_depot.event_types()
    with pytest.raises(RefusedError) as refusal:
        roll_back(live_depot.acting(), WORKLOAD, "v3")
    assert refusal.value.code == "rollback/contract"
    assert live_depot.event_types() == events


def test_there_is_no_way_back_from_a_first_release_but_off(live_depot: Depot) -> None:
    with pytest.raises(ConflictError) as refusal:
        plan(live_depot.acting(), WORKLOAD)
    assert refusal.value.code == "rollback/first"
    assert "--to off" in refusal.value.advice


def test_nobody_goes_back_during_a_rollout(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.green).case
    deploy(live_depot.acting(), case.id, one_step=True)
    with pytest.raises(ConflictError) as refusal:
        roll_back(live_depot.acting(), WORKLOAD, "off")
    assert refusal.value.code == "rollback/rolling"
    assert "rollout abort" in refusal.value.advice


def test_an_unknown_workload_is_named(live_depot: Depot) -> None:
    with pytest.raises(InputError, match="no workload 'parcel-urgncy'"):
        plan(live_depot.acting(), "parcel-urgncy")


def test_who_may_not_deploy_may_not_go_back(two_versions: Depot) -> None:
    events = two_versions.event_types()
    with pytest.raises(RefusedError) as refusal:
        roll_back(two_versions.acting("dora"), WORKLOAD)
    assert refusal.value.code == "authz/deploy-role"
    assert two_versions.event_types() == events


def test_a_rollback_that_was_interrupted_is_finished_by_the_same_command(
    two_versions: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PowerCutError(Exception):
        pass

    def cut(*_: object) -> None:
        raise PowerCutError

    with monkeypatch.context() as patched:
        patched.setattr(use_case, "apply", cut)
        with pytest.raises(PowerCutError):
            roll_back(two_versions.acting(), WORKLOAD)
    (line,) = list_workloads(two_versions.acting())
    assert line.rollout is not None
    assert line.rollout.kind == "rollback"
    assert roll_back(two_versions.acting(), WORKLOAD).to_version == "v1"
    assert two_versions.served() == {digest(two_versions.releases.first): 100}
    assert two_versions.event_types().count("rollback.started") == 1


def test_a_deployment_that_finishes_first_is_not_undone_by_an_older_plan(
    two_versions: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan is from v2 to v1; before it begins, v3 goes live."""
    case = two_versions.submit(two_versions.releases.yellow).case
    two_versions.approve(case.id, "emil")

    def slow_plan(*arguments: Any) -> RollbackPlan:
        made = plan(*arguments)
        deploy(two_versions.acting(), case.id)
        return made

    monkeypatch.setattr(use_case, "plan", slow_plan)
    with pytest.raises(ConflictError) as refusal:
        roll_back(two_versions.acting(), WORKLOAD)
    assert refusal.value.code == "rollback/moved"
    assert two_versions.served() == {case.release_digest: 100}
    assert "rollback.started" not in two_versions.event_types()


def test_a_rollout_that_began_meanwhile_is_not_taken_for_the_rollback(
    two_versions: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = two_versions.submit(two_versions.releases.yellow).case
    two_versions.approve(case.id, "emil")

    def slow_plan(*arguments: Any) -> RollbackPlan:
        made = plan(*arguments)
        deploy(two_versions.acting(), case.id, one_step=True)
        return made

    monkeypatch.setattr(use_case, "plan", slow_plan)
    with pytest.raises(ConflictError) as refusal:
        roll_back(two_versions.acting(), WORKLOAD)
    assert refusal.value.code == "rollout/under-way"
    assert "rollout abort" in refusal.value.advice
    assert two_versions.case(case.id).state is State.ROLLING
    assert two_versions.case("case-0002").state is State.LIVE


def test_a_rollback_never_ends_what_somebody_else_began_after_it(
    two_versions: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the target is told, somebody finishes the same rollback and deploys v3."""
    case = two_versions.submit(two_versions.releases.yellow).case
    two_versions.approve(case.id, "emil")

    def overtaken(*arguments: Any) -> None:
        monkeypatch.undo()
        roll_back(two_versions.acting(), WORKLOAD)
        deploy(two_versions.acting(), case.id, one_step=True)

    monkeypatch.setattr(use_case, "apply", overtaken)
    with pytest.raises(ConflictError) as refusal:
        roll_back(two_versions.acting(), WORKLOAD)
    assert refusal.value.code == "rollback/finished"
    assert two_versions.case(case.id).state is State.ROLLING
    assert two_versions.event_types().count("rollback.finished") == 1


def test_a_rollback_that_the_target_refuses_does_not_stay_in_the_way(
    two_versions: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = digest(two_versions.releases.first)
    model = two_versions.acting().releases / first.removeprefix("sha256:") / parcels.MODEL
    before = model.read_bytes()
    start_gateway(two_versions.acting())

    def plan_before_the_bytes_change(*arguments: Any) -> RollbackPlan:
        made = plan(*arguments)
        model.chmod(0o600)
        model.write_bytes(before + b" ")
        return made

    with monkeypatch.context() as patched:
        patched.setattr(use_case, "plan", plan_before_the_bytes_change)
        with pytest.raises(RefusedError):
            roll_back(two_versions.acting(), WORKLOAD)
    model.write_bytes(before)
    (line,) = list_workloads(two_versions.acting())
    assert (line.production_version, line.rollout) == ("v2", None)
    assert two_versions.event_types()[-1] == "rollout.aborted"
    assert two_versions.served() == {digest(two_versions.releases.green): 100}
    assert roll_back(two_versions.acting(), WORKLOAD).to_version == "v1"


def test_a_case_that_is_withdrawn_or_void_is_revoked_at_the_target_too(
    live_depot: Depot, tmp_path: Path
) -> None:
    start_gateway(live_depot.acting())
    directory = parcels.copy(live_depot.releases.green, tmp_path / "changing")
    case = live_depot.submit(directory).case
    withdraw(live_depot.acting(), case.id)
    assert len(target(live_depot.acting()).state().revoked) == 1
    case = live_depot.submit(directory).case
    assert case.state is State.PERMITTED
    (directory / "features.yaml").write_text("[]\n", encoding="utf-8")
    with pytest.raises(RefusedError):
        deploy(live_depot.acting(), case.id)
    assert live_depot.case(case.id).state is State.VOID
    assert len(target(live_depot.acting()).state().revoked) == 2
