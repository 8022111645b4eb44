"""The JSON Schemas for editors: in step with the classes, and of one mind with `policy check`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from guiderail.manifest.strict_yaml import load_file
from guiderail.policy.json_schema import KINDS, schema_text, shipped_roles
from guiderail.policy.pack import SHIPPED
from guiderail.policy.pack_folder import PACK_FILE, SECTIONS
from guiderail.policy.pack_reader import FOLDERS, read_directory
from guiderail.policy.schemas_shipped import SCHEMA_KINDS, schema_file
from tests.policy.test_pack import PACKS, copy_of

FILES = [
    (kind, file)
    for pack in PACKS
    for kind, pattern in (
        ("pack", PACK_FILE),
        *((s.removesuffix("s"), f"{s}/*.yaml") for s in SECTIONS),
    )
    for file in sorted((SHIPPED / pack).glob(pattern))
]


def schema(kind: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(schema_file(kind).read_bytes())
    return content


VALIDATORS = {kind: Draft202012Validator(schema(kind)) for kind in KINDS}


def test_every_folder_of_a_pack_is_read_and_has_a_schema() -> None:
    assert tuple(name for name, _ in FOLDERS) == SECTIONS
    assert tuple(KINDS) == SCHEMA_KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_the_shipped_file_is_in_step_with_the_classes(kind: str) -> None:
    assert schema_file(kind).read_text(encoding="utf-8") == schema_text(kind, shipped_roles()), (
        "run `python -m guiderail.policy.json_schema`"
    )
    Draft202012Validator.check_schema(schema(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_explains_itself(kind: str) -> None:
    whole = schema(kind)
    silent = [
        key
        for part in (whole, *whole.get("$defs", {}).values())
        for key, field in part.get("properties", {}).items()
        if not field["description"].endswith(".")
    ]
    assert silent == []


@pytest.mark.parametrize(("kind", "file"), FILES, ids=lambda one: getattr(one, "stem", one))
def test_every_file_that_ships_is_valid(kind: str, file: Path) -> None:
    VALIDATORS[kind].validate(load_file(file).data)


WRONG: list[tuple[str, str, dict[str, Any]]] = [
    ("pack", "pack.yaml", {"effective_from": "2026-13-01"}),
    ("pack", "pack.yaml", {"limits": {"Big": 3}}),
    ("pack", "pack.yaml", {"limits": {"big": "3"}}),
    ("pack", "pack.yaml", {"minimum_known_by": {"data": "guessed"}}),
    ("tier", "tiers/regulated.yaml", {"raises_to": "red"}),
    ("track", "tracks/architecture.yaml", {"raises_to": "high"}),
    ("track", "tracks/architecture.yaml", {"owner": "risk officer"}),
    ("track", "tracks/architecture.yaml", {"weight": 3}),
    ("gate", "gates/cost.yaml", {"from_tier": "middle"}),
    ("gate", "gates/cost.yaml", {"examples": [{"name": "one", "verdict": "passed", "facts": {}}]}),
    ("gate", "gates/cost.yaml", {"where": "Cost Ceiling"}),
    ("advice", "advice/cost-up.yaml", {"since": "yesterday"}),
    ("question", "questions/q20-monitoring.yaml", {"number": 27}),
    ("question", "questions/q20-monitoring.yaml", {"fact": "monitoring answered"}),
]


@pytest.mark.parametrize(
    ("kind", "file", "change"), WRONG, ids=[f"{kind} {change}" for kind, _, change in WRONG]
)
def test_editor_and_check_refuse_alike(
    tmp_path: Path, kind: str, file: str, change: dict[str, Any]
) -> None:
    directory = copy_of(tmp_path)
    data = {**load_file(directory / file).data, **change}
    (directory / file).write_text(yaml.safe_dump(data, width=1000), "utf-8")
    assert not VALIDATORS[kind].is_valid(data)
    places = [problem.place.file for problem in read_directory(directory).problems]
    if "raises_to" not in change:  # tiers and tracks share a class; the compiler tells them apart
        assert str(directory / file) in places
