"""The local target as people meet it: real gateways, real model servers, real permits."""

import json
import math
import os
import signal
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.client import HTTPConnection
from pathlib import Path

import pytest
from releases import (
    WORKLOAD,
    ask,
    eventually,
    is_alive,
    mlflow_directory,
    permitted,
    release,
    taken_back,
)

from guiderail.core.errors import ConflictError, RefusedError
from guiderail.rollout.desired import Desired, desired_bytes
from guiderail.rollout.folder import write_atomically
from guiderail.rollout.gateway.breaker_file import read_trips
from guiderail.rollout.local import LocalTarget


def split(home, versions, canary=10, new="v2", **changes):
    """v1 with the rest of the traffic, the new version as a canary."""
    old = permitted(home, versions.v1, weight=100 - canary)
    arm = permitted(home, getattr(versions, new), weight=canary, **changes)
    return [old, replace(arm, canary=True)]


def unit_of(target, digest):
    """A unit that the split gives to one version."""
    port = target.gateway_status().port
    return next(unit for unit in map(str, range(5_000)) if ask(port, unit).release == digest)


def serves(target, *digests):
    row = target.observed(WORKLOAD)
    return row is not None and {arm.digest for arm in row.arms} == set(digests)


def all_running(target):
    row = target.observed(WORKLOAD)
    return row is not None and bool(row.arms) and all(arm.running for arm in row.arms)


def test_it_starts_closed_and_says_what_to_do(target):
    reply = ask(target.gateway_status().port)
    assert reply.status == 503
    assert reply.body["code"] == "gateway/no-release"
    assert reply.headers["content-type"] == "application/problem+json"
    assert target.observed(WORKLOAD) is None


def test_a_permitted_version_answers_in_isolation_and_is_recorded(target, home, versions):
    target.apply(WORKLOAD, [permitted(home, versions.skops)])
    reply = ask(target.gateway_status().port, "anna@example.org")
    assert reply.status == 200
    assert reply.release == versions.skops.digest
    assert reply.body["decision"] == "good"
    (arm,) = target.observed(WORKLOAD).arms
    assert (arm.share, arm.running, arm.restarts) == (100, True, 0)
    (counted,) = target.decisions(WORKLOAD)
    assert counted.digest == versions.skops.digest
    assert counted.by_decision == {"good": 1}
    target.stop_gateway()
    assert b"anna" not in target.folder.decisions.read_bytes()


def test_a_directory_of_mlflow_is_served_behind_the_same_walls(target, home, versions):
    version = release(home, mlflow_directory(home, versions.v1.model))
    target.apply(WORKLOAD, [permitted(home, version)])
    reply = ask(target.gateway_status().port)
    assert (reply.status, reply.release) == (200, version.digest)
    assert reply.body["decision"] == "good"


def test_malformed_and_unusable_requests_come_back_as_such_and_are_recorded(target, home, versions):
    target.apply(WORKLOAD, [permitted(home, versions.v1)])
    port = target.gateway_status().port
    assert ask(port, body=b"{").status == 400
    assert ask(port, inputs={"income": 1}).status == 422
    assert ask(port, body=b" " * (5 << 20)).status == 413
    many = ask(port, body=json.dumps([{"inputs": {"income": 3, "debt": 0}}] * 7).encode())
    assert len(many.body["predictions"]) == 7
    (counted,) = target.decisions(WORKLOAD)
    assert (counted.answered, counted.refused, counted.failed) == (7, 2, 0)


def test_the_split_is_sticky_recorded_and_within_binomial_bounds(target, home, versions):
    target.apply(WORKLOAD, split(home, versions, canary=10))
    port = target.gateway_status().port
    units = [f"unit-{number}" for number in range(400)]
    first = [ask(port, unit).release for unit in units]
    assert [ask(port, unit).release for unit in units] == first
    new = first.count(versions.v2.digest)
    assert abs(new - 40) < 5 * math.sqrt(400 * 0.1 * 0.9)
    counted = {row.digest: row.answered for row in target.decisions(WORKLOAD)}
    assert counted == {versions.v2.digest: 2 * new, versions.v1.digest: 2 * (400 - new)}

    target.apply(WORKLOAD, split(home, versions, canary=50))
    grown = [ask(port, unit).release for unit in units]
    assert all(
        now == versions.v2.digest
        for before, now in zip(first, grown, strict=True)
        if before == versions.v2.digest
    )


def test_an_input_may_be_the_unit(target, home, versions):
    target.apply(WORKLOAD, split(home, versions, canary=50), unit="customer")
    port = target.gateway_status().port
    by_customer = {
        customer: {
            ask(port, inputs={"income": n, "debt": 0, "customer": customer}).release
            for n in range(4)
        }
        for customer in range(12)
    }
    assert all(len(releases) == 1 for releases in by_customer.values())
    assert len(set.union(*by_customer.values())) == 2


