"""Data for all libraries, drawn by hashing row numbers: the same rows in every run.

Files are Parquet. A number from 0 to 1 comes from the hash of the row and of a number of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from guiderail.measure.profile import make_profile

ATTRIBUTES = ("sex", "region", "race", "age_band")
REFERENCE_ROWS = 100_000
_FAR = 10**12
"""Rows of the reference are numbered from here, so that it shares none with the current data."""


def decided_rows(folder: Path, rows: int) -> None:
    """rows.parquet: four attributes, a label, a score of 0 to 1, a decision and an older one."""
    race = f"CASE WHEN {_part(3)} < 0.6 THEN 'a' WHEN {_part(3)} < 0.85 THEN 'b' ELSE 'c' END"
    band = (
        f"CASE WHEN {_part(4)} < 0.1 THEN 'under 25' WHEN {_part(4)} < 0.45 THEN '25 to 39' "
        f"WHEN {_part(4)} < 0.8 THEN '40 to 59' ELSE '60 and over' END"
    )
    raw = (
        f"CASE WHEN {_part(1)} < 0.5 THEN 'female' ELSE 'male' END AS sex, "
        f"'region ' || floor({_part(2)} * 6)::INT AS region, {race} AS race, {band} AS age_band, "
        f"({_part(5)} < 0.4)::INT AS label, {_normal(6)} AS first, {_normal(8)} AS second"
    )
    score = "1 / (1 + exp(-(1.4 * label - 0.6 - 0.3 * (sex = 'female')::INT + {})))"
    columns = (
        f"{', '.join(ATTRIBUTES)}, label, {score.format('first')} AS score, "
        f"{score.format('0.9 * first + 0.3 * second')} AS old_score"
    )
    decisions = "*, (score >= 0.5)::INT AS decision, (old_score >= 0.5)::INT AS old_decision"
    _write(0, rows, (raw, columns, decisions), folder / "rows.parquet")


def features(folder: Path, rows: int, count: int) -> None:
    """reference.parquet and current.parquet: of five features four are numbers and one is text.

    profile.json is Guiderail's profile of the reference, which is stored long before.
    """
    for name, first, size, moved in (
        ("reference", _FAR, REFERENCE_ROWS, 0.0),
        ("current", 0, rows, 1.0),
    ):
        columns = ", ".join(f"{_feature(j, moved)} AS {feature_name(j)}" for j in range(count))
        _write(first, size, (columns,), folder / f"{name}.parquet")
    profile = make_profile(folder / "reference.parquet")
    (folder / "profile.json").write_text(profile.to_json(), encoding="utf-8")


def proxy_rows(folder: Path, rows: int, count: int) -> None:
    """rows.parquet: numbers, of which every tenth leans on sex and every other on age_band."""
    sex, age = _part(1), _part(2)
    columns = [
        f"{_normal(100 + 2 * j)} + {(0.3 if j % 10 == 0 else 0)} * ({sex} < 0.5)::INT "
        f"+ {(0.2 if j % 2 else 0)} * {age} AS n{j}"
        for j in range(count)
    ]
    columns.append(f"CASE WHEN {sex} < 0.5 THEN 'female' ELSE 'male' END AS sex")
    columns.append(f"'band ' || floor({age} * 4)::INT AS age_band")
    _write(0, rows, (", ".join(columns),), folder / "rows.parquet")


def feature_name(j: int) -> str:
    return f"{'t' if j % 5 == 4 else 'n'}{j}"


def _feature(j: int, moved: float) -> str:
    """Features differ in shape; every third moved a little, a few much."""
    key = 100 + 2 * j
    shift = moved * (0.0, 0.02, 0.1)[j % 3] * (4 if j % 7 == 6 else 1)
    match j % 5:
        case 0:
            return f"({_normal(key)} + {shift}) * {j + 1}"
        case 1:
            return f"exp(0.7 * ({_normal(key)} + {shift}))"
        case 2:
            return f"1000 + {_normal(key)} + {shift}"
        case 3:
            return f"floor(pow({_part(key)}, {1 + shift}) * 20000)::INT"
    return f"'value ' || floor(pow({_part(key)}, {1 + shift}) * {(5, 20, 100)[j % 3]})::INT"


def _part(key: int) -> str:
    """Keys below 1,000. The hash of two arguments would not do: one depends on the other."""
    return f"(hash(i * 1000 + {key})::DOUBLE / 18446744073709551616.0)"


def _normal(key: int) -> str:
    """Box and Muller (1958)."""
    return f"(sqrt(-2 * ln(1 - {_part(key)} + 1e-300)) * cos(2 * pi() * {_part(key + 1)}))"


def _write(first: int, rows: int, steps: Sequence[str], path: Path) -> None:
    """steps: columns made of the row number `i`, then of the columns before, and so on."""
    connection = duckdb.connect(config={"memory_limit": "2GB"})
    connection.execute("SET enable_progress_bar = false")
    relation = connection.sql(f"FROM range({first}, {first + rows}) AS t(i)")
    for columns in steps:
        relation = relation.project(columns)
    relation.write_parquet(str(path))
