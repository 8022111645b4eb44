"""The examples differ as their READMEs say, and nothing in them is arranged to look better."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from xml.etree.ElementTree import Element

import defusedxml.ElementTree
import numpy
import pandas
import pytest
import skops.io

from guiderail.facts.feature_registry import load_features
from guiderail.manifest.load import load_manifest, load_release
from guiderail.manifest.strict_yaml import load
from guiderail.people.register import load_people
from guiderail.sandbox.inspect_model import inspect_model
from guiderail.sandbox.model_summary import ModelSummary
from tests.examples.scripts import ALL, EXAMPLES, VERSIONS, script

TODAY = date(2026, 11, 23)
LIGHT_REVIEW, FULL_REVIEW = 5.0, 15.0
FLIPS_LIGHT, FLIPS_FULL = 0.02, 0.10
ERROR_LIGHT, ERROR_FULL = 25.0, 100.0


@pytest.fixture(scope="session")
def compare(releases):
    """Differences of two versions, by example and names."""
    differences = script("differences.py").differences

    def between(example: str, old: str, new: str):
        return differences(releases / example / old, releases / example / new)

    return between


def model_of(release: Path):
    return skops.io.load(release / "build" / "model.skops", trusted=[])


def coefficients_of(release: Path) -> numpy.ndarray:
    return model_of(release).named_steps["classify"].coef_


def summary_of(release: Path) -> ModelSummary:
    """What the platform reads from the model file without executing it."""
    return inspect_model(release / "build" / "model.skops")


# The credit model -----------------------------------------------------------------------------


def test_the_credit_retrain_stays_inside_the_band_of_five_percent(compare):
    change = compare("credit", "v1", "v2").relative_pct
    assert -LIGHT_REVIEW < change.low <= change.value <= change.high < LIGHT_REVIEW


def test_the_credit_retrain_does_not_lose_against_the_version_before(compare):
    growth = compare("credit", "v1", "v2").error_growth_pct
    assert growth.value < ERROR_LIGHT


def test_the_credit_retrain_flips_six_to_seven_percent_so_it_needs_a_light_review(compare):
    rate = compare("credit", "v1", "v2").flips.rate  # a share, 0 to 1
    assert 0.06 <= rate.value <= 0.07
    assert FLIPS_LIGHT < rate.low <= FLIPS_FULL


def test_the_regularisation_of_the_retrain_is_the_one_that_cross_validation_prefers(training):
    found = training["credit"].choose()
    best = max(found, key=found.__getitem__)
    assert float(best) == training["credit"].VERSIONS["v2"].regularisation


def test_only_the_credit_retrain_is_tuned_differently(releases):
    tunings = {v: summary_of(releases / "credit" / v).tuning for v in VERSIONS["credit"]}
    assert tunings["v1"] == tunings["v3"] == tunings["v4"] != tunings["v2"]


def test_v3_adds_one_feature_that_nobody_has_approved(releases):
    before = model_of(releases / "credit" / "v1").feature_names_in_
    after = model_of(releases / "credit" / "v3").feature_names_in_
    assert set(after) - set(before) == {"property"}
    assert set(before) <= set(after)
    assert "property" not in load_features(EXAMPLES / "features.yaml")


def test_v3_would_need_no_full_review_but_for_the_feature(compare):
    found = compare("credit", "v1", "v3")
    assert abs(found.relative_pct.value) < LIGHT_REVIEW
    assert found.relative_pct.low > -FULL_REVIEW
    assert found.flips.rate.low < FLIPS_FULL


def test_v4_is_the_model_of_v1_with_the_threshold_outside_its_envelope(releases, compare):
    one, four = (coefficients_of(releases / "credit" / version) for version in ("v1", "v4"))
    assert numpy.array_equal(one, four)
    low, high = load_manifest(releases / "credit" / "v1").manifest.model.threshold_envelope
    moved = load_manifest(releases / "credit" / "v4").manifest.model.threshold
    assert not low <= moved <= high
    assert set(compare("credit", "v1", "v4").flips.directions) == {"refused -> granted"}


def test_no_credit_model_has_a_protected_attribute_as_input(releases):
    protected = {"age", "sex", "personal_status", "foreign_worker"}
    for version in VERSIONS["credit"]:
        assert protected.isdisjoint(model_of(releases / "credit" / version).feature_names_in_)


def test_the_protected_attributes_are_in_the_evaluation_data_to_test_with(releases):
    rows = pandas.read_csv(releases / "credit" / "v1" / "build" / "evaluation.csv")
    assert set(rows["sex"]) == {"female", "male"}
    assert rows["sex"].value_counts().min() >= 30
    assert rows["age"].between(18, 100).all()


# The digit reader -----------------------------------------------------------------------------


@pytest.mark.parametrize(("old", "new"), [("v1", "v2"), ("v2", "v3"), ("v1", "v3")])
def test_no_version_of_the_digit_reader_leaves_the_green_bands(compare, old, new):
    found = compare("mail-sorting", old, new)
    change = found.relative_pct
    assert -LIGHT_REVIEW < change.low <= change.value <= change.high < LIGHT_REVIEW
    assert found.error_growth_pct.low < ERROR_LIGHT
    assert found.flips.rate.low <= FLIPS_LIGHT


def test_the_digit_retrain_reads_other_digits_so_the_comparison_is_not_empty(compare):
    found = compare("mail-sorting", "v1", "v2")
    assert found.flips.flips > 0
    assert found.new.value > found.old.value


def test_the_retrain_has_more_rows_of_the_same_source_and_keeps_the_old_ones(releases):
    first, second = (
        pandas.read_csv(releases / "mail-sorting" / version / "build" / "training.csv")
        for version in ("v1", "v2")
    )
    assert len(second) > len(first)
    assert second.head(len(first)).equals(first)
    names = [
        [source.name for source in load_manifest(releases / "mail-sorting" / v).manifest.training]
        for v in ("v1", "v2")
    ]
    assert names == [["handwritten-digits"], ["handwritten-digits"]]


def test_the_third_digit_reader_adds_one_feature_that_is_approved(releases):
    before = model_of(releases / "mail-sorting" / "v2").feature_names_in_
    after = model_of(releases / "mail-sorting" / "v3").feature_names_in_
    assert set(after) ^ set(before) == {"ink_total"}
    approval = load_features(EXAMPLES / "features.yaml")["ink_total"]
    assert approval.until > datetime(2026, 11, 23, tzinfo=UTC)


# Both -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("example", VERSIONS)
def test_every_version_is_judged_on_the_same_frozen_rows(releases, example):
    written = {
        (releases / example / version / "build" / "evaluation.csv").read_bytes()
        for version in VERSIONS[example]
    }
    assert len(written) == 1


@pytest.mark.parametrize("example", VERSIONS)
def test_no_evaluation_row_was_trained_on(training, example):
    rows = training[example].read_source()
    pool, evaluation = training[example].split(rows)
    assert set(pool.index).isdisjoint(evaluation.index)
    assert len(pool) + len(evaluation) == len(rows)


@pytest.mark.parametrize("example", VERSIONS)
def test_every_version_has_the_same_architecture(releases, example):
    trees = {summary_of(releases / example / version).architecture for version in VERSIONS[example]}
    assert len(trees) == 1
    assert None not in trees


@pytest.mark.parametrize(("example", "version"), ALL)
def test_the_model_file_is_safe_and_serving_offers_its_inputs_with_their_types(
    releases, example, version
):
    summary = summary_of(releases / example / version)
    offered = load((EXAMPLES / example / "features.yaml").read_text("utf-8"), "features.yaml").data
    assert summary.safety == "safe"
    assert set(summary.inputs) <= {(feature["name"], feature["type"]) for feature in offered}


@pytest.mark.parametrize(("example", "version"), ALL)
def test_every_release_is_complete_and_says_what_it_is(releases, example, version):
    release = load_release(releases / example / version)
    manifest = release.manifest
    inputs = set(model_of(release.root).feature_names_in_)
    assert manifest.version == version
    assert set(manifest.monitoring.drift.watched) == inputs
    assert {"build/model.skops", "build/training.csv", "build/profile.json"} <= set(
        release.artefacts
    )


@pytest.mark.parametrize("example", VERSIONS)
def test_the_manifest_that_is_kept_is_the_one_that_v1_gets(releases, example):
    kept = (EXAMPLES / example / "guiderail.yaml").read_text(encoding="utf-8")
    assert kept == (releases / example / "v1" / "guiderail.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("example", VERSIONS)
def test_training_twice_gives_the_same_model(training, releases, tmp_path, example):
    again = tmp_path / "again"
    training[example].build(training[example].VERSIONS["v2"], again)
    once, twice = coefficients_of(releases / example / "v2"), coefficients_of(again)
    assert numpy.array_equal(once, twice)


@pytest.mark.parametrize("example", VERSIONS)
def test_the_folder_of_the_example_holds_v1_and_nothing_else(
    training, example, monkeypatch, capsys
):
    monkeypatch.setattr(sys, "argv", ["train.py", "--version", "v2"])
    with pytest.raises(SystemExit) as left:
        training[example].main()
    assert left.value.code == 2
    assert "give another directory with --out" in capsys.readouterr().err


@pytest.mark.parametrize("example", VERSIONS)
def test_the_reports_are_written_by_real_tools_and_bound_to_the_release(releases, example):
    root = releases / example / "v2"
    suites: list[Element] = list(defusedxml.ElementTree.parse(root / "build/tests.xml").getroot())
    assert sum(int(suite.attrib["tests"]) for suite in suites) >= 5
    assert all(suite.attrib[key] == "0" for suite in suites for key in ("failures", "errors"))
    run = json.loads((root / "build" / "security.sarif").read_text(encoding="utf-8"))["runs"][0]
    assert run["invocations"][0]["executionSuccessful"] is True
    assert [result for result in run["results"] if result["level"] == "error"] == []
    digest = load_release(root).digest
    for report in ("tests.xml", "security.sarif"):
        statement = (root / "build" / f"{report}.intoto.json").read_text(encoding="utf-8")
        assert str(digest).removeprefix("sha256:") in statement


# The workspace --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "role",
    [
        "ml-platform-engineer",
        "ml-governance-analyst",
        "risk-officer",
        "data-steward",
        "fair-lending",
        "compliance",
        "domain-expert",
        "finance-owner",
        "release-manager",
        "security",
    ],
)
def test_somebody_competent_and_independent_holds_every_reviewing_role(role):
    register = load_people(EXAMPLES / "people.yaml")
    submitters = register.in_role("data-scientist")
    assert len(submitters) >= 2
    assert [
        person
        for person in register.in_role(role)
        if person.competent(role, "model", TODAY)
        and not any(register.same_line(person.id, submitter.id) for submitter in submitters)
    ]


def test_nobody_reviews_in_two_of_the_roles_that_a_full_review_needs():
    register = load_people(EXAMPLES / "people.yaml")
    analysts = {person.id for person in register.in_role("ml-governance-analyst")}
    assert analysts.isdisjoint(person.id for person in register.in_role("risk-officer"))


def test_every_input_of_the_first_versions_is_in_the_feature_registry(releases):
    approved = set(load_features(EXAMPLES / "features.yaml"))
    for example in VERSIONS:
        assert approved >= set(model_of(releases / example / "v1").feature_names_in_)
