"""Any past day can be looked at, from the ledger alone.

That the replay of the whole ledger equals the tables is asked after every test that is lent a
workspace: see `_lent` in tests/conftest.py.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from guiderail.core.errors import InputError
from guiderail.core.time import to_text
from guiderail.service.as_of import as_of
from guiderail.service.registers import transaction
from guiderail.service.roll_back import roll_back
from guiderail.service.withdraw import withdraw
from tests.service.depot import WORKLOAD, Depot, write_people


def test_what_ran_and_who_had_which_role_on_a_past_day(two_versions: Depot) -> None:
    depot = two_versions
    then = to_text(depot.clock())
    before = as_of(depot.acting(), then)
    depot.clock.days = 2
    roll_back(depot.acting("edda"), WORKLOAD)
    write_people(depot, {"emil": {"roles": ["security"], "competence": []}})
    with transaction(depot.acting()):
        pass
    today = as_of(depot.acting(), depot.clock().date().isoformat())
    assert as_of(depot.acting(), then) == before
    assert [row["version"] for row in before["inventory"]] == ["v2"]
    assert [row["version"] for row in today["inventory"]] == ["v1"]
    (row,) = before["inventory"]
    assert (row["workload"], row["share"], row["track"], row["state"]) == (
        WORKLOAD, 100, "green", "live",
    )  # fmt: skip
    assert row["release"] == depot.case("case-0002").release_digest
    assert row["owner"]
    for view, roles in ((before, ["ml-platform-engineer"]), (today, ["security"])):
        emil = next(one for one in view["people"] if one["person"] == "emil")
        assert emil["roles"] == roles
    assert {one["kind"] for one in today["policy"]} == {"app", "model", "pipeline"}


def test_training_is_said_to_be_over_once_it_is(live_depot: Depot) -> None:
    lapsed = next(
        one for one in as_of(live_depot.acting(), live_depot.clock().date().isoformat())["people"]
        if one["person"] == "lapsed"
    )  # fmt: skip
    assert [one["in_date"] for one in lapsed["competence"]] == [False]


def test_a_day_means_its_end_and_a_time_its_moment(new_depot: Depot) -> None:
    case = new_depot.submit(new_depot.releases.first).case
    between = to_text(new_depot.clock())
    withdraw(new_depot.acting(), case.id)
    new_depot.clock.days = 1
    yesterday = (new_depot.clock() - timedelta(days=1)).date().isoformat()
    states = [
        [one["state"] for one in as_of(new_depot.acting(), when)["cases"]]
        for when in (between, yesterday)
    ]
    assert states == [["needs-answers"], ["withdrawn"]] or states == [["in-review"], ["withdrawn"]]


@pytest.mark.parametrize(
    ("days", "code"), [(-400, "as-of/before"), (1, "as-of/future"), (4000, "as-of/future")]
)
def test_a_moment_that_the_ledger_cannot_know_is_refused(
    days: int, code: str, new_depot: Depot
) -> None:
    when = (new_depot.clock() + timedelta(days=days)).date().isoformat()
    with pytest.raises(InputError) as refusal:
        as_of(new_depot.acting(), when)
    assert refusal.value.code == code


@pytest.mark.parametrize("when", ["", "yesterday", "2026-13-01", "2026-11-30T12:00:00", "30.11."])
def test_what_is_no_moment_is_refused(when: str, new_depot: Depot) -> None:
    with pytest.raises(InputError) as refusal:
        as_of(new_depot.acting(), when)
    assert refusal.value.code == "as-of/date"
