"""What the owner of the credit model promises about it. The report of these tests is evidence."""

from __future__ import annotations

from pathlib import Path

import pandas
import pytest
import skops.io
import yaml
from sklearn.pipeline import Pipeline

ROOT = Path(__file__).resolve().parent.parent
PROTECTED = {"age", "sex", "personal_status", "foreign_worker"}


@pytest.fixture(scope="module")
def model() -> Pipeline:
    """Loads with the types that skops trusts by itself, and no other."""
    return skops.io.load(ROOT / "build" / "model.skops", trusted=[])


@pytest.fixture(scope="module")
def applications(model: Pipeline) -> pandas.DataFrame:
    return pandas.read_csv(ROOT / "build" / "evaluation.csv")


def scores(model: Pipeline, applications: pandas.DataFrame) -> pandas.Series:
    inputs = applications[list(model.feature_names_in_)]
    return pandas.Series(model.predict_proba(inputs)[:, 1], index=applications.index)


def test_no_protected_attribute_is_an_input(model):
    assert PROTECTED.isdisjoint(model.feature_names_in_)


def test_serving_offers_every_input(model):
    offered = yaml.safe_load((ROOT / "features.yaml").read_text(encoding="utf-8"))
    assert {feature["name"] for feature in offered} >= set(model.feature_names_in_)


def test_every_application_gets_a_probability(model, applications):
    given = scores(model, applications)
    assert given.between(0, 1).all()
    assert given.nunique() > len(given) / 2


def test_good_credits_score_higher_than_bad_ones_on_average(model, applications):
    given = scores(model, applications)
    good = applications["good_credit"] == 1
    assert given[good].mean() > given[~good].mean() + 0.1


def test_a_longer_credit_is_not_easier_to_get(model, applications):
    longer = applications.assign(month=applications["month"] + 12)
    assert (scores(model, longer) <= scores(model, applications)).all()


def test_a_category_that_was_never_seen_still_gets_a_score(model, applications):
    unseen = applications.head(5).assign(purpose="A499")
    assert scores(model, unseen).between(0, 1).all()


def test_both_answers_are_given_at_the_threshold_of_the_manifest(model, applications):
    manifest = yaml.safe_load((ROOT / "guiderail.yaml").read_text(encoding="utf-8"))
    granted = scores(model, applications) >= manifest["model"]["threshold"]
    assert 0.3 < granted.mean() < 0.9
