"""Measures that need rows give the same figures in PostgreSQL and in a file."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import warehouses
from tests.postgres import server

from guiderail.core.errors import InputError
from guiderail.measure.rows_here import brought, rows_here
from guiderail.measure.warehouse import open_source
from guiderail.service.measure import columns, fingerprint
from guiderail.service.measure_bias_audit import bias_audit
from guiderail.service.measure_performance import performance

COLUMNS = {
    "select": "text", "email": "text", "day": "DATE", "nothing": "text", "flag": "boolean",
    "label": "integer", "score": "number", "old": "number", "odd": "number", "big": "integer",
}  # fmt: skip


def rows(count: int = 12_500) -> list[tuple[Any, ...]]:
    """More than are looked at for `measure columns`."""
    source = random.Random(3)
    odd = [None, float("nan"), float("inf"), float("-inf"), 0.1, 1e300, -0.5]
    found = []
    for number in range(count):
        label = source.randrange(2)
        score = min(1.0, max(0.0, 0.3 * label + source.random() * 0.7))
        found.append(
            (
                source.choice(["f", "m", "ä", None]), f"p{number}@example.org", "2024-02-29", None,
                source.choice([True, False, None]), label, score, source.random(),
                odd[number % len(odd)], 2**61 + number,
            )
        )  # fmt: skip
    return found


def flat(document: Any, key: str = "") -> dict[str, Any]:
    """Every figure of a document by its place."""
    parts: Any = []
    if isinstance(document, dict):
        parts = document.items()
    elif isinstance(document, list):
        parts = enumerate(document)
    else:
        return {key: document}
    return {at: one for name, part in parts for at, one in flat(part, f"{key}.{name}").items()}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """The same rows as a file and as a source file."""
    warehouses.ibis_or_skip()
    folder = tmp_path_factory.mktemp("rows")
    with server() as address:
        warehouses.postgres_table(address, "public.scored", COLUMNS, rows())
        yield (
            warehouses.parquet_file(folder / "scored.parquet", COLUMNS, rows()),
            warehouses.source_file(folder / "scored.yaml", address, "public.scored"),
        )


def test_the_content_fingerprint_is_the_same(both: tuple[Path, Path]) -> None:
    here, there = (fingerprint(path) for path in both)
    assert here == there
    assert here["rows"] == 12_500


def test_columns_are_classified_alike(both: tuple[Path, Path]) -> None:
    here, there = (columns(path) for path in both)
    assert here["columns"] == there["columns"]
    assert {row["name"]: row["class"] for row in here["columns"]}["email"] == "personal"


@pytest.mark.parametrize("metric", ["roc_auc", "brier", "log_loss"])
def test_performance_is_the_same(both: tuple[Path, Path], metric: str) -> None:
    here, there = (
        performance(
            path, label="label", score="score", baseline_score="old", metric=metric,
            positive=None, by=["select"],
        )
        for path in both
    )  # fmt: skip
    first, second = flat(here), flat(there)
    assert first.keys() == second.keys()
    for key, figure in first.items():  # sums of rows in another order end in other digits
        if isinstance(figure, float):
            assert second[key] == pytest.approx(figure, rel=1e-9, abs=1e-12), key
        else:
            assert second[key] == figure, key
    assert here["n"] == 12_500
    assert here["slices"]["tested"] > 0


def test_impact_ratios_of_scores_are_the_same(both: tuple[Path, Path]) -> None:
    here, there = (
        bias_audit(
            path, prediction=None, score="score", positive=None, by=["select", "flag"],
            justification=None,
        )
        for path in both
    )  # fmt: skip
    assert here["tables"] == there["tables"] != []


def test_only_the_wanted_columns_and_rows_come(both: tuple[Path, Path]) -> None:
    with open_source(both[1]) as source, brought(source, ["label"], every=5) as table:
        assert table.names == ("label",)
        assert table.rows == 2500


def test_a_wrong_column_is_named_with_the_source_file(both: tuple[Path, Path]) -> None:
    with rows_here(both[1]) as table, pytest.raises(InputError, match="scor") as refused:
        table.column("scor")
    assert "scored.yaml" in str(refused.value.place)


def test_spark_gives_the_same_fingerprint_and_columns(
    both: tuple[Path, Path], tmp_path: Path
) -> None:
    warehouses.spark_or_skip()
    source = tmp_path / "spark.yaml"
    source.write_text(f"engine: pyspark\nparquet: {both[0]}\n")
    assert fingerprint(source) == fingerprint(both[0])
    kinds = [(row["name"], row["class"]) for row in columns(source)["columns"]]
    assert kinds == [(row["name"], row["class"]) for row in columns(both[0])["columns"]]
