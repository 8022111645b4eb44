"""Counting by group: sums of the finest cells are direct counts, in memory and in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guiderail.measure.attribute_values import UNKNOWN
from guiderail.measure.comparisons import GroupReport
from guiderail.measure.distinct_rows import DistinctRows, distinct_rows
from guiderail.measure.fairness import group_rates
from guiderail.measure.flips import Flips, flips
from guiderail.measure.table import open_table
from guiderail.measure.unmeasurable import NotMeasurable

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", None, "select", "(unknown)"]),
        st.sampled_from([1.0, 2.0, 3.0, float("nan")]),
        st.booleans(),
        st.integers(0, 1),
        st.integers(0, 1),
    ),
    min_size=1,
    max_size=60,
)


def arrays(rows: list[tuple[Any, ...]]) -> dict[str, np.ndarray]:
    first, second, third, label, decision = (list(column) for column in zip(*rows, strict=True))
    return {
        "x": np.array(first, dtype=object),
        "y": np.array(second),
        "z": np.array(third),
        "label": np.array(label),
        "decision": np.array(decision),
    }


def report(frame: dict[str, Any], **options: Any) -> GroupReport:
    groups = {name: frame[name] for name in ("x", "y", "z")}
    found = group_rates(
        np.append(frame["decision"], [0, 1]),
        {name: np.append(values, values[[0, 0]]) for name, values in groups.items()},
        np.append(frame["label"], [0, 1]),
        **options,
    )
    assert isinstance(found, GroupReport), found
    return found


def named(value: Any) -> str:
    if value is None or value != value:
        return UNKNOWN
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    return f'"{value}"' if value == UNKNOWN else str(value).removesuffix(".0")


@settings(max_examples=60)
@given(ROWS)
def test_every_group_is_counted_as_if_it_were_counted_alone(rows: list[tuple[Any, ...]]) -> None:
    frame = arrays([*rows, (*rows[0][:3], 0, 0), (*rows[0][:3], 1, 1)])
    found = report(arrays(rows))
    for cell in found.cells:
        chosen = np.ones(len(frame["x"]), dtype=bool)
        for attribute, value in cell.group:
            chosen &= np.array([named(one) == value for one in frame[attribute].tolist()])
        label, decision = frame["label"][chosen], frame["decision"][chosen]
        pairs = [(0, 0), (0, 1), (1, 0), (1, 1)]
        expected = [int(((label == a) & (decision == b)).sum()) for a, b in pairs]
        assert [cell.tn, cell.fp, cell.fn, cell.tp] == expected
        assert cell.n == chosen.sum()
    assert sum(cell.n for cell in found.cells if len(cell.group) == 3) == len(frame["x"])


@settings(max_examples=40)
@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(rows: list[tuple[Any, ...]], random: Any) -> None:
    shuffled = rows[1:]
    random.shuffle(shuffled)
    assert report(arrays(rows)) == report(arrays([rows[0], *shuffled]))


@settings(max_examples=40)
@given(ROWS)
def test_counted_combinations_are_the_rows_they_stand_for(rows: list[tuple[Any, ...]]) -> None:
    frame = arrays(rows)
    twice = {name: np.tile(values, 3) for name, values in frame.items()}
    groups = ("x", "y", "z")
    weighted = group_rates(
        frame["decision"],
        {name: frame[name] for name in groups},
        counts=np.full(len(rows), 3.0),
        selected=frame["decision"][0],
    )
    plain = group_rates(
        twice["decision"],
        {name: twice[name] for name in groups},
        selected=frame["decision"][0],
    )
    assert weighted == plain


@pytest.fixture
def frame() -> pd.DataFrame:
    random = np.random.default_rng(11)
    n = 3000
    sex = random.choice(np.array(["f", "m", None], dtype=object), n, p=[0.5, 0.45, 0.05])
    age = random.integers(18, 90, n).astype(float)
    age[random.random(n) < 0.03] = np.nan
    return pd.DataFrame(
        {
            "select": sex,
            "age": age,
            "veteran": random.random(n) < 0.2,
            "label": random.integers(0, 2, n),
            "old": random.integers(0, 2, n),
            "new": random.integers(0, 2, n),
        }
    )


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("edges", [None, (25.0, 40.0, 100.0)])
def test_a_file_gives_what_its_arrays_give(
    frame: pd.DataFrame, tmp_path: Path, ending: str, edges: tuple[float, ...] | None
) -> None:
    path = tmp_path / f"table.{ending}"
    if ending == "csv":
        frame.to_csv(path, index=False)
    else:
        write_parquet(frame, path)
    names = ("select", "age", "veteran")
    with open_table(path) as table:
        whole = table.frame(table.names)
        rows = distinct_rows(table, {**dict.fromkeys(names), "age": edges}, ["new", "label", "old"])
    assert isinstance(rows, DistinctRows)
    assert rows.counts.sum() == len(frame)
    assert len(rows.counts) < len(frame) / 5
    groups = {name: rows.frame[name] for name in names}
    counted = {"edges": rows.edges, "counts": rows.counts}
    limits = {} if edges is None else {"age": edges}
    ours = group_rates(rows.frame["new"], groups, rows.frame["label"], **counted)
    assert isinstance(ours, GroupReport)
    assert ours == group_rates(
        whole["new"], {name: whole[name] for name in names}, whole["label"], edges=limits
    )
    flipped = flips(rows.frame["old"], rows.frame["new"], groups, **counted)
    assert isinstance(flipped, Flips)
    assert flipped == flips(
        whole["old"], whole["new"], {name: whole[name] for name in names}, edges=limits
    )


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    import duckdb

    with duckdb.connect() as connection:
        connection.register("frame", frame)
        connection.sql("FROM frame").write_parquet(str(path))


def test_declared_ranges_without_rows_are_shown_with_nothing(frame: pd.DataFrame) -> None:
    found = group_rates(
        frame["new"].to_numpy(),
        {"age": frame["age"].to_numpy(), "sex": frame["select"].to_numpy()},
        edges={"age": [25, 100]},
    )
    assert isinstance(found, GroupReport)
    cells = {cell.group: cell.n for cell in found.cells}
    assert cells[(("age", "100 and over"),)] == 0
    assert cells[("age", "100 and over"), ("sex", "f")] == 0
    assert (("age", "100 and over"), ("sex", UNKNOWN)) not in cells
    ages = [cell.group[0][1] for cell in found.cells if cell.group[0][0] == "age"][:4]
    assert ages == ["under 25", "25 to under 100", "100 and over", UNKNOWN]


def test_a_group_that_is_called_unknown_is_not_the_unknown_group() -> None:
    found = group_rates([0, 1] * 50, {"g": np.array(["(unknown)", None] * 50, dtype=object)})
    assert isinstance(found, GroupReport)
    assert [(cell.group[0][1], cell.is_unknown) for cell in found.cells] == [
        ('"(unknown)"', False),
        (UNKNOWN, True),
    ]


def test_intersections_stop_where_there_would_be_too_many() -> None:
    random = np.random.default_rng(5)
    groups = {f"g{i}": random.integers(0, 12, 40_000).astype(str) for i in range(5)}
    found = group_rates(random.integers(0, 2, 40_000), groups)
    assert isinstance(found, GroupReport)
    assert found.deepest == 3
    assert len(found.cells) < 20_000


@pytest.mark.parametrize(
    ("values", "edges", "says"),
    [
        (np.array(["young", "old"] * 5, dtype=object), {"age": [25]}, "age holds values that"),
        (np.array([f"c{i}" for i in range(201)], dtype=object), {}, "age has more than 200"),
    ],
)
def test_an_attribute_that_makes_no_groups_is_named(values: Any, edges: Any, says: str) -> None:
    found = group_rates(np.arange(len(values)) % 2, {"age": values}, edges=edges)
    assert isinstance(found, NotMeasurable)
    assert says in found.reason


def test_a_sorted_file_hides_no_category_from_the_sample(tmp_path: Path) -> None:
    path = tmp_path / "sorted.parquet"
    place = np.arange(400_000) // 900
    city = np.char.add("c", place.astype(str))
    frame = pd.DataFrame({"city": city, "income": place * 1.5, "decision": place % 2})
    write_parquet(frame, path)
    with open_table(path) as table:
        by_city = distinct_rows(table, {"city": None}, ["decision"])
        by_income = distinct_rows(table, {"income": None}, ["decision"])
    for name, rows in (("city", by_city), ("income", by_income)):
        found: GroupReport | NotMeasurable
        if isinstance(rows, NotMeasurable):
            found = rows
        else:
            found = group_rates(
                rows.frame["decision"],
                {name: rows.frame[name]},
                edges=rows.edges,
                counts=rows.counts,
            )
        if name == "city":
            assert isinstance(found, NotMeasurable)
            assert "city has more than 200" in found.reason
        else:
            assert isinstance(found, GroupReport)
            assert [cell.n for cell in found.cells] == [99_900, 99_900, 99_900, 100_300]


def test_scores_in_place_of_decisions_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "scored.csv"
    path.write_text("sex,score\n" + "\n".join(f"f,{i / 1000}" for i in range(1000)))
    with open_table(path) as table:
        rows = distinct_rows(table, {"sex": None}, ["score"])
    assert isinstance(rows, NotMeasurable)
    assert "score has more than 200" in rows.reason


@pytest.mark.parametrize("edges", [{"age": [25]}, {}])
def test_infinite_numbers_are_unknown_and_in_no_range(edges: dict[str, list[float]]) -> None:
    ages = np.array([float("-inf"), 20.0, 30.0, float("inf"), float("nan")] * 50)
    found = group_rates(np.tile([0, 1], 125), {"age": ages}, edges=edges)
    assert isinstance(found, GroupReport)
    assert [cell.n for cell in found.cells if UNKNOWN not in dict(cell.group).values()] == [50, 50]
    assert [cell.n for cell in found.cells if UNKNOWN in dict(cell.group).values()] == [150]
