"""Reviews: who may decide, what a decision is bound to, and what it does to the case."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from guiderail.attest.keys import read_trusted
from guiderail.core.errors import ConflictError, GuiderailError, InputError, RefusedError
from guiderail.core.time import from_text
from guiderail.review.states import State
from guiderail.service.review import give_review
from guiderail.service.status import show_case
from guiderail.store import tables
from guiderail_verify.permit import open_permit
from tests.service import parcels
from tests.service.depot import Depot, roles_of, write_people


@pytest.fixture
def yellow(live_depot: Depot) -> tuple[Depot, str]:
    """A case that waits for one ML platform engineer."""
    return live_depot, live_depot.submit(live_depot.releases.yellow).case.id


@pytest.fixture
def red(live_depot: Depot) -> tuple[Depot, str]:
    """A case that waits for an analyst and a risk officer."""
    return live_depot, live_depot.submit(live_depot.releases.red).case.id


def refused(call: Callable[[], Any], code: str) -> GuiderailError:
    with pytest.raises(GuiderailError) as refusal:
        call()
    assert refusal.value.code == code
    return refusal.value


def test_the_one_reviewer_of_a_yellow_release_approves_and_the_permit_follows(
    yellow: tuple[Depot, str],
) -> None:
    depot, case = yellow
    reviewed = give_review(depot.acting("emil"), case, "approve")
    assert reviewed.case.state is State.PERMITTED
    assert reviewed.waiting == ()
    assert depot.event_types()[-2:] == ["review.given", "permit.issued"]


def test_a_red_release_needs_every_role_and_says_who_is_left(red: tuple[Depot, str]) -> None:
    depot, case = red
    reviewed = give_review(depot.acting("gina"), case, "approve")
    assert reviewed.case.state is State.IN_REVIEW
    assert roles_of(reviewed.waiting) == {"risk-officer"}
    assert reviewed.waiting[0].people == ("rita", "ruben")
    assert depot.approve(case, "ruben").state is State.PERMITTED


@pytest.mark.parametrize(
    ("person", "rule", "words"),
    [
        ("nora", "own-work", "submitted"),
        ("adam", "administrator", "administrators cannot approve"),
        ("lapsed", "competence", "no training in date"),
        ("rita", "role-not-needed", "waits for: ml-platform-engineer"),
    ],
)
def test_people_who_may_not_decide_are_told_why(
    yellow: tuple[Depot, str], person: str, rule: str, words: str
) -> None:
    depot, case = yellow
    before = depot.event_types()
    refusal = refused(lambda: depot.approve(case, person), f"authz/{rule}")
    assert words in refusal.what
    assert depot.event_types() == before
    assert depot.case(case).state is State.IN_REVIEW


def test_a_red_release_needs_somebody_outside_the_reporting_line(red: tuple[Depot, str]) -> None:
    depot, case = red
    refusal = refused(lambda: depot.approve(case, "boss"), "authz/reporting-line")
    assert "reporting line" in refusal.what


def test_one_person_is_not_two_reviewers(red: tuple[Depot, str]) -> None:
    depot, case = red
    both = ["ml-governance-analyst", "risk-officer"]
    competence = [{"role": role, "kinds": ["model"], "until": "2999-12-31"} for role in both]
    write_people(depot, {"gina": {"roles": both, "competence": competence}})
    refused(lambda: depot.approve(case, "gina"), "review/which-role")
    depot.approve(case, "gina", "risk-officer")
    refusal = refused(
        lambda: depot.approve(case, "gina", "ml-governance-analyst"), "authz/two-people"
    )
    assert "two approvals are two people" in refusal.what
    assert depot.case(case).state is State.IN_REVIEW


def test_a_role_that_nobody_gave_cannot_be_claimed(yellow: tuple[Depot, str]) -> None:
    depot, case = yellow
    refused(lambda: depot.approve(case, "rita", "ml-platform-engineer"), "authz/role-missing")


def test_training_that_ran_out_since_the_last_review_counts_as_none(
    yellow: tuple[Depot, str],
) -> None:
    depot, case = yellow
    depot.clock.days = 366
    refused(lambda: depot.approve(case, "emil"), "authz/competence")


def test_a_decision_is_bound_to_the_dossier_that_was_shown(yellow: tuple[Depot, str]) -> None:
    depot, case = yellow
    shown = depot.case(case).dossier_digest
    stale = "sha256:" + "0" * 64
    refused(lambda: depot.approve(case, "emil", shown=stale), "review/stale")
    assert depot.approve(case, "emil", shown=shown).state is State.PERMITTED


def test_a_file_that_changes_makes_the_case_void_and_the_message_names_it(
    live_depot: Depot, tmp_path: Path
) -> None:
    directory = parcels.copy(live_depot.releases.red, tmp_path / "changing")
    case = live_depot.submit(directory).case.id
    live_depot.approve(case, "gina")
    (directory / "training.csv").write_text("weight\n1\n", encoding="utf-8")
    refusal = refused(lambda: live_depot.approve(case, "rita"), "case/void")
    assert "training.csv changed after the release was submitted" in refusal.what
    assert live_depot.case(case).state is State.VOID
    assert live_depot.event_types()[-1] == "case.void"


def test_a_manifest_that_can_no_longer_be_read_makes_the_case_void(
    live_depot: Depot, tmp_path: Path
) -> None:
    directory = parcels.copy(live_depot.releases.yellow, tmp_path / "changing")
    case = live_depot.submit(directory).case.id
    (directory / "guiderail.yaml").unlink()
    refused(lambda: live_depot.approve(case, "emil"), "case/void")


def test_a_directory_that_is_gone_changes_nothing(live_depot: Depot, tmp_path: Path) -> None:
    directory = parcels.copy(live_depot.releases.yellow, tmp_path / "cleaned")
    case = live_depot.submit(directory).case.id
    directory.rename(tmp_path / "elsewhere")
    assert live_depot.approve(case, "emil").state is State.PERMITTED


def test_asking_for_changes_names_a_finding_of_the_case(yellow: tuple[Depot, str]) -> None:
    depot, case = yellow

    def ask(*findings: str, reason: str = "Show the flips by size.") -> Any:
        return give_review(
            depot.acting("emil"), case, "request-changes", findings=findings, reason=reason
        )

    assert "no finding is named" in refused(ask, "review/finding").what
    refusal = refused(lambda: ask("no-such-finding"), "review/finding")
    assert "features-approved" in refusal.advice
    refused(lambda: ask("features-approved", reason=" "), "review/reason")
    assert ask("features-approved").case.state is State.CHANGES_REQUESTED
    assert depot.event_types()[-1] == "review.given"


def test_a_case_with_changes_requested_is_replaced_by_the_next_submission(
    yellow: tuple[Depot, str],
) -> None:
    depot, case = yellow
    give_review(
        depot.acting("emil"), case, "request-changes", findings=("tests",), reason="Add one."
    )
    assert depot.submit(depot.releases.green).replaced == (case,)


def test_a_rejected_case_is_closed(yellow: tuple[Depot, str]) -> None:
    depot, case = yellow
    refused(lambda: give_review(depot.acting("emil"), case, "reject"), "review/reason")
    rejected = give_review(depot.acting("emil"), case, "reject", reason="Not for this purpose.")
    assert rejected.case.state is State.REJECTED
    refused(lambda: depot.approve(case, "edda", "ml-platform-engineer"), "review/state")


def test_accepting_a_gate_without_evidence_needs_a_reason(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.tree).case.id
    refusal = refused(lambda: live_depot.approve(case, "emil", reason=""), "review/reason")
    assert "performance" in refusal.what
    live_depot.approve(case, "emil", reason="The drop is known and wanted.")
    (review,) = show_case(live_depot.acting(), case).reviews
    assert review.accepted == ("performance",)


def test_conditions_are_kept_and_stand_in_the_permit(yellow: tuple[Depot, str]) -> None:
    depot, case = yellow
    depot.approve(case, "emil", conditions=("Watch the volume feature for a week.",))
    permit = show_case(depot.acting(), case).permit
    assert permit is not None
    with depot.acting().store.read() as snapshot:
        (row,) = snapshot.execute(
            tables.permit.select().where(tables.permit.c.id == permit.id)
        ).mappings()
    opened = open_permit(row["envelope"], row["proof"], read_trusted(depot.home))
    assert opened.conditions == ("Watch the volume feature for a week.",)


def test_only_a_risk_officer_confirms_a_use(new_depot: Depot) -> None:
    case = new_depot.submit(new_depot.releases.first).case
    refused(lambda: new_depot.confirm(case.id, "emil"), "authz/role-missing")
    refused(lambda: new_depot.confirm(case.id, "nora"), "authz/own-work")
    confirmed = new_depot.confirm(case.id, "rita")
    assert (case.tier, confirmed.tier) == ("medium", "low")
    assert confirmed.dossier_digest != case.dossier_digest
    assert new_depot.event_types()[-2:] == ["profile.confirmed", "case.decided"]


def test_a_confirmed_use_stays_confirmed_until_it_changes(
    live_depot: Depot, tmp_path: Path
) -> None:
    assert live_depot.profile_confirmed(live_depot.submit(live_depot.releases.green).case.id)
    other = parcels.variant(
        live_depot.releases.yellow, tmp_path / "other", {"purpose": "Weighs letters."}
    )
    assert not live_depot.profile_confirmed(live_depot.submit(other).case.id)


def test_confirming_the_last_open_thing_of_a_green_release_lets_it_go(
    live_depot: Depot, tmp_path: Path
) -> None:
    other = parcels.variant(
        live_depot.releases.green, tmp_path / "other", {"forbidden_uses": ["Anything live."]}
    )
    case = live_depot.submit(other).case
    assert (case.state, case.track) == (State.IN_REVIEW, "yellow")
    assert live_depot.confirm(case.id).state is State.PERMITTED


def test_the_data_stewards_approval_holds_for_180_days(new_depot: Depot, tmp_path: Path) -> None:
    def with_people(to: str, version: str) -> Path:
        directory = parcels.copy(new_depot.releases.first, tmp_path / to)
        data = directory / "training.csv"
        lines = data.read_text(encoding="utf-8").splitlines()
        rows = [f"{line},person{n}@example.org" for n, line in enumerate(lines[1:])]
        data.write_text("\n".join([f"{lines[0]},email", *rows]), encoding="utf-8")
        training = [
            {
                "name": "depot-parcels",
                "data": "training.csv",
                "fingerprint": parcels.fingerprint(data).fingerprint,
                "permission": "Consent.",
            }
        ]
        use = {"affects_people": True, "decision": "none"}
        parcels.edit(directory, {"version": version, "training": training, "use": use})
        parcels.report(directory)
        return directory

    case = new_depot.submit(with_people("one", "v1")).case
    assert "data-steward" in {role for role, _ in new_depot.dossier(case.id).needed_roles}
    new_depot.confirm(case.id)
    new_depot.approve(case.id, "dora", "data-steward", reason="Consent covers it.")
    with new_depot.acting().store.read() as snapshot:
        (row,) = snapshot.execute(tables.data_approval.select()).mappings()
    assert row["source"] == "depot-parcels"
    assert row["purpose"] == "Puts urgent parcels on the first belt."
    assert (from_text(row["until"]) - from_text(row["at"])).days == 180
    again = new_depot.submit(with_people("two", "v2"))
    gates = {gate.id: gate.verdict for gate in again.decision.gates}
    assert gates["personal-data"] == "pass"
    new_depot.clock.days = 181
    later = new_depot.submit(with_people("three", "v3"))
    gates = {gate.id: gate.verdict for gate in later.decision.gates}
    assert gates["personal-data"] == "insufficient"


def test_a_case_that_does_not_exist_is_named(live_depot: Depot) -> None:
    with pytest.raises(InputError) as refusal:
        live_depot.approve("case-9999", "emil")
    assert refusal.value.code == "case/unknown"


def test_nobody_decides_on_a_case_that_is_live(live_depot: Depot) -> None:
    with pytest.raises(ConflictError, match="live, not in review"):
        live_depot.approve("case-0001", "emil")


def test_a_manifest_edit_between_two_approvals_is_noticed_by_the_second(
    live_depot: Depot, tmp_path: Path
) -> None:
    directory = parcels.copy(live_depot.releases.red, tmp_path / "edited")
    case = live_depot.submit(directory).case.id
    live_depot.approve(case, "gina")
    parcels.edit(directory, {"use": {"exposure": "large"}})
    with pytest.raises(RefusedError, match=r"guiderail\.yaml changed"):
        live_depot.approve(case, "rita")
