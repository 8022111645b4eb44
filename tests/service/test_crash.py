"""A kill at every boundary: afterwards the state is an allowed one, and the command finishes it."""

from __future__ import annotations

import json
import multiprocessing
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from guiderail.review.states import TRANSITIONS, State
from guiderail.service.deploy import deploy
from guiderail.service.permits import issue_permit
from guiderail.service.roll_back import roll_back
from guiderail.service.status import list_workloads, start_gateway
from guiderail.store import tables
from tests.service import parcels
from tests.service.crash_child import committed_states, run
from tests.service.depot import SUBMITTER, WORKLOAD, Depot

PAIRS = {step.after_crash for step in TRANSITIONS}
EVENTS = {(step.end, step.event) for step in TRANSITIONS}


@dataclass(frozen=True, slots=True)
class Crashed:
    """What was left. before: states before the command; trace: what was committed at each boundary.

    killed: False when the command reached its end before the boundary to die at.
    """

    killed: bool
    before: dict[str, str]
    trace: list[dict[str, Any]]
    after: dict[str, str]


@pytest.fixture(scope="module")
def forks() -> Any:
    """Processes that start from one clean process with everything imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.service.crash_child"])
    return context


def crash(
    forks: Any, depot: Depot, command: str, argument: str, kill_at: int, person: str = SUBMITTER
) -> Crashed:
    """Run a command in a process that dies at a boundary."""
    before = committed_states(depot.home)
    trace = depot.root / "trace.jsonl"
    trace.write_text("", encoding="utf-8")
    child = forks.Process(target=run, args=(depot.home, person, command, argument, kill_at, trace))
    child.start()
    child.join(timeout=120)
    assert child.exitcode in (0, -signal.SIGKILL), f"{command} ended with {child.exitcode}"
    lines = trace.read_text(encoding="utf-8").splitlines()
    return Crashed(
        killed=child.exitcode != 0,
        before=before,
        trace=[json.loads(line) for line in lines],
        after=committed_states(depot.home),
    )


def holds(depot: Depot, crashed: Crashed) -> None:
    """Everything that must be true right after a kill, before anybody repairs anything."""
    assert crashed.after == crashed.trace[-1]["states"]
    known = crashed.before
    for row in crashed.trace:
        for case, state in row["states"].items():
            old = known.get(case, State.DRAFT)
            assert old == state or (State(old), State(state)) in PAIRS, f"{case}: {old} to {state}"
        known = row["states"]
    assert list(crashed.after.values()).count(State.LIVE) == 1
    assert depot.problems() == []
    newest = max(crashed.after)
    assert (State(crashed.after[newest]), last_move(depot, newest)) in EVENTS
    first = State(crashed.after["case-0001"])
    assert (first, last_move(depot, None)) in EVENTS, "the first release moves when others finish"


def last_move(depot: Depot, case: str | None) -> str:
    """The newest event that moved this case; without a case, the newest end of any move of traffic.

    The version that is left or restored is told by the event of the case that acts.
    """
    ends = {"rollout.finished", "rollback.finished"}
    moves = {event for _, event in EVENTS} if case is not None else ends
    index = tables.log_index
    with depot.acting().store.read() as snapshot:
        rows = snapshot.execute(index.select().order_by(index.c.seq.desc())).mappings().all()
    return next(
        row["type"] for row in rows if row["type"] in moves and case in (None, row["case_id"])
    )


def one_permitted_version_serves(depot: Depot, release: Path) -> None:
    """Nothing is under way, and the gateway gives everybody the one release it should."""
    digest = parcels.load_release(release).digest
    assert depot.served() == {digest: 100}
    assert depot.ask() == (200, digest)
    (line,) = list_workloads(depot.acting())
    assert (line.production, line.rollout) == (digest, None)
    permit = tables.permit
    with depot.acting().store.read() as snapshot:
        valid = snapshot.execute(
            permit.select()
            .where(permit.c.release_digest == digest)
            .where(permit.c.revoked_at.is_(None))
        ).first()
    assert valid is not None
    assert depot.problems() == []


@pytest.mark.slow
def test_a_kill_at_every_boundary_of_deploy_and_rollback(
    live_depot: Depot, forks: Any, tmp_path: Path
) -> None:
    """v2 is deployed and taken back again and again, each time with a kill one boundary later."""
    directory = parcels.variant(
        live_depot.releases.green,
        tmp_path / "halves",
        {"rollout": {"steps": [50, 100], "hold_seconds": 0}},
    )
    start_gateway(live_depot.acting())
    reached: dict[str, int] = {}
    kill_at = 0
    while len(reached) < 2:
        kill_at += 1
        assert kill_at < 40, "the commands never get to their end"
        case = live_depot.submit(directory).case.id
        for command, argument in (("deploy", case), ("rollback", WORKLOAD)):
            if command in reached:
                _finish(live_depot, command, case)
                continue
            crashed = crash(forks, live_depot, command, argument, kill_at)
            holds(live_depot, crashed)
            if not crashed.killed:
                reached[command] = kill_at - 1
            _finish(live_depot, command, case)
            one_permitted_version_serves(
                live_depot, directory if command == "deploy" else live_depot.releases.first
            )
    # Two boundaries for each commit and each call of the target that the commands make.
    assert reached["deploy"] >= 12
    assert reached["rollback"] >= 8


def _finish(depot: Depot, command: str, case: str) -> None:
    """The same command again, unless it had already done everything."""
    state = depot.case(case).state
    if command == "deploy":
        if state is not State.LIVE:
            assert deploy(depot.acting(), case).state == State.LIVE
        else:
            start_gateway(depot.acting())
    elif state is not State.ROLLED_BACK:
        assert roll_back(depot.acting(), WORKLOAD).to_version == "v1"


@pytest.mark.slow
def test_a_kill_at_every_boundary_between_submission_and_permit(
    live_depot: Depot, forks: Any
) -> None:
    """Whatever the kill leaves, one further command brings the case to its permit."""
    kill_at, ended = 0, False
    releases = live_depot.releases
    while not ended:
        kill_at += 1
        crashed = crash(forks, live_depot, "submit", str(releases.green), kill_at)
        holds(live_depot, crashed)
        ended = not crashed.killed
        waiting = [c for c, state in crashed.after.items() if c not in crashed.before]
        case = waiting[0] if waiting else live_depot.submit(releases.green).case.id
        if live_depot.case(case).state is State.APPROVED:
            issue_permit(live_depot.acting(), case)
        assert live_depot.case(case).state is State.PERMITTED
        yellow = live_depot.submit(releases.yellow).case.id
        crashed = crash(forks, live_depot, "approve", yellow, kill_at, person="emil")
        holds(live_depot, crashed)
        if live_depot.case(yellow).state is State.IN_REVIEW:
            live_depot.approve(yellow, "emil")
        if live_depot.case(yellow).state is State.APPROVED:
            issue_permit(live_depot.acting(), yellow)
        assert live_depot.case(yellow).state is State.PERMITTED
    assert kill_at > 6
