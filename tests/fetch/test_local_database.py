"""A local MLflow database is read as it is, with tables as MLflow 3.17.2 makes them."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from guiderail.core.errors import InputError
from guiderail.service.fetch import fetch, fetched
from tests.fetch.conftest import workload

HERE = Path(__file__).parent
ROWS = """
INSERT INTO runs VALUES ('r1', 'run', 'LOCAL', 'train.py', '', 'anna', 'FINISHED', 1, 2, '',
  'active', '{runs}/r1/artifacts', 1, NULL);
INSERT INTO logged_models VALUES ('m-1', 1, 'model', '{models}/m-1/artifacts', 1, 2, 2, 'active',
  NULL, 'r1', NULL);
INSERT INTO logged_models VALUES ('m-2', 1, 'twice', '{models}/m-1/artifacts', 1, 2, 2, 'active',
  NULL, 'r1', NULL);
INSERT INTO logged_models VALUES ('m-3', 1, 'twice', '{models}/m-1/artifacts', 1, 2, 1, 'active',
  NULL, 'r1', NULL);
INSERT INTO logged_models VALUES ('m-4', 1, 'away', 's3://bucket/x', 1, 2, 2, 'active',
  NULL, 'r1', NULL);
INSERT INTO model_versions VALUES ('credit', 3, 1, 2, NULL, NULL, 'None', 'models:/m-1', 'r1',
  'READY', NULL, NULL, '{models}/m-1/artifacts', 'default');
INSERT INTO model_versions VALUES ('credit', 2, 1, 2, NULL, NULL, 'None', '{models}/m-1/artifacts',
  NULL, 'READY', NULL, NULL, NULL, 'default');
INSERT INTO model_versions VALUES ('chain', 1, 1, 2, NULL, NULL, 'None', 'models:/credit/3', 'r1',
  'READY', NULL, NULL, '/x', 'default');
INSERT INTO model_versions VALUES ('both', 1, 1, 2, NULL, NULL, 'None', '/x', NULL,
  'READY', NULL, NULL, NULL, 'default');
INSERT INTO model_versions VALUES ('both', 1, 1, 2, NULL, NULL, 'None', '/y', NULL,
  'READY', NULL, NULL, NULL, 'other');
INSERT INTO registered_model_aliases VALUES ('champion', 3, 'credit', 'default');
"""


@pytest.fixture
def store(tmp_path: Path, model: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of a store that a local run filled."""
    place = tmp_path / "store"
    inside = place / "models" / "m-1" / "artifacts"
    inside.mkdir(parents=True)
    (inside / "MLmodel").write_bytes((HERE / "MLmodel").read_bytes())
    (inside / "model.skops").write_bytes(model)
    (place / "runs" / "r1" / "artifacts").mkdir(parents=True)
    (place / "runs" / "r1" / "artifacts" / "data.csv").write_text("a\n1\n")
    with closing(sqlite3.connect(place / "mlflow.db")) as database:
        database.executescript((HERE / "tables.sql").read_text())
        database.executescript(ROWS.format(models=place / "models", runs=f"file://{place}/runs"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{place / 'mlflow.db'}")
    monkeypatch.delenv("MLFLOW_REGISTRY_URI", raising=False)
    return place


@pytest.mark.parametrize(
    ("name", "pinned"),
    [
        ("models:/credit@champion", "models:/credit/3"),
        ("models:/credit/3", "models:/credit/3"),
        ("models:/credit/2", "models:/credit/2"),
        ("models:/m-1", "models:/m-1"),
        ("runs:/r1/model", "models:/m-1"),
        ("runs:/r1/data.csv", "runs:/r1/data.csv"),
    ],
)
def test_every_form_of_a_name_is_found(store: Path, name: str, pinned: str) -> None:
    found = fetched(name, store / "cache")

    assert found.pinned == pinned
    assert found.path.is_dir() == (pinned != "runs:/r1/data.csv")
    assert not (store / "cache").exists(), "what is on this machine is not kept twice"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("models:/credit/1", "Version 1 of the model credit is not known"),
        ("models:/credit@nobody", "The alias nobody"),
        ("models:/m-9", "The logged model m-9"),
        ("models:/m-3", "is not ready"),
        ("models:/m-4", "lie in s3"),
        ("models:/chain/1", "was registered from models:/credit/3"),
        ("models:/both/1", "there 2 times, in several workspaces"),
        ("runs:/r1/twice", "several models as twice"),
        ("runs:/r2/model", "The run r2"),
    ],
)
def test_what_cannot_be_fetched_is_said(store: Path, name: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        fetched(name, None)


def test_the_record_of_a_run_is_the_database_itself(store: Path, tmp_path: Path) -> None:
    directory = workload(tmp_path / "w", lineage=[{"file": "runs:/r1"}])
    with pytest.raises(InputError, match="keeps no record of a run") as refused:
        fetch(directory)
    assert "Name the database itself" in refused.value.advice


def test_a_link_and_a_pipe_among_the_files_are_refused(store: Path, tmp_path: Path) -> None:
    inside = store / "models" / "m-1" / "artifacts"
    (tmp_path / "secret").write_text("ours")
    for name, make in (("link", lambda path: path.symlink_to(tmp_path / "secret")),
                       ("pipe", os.mkfifo)):  # fmt: skip
        make(inside / name)
        with pytest.raises(InputError, match=f"{name} in the model's directory"):
            fetched("models:/m-1", None)
        (inside / name).unlink()
    target = store / "runs" / "r1" / "artifacts" / "data.csv"
    target.unlink()
    target.symlink_to(tmp_path / "secret")
    with pytest.raises(InputError):
        fetched("runs:/r1/data.csv", None)


def test_a_file_that_is_no_database_of_mlflow_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for content in (b"text", b""):
        (tmp_path / "other.db").write_bytes(content)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'other.db'}")
        with pytest.raises(InputError, match="cannot be read as a database of MLflow"):
            fetched("models:/credit/1", None)