def test_a_refused_version_keeps_what_runs_and_says_why(target, home, versions):
    target.apply(WORKLOAD, [permitted(home, versions.v1)])
    before = target.folder.desired(WORKLOAD).read_bytes()
    arms = split(home, versions)
    arms[1].permit_file.unlink()
    with pytest.raises(RefusedError, match="permit cannot be read") as refused:
        target.apply(WORKLOAD, arms)
    assert refused.value.code == "permit/missing"
    assert serves(target, versions.v1.digest)
    assert target.observed(WORKLOAD).control == "current"
    assert target.folder.desired(WORKLOAD).read_bytes() == before
    assert ask(target.gateway_status().port).release == versions.v1.digest


def test_a_first_version_without_a_permit_leaves_the_door_closed(target, home, versions):
    arm = permitted(home, versions.v1)
    arm.permit_file.write_bytes(arm.permit_file.read_bytes()[:-2] + b"}")
    with pytest.raises(RefusedError):
        target.apply(WORKLOAD, [arm])
    assert ask(target.gateway_status().port).status == 503
    assert not target.folder.desired(WORKLOAD).exists()


def test_a_permit_with_a_small_share_never_gets_more(target, home, versions):
    arms = split(home, versions, canary=10, highest_share=Decimal("0.1"))
    target.apply(WORKLOAD, arms)
    with pytest.raises(RefusedError, match="more than the 10 %"):
        target.apply(WORKLOAD, split(home, versions, canary=20, highest_share=Decimal("0.1")))
    port = target.gateway_status().port
    unit = unit_of(target, versions.v1.digest)
    os.kill(target.observed(WORKLOAD).arm(versions.v1.digest).pid, signal.SIGKILL)
    away = ask(port, unit)
    assert (away.status, away.body["code"]) == (503, "gateway/away")
    eventually(lambda: ask(port, unit).release == versions.v1.digest, "v1 answers again")
    assert {row.elsewhere for row in target.decisions(WORKLOAD)} == {0}


def test_doing_it_twice_is_doing_it_once(target, home, versions):
    arms = split(home, versions)
    target.apply(WORKLOAD, arms)
    before = target.observed(WORKLOAD)
    target.apply(WORKLOAD, arms)
    assert target.observed(WORKLOAD) == before
    assert target.start_gateway().pid == target.gateway_status().pid


def test_going_back_with_an_expired_permit_takes_its_restore_flag(target, home, versions):
    past = datetime.now(UTC) - timedelta(days=30)
    expired = permitted(home, versions.v1, issued_at=past, start_until=past + timedelta(days=1))
    target.apply(WORKLOAD, [permitted(home, versions.v2)])
    with pytest.raises(RefusedError) as refused:
        target.apply(WORKLOAD, [expired])
    assert refused.value.code == "permit/expired"
    target.apply(WORKLOAD, [replace(expired, restore=True)])
    assert ask(target.gateway_status().port).release == versions.v1.digest


def test_no_request_fails_while_versions_are_switched(target, home, versions):
    target.apply(WORKLOAD, [permitted(home, versions.v1)])
    port = target.gateway_status().port
    statuses, done = [], threading.Event()

    def keep_asking():
        while not done.is_set():
            statuses.append(ask(port).status)

    asking = threading.Thread(target=keep_asking)
    asking.start()
    for arms in (split(home, versions), [permitted(home, versions.v2)], split(home, versions)):
        target.apply(WORKLOAD, arms)
    done.set()
    asking.join()
    assert len(statuses) > 20
    assert set(statuses) == {200}


def test_it_fails_static_when_control_files_disappear_or_break(target, home, versions):
    target.apply(WORKLOAD, [permitted(home, versions.v1)])
    port = target.gateway_status().port
    control = target.folder.desired(WORKLOAD)
    control.unlink()
    eventually(lambda: target.observed(WORKLOAD).control == "kept", "the loss is noticed")
    assert target.observed(WORKLOAD).control_reason == "The desired state is missing."
    assert ask(port).release == versions.v1.digest
    control.write_bytes(b"{")
    eventually(lambda: "not JSON" in target.observed(WORKLOAD).control_reason, "it is read again")
    assert ask(port).release == versions.v1.digest

    pid = target.gateway_status().pid
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not is_alive(pid), "the gateway is gone")
    restarted = target.start_gateway()
    assert restarted.workload(WORKLOAD).control == "kept"
    assert ask(restarted.port).release == versions.v1.digest


