"""What runs against what the ledger permits."""

from dataclasses import replace

from guiderail.rollout.reconcile import Permitted, differences
from guiderail.rollout.status import ArmStatus, GatewayStatus, RefusedArm, WorkloadStatus

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
ARM = ArmStatus(A, 100, 100, "p-a", canary=False, running=True, restarts=0, tripped=None)
RUNS = WorkloadStatus("credit", "current", None, "sha256:0", (ARM,), ())
LEDGER = Permitted("credit", {A: 100}, {"p-a": A})


def found(runs, ledger=LEDGER, running=True):
    status = GatewayStatus(running=running, workloads=(runs,) if running else ())
    return [(row.kind, row.severe) for row in differences(status, [ledger])]


def test_nothing_differs_when_exactly_what_is_permitted_runs():
    assert found(RUNS) == []


def test_a_version_without_a_permit_is_ungoverned_and_severe():
    assert found(RUNS, Permitted("credit", {}, {})) == [("ungoverned", True)]


def test_a_workload_that_the_ledger_does_not_know_is_ungoverned():
    status = GatewayStatus(running=True, workloads=(RUNS,))
    assert [row.kind for row in differences(status, [])] == ["ungoverned"]


def test_a_permit_id_of_another_digest_does_not_cover_this_one():
    assert found(RUNS, Permitted("credit", {A: 100}, {"p-a": B})) == [("ungoverned", True)]


def test_a_permit_that_was_taken_back_is_severe():
    assert found(RUNS, Permitted("credit", {A: 100}, {"p-new": A})) == [("revoked", True)]


def test_more_traffic_than_recorded_is_severe_and_less_is_not():
    canary = Permitted("credit", {A: 10}, {"p-a": A})
    assert found(RUNS, canary) == [("weight", True)]
    less = replace(RUNS, arms=(replace(ARM, share=90),))
    assert found(less) == [("weight", False)]


def test_what_should_run_and_does_not_is_missing():
    both = Permitted("credit", {A: 90, B: 10}, {"p-a": A, "p-b": B})
    assert found(RUNS, both) == [("weight", True), ("missing", False)]


def test_an_open_breaker_and_a_refusal_are_told():
    tripped = replace(
        RUNS,
        arms=(replace(ARM, tripped="5 requests in a row failed", share=0),),
        refused=(RefusedArm(B, "permit/expired", "it expired"),),
        control="kept",
        control_reason="The desired state is refused.",
    )
    assert found(tripped) == [("breaker", False), ("refused", False), ("kept", False)]


def test_a_gateway_that_is_down_is_told_only_where_something_should_run():
    assert found(RUNS, running=False) == [("gateway-down", False)]
    assert found(RUNS, Permitted("credit", {}, {}), running=False) == []
