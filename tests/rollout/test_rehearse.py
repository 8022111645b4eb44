"""Rehearsing the way back, without touching what runs."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from releases import SAMPLE, WORKLOAD, permitted

from guiderail.core.digest import Digest
from guiderail.rollout.desired import Arm
from guiderail.rollout.rehearse import rehearse

BODY = json.dumps({"inputs": SAMPLE}).encode()


def candidate(version):
    """An arm of a release that has no permit yet."""
    none = Path("/nonexistent")
    return Arm(
        Digest(version.digest), 100, "production", version.document, version.model, none, none
    )


def test_two_permitted_versions_are_rehearsed_under_their_own_permits(home, versions):
    result = rehearse(
        home,
        WORKLOAD,
        new=permitted(home, versions.v2),
        old=permitted(home, versions.v1),
        sample=BODY,
        now=datetime.now(UTC),
    )
    assert result.succeeded, result.sentence
    assert result.own_permits
    assert result.seconds > 0
    assert (result.from_digest, result.to_digest) == (versions.v2.digest, versions.v1.digest)
    assert not (home / "targets").exists()


def test_a_candidate_without_a_permit_is_rehearsed_with_throwaway_keys(home, versions):
    result = rehearse(
        home,
        WORKLOAD,
        new=candidate(versions.v2),
        old=permitted(home, versions.v1),
        sample=BODY,
        now=datetime.now(UTC),
    )
    assert result.succeeded, result.sentence
    assert not result.own_permits
    assert {path.name for path in (home / "permits").iterdir()} == {
        permitted(home, versions.v1).permit_file.name,
        permitted(home, versions.v1).proof_file.name,
    }


def test_where_nothing_runs_before_switching_off_is_rehearsed(home, versions):
    result = rehearse(
        home,
        WORKLOAD,
        new=candidate(versions.v1),
        old=None,
        sample=BODY,
        now=datetime.now(UTC),
    )
    assert result.succeeded, result.sentence
    assert result.to_digest == "off"
    assert "switching off" in result.sentence


def test_a_version_that_cannot_answer_fails_the_rehearsal_with_the_reason(home, versions):
    result = rehearse(
        home,
        WORKLOAD,
        new=candidate(versions.v1),
        old=candidate(versions.other),
        sample=BODY,
        now=datetime.now(UTC),
    )
    assert not result.succeeded
    assert result.seconds is None
    assert "answers 422" in result.sentence
    assert "region" in result.sentence


def test_a_bad_permit_fails_the_rehearsal(home, versions, tmp_path):
    foreign = permitted(tmp_path / "foreign", versions.v1)
    result = rehearse(
        home,
        WORKLOAD,
        new=permitted(home, versions.v2),
        old=replace(foreign),
        sample=BODY,
        now=datetime.now(UTC),
    )
    assert not result.succeeded
    assert "refuses" in result.sentence
