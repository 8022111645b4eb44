"""Features, threshold, class tree, sources, recipe and purpose against the baselines."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import skops.io
from sklearn.ensemble import RandomForestClassifier

from guiderail.change.build import BUILD
from guiderail.change.data_sources import DATA_SOURCES
from guiderail.change.exists import EXISTS
from guiderail.change.features import FEATURES
from guiderail.change.going_back import GOING_BACK
from guiderail.change.judged_by import PURPOSE, RECIPE
from guiderail.change.threshold import THRESHOLD_MOVE
from guiderail.core.scales import KnownBy
from guiderail.facts.fact import known, unknown
from guiderail.facts.provider import Provider
from guiderail.facts.standing import ApprovedFeature, Baseline, Standing
from guiderail.manifest.load import load_release
from guiderail.manifest.release import Release
from tests.facts.small_release import (
    NOW,
    NUMBERS,
    after,
    baseline,
    edit,
    german,
    reason,
    run,
)


def approved(kind: str = "text", days: int = 30) -> dict[str, ApprovedFeature]:
    return {"savings": ApprovedFeature("savings", kind, "steward", NOW + timedelta(days=days))}


def test_a_first_release_has_no_baseline(first: Release) -> None:
    assert run(EXISTS, first)["baseline.exists"].value is False
    assert run(EXISTS, first, after(first))["baseline.exists"].value is True


@pytest.mark.parametrize(
    "provider", [FEATURES, THRESHOLD_MOVE, BUILD, DATA_SOURCES, RECIPE, PURPOSE]
)
def test_without_production_every_comparison_is_unknown(first: Release, provider: Provider) -> None:
    facts = run(provider, first)

    for name in provider.gives:
        assert "nothing runs in production" in reason(facts, name)


@pytest.mark.parametrize(
    ("features", "unapproved", "why"),
    [
        ({}, 1, "not in the feature registry"),
        (approved(), 0, None),
        (approved(days=0), 1, "approval ended"),
        (approved(kind="number"), 1, "approved as number"),
    ],
)
def test_a_new_feature_is_named_and_looked_up(
    first: Release, wider: Path, features: dict[str, ApprovedFeature], unapproved: int, why: str
) -> None:
    facts = run(FEATURES, load_release(wider), after(first, features=features))

    assert facts["change.new_features"].detail["features"] == ["savings"]
    assert facts["change.unapproved_features"].value == unapproved
    if why:
        assert why in str(facts["change.unapproved_features"].detail["why"])


def test_a_feature_that_runs_unreviewed_stays_new(first: Release, wider: Path) -> None:
    release = load_release(wider)
    standing = Standing(
        production=baseline(release), reviewed=baseline(first), full_review=baseline(first)
    )

    facts = run(FEATURES, release, standing)

    assert facts["change.new_features"].value == 1
    assert facts["change.unapproved_features"].value == 1


def test_a_removed_feature_is_named(first: Release, wider: Path) -> None:
    facts = run(FEATURES, first, after(load_release(wider)))

    assert facts["change.removed_features"].detail["features"] == ["savings"]
    assert facts["change.new_features"].value == 0


def test_a_baseline_without_its_file_counts_with_what_was_recorded(
    first: Release, wider: Path, same: Path
) -> None:
    gone = load_release(same)
    recorded = {"model.inputs": known("model.inputs", ("status",), "model", KnownBy.MEASURED)}
    (same / "model.skops").unlink()
    standing = after(first)
    with_facts = Baseline(gone, gone.digest, recorded)
    without = Baseline(gone, gone.digest, {})

    facts = run(FEATURES, load_release(wider), Standing(with_facts, standing.reviewed))
    nothing = run(FEATURES, load_release(wider), Standing(without, standing.reviewed))

    assert facts["change.new_features"].value == 4
    assert "cannot be read" in reason(nothing, "change.new_features")


@pytest.mark.parametrize(
    ("threshold", "own_envelope", "move"),
    [
        (0.5, [0.45, 0.55], "unchanged"),
        (0.53, [0.45, 0.55], "inside"),
        (0.55, [0.45, 0.6], "inside"),
        (0.56, [0.1, 0.9], "outside"),
        (None, None, "outside"),
    ],
)
def test_a_threshold_moves_inside_the_envelope_of_the_last_full_review(
    first: Release, same: Path, threshold: float | None, own_envelope: list[float], move: str
) -> None:
    model = {"threshold": threshold, "threshold_envelope": own_envelope}

    facts = run(THRESHOLD_MOVE, edit(same, model=model), after(first))

    assert facts["change.threshold"].value == move


def test_without_an_approved_envelope_every_move_is_outside(first: Release, same: Path) -> None:
    bare = edit(same, model={"threshold_envelope": None})

    moved = run(THRESHOLD_MOVE, first, Standing(after(bare).production, None, None))
    still = run(THRESHOLD_MOVE, bare, after(bare))

    assert moved["change.threshold"].value == "unchanged"
    other = edit(same, model={"threshold": 0.51, "threshold_envelope": [0.5, 0.52]})
    assert run(THRESHOLD_MOVE, other, after(bare))["change.threshold"].value == "outside"
    assert still["change.threshold"].value == "unchanged"


def test_a_retrain_with_another_setting_is_tuning_only(first: Release, retrain: Path) -> None:
    facts = run(BUILD, load_release(retrain), after(first))

    assert facts["change.architecture"].value is False
    assert facts["change.tuning"].value is True


def forest(directory: Path) -> Release:
    frame = german()
    model = RandomForestClassifier(3, random_state=0).fit(frame[list(NUMBERS)], frame["good"])
    skops.io.dump(model, directory / "model.skops")
    return edit(directory, version="forest")


def test_another_class_is_another_architecture(first: Release, retrain: Path) -> None:
    facts = run(BUILD, forest(retrain), after(first))

    assert facts["change.architecture"].value is True
    assert facts["change.architecture"].detail["new"] == [
        "sklearn.ensemble.RandomForestClassifier",
        "sklearn.tree.DecisionTreeClassifier",
    ]


def test_an_architecture_that_no_full_review_saw_stays_changed(
    first: Release, retrain: Path
) -> None:
    release = forest(retrain)
    standing = Standing(baseline(release), baseline(first), baseline(first))

    assert run(BUILD, release, standing)["change.architecture"].value is True


def test_an_architecture_that_cannot_be_read_is_unknown(first: Release, retrain: Path) -> None:
    (retrain / "model.skops").write_bytes(b"broken")

    facts = run(BUILD, edit(retrain, version="v2"), after(first))

    assert facts["change.architecture"].is_unknown


def sources(*names: str) -> list[dict[str, str]]:
    return [{"name": name, "data": "training.csv"} for name in names]


def test_new_rows_of_a_known_source_are_no_new_source(first: Release, same: Path) -> None:
    text = (same / "training.csv").read_text()
    (same / "training.csv").write_text("".join(text.splitlines(keepends=True)[:-50]))

    facts = run(DATA_SOURCES, edit(same, version="v2"), after(first))

    assert facts["change.new_sources"].value == 0


def test_a_source_under_a_new_name_is_new_unless_its_content_is_known(
    first: Release, same: Path
) -> None:
    renamed = run(DATA_SOURCES, edit(same, training=sources("renamed")), after(first))
    text = (same / "training.csv").read_text()
    (same / "training.csv").write_text("".join(text.splitlines(keepends=True)[:-50]))
    other = run(DATA_SOURCES, edit(same, training=sources("renamed")), after(first))

    assert renamed["change.new_sources"].value == 0
    assert other["change.new_sources"].detail["sources"] == ["renamed"]


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ({}, []),
        ({"metric": "accuracy"}, ["metric"]),
        ({"recipe": "first-300"}, ["recipe"]),
        ({"protected": ["sex", "status"]}, ["protected"]),
        ({"protected": None}, ["protected"]),
        ({"positive": "0"}, ["positive"]),
        ({"floor_percent": -10}, []),
    ],
)
def test_another_way_of_judging_is_named(
    first: Release, same: Path, change: dict[str, Any], changed: list[str]
) -> None:
    facts = run(RECIPE, edit(same, evaluation=change), after(first))

    assert facts["change.recipe"].detail["changed"] == changed
    assert facts["change.recipe"].value is bool(changed)


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ({}, []),
        ({"version": "v9"}, []),
        ({"purpose": "Decides all credits."}, ["purpose"]),
        ({"use": {"population": "everybody"}}, ["population"]),
        ({"use": {"jurisdictions": ["DE", "FR"]}}, ["jurisdictions"]),
        ({"use": {"jurisdictions": []}}, []),
        ({"use": {"influence": "automated"}}, ["influence"]),
        ({"use": {"influence": "informs"}}, []),
        ({"forbidden_uses": ["Employment."]}, []),
    ],
)
def test_a_wider_purpose_is_named(
    first: Release, same: Path, change: dict[str, Any], changed: list[str]
) -> None:
    facts = run(PURPOSE, edit(same, **change), after(first))

    assert facts["change.purpose"].detail["changed"] == changed


def test_an_open_question_about_influence_leaves_the_purpose_unknown(
    first: Release, same: Path
) -> None:
    facts = run(PURPOSE, edit(same, use={"influence": None}), after(first))

    assert facts["change.purpose"].is_unknown


def test_going_back_fits_what_serving_offers(first: Release, same: Path) -> None:
    flips = {"change.flips": known("change.flips", 1.0, "test", KnownBy.MEASURED)}

    facts = run(GOING_BACK, load_release(same), after(first), facts=flips)

    assert facts["rollback.compatible"].value is True
    assert facts["rollback.flips_known"].value is True


def test_going_back_to_a_model_that_asks_for_more_does_not_fit(
    first: Release, wider: Path, same: Path
) -> None:
    path = same / "features.yaml"
    path.write_text("\n".join(line for line in path.read_text().splitlines()[:-2]) + "\n")
    unmeasured = {"change.flips": unknown("change.flips", "it was killed", "test")}

    facts = run(GOING_BACK, edit(same, version="v4"), after(load_release(wider)), facts=unmeasured)

    assert facts["rollback.compatible"].value is False
    assert facts["rollback.compatible"].detail["features"] == ["savings"]
    assert facts["rollback.flips_known"].value is False
    assert facts["rollback.flips_known"].detail["reason"] == "it was killed"


@pytest.mark.parametrize(
    ("plan", "value"), [({"fallback": "manual"}, True), ({"fallback": "switch-off"}, True)]
)
def test_a_first_release_goes_back_to_no_model(
    same: Path, plan: dict[str, str], value: bool
) -> None:
    facts = run(GOING_BACK, edit(same, rollback=plan))

    assert facts["rollback.compatible"].value is value
    assert facts["rollback.flips_known"].value is True


def test_a_first_release_without_a_plan_has_nothing_to_go_back_to(same: Path) -> None:
    facts = run(GOING_BACK, edit(same, rollback=None))

    assert "nothing to go back to" in reason(facts, "rollback.compatible")
