"""The same rows give the same counts in DuckDB, PostgreSQL and Spark."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests import warehouses
from tests.postgres import server

from guiderail.measure.distinct_rows import DistinctRows, distinct_rows
from guiderail.measure.profile import make_profile
from guiderail.measure.remote import RemoteTable
from guiderail.measure.table import Table, open_table
from guiderail.measure.unmeasurable import NotMeasurable
from guiderail.measure.warehouse import open_source
from guiderail.service.measure_drift import drift
from guiderail.service.measure_fairness import fairness, flips

COLUMNS = {
    "select": "text",
    "Age": "integer",
    "income": "number",
    "few": "number",
    "flag": "boolean",
    "day": "DATE",
    "label": "integer",
    "old": "integer",
    "new": "integer",
    "score": "number",
    "hole": "number",
    "huge": "integer",
}
NOTHING: Any = None


def _rows(count: int) -> list[tuple[Any, ...]]:
    source = random.Random(7)
    odd = [NOTHING, float("nan"), float("inf"), float("-inf"), -0.0, 0.0, 1e-300, 1e300]
    found = []
    for number in range(count):
        score = source.random()
        found.append(
            (
                source.choice(["a", "A", "é", "it's", '"q"', "", " a", "(unknown)", None]),
                source.choice([None, *range(18, 90)]),
                odd[number] if number < len(odd) else source.lognormvariate(10, 1),
                source.choice([0.0, -0.0, 0.1, 0.30000000000000004, float("nan"), None]),
                source.choice([True, False, None]),
                source.choice(["2024-02-29", "1999-12-31", None]),
                int(score + source.gauss(0, 0.3) > 0.5),
                int(score > 0.5),
                int(score + source.gauss(0, 0.05) > 0.5),
                source.choice([score, 0.0, 1.0, 0.1, 0.3, 0.7, 0.9999999999999999]),
                None,
                source.choice([2**62 + 1, -(2**62), 3]),
            )
        )
    return found


ROWS = _rows(600)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    path = tmp_path_factory.mktemp("local") / "rows.parquet"
    with open_table(warehouses.parquet_file(path, COLUMNS, ROWS)) as table:
        yield table


@pytest.fixture(scope="module", params=["postgresql", "pyspark"])
def put(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Path]]:
    """Puts rows into a table of the engine and gives back a source file for it."""
    folder = tmp_path_factory.mktemp(request.param)
    warehouses.ibis_or_skip()
    if request.param == "pyspark":
        session = warehouses.spark_or_skip()

        def into_spark(name: str, columns: dict[str, str], rows: warehouses.Rows) -> Path:
            warehouses.parquet_file(folder / f"{name}.parquet", columns, rows)
            source = folder / f"{name}.yaml"
            source.write_text(f"engine: pyspark\nparquet: {name}.parquet\n")
            return source

        yield into_spark
        session.stop()
        return
    with server() as address:

        def into_postgres(name: str, columns: dict[str, str], rows: warehouses.Rows) -> Path:
            warehouses.postgres_table(address, f"public.{name}", columns, rows)
            return warehouses.source_file(folder / f"{name}.yaml", address, f"public.{name}")

        yield into_postgres


@pytest.fixture(scope="module")
def source(put: Callable[..., Path]) -> Path:
    """A source file over a table with the rows of `local`."""
    return put("rows", COLUMNS, ROWS)


@pytest.fixture(scope="module")
def remote(source: Path) -> Iterator[RemoteTable]:
    table = open_source(source)
    assert not isinstance(table, Table)
    with table:
        yield table


def counted(rows: DistinctRows | NotMeasurable) -> dict[tuple[Any, ...], Any]:
    """Rows and sum of scores by combination; of numbers, NaN and null are one, and so are zeros."""
    assert isinstance(rows, DistinctRows), rows
    keys = [column.tolist() for column in rows.frame.values()]
    if rows.bins is not None:
        keys.append(rows.bins.tolist())
    sums = [None] * len(rows.counts) if rows.score_sums is None else rows.score_sums.tolist()
    found: dict[tuple[Any, ...], Any] = {}
    for *key, count, total in zip(*keys, rows.counts.tolist(), sums, strict=True):
        cells = tuple(repr(cell + 0.0 if isinstance(cell, float) else cell) for cell in key)
        before = found.get(cells, (0.0, 0.0))
        added = None if total is None else pytest.approx(before[1] + total, rel=1e-12)
        found[cells] = (before[0] + count, added)
    return found


def test_names_types_and_rows_are_the_same(local: Table, remote: RemoteTable) -> None:
    assert remote.names == local.names
    assert [remote.type_of(name) for name in local.names] == [
        local.type_of(name) for name in local.names
    ]
    assert remote.rows == local.rows == len(ROWS)


@pytest.mark.parametrize(
    "attributes",
    [
        {"select": None},
        {"select": None, "flag": None, "day": None},
        {"few": None, "hole": None},
        {"Age": (25.0, 40.5, 60.0), "select": None},
        {"Age": None, "income": None},
        {"income": (0.1, 1e4, 1e5)},
        {"hole": (1.0,), "huge": None},
    ],
    ids=str,
)
def test_groups_hold_the_same_rows(
    local: Table, remote: RemoteTable, attributes: dict[str, Any]
) -> None:
    here = distinct_rows(local, attributes, ["label", "old", "new"])
    there = distinct_rows(remote, attributes, ["label", "old", "new"])
    assert isinstance(here, DistinctRows)
    assert isinstance(there, DistinctRows)
    assert there.edges == here.edges
    assert counted(there) == counted(here)


def test_scores_fall_into_the_same_bins(local: Table, remote: RemoteTable) -> None:
    here = distinct_rows(local, {"select": None}, ["label"], score="score")
    assert counted(distinct_rows(remote, {"select": None}, ["label"], score="score")) == counted(
        here
    )


def test_what_cannot_be_measured_has_the_same_reason(local: Table, remote: RemoteTable) -> None:
    for attributes, outcomes, score in (
        ({"select": None}, ["label"], "income"),
        ({"select": None}, ["label"], "few"),
        ({"select": None}, ["label"], "select"),
        ({"day": (1.0,)}, ["label"], None),
        ({"select": None}, ["income"], None),
    ):
        here = distinct_rows(local, attributes, outcomes, score=score)
        there = distinct_rows(remote, attributes, outcomes, score=score)
        assert isinstance(here, NotMeasurable)
        assert there == here


def test_quarters_of_many_numbers_are_the_same_without_fetching_them(
    local: Table, remote: RemoteTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guiderail.measure.distinct_rows._COUNTED_FULLY", 100)
    here = distinct_rows(local, {"income": None}, ["label"])
    there = distinct_rows(remote, {"income": None}, ["label"])
    assert isinstance(here, DistinctRows)
    assert isinstance(there, DistinctRows)
    assert len(here.edges["income"]) == 3
    assert there.edges == here.edges


def test_the_verbs_print_the_same_figures(local: Table, source: Path) -> None:
    asked: dict[str, Any] = {
        "label": "label",
        "prediction": "new",
        "baseline": "old",
        "positive": "1",
        "by": ["select", "Age:30,50"],
        "intersections": True,
    }
    here, there = fairness(local.path, **asked), fairness(source, **asked)
    assert here["groups"]
    for key in ("n", "comparisons", "verdicts", "underpowered", "changes", "ranges"):
        assert there[key] == here[key]
    flipped = [flips(path, old="old", new="new", by=["flag"]) for path in (local.path, source)]
    assert flipped[0]["flips"] > 0
    assert flipped[1] == flipped[0]


def test_the_value_of_flips_is_the_same_and_no_sample_is_drawn(local: Table, source: Path) -> None:
    here = flips(local.path, old="old", new="new", by=[], value="score")
    there = flips(source, old="old", new="new", by=[], value="score", sample=3)
    assert there["value"]["all"]["sum"]["value"] == pytest.approx(
        here["value"]["all"]["sum"]["value"]
    )
    assert "no order" in there["sample"]["unknown"]


def test_a_missing_column_is_named(remote: RemoteTable) -> None:
    with pytest.raises(Exception, match='no column "incme"') as error:
        distinct_rows(remote, {"incme": None}, ["label"])
    assert "income" in str(error.value)


def test_bins_and_summaries_are_the_same(local: Table, remote: RemoteTable) -> None:
    found = remote.summary("income")
    filled, finite, low, high = local.fetch(
        f"count({local.sql('income')}), count(*) FILTER (isfinite({local.sql('income')})), "
        f"min({local.sql('income')}) FILTER (isfinite({local.sql('income')})), "
        f"max({local.sql('income')}) FILTER (isfinite({local.sql('income')})) FROM t"
    )[0]
    assert (found.filled, found.finite, found.low, found.high) == (filled, finite, low, high)
    values = local.column("income")
    values = values[np.isfinite(values)]
    edges = [0.0, 0.1, 15000.0]
    place = np.searchsorted(edges, values, side="left")
    assert remote.bins("income", edges) == tuple(np.bincount(place, minlength=4).tolist())
    assert remote.filled("select") == sum(row[0] is not None for row in ROWS)
    assert remote.summary("hole").low is None


@pytest.fixture(scope="module")
def later(put: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Other rows, in a file and in the engine: fewer, moved, with new and vanished categories."""
    rows = [
        ("new", age, None if income is None else income * 1.4 + 0.1, 0.1, False, *others)
        for _, age, income, _, _, *others in _rows(800)[200:]
    ]
    path = tmp_path_factory.mktemp("later") / "rows.parquet"
    return warehouses.parquet_file(path, COLUMNS, rows), put("later", COLUMNS, rows)


