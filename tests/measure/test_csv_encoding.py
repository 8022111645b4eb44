"""A CSV file is read as its owner says it is written, or refused with the place."""

from __future__ import annotations

from pathlib import Path

import pytest

from guiderail.core.csv_encoding import Encoding, write_utf8
from guiderail.core.errors import InputError
from guiderail.measure import csv_columns
from guiderail.measure.fingerprint import fingerprint
from guiderail.measure.table import open_table

TEXT = 'größe,ort\r\n1,Köln\r\n2,"Bad\nTölz"\r\n'
CODEC = {"utf-16": "utf-16", "windows-1252": "cp1252"}


def written(folder: Path, encoding: str, text: str = TEXT) -> Path:
    path = folder / f"{encoding}.csv"
    path.write_bytes(text.encode(CODEC.get(encoding, encoding)))
    return path


@pytest.mark.parametrize("held", [0, 2**30])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "windows-1252"]
)
def test_every_encoding_gives_the_same_table(
    tmp_path: Path, encoding: Encoding, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_columns, "HELD_IN_MEMORY", held)
    with open_table(written(tmp_path, encoding), encoding) as table:
        assert table.names == ("größe", "ort")
        assert table.column("ort").tolist() == ["Köln", "Bad\nTölz"]
        assert fingerprint(table) == fingerprint(written(tmp_path, "utf-8"))


def test_long_files_are_decoded_across_every_border(tmp_path: Path) -> None:
    text = "a,b\n" + "".join(f"{i},{'ä€😀' * (i % 7)}x\n" for i in range(60_000))
    for encoding in ("utf-16-be", "utf-16-le"):
        with open_table(written(tmp_path, encoding, text), encoding) as table:  # type: ignore[arg-type]
            assert table.rows == 60_000
            assert table.column("b")[6] == "ä€😀" * 6 + "x"
    write_utf8(tmp_path / "utf-16-be.csv", "utf-16-be", tmp_path / "copy.csv")
    assert (tmp_path / "copy.csv").read_text("utf-8") == text


@pytest.mark.parametrize(
    ("encoding", "said", "place", "advice"),
    [
        ("latin-1", None, ":2:4", "--encoding"),
        ("windows-1252", "latin-1", ":3:1", "windows-1252"),
        ("latin-1", "utf-8", ":2:4", "--encoding"),
    ],
)
def test_what_does_not_decode_is_refused_with_line_and_column(
    tmp_path: Path, encoding: str, said: Encoding | None, place: str, advice: str
) -> None:
    text = "a,b\n1,Köln\n€,x\n" if encoding == "windows-1252" else "a,b\n1,Köln\n"
    with pytest.raises(InputError) as refused:
        open_table(written(tmp_path, encoding, text), said)
    assert refused.value.code == "data/encoding"
    assert str(refused.value.place).endswith(place)
    assert advice in refused.value.advice


def test_a_mark_that_says_something_else_and_a_missing_mark_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="byte order mark of utf-16-le"):
        open_table(written(tmp_path, "utf-16"), "latin-1")
    with pytest.raises(InputError, match="no byte order mark"):
        open_table(written(tmp_path, "utf-8"), "utf-16")
    with pytest.raises(InputError, match="binary data") as refused:
        open_table(written(tmp_path, "utf-16-le", "a,b\n1,2\n"))
    assert "utf-16-le" in refused.value.advice


def test_a_large_file_is_parsed_once_and_its_copy_goes_with_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_columns, "HELD_IN_MEMORY", 0)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "a.csv").write_text("n,t\n" + "".join(f"{i}.5,w{i}\n" for i in range(5000)))
    with open_table(tmp_path / "a.csv") as table:
        assert [path.name for path in tmp_path.glob("guiderail-table-*/*")] == ["rows.parquet"]
        (tmp_path / "a.csv").unlink()  # nothing asks the text again
        assert table.column("n")[:2].tolist() == [0.5, 1.5]
        assert table.column("t")[4999] == "w4999"
    assert not list(tmp_path.glob("guiderail-table-*"))


def test_without_room_for_a_copy_the_file_itself_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_columns, "HELD_IN_MEMORY", 0)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 0}))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "a.csv").write_text("n\n1\n2\n")
    with open_table(tmp_path / "a.csv") as table:
        assert table.column("n").tolist() == [1, 2]
        assert not list(tmp_path.glob("guiderail-table-*"))


def test_a_refused_file_leaves_no_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_columns, "HELD_IN_MEMORY", 0)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(InputError):
        open_table(written(tmp_path, "utf-16-be", "a,b\n1,2,3\n"), "utf-16-be")
    assert not list(tmp_path.glob("guiderail-table-*"))


MEMORY = """
import sys
from pathlib import Path
from guiderail.measure.profile import make_profile
make_profile(Path(sys.argv[1]))
# Its own peak: `getrusage` would begin with that of the process that started it.
status = open("/proc/self/status").read()
print(int(status.split("VmHWM:")[1].split()[0]) // 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_a_large_csv_file(tmp_path: Path) -> None:
    import subprocess
    import sys

    import duckdb

    peaks = []
    for rows in (1_000_000, 2_500_000):  # about 290 and 720 MB, both above what is held in memory
        path = tmp_path / "large.csv"
        numbers = ", ".join(f"random() * {k} AS n{k}" for k in range(1, 16))
        duckdb.connect().execute(f"COPY (SELECT {numbers} FROM range({rows})) TO '{path}'")  # noqa: S608 - ours
        assert path.stat().st_size > csv_columns.HELD_IN_MEMORY
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, str(path)], capture_output=True, text=True, check=True
        )
        peaks.append(int(done.stdout))
    assert peaks[1] < 600  # megabytes
    assert peaks[1] - peaks[0] < 150