def test_a_killed_model_server_comes_back_and_meanwhile_another_version_answers(
    target, home, versions
):
    target.apply(WORKLOAD, split(home, versions, canary=50))
    port = target.gateway_status().port
    unit = unit_of(target, versions.v1.digest)
    pid = target.observed(WORKLOAD).arm(versions.v1.digest).pid
    os.kill(pid, signal.SIGKILL)
    assert ask(port, unit).release == versions.v2.digest
    eventually(lambda: ask(port, unit).release == versions.v1.digest, "v1 answers again")
    assert target.observed(WORKLOAD).arm(versions.v1.digest).restarts == 1
    counted = {row.digest: row for row in target.decisions(WORKLOAD)}
    assert counted[versions.v2.digest].elsewhere >= 1
    assert counted[versions.v1.digest].elsewhere == 0


def test_a_model_file_that_changed_is_not_started_again(target, home, versions):
    model = home / "model.onnx"
    model.write_bytes(versions.v1.model.read_bytes())
    arm = replace(permitted(home, versions.v1), model_file=model)
    target.apply(WORKLOAD, [arm])
    model.write_bytes(model.read_bytes() + b"\0")
    assert ask(target.gateway_status().port).status == 200
    target.stop_gateway()
    status = target.start_gateway()
    assert ask(status.port).status == 503
    (refused,) = status.workload(WORKLOAD).refused
    assert refused.code == "model/changed"
    assert status.workload(WORKLOAD).control == "none"


def test_a_killed_gateway_takes_its_servers_along_and_serves_the_same_again(target, home, versions):
    target.apply(WORKLOAD, split(home, versions, canary=50))
    before = target.gateway_status()
    units = [str(number) for number in range(40)]
    releases = [ask(before.port, unit).release for unit in units]
    servers = [arm.pid for arm in before.workload(WORKLOAD).arms]
    os.kill(before.pid, signal.SIGKILL)
    eventually(lambda: not any(map(is_alive, servers)), "the model servers end")
    assert target.gateway_status().running is False
    after = target.start_gateway()
    assert after.pid != before.pid
    assert after.workload(WORKLOAD).state == before.workload(WORKLOAD).state
    assert [ask(after.port, unit).release for unit in units] == releases


def test_stopping_leaves_no_process_and_no_file_behind(target, home, versions):
    target.apply(WORKLOAD, split(home, versions))
    status = target.gateway_status()
    pids = [status.pid, *(arm.pid for arm in status.workload(WORKLOAD).arms)]
    private = (target.folder.root / "_private").readlink()
    assert private.is_dir()
    assert target.stop_gateway() is True
    assert not any(map(is_alive, pids))
    assert not private.exists()
    assert not target.folder.running.exists()
    assert target.stop_gateway() is False
    with pytest.raises(ConflictError):
        target.observed(WORKLOAD)
    with pytest.raises(ConflictError):
        target.apply(WORKLOAD, split(home, versions))


def test_a_stale_process_file_neither_stops_a_start_nor_kills_a_stranger(home, versions):
    target = LocalTarget(home)
    stale = json.dumps({"port": 9, "started_at": "2026-01-01T00:00:00Z"})
    write_atomically(target.folder.running, stale.encode())
    write_atomically(target.folder.lock, str(os.getpid()).encode())
    assert target.gateway_status().running is False
    assert target.stop_gateway() is False
    write_atomically(target.folder.running, stale.encode())
    try:
        assert target.start_gateway().pid != os.getpid()
    finally:
        target.stop_gateway()


def test_it_says_why_it_does_not_start(tmp_path):
    with pytest.raises(ConflictError, match=r"public keys .* cannot be read") as failed:
        LocalTarget(tmp_path).start_gateway()
    assert failed.value.code == "target/does-not-start"


def test_a_canary_that_gives_no_number_loses_its_traffic_for_good(target, home, versions):
    target.apply(WORKLOAD, split(home, versions, canary=50, new="broken"))
    port = target.gateway_status().port
    statuses = [ask(port, str(number)).status for number in range(60)]
    assert 500 in statuses
    assert statuses.count(500) + statuses.count(422) < 30
    row = target.observed(WORKLOAD)
    canary = row.arm(versions.broken.digest)
    assert canary.share == 0
    assert "in a row" in canary.tripped
    assert row.arm(versions.v1.digest).share == 100
    assert ask(port, unit_of(target, versions.v1.digest)).status == 200
    breaker = target.folder.breaker(WORKLOAD)
    eventually(lambda: canary.permit in read_trips(breaker), "the trip is written down")

    target.apply(WORKLOAD, split(home, versions, canary=50, new="broken"))
    assert target.observed(WORKLOAD).arm(versions.broken.digest).share == 0
    with pytest.raises(RefusedError) as refused:
        target.apply(WORKLOAD, split(home, versions, canary=60, new="broken"))
    assert refused.value.code == "target/breaker"
    target.stop_gateway()
    again = target.start_gateway().workload(WORKLOAD)
    assert [arm.digest for arm in again.arms] == [versions.v1.digest]
    assert again.refused[0].code == "target/breaker"


