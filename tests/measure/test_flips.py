"""Decisions that change are counted both ways, by group, and never guessed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guiderail.measure.flips import Flips, flips
from guiderail.measure.unmeasurable import NotMeasurable


def counted(*arguments: Any) -> Flips:
    found = flips(*arguments)
    assert isinstance(found, Flips), found
    return found


def test_directions_are_counted_apart() -> None:
    found = counted(["no", "no", "yes", "yes"], ["yes", "no", "no", "no"])
    assert (found.n, found.flips, found.rate.value) == (4, 3, 0.75)
    assert found.directions == {"yes -> no": 2, "no -> yes": 1}


def test_ten_classes_are_ten_classes() -> None:
    old = np.arange(100) % 10
    new = np.where(old == 3, 8, old)
    assert counted(old, new).directions == {"3 -> 8": 10}


def test_types_do_not_make_flips() -> None:
    assert counted([1, 0, 1], [1.0, 0.0, 1.0]).flips == 0
    assert counted(np.array(["1", "0"], dtype=object), [1, 0]).flips == 0
    assert counted([True, False], ["true", "False"]).flips == 0


def test_groups_and_intersections_are_counted() -> None:
    sex = ["f", "f", "m", "m"]
    old_enough = ["y", "n", "y", "n"]
    found = counted([0, 0, 0, 0], [1, 0, 0, 0], {"sex": sex, "adult": old_enough})
    by_group = {group.group: (group.n, group.flips) for group in found.groups}
    assert by_group[("sex", "f"),] == (2, 1)
    assert by_group[("adult", "n"),] == (2, 0)
    assert by_group[("sex", "f"), ("adult", "y")] == (1, 1)
    assert len(by_group) == 8


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ([], [], "no rows"),
        ([1, 0], [1], "same rows"),
        ([1, None], [1, 0], "old model are missing"),
        ([1, 0], [1.0, float("nan")], "new model are missing"),
    ],
)
def test_what_cannot_be_compared_says_why(old: Any, new: Any, says: str) -> None:
    found = flips(old, new)
    assert isinstance(found, NotMeasurable)
    assert says in found.reason


def test_a_group_of_another_length_says_why() -> None:
    found = flips([1, 0], [1, 0], {"sex": ["f"]})
    assert isinstance(found, NotMeasurable)
    assert "sex" in found.reason


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=50))
def test_directions_add_up_and_back_again_is_as_many(pairs: list[tuple[int, int]]) -> None:
    old, new = zip(*pairs, strict=True)
    there, back = counted(old, new), counted(new, old)
    assert sum(there.directions.values()) == there.flips == back.flips
    assert there.flips == sum(a != b for a, b in pairs)
    assert there.rate.low <= there.rate.value <= there.rate.high


def test_each_group_shows_both_directions() -> None:
    found = counted([0, 0, 1, 1], [1, 0, 0, 1], {"sex": ["f", "f", "f", "m"]})
    assert {group.group[0][1]: group.directions for group in found.groups} == {
        "f": {"0 -> 1": 1, "1 -> 0": 1},
        "m": {},
    }


def test_scores_in_place_of_decisions_are_refused() -> None:
    found = flips([0.1, 0.7, 0.4], [0.2, 0.6, 0.4])
    assert isinstance(found, NotMeasurable)
    assert "apply a threshold first" in found.reason


@pytest.mark.parametrize("value", [float("inf"), float("-inf")])
def test_infinite_decisions_are_refused(value: float) -> None:
    found = flips([1.0, value], [1.0, 1.0])
    assert isinstance(found, NotMeasurable)
    assert "infinite" in found.reason


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from("ab")), min_size=1))
def test_flips_of_the_groups_add_up(rows: list[tuple[int, int, str]]) -> None:
    old, new, group = zip(*rows, strict=True)
    found = counted(old, new, {"g": np.array(group)})
    assert sum(one.flips for one in found.groups) == found.flips
    for name, count in found.directions.items():
        assert sum(one.directions.get(name, 0) for one in found.groups) == count
