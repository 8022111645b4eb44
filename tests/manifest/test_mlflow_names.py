"""Names of MLflow in a manifest: their forms, where they may stand, where their copies lie."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from guiderail.manifest.load import load_manifest, load_release
from guiderail.manifest.mlflow_uri import FETCHED, is_plain, is_uri, parse_uri, place_of
from guiderail.manifest.problems import ManifestError

MODEL = {
    "guiderail": 1,
    "kind": "model",
    "name": "credit",
    "version": "1",
    "owner": "risk",
    "purpose": "Score applications.",
    "model": {"file": "models:/credit@champion"},
}


def written(directory: Path, **keys: object) -> Path:
    (directory / "guiderail.yaml").write_text(yaml.safe_dump({**MODEL, **keys}))
    return directory


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("models:/credit/7", {"kind": "version", "name": "credit", "version": "7"}),
        ("models:/credit/007", {"kind": "version", "name": "credit", "version": "7"}),
        ("models:/my model@the best", {"kind": "alias", "name": "my model", "alias": "the best"}),
        ("models:/m-1f4d", {"kind": "logged", "model": "m-1f4d"}),
        ("models:/m-1f4d/3", {"kind": "version", "name": "m-1f4d", "version": "3"}),
        ("runs:/4be8/model", {"kind": "run", "run": "4be8", "path": "model"}),
        ("runs:/4be8", {"kind": "record", "run": "4be8"}),
    ],
)
def test_a_name_is_read_in_its_parts(text: str, parts: dict[str, str]) -> None:
    uri = parse_uri(text)
    assert {key: getattr(uri, key) for key in parts} == parts


@pytest.mark.parametrize(
    "text",
    ["models:credit/1", "models://credit/1", "models:/", "models:/credit", "models:/credit/",
     "models:/credit@", "models:/@x", "models:/a@b@", "models:/credit/1/2", "models:/credit/latest",
     "models:/credit/-1", "models:/credit/\N{SUPERSCRIPT TWO}", "models:/../1", "runs:/",
     "runs:/a b/x", "runs:/4be8/", "runs:/4be8/..", "runs:/4be8/a/../b", "runs:/4be8/a:b",
     "runs://host/x"],
)  # fmt: skip
def test_what_is_no_name_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"form|stages|plainly"):
        parse_uri(text)
    with pytest.raises(ManifestError) as refused:
        load_manifest(written(tmp_path, model={"file": text}))
    assert [one.code for one in refused.value.problems] == ["manifest/uri"]


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"evaluation": {"data": "models:/credit/1"}}, "names a model, and this is none"),
        ({"evaluation": {"data": "runs:/4be8"}}, "names a run, and a file is meant"),
        ({"model": {"file": "runs:/4be8"}}, "names a run, and a file is meant"),
        ({"evidence": {"tests": "runs:/4be8/junit.xml"}}, "is fetched, and a report is not"),
    ],
)
def test_a_name_stands_only_where_what_it_names_belongs(
    tmp_path: Path, keys: dict[str, object], why: str
) -> None:
    with pytest.raises(ManifestError) as refused:
        load_manifest(written(tmp_path, **keys))
    assert why in refused.value.problems[0].what


def test_data_and_records_may_be_files_of_a_run(tmp_path: Path) -> None:
    training = [{"name": "german", "data": "runs:/4be8/data/training.csv"}]
    lineage = [{"file": "runs:/4be8"}, {"file": "runs:/4be8/events.jsonl"}]
    directory = written(tmp_path, training=training, lineage=lineage)
    load_manifest(directory)
    with pytest.raises(ManifestError) as refused:
        load_release(directory)
    found = refused.value.problems
    assert {one.code for one in found} == {"manifest/not-fetched"}
    assert len(found) == 4
    assert all("guiderail fetch" in one.advice for one in found)


@pytest.mark.parametrize(
    "address",
    ["https://anna:geheim@mlflow.example", "https://mlflow.example?token=geheim", "file:///x",
     "sqlite:///mlflow.db", "https://"],
)  # fmt: skip
def test_a_manifest_names_servers_without_credentials(tmp_path: Path, address: str) -> None:
    with pytest.raises(ManifestError):
        load_manifest(written(tmp_path, mlflow={"tracking": address}))
    load_manifest(written(tmp_path, mlflow={"tracking": "https://mlflow.example:5000/base"}))


def test_a_release_without_mlflow_keeps_its_digest(tmp_path: Path) -> None:
    assert "mlflow" not in load_manifest(written(tmp_path)).canonical
    keys = {"mlflow": {"tracking": "https://mlflow.example"}}
    assert "mlflow" in load_manifest(written(tmp_path, **keys)).canonical


@given(st.text(max_size=60))
def test_a_copy_always_lies_below_the_folder_of_copies(text: str) -> None:
    for name in (f"models:/{text}", f"runs:/4be8/{text}"):
        try:
            parse_uri(name)
        except ValueError:
            assert place_of(name) == name
            continue
        place = place_of(name)
        assert is_uri(name)
        assert place.startswith(f"{FETCHED}/")
        assert is_plain(place.removeprefix(f"{FETCHED}/"))
