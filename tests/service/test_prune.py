"""Records go when their time is over, as a whole case or not at all, and every proof stays good."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from guiderail.core.errors import InputError, RefusedError
from guiderail.ledger.events import EVENT_TYPES
from guiderail.ledger.read import entries
from guiderail.review.states import State
from guiderail.service.audit import verify
from guiderail.service.erase import erase
from guiderail.service.holds import list_holds, place, release
from guiderail.service.prune import prune
from guiderail.service.retention import FOR_EVER, load_retention
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from tests.service.office import SECRET, START, Office, add_case, open_office
from tests.service.test_erase import files_with, killed

TEN_YEARS = START.replace(year=START.year + 10) + timedelta(days=1)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Two cases that ended, and a newest one."""
    office = open_office(tmp_path_factory.mktemp("office") / "office")
    add_case(office, 2, State.REJECTED)
    add_case(office, 3, State.WITHDRAWN)
    return office


@pytest.fixture
def office(template: Office, tmp_path: Path) -> Office:
    shutil.copytree(template.folder, tmp_path / "office")
    return Office(tmp_path / "office", template.clock)


def on(office: Office, moment: datetime, person: str = "dora") -> Workspace:
    return replace(office.acting(person), clock=lambda: moment)


def cases_left(office: Office) -> list[str]:
    with office.acting().store.read() as snapshot:
        return sorted(snapshot.execute(select(tables.case_record.c.id)).scalars())


def test_nothing_goes_before_its_time(office: Office) -> None:
    done = prune(on(office, START.replace(year=START.year + 10)))
    assert (done["entries"], done["cases"], done["notifications"]) == (0, [], 3)
    assert verify(office.acting())["removed"] == 0


def test_ended_cases_go_and_the_newest_stays(office: Office) -> None:
    done = prune(on(office, TEN_YEARS))
    assert (done["cases"], done["entries"]) == (["case-0001", "case-0002"], 4)
    assert done["classes"] == {"release-records": 4}
    assert cases_left(office) == ["case-0003"]
    found = verify(office.acting())
    assert (found["problems"], found["removed"]) == ([], 4)
    with office.acting().store.read() as snapshot:
        for table in (tables.review, tables.answer, tables.dossier):
            assert snapshot.execute(select(table.c.case_id).distinct()).scalars().all() == [
                "case-0003"
            ]
        last = entries(snapshot)[-1]
    assert (last.type, (last.payload or {})["entries"]) == ("records.pruned", 4)


def test_the_bytes_of_what_went_are_nowhere(office: Office) -> None:
    [body] = on(office, TEN_YEARS).store._engine.connect().exec_driver_sql(
        "SELECT body FROM log_entry WHERE seq = (SELECT min(seq) FROM log_index "
        "WHERE case_id = 'case-0001')"
    ).fetchone()  # fmt: skip
    prune(on(office, TEN_YEARS))
    assert not any(body in path.read_bytes() for path in office.home.glob("guiderail.db*"))


def test_a_dry_run_changes_nothing(office: Office) -> None:
    before = verify(office.acting())
    place(on(office, START), "case", "case-0003", "Claim.")  # seals nothing either
    done = prune(on(office, TEN_YEARS), dry_run=True)
    assert done["done"] is False
    assert len(cases_left(office)) == 3
    assert verify(office.acting())["size"] == before["size"] + 1


def test_an_earlier_day_can_be_named_and_a_later_one_cannot(office: Office) -> None:
    assert prune(on(office, TEN_YEARS), at=START)["entries"] == 0
    assert prune(on(office, START), at=TEN_YEARS)["entries"] == 0


@pytest.mark.parametrize("state", [State.IN_REVIEW, State.LIVE])
def test_open_and_live_cases_stay(office: Office, state: State) -> None:
    with office.acting().store.transaction() as tx:
        table = tables.case_record
        tx.execute(update(table).where(table.c.id == "case-0001").values(state=state.value))
    assert prune(on(office, TEN_YEARS))["cases"] == ["case-0002"]


def test_what_a_workload_is_compared_with_stays(office: Office) -> None:
    with office.acting().store.transaction() as tx:
        digest = tx.execute(select(tables.case_record.c.release_digest)).scalars().first()
        tx.execute(update(tables.workload).values(reviewed_digest=digest))
    assert prune(on(office, TEN_YEARS))["cases"] == []


