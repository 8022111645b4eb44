"""What OpenLineage and MLflow wrote is read as they wrote it; anything else is refused.

The files in `lineage/` were written by the tools themselves: openlineage-python 1.54.0 and
MLflow 3.17.2, on three rows of data.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from guiderail.core.errors import InputError
from guiderail.facts.data.lineage_files import RecordedInput, read_records

WRITTEN = Path(__file__).parent / "lineage"
EVENT_RUN = "01912345-6789-7abc-8def-0123456789ab"
MLFLOW_RUN = "c6f91a187d234ee3bce8dc4c3f9cd20e"
COLUMNS = ("month", "credit_amount", "good")


def events() -> list[dict[str, Any]]:
    lines = (WRITTEN / "openlineage.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def written(folder: Path, content: object) -> Path:
    path = folder / "record.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((WRITTEN / "mlflow.sql").read_text())
    return path


def test_events_say_what_a_run_read() -> None:
    started, completed = read_records(WRITTEN / "openlineage.jsonl", None)
    assert started == completed
    assert completed == RecordedInput(
        tool="OpenLineage",
        run=EVENT_RUN,
        name="/lake/credit/training.csv",
        other_names=("german-credit",),
        addresses=("file:///lake/credit/training.csv", "file//lake/credit/training.csv"),
        columns=COLUMNS,
        rows=3,
        digest="17",
        used=("month",),
    )


def test_one_event_a_list_and_lines_are_the_same(tmp_path: Path) -> None:
    first, second = events()
    as_lines = read_records(WRITTEN / "openlineage.jsonl", EVENT_RUN)
    assert read_records(written(tmp_path, [first, second]), EVENT_RUN) == as_lines
    assert read_records(written(tmp_path, second), None) == as_lines[1:]


def test_a_run_that_failed_trained_nothing(tmp_path: Path) -> None:
    started, ended = events()
    ended["eventType"] = "FAIL"
    assert read_records(written(tmp_path, [started, ended]), None) == ()


def test_data_that_only_column_lineage_names_were_read_too(tmp_path: Path) -> None:
    event = events()[1]
    lineage = event["outputs"][0]["facets"]["columnLineage"]
    lineage["dataset"] = [{"namespace": "lake", "name": "bureau", "field": "score"}]
    names = {one.name: one.used for one in read_records(written(tmp_path, event), None)}
    assert names == {"/lake/credit/training.csv": ("month",), "bureau": ("score",)}


def test_an_event_without_facets_still_names_its_input(tmp_path: Path) -> None:
    event = events()[1]
    event["inputs"] = [{"namespace": "lake", "name": "bureau"}]
    event["outputs"] = []
    (found,) = read_records(written(tmp_path, event), None)
    assert (found.name, found.columns, found.rows) == ("bureau", None, None)


def test_mlflow_says_the_same_in_its_export_and_in_its_database(database: Path) -> None:
    (exported,) = read_records(WRITTEN / "mlflow-run.json", None)
    assert exported == RecordedInput(
        tool="MLflow",
        run=MLFLOW_RUN,
        name="german-credit",
        addresses=("data/training.csv",),
        columns=COLUMNS,
        rows=3,
        digest="67277c45",
    )
    assert read_records(database, MLFLOW_RUN) == (exported,)


def test_tags_that_are_listed_are_read_like_an_object(tmp_path: Path) -> None:
    run = json.loads((WRITTEN / "mlflow-run.json").read_text())
    for data in run["inputs"]["dataset_inputs"]:
        data["tags"] = [{"key": key, "value": value} for key, value in data["tags"].items()]
    assert len(read_records(written(tmp_path, {"run": run}), MLFLOW_RUN)) == 1


def test_a_database_with_several_runs_needs_the_name_of_one(database: Path) -> None:
    with pytest.raises(InputError, match="several runs"):
        read_records(database, None)
    with pytest.raises(InputError, match="no run elsewhere"):
        read_records(database, "elsewhere")


def test_the_only_run_that_was_not_deleted_needs_no_name(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid <> ?", (MLFLOW_RUN,)
        )
    assert len(read_records(database, None)) == 1
    assert not (database.parent / "mlflow.db-wal").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("{", "neither JSON"),
        ("[" * 100_000, "neither JSON"),
        ("3", "damaged|no OpenLineage"),
        ({}, "no OpenLineage event and no run"),
        ({"eventTime": "x", "job": {}, "run": {}}, "damaged"),
        ({"eventTime": "x", "job": {}, "inputs": [{"name": 3, "namespace": "n"}]}, "damaged"),
        ({"info": {}, "data": {}}, "damaged"),
    ],
    ids=["empty", "cut", "deep", "number", "nothing", "no run id", "no name", "no run info"],
)
def test_anything_else_is_refused(tmp_path: Path, content: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_records(written(tmp_path, content), None)


def test_a_record_of_another_run_is_refused() -> None:
    for name in ("openlineage.jsonl", "mlflow-run.json"):
        with pytest.raises(InputError, match="holds no run another"):
            read_records(WRITTEN / name, "another")


def test_a_database_that_is_none_of_mlflow_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (a)")
    with pytest.raises(InputError, match="no readable MLflow database"):
        read_records(path, None)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(InputError, match="UTF-8"):
        read_records(tmp_path / "a.json", None)
