"""What MLflow names is pinned, copied and digested; the digest decides, wherever an alias moves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from guiderail.core.digest import path_digest
from guiderail.core.errors import GuiderailError, InputError, IntegrityError
from guiderail.facts.model.file import MODEL_FILE
from guiderail.fetch.download import Budget
from guiderail.fetch.keep import keep
from guiderail.fetch.stores import open_stores
from guiderail.manifest.load import load_release
from guiderail.manifest.mlflow_uri import place_of
from guiderail.manifest.pins import LOCK_NAME, read_pins
from guiderail.manifest.problems import ManifestError
from guiderail.manifest.schema import Mlflow
from guiderail.service.fetch import fetch, fetched
from tests.facts.small_release import run
from tests.fetch.conftest import workload
from tests.fetch.recorded import API, FILES, MODEL, RUN, Recorded

NAME = "models:/credit@champion"
ALIAS = f"{API}/registered-models/alias?name=credit&alias=champion"


def second_version(mlflow: Recorded, model: bytes) -> None:
    """MLflow registers version 2, whose bytes differ, and moves the alias to it."""
    mlflow.change(ALIAS, version="2")
    for call in ("get", "get-download-uri"):
        old = mlflow.answers[f"{API}/model-versions/{call}?name=credit&version=1"]
        text = json.dumps(old).replace(MODEL, "m-2").replace('"version": "1"', '"version": "2"')
        mlflow.answers[f"{API}/model-versions/{call}?name=credit&version=2"] = json.loads(text)
    logged = json.dumps(mlflow.answers[f"{API}/logged-models/{MODEL}"]).replace(MODEL, "m-2")
    mlflow.answers[f"{API}/logged-models/m-2"] = json.loads(logged)
    place = "1/models/m-2/artifacts"
    mlflow.list(place, *(file(name) for name in ("MLmodel", "model.skops")))
    mlflow.files[f"{place}/MLmodel"] = mlflow.files[f"{FILES}/MLmodel"] + b"# two\n"
    mlflow.files[f"{place}/model.skops"] = model


def file(name: str, size: int | None = 1) -> dict[str, object]:
    return {"path": name, "is_dir": False} | ({} if size is None else {"file_size": size})


def test_an_alias_is_pinned_to_its_version_with_the_digest_of_its_bytes(
    mlflow: Recorded, tmp_path: Path
) -> None:
    directory = workload(tmp_path / "w")
    (row,) = fetch(directory)["fetched"]

    assert (row["pinned"], row["model"], row["run"]) == ("models:/credit/1", MODEL, RUN)
    assert row["from"] == mlflow.address
    copy = directory / place_of(NAME)
    assert sorted(one.name for one in copy.iterdir()) == [
        *("MLmodel", "conda.yaml", "model.skops", "python_env.yaml", "requirements.txt")
    ]
    release = load_release(directory)
    assert release.artefacts[NAME] == row["digest"] == path_digest(copy)
    assert release.path(NAME) == copy.resolve()
    assert LOCK_NAME in release.artefacts


def test_the_facts_say_what_was_fetched(mlflow: Recorded, tmp_path: Path) -> None:
    directory = workload(tmp_path / "w")
    fetch(directory)
    facts = run(MODEL_FILE, load_release(directory))

    assert facts["model.file"].value == "safe"
    assert facts["model.inputs"].value == ("income", "debt")
    told = facts["model.file"].detail["fetched"]
    assert isinstance(told, dict)
    assert told["pinned"] == "models:/credit/1"
    assert facts["model.file"].source == f"{NAME}, fetched as models:/credit/1"


def test_an_alias_that_moves_changes_nothing_until_it_is_asked_for(
    mlflow: Recorded, tmp_path: Path, model: bytes
) -> None:
    directory = workload(tmp_path / "w")
    fetch(directory)
    before = load_release(directory).digest
    second_version(mlflow, model)
    asked = len(mlflow.asked)

    assert fetch(directory)["fetched"][0]["how"] == "kept"
    assert len(mlflow.asked) == asked, "what is pinned and there needs no server"
    assert load_release(directory).digest == before

    updated = fetch(directory, update=True)
    assert updated["moved"] == [
        {"name": NAME, "from": "models:/credit/1", "to": "models:/credit/2"}
    ]
    assert load_release(directory).digest != before


def test_a_fresh_clone_fetches_what_was_pinned_and_not_what_the_alias_says(
    mlflow: Recorded, tmp_path: Path, model: bytes
) -> None:
    first = workload(tmp_path / "first")
    fetch(first)
    second_version(mlflow, model)
    clone = workload(tmp_path / "clone")
    (clone / LOCK_NAME).write_bytes((first / LOCK_NAME).read_bytes())
    with pytest.raises(ManifestError, match="was not fetched yet"):
        load_release(clone)

    fetch(clone)

    assert load_release(clone).digest == load_release(first).digest


def test_a_version_whose_bytes_were_replaced_is_refused(mlflow: Recorded, tmp_path: Path) -> None:
    first = workload(tmp_path / "first")
    fetch(first)
    mlflow.files[f"{FILES}/MLmodel"] += b"# replaced\n"
    clone = workload(tmp_path / "clone")
    (clone / LOCK_NAME).write_bytes((first / LOCK_NAME).read_bytes())

    with pytest.raises(IntegrityError, match="other bytes than when it was pinned") as refused:
        fetch(clone)

    assert refused.value.code == "mlflow/changed"
    assert not (clone / place_of(NAME)).exists()


def test_a_copy_that_somebody_changed_is_no_release(mlflow: Recorded, tmp_path: Path) -> None:
    directory = workload(tmp_path / "w")
    fetch(directory)
    (directory / place_of(NAME) / "conda.yaml").write_text("changed")

    with pytest.raises(ManifestError, match="is not what guiderail"):
        load_release(directory)
    assert fetch(directory)["fetched"][0]["how"] == "fetched"
    load_release(directory)


@pytest.mark.parametrize(
    ("name", "pinned"),
    [
        ("models:/credit/1", "models:/credit/1"),
        ("models:/credit/01", "models:/credit/1"),
        (f"models:/{MODEL}", f"models:/{MODEL}"),
        (f"runs:/{RUN}/model", f"models:/{MODEL}"),
        (f"runs:/{RUN}/deep/er/note.txt", f"runs:/{RUN}/deep/er/note.txt"),
        (f"runs:/{RUN}/deep", f"runs:/{RUN}/deep"),
    ],
)
def test_every_form_of_a_name_is_found(mlflow: Recorded, name: str, pinned: str) -> None:
    found = fetched(name, None)

    assert found.pinned == pinned
    if name.endswith("note.txt"):
        assert (found.path.name, found.path.read_bytes()) == ("note.txt", b"hello")
    elif name.endswith("deep"):
        assert (found.path / "er" / "note.txt").read_bytes() == b"hello"
    else:
        assert (found.path / "MLmodel").is_file()


def test_copies_of_what_does_not_move_are_kept_and_checked(
    mlflow: Recorded, tmp_path: Path
) -> None:
    first = fetched("models:/credit/1", tmp_path)
    asked = len(mlflow.asked)
    assert fetched("models:/credit/1", tmp_path) == first
    assert len(mlflow.asked) == asked

    (first.path / "MLmodel").write_text("changed")
    again = fetched("models:/credit/1", tmp_path)
    assert again == first
    assert path_digest(again.path) == first.digest


def test_a_run_is_a_record_of_what_it_read(mlflow: Recorded, tmp_path: Path) -> None:
    name = f"runs:/{RUN}"
    directory = workload(tmp_path / "w", lineage=[{"file": name}])
    fetch(directory)

    from guiderail.facts.data.lineage_files import read_records

    (one,) = read_records(load_release(directory).path(name), None)
    assert (one.run, one.name, one.columns, one.rows) == (RUN, "credit", ("income", "debt"), 4)
    copy = load_release(directory).path(name).read_bytes()
    assert b"mlflow.user" not in copy.partition(b'"inputs"')[0], "tags of the run may change later"

    path = f"{API}/runs/get?run_id={RUN}"
    mlflow.change(path, status="FAILED", run_id=RUN)
    with pytest.raises(InputError, match="did not end well"):
        fetch(directory, update=True)


@pytest.mark.parametrize(
    ("name", "code", "why"),
    [
        ("models:/credit@nobody", "mlflow/not-found", "The alias nobody of the model credit"),
        ("models:/nothing@champion", "mlflow/not-found", "The alias champion"),
        ("models:/credit/9", "mlflow/not-found", "Version 9 of the model credit"),
        ("models:/m-0000", "mlflow/not-found", "The logged model m-0000"),
        ("runs:/0000/model", "mlflow/not-found", "The run 0000"),
        (f"runs:/{RUN}/other", "mlflow/not-found", "other in the run"),
        ("models:/credit/latest", "mlflow/name", "latest"),
        ("models:/credit/Production", "mlflow/name", "stages"),
        ("models:/credit", "mlflow/name", "form"),
        ("models:/credit/1/../../x", "mlflow/name", "form"),
        (f"runs:/{RUN}/../../secret", "mlflow/name", "plainly below the run"),
        (f"runs:/{RUN}/a//b", "mlflow/name", "plainly below the run"),
        (f"runs:/{RUN}/C:\\x", "mlflow/name", "plainly below the run"),
        ("runs:/../x", "mlflow/name", "form"),
    ],
)
def test_what_is_not_there_or_names_nothing_is_said(
    mlflow: Recorded, name: str, code: str, why: str
) -> None:
    with pytest.raises(InputError, match=why) as refused:
        fetched(name, None)
    assert refused.value.code == code


def test_what_is_not_ready_is_not_fetched(mlflow: Recorded) -> None:
    mlflow.change(f"{API}/logged-models/{MODEL}", status="LOGGED_MODEL_PENDING")
    with pytest.raises(InputError, match="is not ready"):
        fetched("models:/credit/1", None)
    mlflow.change(f"{API}/model-versions/get?name=credit&version=1", status="PENDING_REGISTRATION")
    with pytest.raises(InputError, match="models:/credit/1 is not ready"):
        fetched("models:/credit/1", None)


@pytest.mark.parametrize(
    "name",
    ["../outside", "..", ".", "", "/etc/passwd", "a/b", "a\\b", "C:x", "a\nb", "model.skops"],
)
def test_a_name_that_leads_elsewhere_is_refused(
    mlflow: Recorded, tmp_path: Path, name: str
) -> None:
    mlflow.list(FILES, file("MLmodel"), file("model.skops"), file(name))
    directory = workload(tmp_path / "w")

    with pytest.raises(InputError) as refused:
        fetch(directory)

    assert refused.value.code == "mlflow/unusable"
    left = sorted(one.name for one in tmp_path.rglob("*") if one.is_file())
    assert left == [".gitignore", "guiderail.yaml"]


def test_more_than_the_limits_is_refused_also_where_the_server_says_nothing_of_sizes(
    mlflow: Recorded, tmp_path: Path
) -> None:
    stores = open_stores(None, {"MLFLOW_TRACKING_URI": mlflow.address})

    def refusal(budget: Budget) -> str:
        with pytest.raises(InputError) as refused:
            keep("models:/credit/1", tmp_path / "k" / "model", stores, budget=budget)
        assert refused.value.code == "mlflow/too-large"
        assert not list(tmp_path.rglob("*"))
        return refused.value.what

    assert "more than 3 files" in refusal(Budget(files=3))
    assert "more than 1e-06 GB" in refusal(Budget(bytes=1_000))
    mlflow.list(FILES, file("MLmodel", None), file("model.skops", 0))
    assert "more than 1e-06 GB" in refusal(Budget(bytes=1_000))
    for depth in range(4):
        mlflow.list("/".join([FILES, *["d"] * depth]), {"path": "d", "is_dir": True})
    assert "more than 3 deep" in refusal(Budget(depth=3))


@pytest.mark.parametrize(
    "location",
    ["s3://bucket/model", "/etc", "file:///etc", "dbfs:/x", "mlflow-artifacts://elsewhere/x",
     "http://elsewhere/api/2.0/mlflow-artifacts/artifacts/x"],
)  # fmt: skip
def test_a_server_cannot_send_us_to_another_place(mlflow: Recorded, location: str) -> None:
    mlflow.change(f"{API}/logged-models/{MODEL}", artifact_uri=location)
    with pytest.raises(InputError) as refused:
        fetched(f"models:/{MODEL}", None)
    assert refused.value.code == "mlflow/unusable"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_credentials_do_not_follow_a_redirect(
    mlflow: Recorded, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "geheim")
    mlflow.say(ALIAS, {"to": f"{mlflow.address}/stolen"}, status)
    with pytest.raises(InputError, match="sends on to another address"):
        fetched(NAME, None)
    assert mlflow.asked == [ALIAS]


@pytest.mark.parametrize(
    ("variables", "header"),
    [
        ({"MLFLOW_TRACKING_TOKEN": "geheim"}, "Bearer geheim"),
        (
            {"MLFLOW_TRACKING_USERNAME": "anna", "MLFLOW_TRACKING_PASSWORD": "geheim"},
            "Basic YW5uYTpnZWhlaW0=",
        ),
        ({}, None),
    ],
)
def test_credentials_are_those_of_the_environment(
    mlflow: Recorded, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], header: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    fetched("models:/credit/1", None)
    assert set(mlflow.shown) == {header}


def test_credentials_stay_out_of_messages_and_records(
    mlflow: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = mlflow.address.replace("//", "//anna:geheim@")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"{secret}/?password=geheim")
    directory = workload(tmp_path / "w")
    document = fetch(directory)
    assert mlflow.shown[0] == "Basic YW5uYTpnZWhlaW0="
    assert "geheim" not in json.dumps(document)
    assert all("geheim" not in one.read_text("latin-1")
               for one in directory.rglob("*") if one.is_file())  # fmt: skip

    for status in (401, 403, 404, 500, 302):
        mlflow.say(ALIAS, {"to": "/"}, status)
        with pytest.raises(GuiderailError) as refused:
            fetch(directory, update=True)
        assert "geheim" not in str(refused.value)
        assert "geheim" not in repr(refused.value.__dict__)
    assert "geheim" not in repr(open_stores(None, {"MLFLOW_TRACKING_URI": secret}))


def test_a_manifest_cannot_have_credentials_sent_to_its_server(mlflow: Recorded) -> None:
    own = {"MLFLOW_TRACKING_URI": "https://mlflow.example", "MLFLOW_TRACKING_TOKEN": "geheim"}
    stores = open_stores(Mlflow(tracking=mlflow.address), own)
    stores.registry.alias("credit", "champion")
    assert mlflow.shown == [None]

    own["MLFLOW_TRACKING_URI"] = mlflow.address
    open_stores(Mlflow(tracking=f"{mlflow.address}/"), own).registry.alias("credit", "champion")
    assert mlflow.shown == [None, "Bearer geheim"]


def test_a_registry_of_its_own_is_asked_for_names_and_versions(
    mlflow: Recorded, model: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.fetch.recorded import serve

    with serve(model) as registry:
        monkeypatch.setenv("MLFLOW_REGISTRY_URI", registry.address)
        fetched(NAME, None)
        assert any("registered-models" in path for path in registry.asked)
        assert not any("logged-models" in path for path in registry.asked)
    assert not any("registered-models" in path for path in mlflow.asked)


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("", "mlflow/no-store"),
        ("databricks", "mlflow/store"),
        ("file:///tmp/mlruns", "mlflow/store"),
        ("postgresql://anna:geheim@db/mlflow", "mlflow/store"),
        ("sqlite:///not-there.db", "mlflow/store"),
        ("http://[", "mlflow/store"),
        ("http://127.0.0.1:1", "mlflow/unreachable"),
    ],
)
def test_a_store_that_cannot_be_asked_is_said(
    monkeypatch: pytest.MonkeyPatch, address: str, code: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    monkeypatch.delenv("MLFLOW_REGISTRY_URI", raising=False)
    with pytest.raises(InputError) as refused:
        fetched("models:/credit/1", None)
    assert refused.value.code == code
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize("body", [[], "text", {}, {"model_version": 3}, {"model_version": {}}])
def test_an_answer_that_is_not_mlflows_is_refused(mlflow: Recorded, body: object) -> None:
    mlflow.say(ALIAS, body)
    with pytest.raises(InputError, match="not MLflow's"):
        fetched(NAME, None)


def test_a_lock_that_cannot_be_read_is_an_error(mlflow: Recorded, tmp_path: Path) -> None:
    directory = workload(tmp_path / "w")
    for text in ("{", "[]", '{"guiderail": 2, "fetched": {}}', '{"guiderail": 1, "fetched": [1]}'):
        (directory / LOCK_NAME).write_text(text)
        with pytest.raises(InputError) as refused:
            load_release(directory)
        assert refused.value.code == "manifest/lock"
        with pytest.raises(InputError):
            fetch(directory)
    assert mlflow.asked == []


def test_without_names_of_mlflow_nothing_is_asked_or_written(
    mlflow: Recorded, tmp_path: Path
) -> None:
    directory = workload(tmp_path / "w", model={"file": "model.skops"})
    assert fetch(directory) == {"fetched": [], "moved": []}
    assert read_pins(directory) == {}
    assert [one.name for one in directory.iterdir()] == ["guiderail.yaml"]
