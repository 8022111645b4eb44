"""Submitting: what opens a case, what deploys itself, what is refused with nothing opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from guiderail.core.errors import ConflictError, InputError, RefusedError
from guiderail.review.states import State
from guiderail.service.deploy import deploy
from guiderail.service.status import list_cases
from tests.service import parcels
from tests.service.depot import SUBMITTER, Depot


def test_a_green_release_is_permitted_at_once_and_by_nobody(live_depot: Depot) -> None:
    submitted = live_depot.submit(live_depot.releases.green)
    assert submitted.decision.track == "green"
    assert submitted.case.state is State.PERMITTED
    assert submitted.decision.reviewers == ()
    assert live_depot.event_types()[-2:] == ["case.submitted", "permit.issued"]


def test_a_first_release_waits_for_a_light_review(new_depot: Depot) -> None:
    case = new_depot.submit(new_depot.releases.first).case
    case = new_depot.confirm(case.id)
    assert (case.state, case.track, case.tier) == (State.IN_REVIEW, "yellow", "low")
    assert [role for role, _ in new_depot.dossier(case.id).needed_roles] == ["ml-platform-engineer"]


@pytest.mark.parametrize(
    ("name", "track", "rule", "roles"),
    [
        ("yellow", "yellow", "features-approved", {"ml-platform-engineer"}),
        ("red", "red", "features-unapproved", {"ml-governance-analyst", "risk-officer"}),
        (
            "tree",
            "red",
            "architecture",
            {"ml-governance-analyst", "risk-officer", "ml-platform-engineer"},
        ),
    ],
)
def test_a_heavier_change_waits_for_its_reviewers(
    live_depot: Depot, name: str, track: str, rule: str, roles: set[str]
) -> None:
    submitted = live_depot.submit(getattr(live_depot.releases, name))
    assert submitted.case.state is State.IN_REVIEW
    assert submitted.case.track == track
    assert rule in {reason.rule for reason in submitted.decision.track_reasons}
    assert {role for role, _ in live_depot.dossier(submitted.case.id).needed_roles} == roles


def test_a_blocked_release_opens_nothing(live_depot: Depot) -> None:
    before = live_depot.event_types()
    with pytest.raises(RefusedError) as refusal:
        live_depot.submit(live_depot.releases.blocked)
    assert refusal.value.code == "submit/blocked"
    assert "test_it_is_good" in refusal.value.what
    assert live_depot.event_types() == before
    assert len(list_cases(live_depot.acting())) == 1


def test_a_prohibited_use_opens_nothing(new_depot: Depot, tmp_path: Path) -> None:
    forbidden = parcels.variant(
        new_depot.releases.first, tmp_path / "forbidden", {"use": {"prohibited": True}}
    )
    with pytest.raises(RefusedError, match="prohibited"):
        new_depot.submit(forbidden)
    assert list_cases(new_depot.acting()) == []


def test_the_same_release_is_not_submitted_twice(live_depot: Depot) -> None:
    live_depot.submit(live_depot.releases.yellow)
    before = live_depot.event_types()
    with pytest.raises(ConflictError) as refusal:
        live_depot.submit(live_depot.releases.yellow)
    assert refusal.value.code == "submit/already"
    assert "case-0002" in refusal.value.what
    assert live_depot.event_types() == before


def test_what_is_live_is_not_submitted_again(live_depot: Depot) -> None:
    with pytest.raises(ConflictError, match="case-0001 is live"):
        live_depot.submit(live_depot.releases.first)


def test_a_newer_version_makes_the_older_open_case_void(live_depot: Depot) -> None:
    older = live_depot.submit(live_depot.releases.yellow).case
    newer = live_depot.submit(live_depot.releases.red)
    assert newer.replaced == (older.id,)
    assert live_depot.case(older.id).state is State.VOID
    assert live_depot.event_types()[-2:] == ["case.void", "case.submitted"]


def test_nothing_is_submitted_into_a_rollout_under_way(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.green).case
    deploy(live_depot.acting(), case.id, one_step=True)
    with pytest.raises(ConflictError) as refusal:
        live_depot.submit(live_depot.releases.yellow)
    assert refusal.value.code == "submit/rolling"
    assert live_depot.case(case.id).state is State.ROLLING


def test_a_green_retrain_is_compared_with_what_people_reviewed_last(live_depot: Depot) -> None:
    live_depot.make_live(live_depot.releases.green)
    submitted = live_depot.submit(live_depot.releases.yellow)
    facts = submitted.facts
    assert submitted.compared_with == parcels.load_release(live_depot.releases.green).digest
    assert facts["since_review.performance"].value != facts["change.performance"].value


def test_a_person_who_is_not_in_the_register_cannot_submit(live_depot: Depot) -> None:
    with pytest.raises(InputError) as refusal:
        live_depot.submit(live_depot.releases.green, person="nobody")
    assert refusal.value.code == "people/unknown"


def test_the_copy_that_is_kept_is_read_only_and_complete(live_depot: Depot) -> None:
    release = live_depot.submit(live_depot.releases.green).release
    folder = live_depot.acting().releases / release.digest.removeprefix("sha256:")
    assert parcels.load_release(folder).digest == release.digest
    assert all(not path.stat().st_mode & 0o222 for path in folder.rglob("*") if path.is_file())


def test_the_submitter_stands_among_the_contributors(live_depot: Depot) -> None:
    case = live_depot.submit(live_depot.releases.yellow).case
    assert live_depot.dossier(case.id).contributors == (SUBMITTER,)


def test_authors_in_the_git_history_are_contributors(live_depot: Depot, tmp_path: Path) -> None:
    import subprocess

    directory = parcels.copy(live_depot.releases.yellow, tmp_path / "in-git")
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "GIT_AUTHOR_NAME": "Emil",
        "GIT_AUTHOR_EMAIL": "emil@example.org",
        "GIT_COMMITTER_NAME": "Emil",
        "GIT_COMMITTER_EMAIL": "emil@example.org",
    }
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Train it"]):
        subprocess.run(["git", *command], cwd=directory, env=environment, check=True)  # noqa: S607 - git of the machine
    case = live_depot.submit(directory).case
    assert live_depot.dossier(case.id).contributors == ("emil", SUBMITTER)
    with pytest.raises(RefusedError, match="contributed"):
        live_depot.approve(case.id, "emil")