def test_a_hold_keeps_records_until_it_is_released(office: Office) -> None:
    hold = place(on(office, START), "case", "case-0001", "Claim 17.")["hold"]
    done = prune(on(office, TEN_YEARS))
    assert (done["cases"], done["held"]) == (["case-0002"], ["case-0001"])
    release(on(office, TEN_YEARS), hold, "Settled.")
    assert list_holds(office.acting())["holds"] == []
    assert prune(on(office, TEN_YEARS))["cases"] == ["case-0001"]
    found = verify(office.acting())
    assert (found["problems"], found["removed"]) == ([], 4)


@pytest.mark.parametrize(("kind", "name"), [("everything", ""), ("person", "gina")])
def test_a_hold_on_everything_or_on_somebody_keeps_all(
    office: Office, kind: str, name: str
) -> None:
    place(on(office, START), kind, name, "Claim 17.")  # type: ignore[arg-type]
    assert prune(on(office, TEN_YEARS))["entries"] == 0
    assert len(cases_left(office)) == 3


def test_who_keeps_no_records_removes_none(office: Office) -> None:
    for person in ("nora", "adam"):
        with pytest.raises(RefusedError):
            prune(on(office, TEN_YEARS, person))


def test_erasing_after_removing_and_removing_after_erasing(office: Office) -> None:
    erase(on(office, START), "gina", "A request.")
    erase(on(office, START, "cleo"), "gina", "A request.")
    prune(on(office, TEN_YEARS))
    found = verify(office.acting())
    assert (found["problems"], found["removed"], found["erased"]) == ([], 4, 1)
    erase(on(office, TEN_YEARS), "nora", "A request.")
    erase(on(office, TEN_YEARS, "cleo"), "nora", "A request.")
    assert verify(office.acting())["problems"] == []
    assert files_with(office.home, "nora", "gina", SECRET) == []


def test_every_event_is_kept_for_ever_or_in_one_class(office: Office) -> None:
    retention = load_retention(office.home).retention
    named = [event for one in retention.classes for event in one.events]
    assert len(named) == len(set(named))
    assert not FOR_EVER & set(named)
    assert {kind.name for kind in EVENT_TYPES} >= FOR_EVER


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("10 years", "ten years", "retention/invalid"),
        ("10 years", "0 days", "retention/invalid"),
        ("case.submitted", "case.invented", "retention/invalid"),
        ("case.submitted", "person.erased", "retention/event"),
        ("case.submitted", "rollback.rehearsed", "retention/event"),
        ("retention: 1", "retention: 2", "retention/invalid"),
    ],
)
def test_a_retention_file_that_is_not_right_is_refused(
    office: Office, old: str, new: str, code: str
) -> None:
    shipped = load_retention(office.home).path.read_text(encoding="utf-8")
    (office.home / "retention.yaml").write_text(shipped.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        prune(on(office, TEN_YEARS))
    assert caught.value.code == code
    assert caught.value.place is not None


def test_the_last_day_of_february_has_a_day_ten_years_ago(office: Office) -> None:
    [records] = [
        one for one in load_retention(office.home).retention.classes if one.id == "release-records"
    ]
    leap = datetime(2028, 2, 29, tzinfo=UTC)
    assert records.kept_since(leap) == datetime(2018, 2, 28, tzinfo=UTC)


@pytest.mark.slow
def test_a_removal_killed_anywhere_is_finished_or_never_began(
    office: Office, tmp_path: Path
) -> None:
    states = set()
    for at in range(1, 20):
        copy = Office(tmp_path / f"at-{at}", office.clock)
        shutil.copytree(office.folder, copy.folder)
        reached = killed(copy.home, "prune", at)
        found = verify(copy.acting())
        assert found["problems"] == []
        states.add(found["removed"])
        assert len(cases_left(copy)) == (1 if found["removed"] else 3)
        prune(on(copy, TEN_YEARS))
        assert verify(copy.acting())["removed"] == 4
        if not reached:
            break
    assert not reached
    assert states == {0, 4}
