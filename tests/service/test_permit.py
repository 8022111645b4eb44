"""The permit: counted again from the reviews, signed, proved, and needed for every start."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from guiderail.attest.keys import read_trusted
from guiderail.core.errors import RefusedError
from guiderail.review.states import State
from guiderail.service.deploy import deploy
from guiderail.service.gate import gate
from guiderail.service.permits import issue_permit, permit_of_release
from guiderail.service.withdraw import withdraw
from guiderail_verify.permit import verify_permit
from tests.service import parcels
from tests.service.depot import Depot


def tamper(depot: Depot, *statements: tuple[str, Sequence[object]]) -> None:
    """Change rows behind the product's back, as somebody with the file could."""
    with closing(sqlite3.connect(depot.home / "guiderail.db")) as database:
        for statement, values in statements:
            database.execute(statement, values)
        database.commit()


def test_a_permit_is_signed_proved_and_verifies_from_its_bytes_alone(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.green).case
    with live_depot.acting().store.read() as snapshot:
        permit = permit_of_release(snapshot, case.workload, case.release_digest)
    assert permit is not None
    verified = verify_permit(
        permit.envelope,
        permit.proof,
        read_trusted(live_depot.home),
        environment="production",
        digest=case.release_digest,
        now=live_depot.clock(),
    )
    assert (verified.case, verified.dossier) == (case.id, case.dossier_digest)
    assert (verified.start_until - verified.issued_at).days == 14


def test_issuing_twice_gives_one_permit(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.green).case
    before = live_depot.event_types()
    assert issue_permit(live_depot.acting(), case.id).state is State.PERMITTED
    assert live_depot.event_types() == before


def test_a_state_that_says_approved_is_not_believed(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.yellow).case
    tamper(live_depot, ("UPDATE case_record SET state = 'approved' WHERE id = ?", (case.id,)))
    with pytest.raises(RefusedError) as refusal:
        deploy(live_depot.acting(), case.id)
    assert refusal.value.code == "permit/approvals"
    assert "ml-platform-engineer" in refusal.value.what
    assert "permit.issued" not in live_depot.event_types()[-2:]


FORGED = (
    "INSERT INTO review (case_id, dossier_digest, person, role, verdict, reason, conditions,"
    " accepted_gates, at) VALUES (?, ?, ?, ?, 'approve', '', '[]', '[]', ?)"
)


@pytest.mark.parametrize("person", ["nora", "lapsed", "rita", "nobody"])
def test_a_forged_approval_by_somebody_who_may_not_give_it_does_not_count(
    live_depot: Depot, person: str
) -> None:
    case = live_depot.submit(live_depot.releases.yellow).case
    at = live_depot.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    tamper(
        live_depot,
        (FORGED, (case.id, case.dossier_digest, person, "ml-platform-engineer", at)),
        ("UPDATE case_record SET state = 'approved' WHERE id = ?", (case.id,)),
    )
    with pytest.raises(RefusedError, match="no valid approval by: ml-platform-engineer"):
        issue_permit(live_depot.acting(), case.id)


def test_the_submitter_in_a_reviewers_role_does_not_count_either(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.yellow, person="emil").case
    at = live_depot.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    tamper(
        live_depot,
        (FORGED, (case.id, case.dossier_digest, "emil", "ml-platform-engineer", at)),
        ("UPDATE case_record SET state = 'approved' WHERE id = ?", (case.id,)),
    )
    with pytest.raises(RefusedError, match="no valid approval by: ml-platform-engineer"):
        issue_permit(live_depot.acting(), case.id)


def test_an_approval_of_another_dossier_does_not_count(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.red).case
    live_depot.approve(case.id, "gina")
    tamper(
        live_depot,
        ("UPDATE review SET dossier_digest = ? WHERE case_id = ?", ("sha256:" + "1" * 64, case.id)),
    )
    assert live_depot.approve(case.id, "rita").state is State.IN_REVIEW


def test_a_deleted_approval_is_missed(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.red).case
    live_depot.approve(case.id, "gina")
    tamper(
        live_depot,
        ("DELETE FROM review WHERE case_id = ?", (case.id,)),
        ("UPDATE case_record SET state = 'approved' WHERE id = ?", (case.id,)),
    )
    with pytest.raises(RefusedError, match="ml-governance-analyst, risk-officer"):
        issue_permit(live_depot.acting(), case.id)


def test_a_gate_that_nobody_accepted_stops_the_permit(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.tree).case
    for person in ("gina", "rita"):
        live_depot.approve(case.id, person)
    at = live_depot.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    tamper(
        live_depot,
        (FORGED, (case.id, case.dossier_digest, "emil", "ml-platform-engineer", at)),
        ("UPDATE case_record SET state = 'approved' WHERE id = ?", (case.id,)),
    )
    with pytest.raises(RefusedError) as refusal:
        issue_permit(live_depot.acting(), case.id)
    assert refusal.value.code == "permit/gates"
    assert "performance" in refusal.value.what


def test_an_unanswered_prohibited_screen_stops_the_permit_whoever_approved(
    new_depot: Depot, tmp_path: Path
) -> None:
    directory = parcels.variant(
        new_depot.releases.first, tmp_path / "unscreened", {"use": {"prohibited": None}}
    )
    case = new_depot.submit(directory).case
    tamper(new_depot, ("UPDATE case_record SET state = 'approved' WHERE id = ?", (case.id,)))
    with pytest.raises(RefusedError) as refusal:
        issue_permit(new_depot.acting(), case.id)
    assert refusal.value.code == "permit/screen"


def test_without_a_permit_nothing_is_deployed(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.yellow).case
    with pytest.raises(RefusedError) as refusal:
        deploy(live_depot.acting(), case.id)
    assert refusal.value.code == "deploy/no-permit"
    assert live_depot.case(case.id).state is State.IN_REVIEW


def test_a_file_that_changes_after_the_permit_voids_it_before_anything_starts(
    live_depot: Depot, tmp_path: Path
) -> None:
    directory = parcels.copy(live_depot.releases.green, tmp_path / "changing")
    case = live_depot.submit(directory).case
    (directory / "features.yaml").write_text("[]\n", encoding="utf-8")
    with pytest.raises(RefusedError, match=r"features\.yaml changed"):
        deploy(live_depot.acting(), case.id)
    assert live_depot.case(case.id).state is State.VOID
    assert gate(live_depot.acting(), directory, case.release_digest)["allowed"] is False


def test_a_case_that_is_withdrawn_takes_its_permit_with_it(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.green).case
    withdraw(live_depot.acting(), case.id)
    answer = gate(live_depot.acting(), live_depot.releases.green, None)
    assert answer["allowed"] is False