def test_a_canary_that_hangs_loses_its_traffic(target, home, versions):
    target.apply(WORKLOAD, split(home, versions, canary=50), timeout_seconds=0.2)
    port = target.gateway_status().port
    unit = unit_of(target, versions.v2.digest)
    os.kill(target.observed(WORKLOAD).arm(versions.v2.digest).pid, signal.SIGSTOP)
    assert [ask(port, unit).status for _ in range(5)] == [504] * 5
    assert ask(port, unit).release == versions.v1.digest
    assert "took too long" in target.observed(WORKLOAD).arm(versions.v2.digest).tripped


def test_a_canary_that_asks_for_inputs_nobody_sends_loses_its_traffic(target, home, versions):
    target.apply(WORKLOAD, split(home, versions, canary=50, new="other"))
    port = target.gateway_status().port
    statuses = [ask(port, str(number)).status for number in range(100)]
    assert statuses.count(422) == 20
    assert "could not use the inputs" in target.observed(WORKLOAD).arms[1].tripped


def test_the_gateway_does_not_inherit_the_passphrase_of_the_keys(home, monkeypatch):
    monkeypatch.setenv("GUIDERAIL_KEY_PASSPHRASE", "correct horse battery")
    target = LocalTarget(home)
    target.start_gateway()
    try:
        process = target.folder.lock.read_text()
        inherited = Path("/proc", process, "environ").read_bytes()
    finally:
        target.stop_gateway()
    assert b"PATH=" in inherited
    assert b"GUIDERAIL_KEY" not in inherited


def test_a_revoked_permit_ends_what_runs(target, home, versions):
    target.apply(WORKLOAD, split(home, versions, canary=50, id="p-2"))
    target.take_state(taken_back(home, "p-2"))
    assert target.observed(WORKLOAD).arm(versions.v2.digest).share == 0
    port = target.gateway_status().port
    assert {ask(port, str(n)).release for n in range(20)} == {versions.v1.digest}
    first = target.observed(WORKLOAD).arm(versions.v1.digest).permit
    target.take_state(taken_back(home, "p-2", first, version=2))
    assert ask(port).status == 503


def test_an_unreadable_state_of_permits_keeps_what_runs_and_starts_nothing(target, home, versions):
    target.apply(WORKLOAD, [permitted(home, versions.v1)])
    target.folder.permit_state.write_bytes(b"{")
    with pytest.raises(RefusedError) as refused:
        target.apply(WORKLOAD, split(home, versions))
    assert refused.value.code == "target/state-unreadable"
    assert ask(target.gateway_status().port).release == versions.v1.digest


def test_a_controller_killed_after_writing_leaves_the_new_state(target, home, versions):
    target.apply(WORKLOAD, [permitted(home, versions.v1)])
    port = target.gateway_status().port
    new = Desired(WORKLOAD, (permitted(home, versions.v2),), WORKLOAD)
    write_atomically(target.folder.desired(WORKLOAD), desired_bytes(new))
    seen = set()

    def only_new():
        seen.add(ask(port).release)
        return serves(target, versions.v2.digest)

    eventually(only_new, "the new state is served without a reload")
    assert seen <= {versions.v1.digest, versions.v2.digest}


def test_switching_off_is_a_state_of_its_own(target, home, versions):
    target.apply(WORKLOAD, [permitted(home, versions.v1)])
    target.apply(WORKLOAD, [])
    assert ask(target.gateway_status().port).status == 503
    assert target.observed(WORKLOAD).control == "current"


def test_only_the_controller_may_reload(target):
    port = target.gateway_status().port
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("POST", "/-/reload", headers=headers)
        assert connection.getresponse().status == 403
        connection.close()
    assert target.folder.token.stat().st_mode & 0o777 == 0o600
    assert target.reload().running


def test_the_keys_that_were_there_at_the_start_stay_in_force(target, home, versions, tmp_path):
    foreign = tmp_path / "foreign"
    arm = permitted(foreign, versions.v1)
    own = target.folder.public_keys.read_bytes()
    target.folder.public_keys.write_bytes((foreign / "keys" / "public.json").read_bytes())
    with pytest.raises(RefusedError) as refused:
        target.apply(WORKLOAD, [arm])
    assert refused.value.code == "permit/unknown-key"
    target.folder.public_keys.write_bytes(own)
