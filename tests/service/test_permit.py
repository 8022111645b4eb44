"""The permit: counted again from the reviews, signed, proved, and needed for every start."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from guiderail.attest.keys import read_trusted
from guiderail.core.errors import ConflictError, IntegrityError, RefusedError
from guiderail.review.cases import Case
from guiderail.review.states import State
from guiderail.service import audit
from guiderail.service.deploy import deploy
from guiderail.service.gate import gate
from guiderail.service.permits import issue_permit, permit_of_release
from guiderail.service.withdraw import withdraw
from guiderail_verify.note import Checkpoint
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


@pytest.mark.tampers
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


@pytest.mark.tampers
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


@pytest.mark.tampers
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


@pytest.mark.tampers
def test_an_approval_of_another_dossier_does_not_count(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.red).case
    live_depot.approve(case.id, "gina")
    tamper(
        live_depot,
        ("UPDATE review SET dossier_digest = ? WHERE case_id = ?", ("sha256:" + "1" * 64, case.id)),
    )
    assert live_depot.approve(case.id, "rita").state is State.IN_REVIEW


@pytest.mark.tampers
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


@pytest.mark.tampers
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


@pytest.mark.tampers
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


def forge_decision(depot: Depot, case: Case, *, digest_too: bool) -> None:
    """Let the stored decision need nobody, as somebody with the file could."""
    dossier = depot.dossier(case.id)
    forged = replace(dossier, decision={**dossier.decision, "reviewers": []})
    digest = forged.digest if digest_too else case.dossier_digest
    tamper(
        depot,
        (
            "UPDATE dossier SET decision = ?, digest = ? WHERE digest = ?",
            (forged.columns()["decision"], digest, case.dossier_digest),
        ),
        (
            "UPDATE case_record SET state = 'approved', dossier_digest = ? WHERE id = ?",
            (digest, case.id),
        ),
    )


@pytest.mark.tampers
def test_an_edited_decision_does_not_fit_its_digest(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.yellow).case
    forge_decision(live_depot, case, digest_too=False)
    with pytest.raises(IntegrityError) as refusal:
        issue_permit(live_depot.acting(), case.id)
    assert refusal.value.code == "integrity/dossier"


@pytest.mark.tampers
def test_an_edited_decision_under_a_fitting_digest_is_not_what_the_facts_give(
    live_depot: Depot,
) -> None:
    case = live_depot.submit(live_depot.releases.yellow).case
    forge_decision(live_depot, case, digest_too=True)
    with pytest.raises(IntegrityError) as refusal:
        issue_permit(live_depot.acting(), case.id)
    assert refusal.value.code == "integrity/decision"
    assert live_depot.case(case.id).state is State.APPROVED


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE dossier SET facts = ? WHERE digest = ?",
        "UPDATE dossier SET answers = ? WHERE digest = ?",
        "UPDATE dossier SET decision = ? WHERE digest = ?",
    ],
)
@pytest.mark.parametrize("written", [b"{}", b"[]", b"no json", b"\xff", b'{"half": 0.5}'])
def test_a_dossier_that_is_none_is_an_error_and_not_a_traceback(
    live_depot: Depot, statement: str, written: bytes
) -> None:
    case = live_depot.submit(live_depot.releases.yellow).case
    tamper(live_depot, (statement, (written, case.dossier_digest)))
    with pytest.raises(IntegrityError) as refusal:
        live_depot.dossier(case.id)
    assert refusal.value.code == "integrity/dossier"


@pytest.mark.tampers
def test_a_case_that_another_policy_decided_is_submitted_again(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.yellow).case
    older = replace(live_depot.dossier(case.id), pack_digest="sha256:" + "2" * 64)
    tamper(
        live_depot,
        (
            "UPDATE dossier SET pack_digest = ?, digest = ? WHERE digest = ?",
            (older.pack_digest, older.digest, case.dossier_digest),
        ),
        (
            "UPDATE case_record SET state = 'approved', dossier_digest = ? WHERE id = ?",
            (older.digest, case.id),
        ),
    )
    with pytest.raises(ConflictError, match="the policy changed") as refusal:
        issue_permit(live_depot.acting(), case.id)
    assert refusal.value.code == "permit/policy-changed"
    assert "Submit the release again" in refusal.value.advice


def test_the_checkpoint_beside_the_keys_is_part_of_every_verification(live_depot: Depot) -> None:
    """Here the log is whole and the file speaks of a longer one, which is the same to a reader."""
    assert audit.verify(live_depot.acting())["problems"] == []
    keyring = live_depot.acting().keyring
    kept = keyring.kept_checkpoint()
    assert kept is not None
    longer = Checkpoint(keyring.origin, 10_000, bytes(32))
    keyring.keep_checkpoint(keyring.sign_note(longer.to_text()))
    [problem] = audit.verify(live_depot.acting())["problems"]
    assert "10000 entries is on the checkpoint beside the keys" in problem
    keyring.keep_checkpoint(kept)
