"""Against MLflow itself: a server that serves artefacts, and a local database.

Runs where the extra `mlflow` is installed, or GUIDERAIL_TEST_MLFLOW names the Python of an
environment that has it. Elsewhere only the answers that were recorded from it are tested.
"""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from guiderail.core.errors import InputError
from guiderail.manifest.load import load_release
from guiderail.sandbox.inspect_model import inspect_model
from guiderail.service.fetch import fetch, fetched
from tests.fetch.conftest import workload

PYTHON = os.environ.get("GUIDERAIL_TEST_MLFLOW") or (
    sys.executable if importlib.util.find_spec("mlflow") else None
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        PYTHON is None,
        reason="NOT TESTED AGAINST MLFLOW: it is not installed; pip install 'guiderail[mlflow]', "
        "or set GUIDERAIL_TEST_MLFLOW to the Python of an environment that has it",
    ),
]
SEED = """
import json, sys
import mlflow, pandas as pd
from sklearn.linear_model import LogisticRegression

mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("credit")
table = pd.DataFrame({"income": [0.0, 1.0, 2.0, 3.0], "debt": [1.0, 1.0, 0.0, 0.5]})
client, found = mlflow.MlflowClient(), []
for strength in (1.0, 0.5):
    with mlflow.start_run() as run:
        mlflow.log_input(mlflow.data.from_pandas(table, name="applications"), context="training")
        mlflow.log_text("income,debt\\n1,2\\n", "deep/er/data.csv")
        fitted = LogisticRegression(C=strength).fit(table, ["bad", "bad", "good", "good"])
        info = mlflow.sklearn.log_model(fitted, name="model", registered_model_name="credit")
    found.append({"run": run.info.run_id, "model": info.model_id})
client.set_registered_model_alias("credit", "champion", "1")
print(json.dumps(found))
"""
MOVE = """
import sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
mlflow.MlflowClient().set_registered_model_alias("credit", "champion", sys.argv[2])
"""


def run(code: str, *arguments: str, cwd: Path) -> str:
    assert PYTHON is not None
    done = subprocess.run(
        [PYTHON, "-c", code, *arguments],
        cwd=cwd,
        env={**_environment(), "MLFLOW_TRACKING_USERNAME": "", "MLFLOW_TRACKING_PASSWORD": ""},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""


def _environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return {**kept, "MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    place = tmp_path_factory.mktemp("mlflow-server")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert PYTHON is not None
    command = [PYTHON, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{place}/server.db", "--workers", "1"]
    command += ["--artifacts-destination", str(place / "artefacts")]
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=place, env=_environment(), stdout=log, stderr=log, start_new_session=True
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, process, place / "log")
        yield address
    finally:
        os.killpg(process.pid, 15)
        process.wait(timeout=60)


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-2_000:]
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):  # noqa: S310 - our own
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"the server does not come up: {log.read_text()[-2_000:]}")


@pytest.fixture(scope="module", params=["server", "database"])
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, list[dict[str, Any]]]:
    """A store with two versions of one model, by address, with their runs and logged models."""
    place = tmp_path_factory.mktemp("seed")
    if request.param == "server":
        address = str(request.getfixturevalue("server"))
    else:
        address = f"sqlite:///{place}/local.db"
    return address, json.loads(run(SEED, address, cwd=place))


@pytest.fixture
def asked(store: tuple[str, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store[0])
    monkeypatch.delenv("MLFLOW_REGISTRY_URI", raising=False)
    return store[0]


def test_every_form_of_a_name_is_found(
    asked: str, store: tuple[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    first = store[1][0]
    same = [
        fetched(name, tmp_path / "cache")
        for name in ("models:/credit/1", f"models:/{first['model']}", f"runs:/{first['run']}/model")
    ]

    assert len({one.digest for one in same}) == 1
    summary = inspect_model(same[0].path)
    assert (summary.format, summary.safety) == ("mlflow", "safe")
    data = fetched(f"runs:/{first['run']}/deep/er/data.csv", None)
    assert data.path.read_text() == "income,debt\n1,2\n"
    with pytest.raises(InputError, match="is not known to MLflow"):
        fetched("models:/credit/9", None)
    with pytest.raises(InputError, match="is not known to MLflow"):
        fetched("models:/credit@nobody", None)
    with pytest.raises(InputError, match="is not known to MLflow"):
        fetched(f"runs:/{first['run']}/nothing", None)


def test_an_alias_that_moves_changes_nothing_until_it_is_asked_for(
    asked: str, tmp_path: Path
) -> None:
    directory = workload(tmp_path / "w")
    fetch(directory)
    before = load_release(directory).digest
    run(MOVE, asked, "2", cwd=tmp_path)

    fetch(directory)
    assert load_release(directory).digest == before

    (moved,) = fetch(directory, update=True)["moved"]
    assert (moved["from"], moved["to"]) == ("models:/credit/1", "models:/credit/2")
    assert load_release(directory).digest != before


def test_the_record_of_a_run_names_what_it_read(
    asked: str, store: tuple[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    from guiderail.facts.data.lineage_files import read_records

    if asked.startswith("sqlite"):
        pytest.skip("a database is named under lineage itself")
    name = f"runs:/{store[1][0]['run']}"
    directory = workload(tmp_path / "w", lineage=[{"file": name}])
    fetch(directory)
    (one,) = read_records(load_release(directory).path(name), None)
    assert (one.name, one.columns, one.rows) == ("applications", ("income", "debt"), 4)
