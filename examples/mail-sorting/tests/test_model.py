"""What the owner of the digit reader promises about it. The report of these tests is evidence."""

from __future__ import annotations

from pathlib import Path

import pandas
import pytest
import skops.io
import yaml
from sklearn.pipeline import Pipeline

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def model() -> Pipeline:
    """Loads with the types that skops trusts by itself, and no other."""
    return skops.io.load(ROOT / "build" / "model.skops", trusted=[])


@pytest.fixture(scope="module")
def boxes() -> pandas.DataFrame:
    return pandas.read_csv(ROOT / "build" / "evaluation.csv")


def read(model: Pipeline, boxes: pandas.DataFrame) -> pandas.Series:
    return pandas.Series(model.predict(boxes[list(model.feature_names_in_)]), index=boxes.index)


def test_serving_offers_every_input(model):
    offered = yaml.safe_load((ROOT / "features.yaml").read_text(encoding="utf-8"))
    assert {feature["name"] for feature in offered} >= set(model.feature_names_in_)


def test_nine_of_ten_digits_are_read_right(model, boxes):
    assert (read(model, boxes) == boxes["digit"]).mean() > 0.9


def test_no_single_digit_is_read_badly(model, boxes):
    right = read(model, boxes) == boxes["digit"]
    assert right.groupby(boxes["digit"]).mean().min() > 0.8


def test_an_empty_box_still_gets_an_answer(model, boxes):
    empty = boxes.head(1).assign(**dict.fromkeys(model.feature_names_in_, 0))
    assert read(model, empty).isin(range(10)).all()


def test_the_order_of_the_columns_does_not_matter(model, boxes):
    turned = boxes[sorted(boxes.columns, reverse=True)]
    assert read(model, turned).equals(read(model, boxes))
