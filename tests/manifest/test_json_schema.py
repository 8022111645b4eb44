"""The JSON Schema for editors: in step with the classes, and of one mind with the loader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from guiderail.core.errors import InputError
from guiderail.manifest.json_schema import SCHEMA_FILE, json_schema, schema_text
from guiderail.manifest.load import load_manifest
from guiderail.manifest.strict_yaml import load_file

EXAMPLES = Path(__file__).parents[2] / "examples"

VALIDATOR = Draft202012Validator(json_schema())


def test_the_shipped_file_is_in_step_with_the_classes() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), (
        "run `python -m guiderail.manifest.json_schema`"
    )


def test_it_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(json_schema())


def unexplained(schema: dict[str, Any]) -> list[str]:
    """Every key without a description of its own or of the section that it refers to; `kind` is
    explained by the section that it chooses."""

    def section(field: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = schema["$defs"].get(field.get("$ref", "").rpartition("/")[2], {})
        return found

    return [
        f"{part}.{name}"
        for part, content in schema["$defs"].items()
        for name, field in content.get("properties", {}).items()
        if not (field.get("description") or section(field).get("description")) and name != "kind"
    ]


def test_every_key_explains_itself() -> None:
    assert unexplained(json_schema()) == []


@pytest.mark.parametrize("example", json_schema()["examples"], ids=lambda one: str(one["kind"]))
def test_its_own_examples_are_valid_and_load(tmp_path: Path, example: dict[str, Any]) -> None:
    VALIDATOR.validate(example)
    (tmp_path / "guiderail.yaml").write_text(yaml.safe_dump(example))
    assert load_manifest(tmp_path).manifest.name == example["name"]


@pytest.mark.parametrize("name", ["credit", "mail-sorting"])
def test_the_manifests_of_the_examples_are_valid_and_load(name: str) -> None:
    file = EXAMPLES / name / "guiderail.yaml"
    VALIDATOR.validate(load_file(file).data)
    assert load_manifest(file).manifest.kind == "model"


MINIMAL: dict[str, Any] = {
    "guiderail": 1,
    "kind": "model",
    "name": "credit-score",
    "version": "1",
    "owner": "me",
    "purpose": "Scores.",
    "model": {"file": "model.skops"},
}


@pytest.mark.parametrize(
    "change",
    [
        {"nope": 1},
        {"kind": "modell"},
        {"guiderail": 2},
        {"version": 1.5},
        {"name": "Credit Score"},
        {"purpose": "   "},
        {"model": {}},
        {"model": {"file": "m", "threshold": "0.5"}},
        {"model": {"file": "m", "threshold": 0.5, "threshold_envelope": [0.4]}},
        {"use": {"regulated": "no"}},
        {"use": {"domain": "credt"}},
        {"rollout": {"steps": [0, 100]}},
        {"evaluation": {"data": "e.csv", "floor_percent": 1}},
    ],
)
def test_editor_and_loader_refuse_alike(tmp_path: Path, change: dict[str, Any]) -> None:
    manifest = {**MINIMAL, **change}
    (tmp_path / "guiderail.yaml").write_text(yaml.safe_dump(manifest))
    assert not VALIDATOR.is_valid(manifest)
    with pytest.raises(InputError) as caught:
        load_manifest(tmp_path)
    assert caught.value.code.startswith("manifest/")
