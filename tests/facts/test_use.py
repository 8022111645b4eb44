"""The declared use, and what beats it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from guiderail.core.scales import KnownBy
from guiderail.facts.standing import Standing
from guiderail.facts.use.context import CONTEXT, MODEL_CONTEXT
from guiderail.facts.use.declared import DECLARED_USE
from guiderail.facts.use.profile import use_profile_digest
from guiderail.manifest.release import Release
from tests.facts.small_release import edit, reason, run


def test_answers_are_declared_facts_with_their_line(release: Release) -> None:
    facts = run(DECLARED_USE, release)

    assert facts["use.domain"].value == "credit"
    assert facts["use.domain"].known_by is KnownBy.DECLARED
    assert facts["use.domain"].source.startswith("guiderail.yaml:")


def test_an_open_question_is_unknown(directory: Path) -> None:
    facts = run(DECLARED_USE, edit(directory, use={"regulated": None, "prohibited": None}))

    assert "not answered" in reason(facts, "use.regulated")
    assert "not answered" in reason(facts, "use.prohibited")


def test_columns_about_people_beat_a_declaration_that_nobody_is_affected(directory: Path) -> None:
    fact = run(DECLARED_USE, edit(directory, use={"affects_people": False}))["use.affects_people"]

    assert fact.value is True
    assert fact.known_by is KnownBy.MEASURED
    assert "evaluation.csv, column sex" in fact.source
    assert "declares false" in fact.source


def test_without_columns_about_people_the_declaration_stands(directory: Path) -> None:
    for name in ("training.csv", "evaluation.csv"):
        frame = pd.read_csv(directory / name)
        frame.drop(columns=["sex"], errors="ignore").to_csv(directory / name, index=False)
    quiet = edit(directory, use={"affects_people": False}, evaluation={"protected": None})

    fact = run(DECLARED_USE, quiet)["use.affects_people"]

    assert (fact.value, fact.known_by) == (False, KnownBy.DECLARED)


def test_data_that_cannot_be_read_check_nothing_and_say_so(directory: Path) -> None:
    (directory / "training.csv").write_bytes(b"\x00\xff\x00")
    fact = run(DECLARED_USE, edit(directory, use={"affects_people": False}))["use.affects_people"]

    assert fact.value is False
    assert "unchecked" in fact.detail


def test_a_profile_is_confirmed_until_it_changes(directory: Path, release: Release) -> None:
    standing = Standing(confirmed_profiles=frozenset({use_profile_digest(release)}))

    assert run(DECLARED_USE, release, standing)["use.confirmed"].value is True
    later = edit(directory, version="v2", model={"threshold": 0.6, "threshold_envelope": None})
    assert run(DECLARED_USE, later, standing)["use.confirmed"].value is True
    other = edit(directory, use={"influence": "automated"})
    assert run(DECLARED_USE, other, standing)["use.confirmed"].value is False


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": "Decides all credits."},
        {"forbidden_uses": ["Employment."]},
        {"endpoint": "other-endpoint"},
        {"use": {"jurisdictions": ["DE", "FR"]}},
        {"use": {"exposure": "large"}},
    ],
)
def test_every_part_of_the_profile_counts(
    directory: Path, release: Release, change: dict[str, object]
) -> None:
    assert use_profile_digest(edit(directory, **change)) != use_profile_digest(release)


def test_what_the_manifest_tells_reviewers_is_not_asked_again(directory: Path) -> None:
    release = edit(directory, forbidden_uses=["Not for staff.", "Not for children."])
    facts = {**run(CONTEXT, release), **run(MODEL_CONTEXT, release)}
    assert facts["context.purpose"].value == "Decides small credits."
    assert facts["context.purpose"].source.startswith("guiderail.yaml:")
    assert facts["context.forbidden_uses"].value == "Not for staff.; Not for children."
    assert facts["context.purpose"].known_by is KnownBy.DECLARED
    assert set(facts) == {*CONTEXT.gives, *MODEL_CONTEXT.gives}


def test_what_the_manifest_leaves_out_is_asked(directory: Path) -> None:
    release = edit(directory, forbidden_uses=None, training=None, monitoring=None)
    facts = {**run(CONTEXT, release), **run(MODEL_CONTEXT, release)}
    for name in ("context.forbidden_uses", "release.data_sets", "context.watch"):
        assert "nobody has answered" in reason(facts, name)
