"""The JSON Schemas of a pack's files, as they ship."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from guiderail.core.errors import InputError
from guiderail.policy.schemas_shipped import SCHEMA_KINDS, schema_file


def kinds() -> tuple[str, ...]:
    """The kinds of files that have a schema."""
    return SCHEMA_KINDS


def schema_document(kind: str) -> dict[str, Any]:
    """Raises InputError for a kind that has none."""
    document: dict[str, Any] = json.loads(schema_file(kind).read_bytes())
    return document


def write_schemas(folder: Path, kind: str | None = None) -> list[Path]:
    """Copy the schema of one kind, or of all, into a directory; what is there is replaced."""
    written: list[Path] = []
    for one in (kind,) if kind is not None else SCHEMA_KINDS:
        source = schema_file(one)
        target = folder / source.name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
        except OSError as error:
            raise InputError(
                f"{target} cannot be written: {error.strerror}.",
                code="policy/schema-unwritable",
                advice="Name another directory.",
            ) from None
        written.append(target)
    return written
