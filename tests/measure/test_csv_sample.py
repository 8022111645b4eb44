"""A large CSV file is looked at in blocks from all over it, in bounded memory."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from guiderail.core.errors import InputError
from guiderail.measure import columns as looking
from guiderail.measure.columns import classify_columns, is_large_csv
from guiderail.measure.csv_sample import write_csv_sample


def large(path: Path, rows: int = 20_000, mark: str = "") -> Path:
    lines = ["select,contact,note\n"]
    for row in range(rows):
        contact = f"p{row}@example.org" if row > rows / 2 else ""
        lines.append(f'{row},{contact},"a, b {mark}"\n')
    path.write_text("".join(lines), encoding="utf-8")
    return path


def test_lines_come_from_all_over_the_file_and_are_whole(tmp_path: Path) -> None:
    path = large(tmp_path / "large.csv")

    found = write_csv_sample(path, tmp_path / "sample.csv", blocks=8, size=4_096)

    with (tmp_path / "sample.csv").open(newline="") as stream:
        header, *rows = csv.reader(stream)
    assert header == ["select", "contact", "note"]
    assert len(rows) == found.rows > 300
    places = [int(row[0]) for row in rows]
    assert places == sorted(set(places))
    assert places[0] < 100
    assert places[-1] > 17_000
    assert {row[2] for row in rows} == {"a, b "}
    assert found.looked_at == pytest.approx(8 * 4_096 / path.stat().st_size, rel=0.2)


def test_a_small_file_is_its_own_sample(tmp_path: Path) -> None:
    path = large(tmp_path / "small.csv", rows=50)

    assert write_csv_sample(path, tmp_path / "sample.csv").rows == 50


def test_a_file_of_many_gigabytes_is_looked_at_without_reading_it(tmp_path: Path) -> None:
    """A hole of 40 GB between a beginning and an end takes no room on the disk."""
    path = large(tmp_path / "huge.csv", rows=50_000, mark="x" * 90)
    with path.open("r+b") as stream:
        beginning = stream.read()
        os.truncate(path, 40 * 10**9)
        stream.seek(40 * 10**9)
        stream.write(b"\n" + beginning[beginning.index(b"\n") + 1 :])

    assert is_large_csv(path)
    found = write_csv_sample(path, tmp_path / "sample.csv")

    assert 0 < found.looked_at < 0.001
    assert found.rows > 500


def test_columns_of_a_large_file_are_told_from_its_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = large(tmp_path / "large.csv", rows=40_000)
    whole = classify_columns(path)
    monkeypatch.setattr(looking, "LARGE_CSV", 1_000)

    sampled = classify_columns(path)

    assert is_large_csv(path)
    assert [(one.name, one.cls, one.kind) for one in sampled] == [
        (one.name, one.cls, one.kind) for one in whole
    ]
    assert sampled[1].kind == "email"


def test_bytes_of_another_encoding_are_an_error_that_names_the_place(tmp_path: Path) -> None:
    path = large(tmp_path / "latin.csv", rows=10)
    path.write_bytes(path.read_bytes() + "99,,Müller\n".encode("latin-1"))

    with pytest.raises(InputError) as raised:
        write_csv_sample(path, tmp_path / "sample.csv")

    assert raised.value.code == "data/encoding"


def test_lines_of_another_shape_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "ragged.csv"
    path.write_text("a,b\n" + "1,2,3\n" * 100)

    with pytest.raises(InputError) as raised:
        write_csv_sample(path, tmp_path / "sample.csv")

    assert raised.value.code == "data/ragged-row"


def test_two_columns_of_one_name_are_an_error_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "LARGE_CSV", 5)
    path = tmp_path / "twice.csv"
    path.write_text("select,select\n1,2\n")

    with pytest.raises(InputError, match='"select" occurs twice'):
        classify_columns(path)
