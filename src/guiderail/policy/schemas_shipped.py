"""Where the JSON Schemas of a pack's files lie, one for each kind of file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from guiderail.core.errors import InputError
from guiderail.policy.pack_folder import SECTIONS
from guiderail.policy.vocabulary import did_you_mean

SCHEMA_FOLDER: Final = Path(__file__).with_name("schemas")
SCHEMA_KINDS: Final = ("pack", *(section.removesuffix("s") for section in SECTIONS))


def schema_file(kind: str) -> Path:
    """The file of one kind. Raises InputError for a kind that has none."""
    if kind not in SCHEMA_KINDS:
        hint = did_you_mean(kind, SCHEMA_KINDS)
        raise InputError(
            f"There is no schema {kind}.",
            code="policy/no-such-schema",
            advice=f"{hint} Kinds of files: {', '.join(SCHEMA_KINDS)}.".strip(),
        )
    return SCHEMA_FOLDER / f"{kind}.schema.json"
