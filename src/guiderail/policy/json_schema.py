"""JSON Schemas of the files of a pack, for completion and checks in editors.

`python -m guiderail.policy.json_schema` writes one file for each kind of file into `schemas/`
beside this file; `guiderail policy schema KIND` prints them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel

from guiderail.facts.catalogue import BY_NAME
from guiderail.policy.pack_file_help import help_for
from guiderail.policy.pack_files import PackFile
from guiderail.policy.pack_lint import manifest_keys
from guiderail.policy.pack_reader import FOLDERS
from guiderail.policy.schemas_shipped import SCHEMA_FOLDER, schema_file

KINDS: Final[Mapping[str, type[BaseModel]]] = {
    "pack": PackFile,
    **{name.removesuffix("s"): model for name, model in FOLDERS},
}
"""Kind of file -> its class: `pack`, then one for each folder of a pack."""

_SCALES: Final = {
    "tier": ("low", "medium", "high", "prohibited"),
    "track": ("green", "yellow", "red"),
}
_ROLES: Final = ("owner", "adds_reviewers", "waivable_by")


def json_schema(kind: str, roles: tuple[str, ...]) -> dict[str, Any]:
    """JSON Schema, draft 2020-12, of one kind of file. roles: shown as examples."""
    generated = KINDS[kind].model_json_schema(mode="validation")
    for name, part in _parts(generated, KINDS[kind].__name__):
        part.pop("description", None)
        for key, field in part.get("properties", {}).items():
            field["title"] = key
            field["description"] = help_for(name, key)
            _complete(kind, key, field, roles)
            _close(field)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:guiderail:policy:{kind}:1",
        **generated,
        "title": f"A {kind} of a Guiderail policy pack" if kind != "pack" else "pack.yaml",
    }


def _parts(schema: dict[str, Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield name, schema
    yield from schema.get("$defs", {}).items()


def _complete(kind: str, key: str, field: dict[str, Any], roles: tuple[str, ...]) -> None:
    """What an editor offers for a key, beyond what the types say."""
    if key in _ROLES:
        field.get("items", field)["examples"] = list(roles)
    elif key == "fact":
        field["examples"] = list(BY_NAME)
    elif key == "where":
        field["examples"] = sorted(manifest_keys())
    elif key == "raises_to" and kind in _SCALES:
        _narrow(field, _SCALES[kind])


def _close(field: dict[str, Any]) -> None:
    """Keys that do not fit the pattern are refused, as they are when a pack is read."""
    for part in (field, *field.get("anyOf", ())):
        if "patternProperties" in part:
            part.setdefault("additionalProperties", False)


def _narrow(field: dict[str, Any], scale: tuple[str, ...]) -> None:
    """Tier rules raise to tiers and track rules to tracks, though one class holds both."""
    optional = any(choice.get("type") == "null" for choice in field.pop("anyOf"))
    wanted = {"enum": list(scale), "type": "string"}
    field.update({"anyOf": [wanted, {"type": "null"}]} if optional else wanted)


def schema_text(kind: str, roles: tuple[str, ...]) -> str:
    """The text of a schema file."""
    return json.dumps(json_schema(kind, roles), indent=2, ensure_ascii=False) + "\n"


def shipped_roles() -> tuple[str, ...]:
    """Every role that a shipped pack names."""
    from guiderail.policy.pack import COMPILED_FILE, SHIPPED, load_pack

    packs = sorted(path.parent.name for path in SHIPPED.glob(f"*/{COMPILED_FILE}"))
    return tuple(dict.fromkeys(role for name in packs for role in load_pack(name).texts["roles"]))


def main() -> None:
    SCHEMA_FOLDER.mkdir(exist_ok=True)
    for kind in KINDS:
        schema_file(kind).write_text(schema_text(kind, shipped_roles()), encoding="utf-8")


if __name__ == "__main__":
    main()
