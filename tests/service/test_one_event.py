"""Every use case that changes state writes exactly one event, and nobody can forget it.

Three nets: the source is searched for transactions from which no event can come; every test of the
suite is watched (`tests.one_event`); and one whole life of releases is walked here, step by step.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from guiderail.service.answer import answer
from guiderail.service.deploy import abort, advance, deploy, pause
from guiderail.service.roll_back import roll_back
from guiderail.service.set_up import create
from guiderail.service.withdraw import withdraw
from guiderail.store import tables
from guiderail.store.database import Store
from tests.one_event import LEDGER, SOURCES, WITHOUT_EVENT, Change, Watch, complaint
from tests.service import parcels
from tests.service.depot import WORKLOAD, Depot
from tests.use_cases import modules, writing_sites

OPENS_THE_STORE = {"guiderail.store.database._start", "guiderail.store.database.transaction"}
SIGNS_WHAT_IS_THERE = "guiderail.ledger.seal.seal"

FORGETFUL = """\
from guiderail.store import tables

def _rename(tx, name):
    tx.execute(tables.workload.update().values(name=name))

def rename(workspace, name):
    with workspace.store.transaction() as tx:
        _rename(tx, name)
"""

FORGETFUL_OTHERWISE = """\
def rename(workspace, name):
    tx = workspace.store.transaction().__enter__()
    tx.execute(tables.workload.update().values(name=name))
"""


def test_an_event_can_come_out_of_every_transaction_in_the_source() -> None:
    sites = writing_sites(modules(SOURCES))
    assert len(sites) >= 20
    silent = {site.name for site in sites if not site.appends}
    assert silent == {*OPENS_THE_STORE, SIGNS_WHAT_IS_THERE, *WITHOUT_EVENT}


@pytest.mark.parametrize(
    "text",
    [FORGETFUL, FORGETFUL_OTHERWISE],
    ids=["in a with block", "in another way"],
)
def test_a_use_case_that_forgets_its_event_is_found_in_the_source(
    tmp_path: Path, text: str
) -> None:
    planted = tmp_path / "guiderail" / "service"
    planted.mkdir(parents=True)
    (planted / "rename.py").write_text(text, encoding="utf-8")
    found = writing_sites(modules(SOURCES) | modules(tmp_path))
    silent = {site.name for site in found if not site.appends}
    assert "guiderail.service.rename.rename" in silent


@pytest.mark.plants
def test_a_use_case_that_forgets_its_event_is_found_while_it_runs(
    tmp_path: Path, watch: Watch
) -> None:
    where = SOURCES / "guiderail" / "service" / "rename.py"
    planted: dict[str, Any] = {}
    exec(compile(FORGETFUL, str(where), "exec"), planted)  # noqa: S102 - the text above
    made = create(tmp_path, demo=True, people="people: []\n", features="features: []\n")
    assert watch.complaints() == []
    with made.store.transaction() as tx:
        tx.execute(tables.workload.insert().values(name="a", kind="app", created_at="2026-11-23"))
    assert watch.complaints() == [], "what a test writes is no use case"
    planted["rename"](made, "b")
    assert watch.complaints() == [
        "guiderail.service.rename.rename changed workload with no event"
    ]  # fmt: skip
    made.store.close()


@pytest.mark.parametrize(
    ("events", "right"),
    [
        (("case.submitted",), True),
        ((), False),
        (("case.submitted", "case.submitted"), False),
        (("permit.issued", "case.submitted"), False),
        (("permit.revoked", "case.void", "case.submitted"), True),
        (("case.decided", "case.answered"), True),
        (("case.decided", "case.withdrawn"), False),
    ],
)
def test_what_counts_as_one_event(events: tuple[str, ...], right: bool) -> None:
    change = Change("guiderail.service.x.y", frozenset({"case_record", "log_entry"}), events)
    assert (complaint(change) is None) == right


def test_notifications_and_the_ledger_itself_are_no_state() -> None:
    assert {table.name for table in tables.metadata.sorted_tables} > LEDGER
    assert complaint(Change("guiderail.ledger.seal.seal", frozenset({"log_node"}), ())) is None


def test_a_change_that_is_rolled_back_is_none(tmp_path: Path, watch: Watch) -> None:
    made = create(tmp_path, demo=True, people="people: []\n", features="features: []\n")
    before = len(watch.changes)

    def fail(store: Store) -> None:
        with store.transaction() as tx:
            tx.execute(update(tables.log_head).values(size=9))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail(made.store)
    assert len(watch.changes) == before
    made.store.close()


def test_the_life_of_releases_step_by_step(live_depot: Depot, tmp_path: Path, watch: Watch) -> None:
    """Each command and the events that it writes, transaction by transaction."""
    depot, releases = live_depot, live_depot.releases

    def told(command: Any) -> list[tuple[str, ...]]:
        before = len(watch.changes)
        command()
        return [change.events for change in watch.changes[before:] if change.events]

    asking = parcels.variant(
        releases.green,
        tmp_path / "asking",
        {"use": {"affects_people": True, "decision": None, "influence": None}},
    )
    assert told(lambda: depot.submit(asking)) == [("case.submitted",)]
    case = "case-0002"
    values = {"use.decision": "minor", "use.influence": "informs"}
    assert told(lambda: answer(depot.acting(), case, values)) == [("case.decided", "case.answered")]
    assert told(lambda: depot.confirm(case)) == [("profile.confirmed", "case.decided")]
    approvals = told(lambda: depot.approve_all(case))
    assert approvals[-1] == ("permit.issued",)
    assert {events[0] for events in approvals[:-1]} == {"review.given"}
    assert told(lambda: withdraw(depot.acting(), case)) == [("permit.revoked", "case.withdrawn")]

    assert told(lambda: depot.submit(releases.green)) == [("case.submitted",), ("permit.issued",)]
    case = "case-0003"
    acting = depot.acting()
    assert told(lambda: deploy(acting, case, one_step=True)) == [("rollout.started",)]
    assert told(lambda: pause(acting, WORKLOAD)) == [("rollout.paused",)]
    assert told(lambda: advance(acting, WORKLOAD)) == [("rollout.step",)]
    assert told(lambda: abort(acting, WORKLOAD, "complaints")) == [
        ("permit.revoked", "rollout.aborted")
    ]
    depot.make_live(releases.yellow)
    assert told(lambda: roll_back(depot.acting(), WORKLOAD)) == [
        ("rollback.started",),
        ("rollback.finished",),
    ]
    assert told(lambda: depot.rehearse(releases.green)) == [("rollback.rehearsed",)]
    assert watch.complaints() == []
