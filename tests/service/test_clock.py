"""A clock that goes back: order stays that of the ledger, and a permit waits for its time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guiderail.attest.keys import read_kept, read_trusted
from guiderail.core.errors import ConflictError, GuiderailError, RefusedError
from guiderail.ledger.read import entries
from guiderail.ledger.verify import verify
from guiderail.review.states import State
from guiderail.service.answer import answer
from guiderail.service.deploy import advance, deploy
from guiderail.service.records import recorded_facts
from guiderail.service.roll_back import roll_back
from guiderail.service.status import list_workloads
from tests.service import parcels
from tests.service.depot import WORKLOAD, Depot


class Late:
    """A clock that is behind by what `by` says at the moment."""

    def __init__(self) -> None:
        self.by = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) - self.by


def with_clock(depot: Depot) -> tuple[Depot, Late]:
    clock = Late()
    return replace(depot, clock=clock), clock


def test_a_permit_from_the_future_starts_nothing_until_the_clock_is_right(
    live_depot: Depot,
) -> None:
    depot, clock = with_clock(live_depot)
    case = depot.submit(depot.releases.green).case
    assert case.state is State.PERMITTED
    clock.by = timedelta(minutes=6)
    with pytest.raises(RefusedError, match="issued after this clock's time") as caught:
        deploy(depot.acting(), case.id)
    assert caught.value.code == "deploy/permit"
    assert depot.case(case.id).state is State.PERMITTED
    clock.by = timedelta()
    deploy(depot.acting(), case.id)
    assert depot.case(case.id).state is State.LIVE


def test_a_rollout_and_the_way_back_go_on_while_the_clock_goes_back(live_depot: Depot) -> None:
    """What is dated wrongly stays in the order in which it happened, and is pointed out."""
    depot, clock = with_clock(live_depot)
    case = depot.submit(depot.releases.green).case
    deploy(depot.acting(), case.id, one_step=True)
    clock.by = timedelta(hours=3)
    while depot.case(case.id).state is not State.LIVE:
        advance(depot.acting(), WORKLOAD)
    clock.by = timedelta(hours=5)
    roll_back(depot.acting(), WORKLOAD)
    (line,) = list_workloads(depot.acting())
    assert line.production_version == "v1"
    place = depot.acting()
    with place.store.read() as snapshot:
        listed = entries(snapshot)
    assert [entry.seq for entry in listed] == list(range(len(listed)))
    assert [entry.type for entry in listed][-2:] == ["rollback.started", "rollback.finished"]
    assert [entry.at for entry in listed] != sorted(entry.at for entry in listed)
    report = verify(place.store, read_trusted(depot.home), kept=read_kept(depot.home))
    assert report.ok
    assert any("a clock went back" in notice for notice in report.notices)


def test_the_newest_answers_count_even_if_they_are_dated_before_older_ones(
    live_depot: Depot, tmp_path: Path
) -> None:
    depot, clock = with_clock(live_depot)
    asking = parcels.variant(
        depot.releases.green,
        tmp_path / "asking",
        {"use": {"affects_people": True, "decision": None, "influence": None}},
    )
    case = depot.submit(asking).case
    clock.by = timedelta(minutes=3)
    answer(depot.acting(), case.id, {"use.decision": "minor", "use.influence": "informs"})
    with depot.acting().store.read() as snapshot:
        facts = recorded_facts(snapshot, case.release_digest)
    assert facts["use.decision"].value == "minor"


def test_a_clock_before_any_policy_was_in_force_decides_nothing(live_depot: Depot) -> None:
    depot, clock = with_clock(live_depot)
    clock.by = timedelta(days=400)
    before = depot.event_types()
    with pytest.raises(GuiderailError) as caught:
        depot.submit(depot.releases.green)
    assert caught.value.advice
    assert depot.event_types() == before
    clock.by = timedelta()
    assert depot.submit(depot.releases.green).case.state is State.PERMITTED


def test_a_clock_that_was_ahead_and_comes_back_opens_no_second_case(live_depot: Depot) -> None:
    depot, clock = with_clock(live_depot)
    case = depot.submit(depot.releases.green).case
    clock.by = timedelta(days=-15)
    with pytest.raises(RefusedError, match="time to start ended"):
        deploy(depot.acting(), case.id)
    clock.by = timedelta(minutes=4)
    with pytest.raises(ConflictError, match="already has a case"):
        depot.submit(depot.releases.green)
    deploy(depot.acting(), case.id)
    assert depot.case(case.id).state is State.LIVE
