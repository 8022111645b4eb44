"""The gate for schedulers, withdrawing, who is waited for, and the documents that faces show."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from guiderail.core.errors import ConflictError, InputError, RefusedError
from guiderail.review.states import ENDS, State
from guiderail.service.answer import answer
from guiderail.service.deploy import deploy
from guiderail.service.documents import case_document, status_document
from guiderail.service.gate import gate
from guiderail.service.review import give_review
from guiderail.service.status import list_cases
from guiderail.service.withdraw import withdraw
from tests.service import parcels
from tests.service.depot import Depot


def test_the_gate_is_open_for_a_permitted_release_only(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.green).case
    opened = gate(live_depot.acting(), live_depot.releases.green, None)
    assert opened["allowed"] is True
    assert case.id in opened["reason"]
    assert gate(live_depot.acting(), Path(), case.release_digest) == opened
    for directory in (live_depot.releases.yellow, live_depot.releases.red):
        closed = gate(live_depot.acting(), directory, None)
        assert closed["allowed"] is False
        assert closed["permit"] is None


def test_the_gate_stays_closed_for_a_digest_that_nobody_knows(live_depot: Depot) -> None:
    for digest in ("sha256:" + "0" * 64, "sha256:", "nonsense"):
        assert gate(live_depot.acting(), Path(), digest)["allowed"] is False


def test_the_gate_stays_closed_when_the_time_to_start_is_over(live_depot: Depot) -> None:
    live_depot.submit(live_depot.releases.green)
    live_depot.clock.days = 15
    closed = gate(live_depot.acting(), live_depot.releases.green, None)
    assert closed["allowed"] is False
    assert "time to start ended" in closed["reason"]
    running = gate(live_depot.acting(), live_depot.releases.first, None)
    assert running["allowed"] is True


@pytest.mark.tampers
@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE permit SET envelope = zeroblob(64)",
        "UPDATE permit SET envelope = (SELECT envelope FROM permit ORDER BY issued_at LIMIT 1)",
        "UPDATE permit SET proof = 'c2sp.org/tlog-proof@v1'",
        "UPDATE permit SET proof = NULL",
        "DELETE FROM permit",
    ],
)
def test_the_gate_stays_closed_when_the_permit_was_tampered_with(
    live_depot: Depot, damage: str
) -> None:
    live_depot.submit(live_depot.releases.green)
    with closing(sqlite3.connect(live_depot.home / "guiderail.db")) as database:
        database.execute(damage)
        database.commit()
    answered = gate(live_depot.acting(), live_depot.releases.green, None)
    assert answered["allowed"] is False
    assert answered["reason"]


def test_the_gate_stays_closed_for_a_directory_that_changed(
    live_depot: Depot, tmp_path: Path
) -> None:
    directory = parcels.copy(live_depot.releases.green, tmp_path / "changing")
    live_depot.submit(directory)
    parcels.edit(directory, {"owner": "somebody-else"})
    assert gate(live_depot.acting(), directory, None)["allowed"] is False


def test_only_those_who_worked_on_a_case_withdraw_it(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.yellow).case
    with pytest.raises(RefusedError) as refusal:
        withdraw(live_depot.acting("emil"), case.id)
    assert refusal.value.code == "authz/not-yours"
    assert withdraw(live_depot.acting(), case.id).state is State.WITHDRAWN
    assert live_depot.event_types()[-1] == "case.withdrawn"
    again = live_depot.submit(live_depot.releases.yellow).case
    assert again.id == "case-0003"


def test_what_already_runs_cannot_be_withdrawn(live_depot: Depot) -> None:
    with pytest.raises(ConflictError) as refusal:
        withdraw(live_depot.acting(), "case-0001")
    assert refusal.value.code == "case/state"
    with pytest.raises(InputError):
        withdraw(live_depot.acting(), "case-9999")


def waited_for(depot: Depot, case: str) -> list[str]:
    return list(case_document(depot.acting(), case)["waiting_for"])


def test_somebody_is_named_in_every_state_in_which_a_person_is_needed(
    live_depot: Depot, tmp_path: Path
) -> None:
    asking = parcels.variant(
        live_depot.releases.yellow,
        tmp_path / "asking",
        {"use": {"affects_people": True, "decision": None}},
    )
    case = live_depot.submit(asking).case.id
    assert live_depot.case(case).state is State.NEEDS_ANSWERS
    assert waited_for(live_depot, case) == ["nora"]
    answer(live_depot.acting(), case, {"use.decision": "none"})
    assert "ml-platform-engineer" in waited_for(live_depot, case)
    give_review(
        live_depot.acting("emil"),
        case,
        "request-changes",
        role="ml-platform-engineer",
        findings=("features-approved",),
        reason="Why this feature?",
    )
    assert waited_for(live_depot, case) == ["nora"]
    green = live_depot.submit(live_depot.releases.green).case.id
    assert waited_for(live_depot, green) == ["nora"]
    deploy(live_depot.acting(), green, one_step=True)
    assert waited_for(live_depot, green) == ["nora"]
    deploy(live_depot.acting(), green)
    assert waited_for(live_depot, green) == []


def test_every_role_that_is_waited_for_comes_with_people_who_could_take_it(
    live_depot: Depot,
) -> None:
    case = live_depot.submit(live_depot.releases.tree).case.id
    waiting = case_document(live_depot.acting(), case)["waiting"]
    assert {item["role"]: item["people"] for item in waiting} == {
        "ml-governance-analyst": ["gina", "gustav"],
        "risk-officer": ["rita", "ruben"],
        "ml-platform-engineer": ["emil", "edda"],
    }
    assert all(item["because"] for item in waiting)


def test_a_role_that_nobody_can_take_is_still_waited_for(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.red).case.id
    live_depot.clock.days = 366
    waiting = case_document(live_depot.acting(), case)["waiting"]
    assert {item["role"] for item in waiting} == {"ml-governance-analyst", "risk-officer"}
    assert all(item["people"] == [] for item in waiting)


def test_lists_and_documents_are_plain_json_and_agree(two_versions: Depot) -> None:
    two_versions.submit(two_versions.releases.red)
    document = json.loads(json.dumps(status_document(two_versions.acting()), allow_nan=False))
    (workload,) = document["workloads"]
    assert (workload["production_version"], workload["previous_version"]) == ("v2", "v1")
    states = {row["case"]: row["state"] for row in document["cases"]}
    assert states == {"case-0001": "retired", "case-0002": "live", "case-0003": "in-review"}
    lines = list_cases(two_versions.acting(), waiting_only=True)
    assert [line.case.id for line in lines] == ["case-0003"]
    for row in document["cases"]:
        needed = State(row["state"]) not in ENDS | {State.LIVE, State.RETIRED}
        assert bool(row["waiting_for"]) is needed


def test_a_case_shows_its_events_reviews_and_permit(live_depot: Depot) -> None:
    document = json.loads(
        json.dumps(case_document(live_depot.acting(), "case-0001"), allow_nan=False)
    )
    assert document["permit"]["release_digest"] == document["release_digest"]
    assert [event["type"] for event in document["events"]][:1] == ["case.submitted"]
    assert all(event["sentence"] for event in document["events"])
    assert {review["role"] for review in document["reviews"]} == {"ml-platform-engineer"}
    assert all(review["counts"] for review in document["reviews"])
