"""The JSON Schema of `guiderail.yaml`, for completion and checks in editors.

`python -m guiderail.manifest.json_schema` writes `guiderail.schema.json` beside this file. Editors
use it through the first line that `guiderail init` writes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from guiderail.manifest.schema import KINDS, Manifest

SCHEMA_FILE = Path(__file__).with_name("guiderail.schema.json")
SCHEMA_ID = "urn:guiderail:manifest:1"

_EXAMPLES: tuple[dict[str, Any], ...] = (
    {
        "guiderail": 1,
        "kind": "model",
        "name": "credit-score",
        "version": "1",
        "owner": "credit-models@example.org",
        "purpose": "Scores loan applications for the credit desk.",
        "model": {"file": "model.skops", "threshold": 0.5, "threshold_envelope": [0.45, 0.55]},
        "use": {"domain": "credit", "affects_people": True, "influence": "recommends"},
    },
    {
        "guiderail": 1,
        "kind": "app",
        "name": "loan-desk",
        "version": "2026-11",
        "owner": "loan-desk@example.org",
        "purpose": "Shows the score of an application to the credit desk.",
        "image": "image.tar",
    },
    {
        "guiderail": 1,
        "kind": "pipeline",
        "name": "credit-features",
        "version": "7",
        "owner": "data-platform@example.org",
        "purpose": "Builds the inputs of the credit model every night.",
        "sources": [{"name": "applications", "data": "data/applications.parquet"}],
    },
)


def json_schema() -> dict[str, Any]:
    """JSON Schema, draft 2020-12, generated from the classes in `schema`."""
    generated = TypeAdapter[Any](Manifest).json_schema(mode="validation")
    definitions = generated["$defs"]
    for part in definitions.values():
        for name, field in part.get("properties", {}).items():
            field["title"] = name
    for kind, model in KINDS.items():
        definitions[model.__name__]["title"] = f"guiderail.yaml of kind {kind}"
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "guiderail.yaml",
        "description": "The manifest of a workload: what is released, for which use, and how it is "
        "watched and rolled back.",
        "examples": list(_EXAMPLES),
        **generated,
    }


def schema_text() -> str:
    """The bytes of `guiderail.schema.json`, as text."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