def test_profiles_have_the_same_digest(local: Table, remote: RemoteTable) -> None:
    here, there = make_profile(local), make_profile(remote)
    assert there.columns == here.columns
    assert there.digest == here.digest


def test_drift_is_the_same(local: Table, source: Path, later: tuple[Path, Path]) -> None:
    file, table = later
    here = drift(local.path, file, names=[], profile=None)
    there = drift(source, table, names=[], profile=None)
    assert {row["name"] for row in here["columns"] if row["verdict"] == "moved"}
    assert there == here


EDGES_OF_CELLS = [
    0.0, -0.0, 1.0, -1.0, 2.0**-126, 2.0**-127, 2.0**-149, 2.0**-150, 2.0**-151, 5e-324, 3.4e38,
    3.5e38, -3.5e38, 1e308, 1.00390625, 1.0039062499999998, 0.9999999999999999, 127.5, 2.0**100,
    2.0**-100, 1.9999999999999998, 65536.0, 65535.99999,
]  # fmt: skip


@pytest.mark.parametrize("origin", [0.0, 1.5])
def test_fine_cells_are_the_same(remote: RemoteTable, origin: float) -> None:
    income = [row[2] for row in ROWS if row[2] is not None and np.isfinite(row[2])]
    assert remote.cell_bits("income", origin).tolist() == bits_of(income, origin).tolist()


def bits_of(values: list[float], origin: float) -> Any:
    """The upper 16 bits of the nearest 32-bit numbers, taken from their bytes; -0 counts as 0."""
    largest = float(np.finfo(np.float32).max)
    moved = np.clip(np.array(values) - origin, -largest, largest).astype(np.float32) + 0.0
    return np.bincount(moved.view(np.uint32) >> 16, minlength=2**16)


def test_numbers_at_the_edges_of_cells_fall_into_the_same(put: Callable[..., Path]) -> None:
    source = random.Random(3)
    values = [*EDGES_OF_CELLS, *(-value for value in EDGES_OF_CELLS)]
    values += [source.uniform(-1, 1) * 2.0 ** source.randint(-160, 140) for _ in range(300)]
    values += [(128 + source.randrange(128)) * 2.0 ** source.randint(-140, 110) for _ in range(200)]
    table = open_source(put("edges", {"n": "number"}, [(value,) for value in values]))
    assert not isinstance(table, Table)
    with table:
        assert table.cell_bits("n", 0.0).tolist() == bits_of(values, 0.0).tolist()
