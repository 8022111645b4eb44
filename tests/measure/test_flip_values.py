"""What flips are worth, and which flipped rows a reviewer sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from guiderail.measure.flip_rows import drawn, flipped_rows, flipped_values
from guiderail.measure.flip_values import FlipValue, flip_values
from guiderail.measure.table import open_table
from guiderail.measure.unmeasurable import NotMeasurable

DIGEST = "ab" * 32


def valued(*arguments: Any, **options: Any) -> dict[str, FlipValue]:
    found = flip_values(*arguments, **options)
    assert not isinstance(found, NotMeasurable), found
    return {one.direction: one for one in found}


def test_sums_and_means_are_those_of_the_flipped_rows() -> None:
    found = valued([0, 0, 1, 1], [1, 1, 0, 1], [10.0, 30.0, 5.0, 1000.0], 4)
    assert {name: (one.flips, one.total, one.mean) for name, one in found.items()} == {
        "all": (3, 45, 15),
        "0 -> 1": (2, 40, 20),
        "1 -> 0": (1, 5, 5),
    }
    assert found["all"].total_interval is None


@pytest.mark.parametrize(("rows", "share"), [(2000, 0.1), (20_000, 0.02)])
def test_intervals_cover_what_the_next_data_would_show(rows: int, share: float) -> None:
    covered = {"sum": 0, "mean": 0}
    for seed in range(30):
        random = np.random.default_rng(seed)
        new = (random.random(rows) < share).astype(int)
        value = random.gamma(2, 50, rows)
        found = valued(np.zeros(rows, dtype=int), new, value, rows, seed=seed)["all"]
        assert found.total_interval is not None
        assert found.mean_interval is not None
        covered["sum"] += (
            found.total_interval.low <= rows * share * 100 <= found.total_interval.high
        )
        covered["mean"] += found.mean_interval.low <= 100 <= found.mean_interval.high
    assert min(covered.values()) >= 25  # of 30; fewer has a chance below 1 %


def test_the_same_seed_gives_the_same_interval() -> None:
    rows = ([0] * 50, [1] * 50, np.arange(50.0), 500)
    assert valued(*rows, seed=3) == valued(*rows, seed=3)
    assert valued(*rows, seed=3) != valued(*rows, seed=4)


def test_no_flip_has_no_value() -> None:
    assert valued([0, 1], [0, 1], [1.0, 2.0], 2) == {}


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([1.0, None, 2.0], "missing in 1 of 2 flipped rows"),
        ([1.0, -5.0, 2.0], "negative in 1 of 2"),
        ([1.0, float("inf"), 2.0], "infinite"),
        (["1", "2", "3"], "not a number"),
    ],
)
def test_a_value_that_is_no_amount_says_so(value: Any, says: str) -> None:
    found = flip_values([0, 0, 1], [1, 1, 1], np.array(value, dtype=object)
                        if None in value or isinstance(value[0], str) else value, 3)  # fmt: skip
    if "missing" in says:
        found = flip_values([0, 0, 1], [1, 1, 1], [1.0, float("nan"), 2.0], 3)
    assert isinstance(found, NotMeasurable)
    assert says in found.reason


def test_a_bad_value_in_a_row_that_stays_is_no_problem() -> None:
    assert valued([0, 1], [1, 1], [10.0, -1.0], 2)["all"].total == 10


@pytest.fixture
def path(tmp_path: Path) -> Path:
    random = np.random.default_rng(9)
    old = random.integers(0, 2, 500)
    frame = pd.DataFrame(
        {
            "old": old,
            "new": np.where(random.random(500) < 0.2, 1 - old, old),
            "amount": np.arange(500) * 1.5,
            "select": np.arange(500),
        }
    )
    frame.to_csv(tmp_path / "decided.csv", index=False)
    return tmp_path / "decided.csv"


def test_a_sample_shows_flipped_rows_by_their_number(path: Path) -> None:
    frame = pd.read_csv(path)
    with open_table(path) as table:
        found = flipped_rows(table, "old", "new", ["select"], DIGEST, 12)
    assert len(found) == 12
    assert [one.row for one in found] == sorted(one.row for one in found)
    for one in found:
        there = frame.iloc[one.row - 1]
        assert (one.old, one.new) == (there["old"], there["new"])
        assert one.old != one.new
        assert one.columns == {"select": there["select"]}


def test_the_content_chooses_the_sample(path: Path) -> None:
    with open_table(path) as table:
        first, again, other = (
            flipped_rows(table, "old", "new", [], digest, 12)
            for digest in (DIGEST, DIGEST, "cd" * 32)
        )
    assert first == again
    assert first != other
    assert drawn(5, 12, DIGEST) == (0, 1, 2, 3, 4)
    assert drawn(0, 12, DIGEST) == ()


def test_values_of_flipped_rows_are_read_from_the_file(path: Path) -> None:
    frame = pd.read_csv(path)
    flipped = frame[frame["old"] != frame["new"]]
    with open_table(path) as table:
        old, new, value = flipped_values(table, "old", "new", "amount")
    assert sorted(value.tolist()) == flipped["amount"].tolist()
    assert (old != new).all()


@pytest.mark.parametrize(
    ("old", "new", "flips"),
    [
        (["1", "0", "1"], ["1.0", "0.0", "0.0"], 1),
        (["true", "false", "true"], ["yes", "no", "yes"], 3),
        (["TRUE", "x", "false"], ["true", "x", "FALSE"], 0),
        (["1", "0", "x"], ["1.5", "0", "1"], 2),
    ],
)
def test_rows_differ_in_the_file_as_they_do_in_the_counts(
    tmp_path: Path, old: list[str], new: list[str], flips: int
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("old,new\n" + "\n".join(f"{a},{b}" for a, b in zip(old, new, strict=True)))
    with open_table(path) as table:
        assert len(flipped_rows(table, "old", "new", [], DIGEST)) == flips
