"""What two versions do to each group: direct rates, paired intervals, no invented zeros."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, precision_score, recall_score

from guiderail.measure.intervals import newcombe, paired_difference
from guiderail.measure.rate_changes import RateChange, rate_changes
from guiderail.measure.unmeasurable import NotMeasurable


def changes(*arguments: Any, **options: Any) -> dict[tuple[str, str], RateChange]:
    found = rate_changes(*arguments, **options)
    assert not isinstance(found, NotMeasurable), found
    return {(one.rate, one.group[0][1]): one for one in found if len(one.group) == 1}


def drawn() -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(6)
    label, old = random.integers(0, 2, 2000), random.integers(0, 2, 2000)
    new = np.where(random.random(2000) < 0.2, 1 - old, old)
    return old, new, label, random.choice(["f", "m"], 2000)


def test_rates_before_and_after_are_those_of_scikit_learn() -> None:
    old, new, label, sex = drawn()
    found = changes(old, new, {"sex": sex}, label)
    for name in ("f", "m"):
        chosen = sex == name
        for version, decision in (("old", old), ("new", new)):
            truth, said = label[chosen], decision[chosen]
            expected = {
                "selection_rate": said.mean(),
                "tpr": recall_score(truth, said),
                "fpr": 1 - recall_score(truth, said, pos_label=0),
                "fnr": 1 - recall_score(truth, said),
                "ppv": precision_score(truth, said),
                "npv": precision_score(truth, said, pos_label=0),
                "accuracy": accuracy_score(truth, said),
            }
            for rate, value in expected.items():
                assert getattr(found[rate, name], version) == pytest.approx(value, abs=1e-9)


def test_intervals_are_paired_where_the_rows_are_the_same() -> None:
    old, new, label, sex = drawn()
    found = changes(old, new, {"sex": sex}, label)
    chosen = (sex == "f") & (label == 1)
    went_up = int(((old == 0) & (new == 1) & chosen).sum())
    went_down = int(((old == 1) & (new == 0) & chosen).sum())
    expected = paired_difference(went_up, went_down, int(chosen.sum()))
    assert found["tpr", "f"].difference == expected
    mirrored = found["fnr", "f"].difference
    assert mirrored is not None
    assert (mirrored.low, mirrored.high) == pytest.approx((-expected.high, -expected.low))
    picked = [(sex == "f") & (decision == 1) for decision in (new, old)]
    hits = [int((label[one] == 1).sum()) for one in picked]
    independent = newcombe(hits[0], int(picked[0].sum()), hits[1], int(picked[1].sum()))
    assert found["ppv", "f"].difference == independent


def test_a_rate_that_is_undefined_has_no_change() -> None:
    found = changes([0, 0, 1], [1, 0, 1], {"g": ["a", "a", "b"]}, [0, 0, 1])
    assert found["tpr", "a"].old is None
    assert found["tpr", "a"].difference is None
    assert found["fpr", "a"].new == 0.5
    assert found["ppv", "a"].old is None
    assert found["ppv", "a"].new == 0


def test_without_labels_only_selection_changes() -> None:
    found = changes([0, 1, 0, 1], [1, 1, 0, 1], {"g": ["a", "a", "b", "b"]})
    assert set(found) == {("selection_rate", "a"), ("selection_rate", "b")}
    assert (found["selection_rate", "a"].old, found["selection_rate", "a"].new) == (0.5, 1)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(0, 1)), min_size=1))
def test_going_back_is_the_same_change_with_the_other_sign(
    rows: list[tuple[int, int, int]],
) -> None:
    old, new, label = ([*list(column), 0, 1] for column in zip(*rows, strict=True))
    groups = {"g": ["a"] * len(old)}
    there, back = changes(old, new, groups, label), changes(new, old, groups, label)
    for key, one in there.items():
        other = back[key]
        assert (one.old, one.new) == (other.new, other.old)
        if one.difference is not None and other.difference is not None:
            assert one.difference.value == pytest.approx(-other.difference.value)
            assert one.difference.low == pytest.approx(-other.difference.high)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ([1, 0], [1], "the same rows"),
        ([1, None], [1, 0], "the old version: 1 of 2 decisions are missing"),
        ([1, 0], [0.2, 0.7], "the new version"),
    ],
)
def test_versions_that_cannot_be_compared_say_why(old: Any, new: Any, says: str) -> None:
    found = rate_changes(old, new, {"g": ["a"] * len(old)})
    assert isinstance(found, NotMeasurable)
    assert says in found.reason
