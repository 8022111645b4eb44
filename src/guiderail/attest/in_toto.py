"""In-toto statements of others, v1 and v0.1 (github.com/in-toto/attestation)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from guiderail.core.digest import Digest

TYPES = ("https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1")
MOST_SUBJECTS = 10_000
_HEX = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class Named:
    """Something that a document names by its digest. name: "" where it has none."""

    name: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody says about its subjects. Subjects without a SHA-256 are left out."""

    predicate_type: str
    subjects: tuple[Named, ...]
    predicate: Mapping[str, Any]


def read_statement(value: Any) -> Statement:
    """Raises ValueError for anything that is no statement with at least one usable subject."""
    match value:
        case {
            "_type": str(type_),
            "subject": list(subjects),
            "predicateType": str(predicate_type),
        } if type_ in TYPES and predicate_type.strip():
            predicate = value.get("predicate")
            if predicate is not None and not isinstance(predicate, Mapping):
                raise ValueError("its predicate is not an object")
            if len(subjects) > MOST_SUBJECTS:
                raise ValueError(f"it names more than {MOST_SUBJECTS} subjects")
            named = tuple(one for one in map(_subject, subjects) if one is not None)
            if not named:
                raise ValueError("it names nothing by its SHA-256")
            return Statement(predicate_type, named, predicate or {})
    raise ValueError("it is no in-toto statement")


def sha256_of(text: object) -> Digest | None:
    """A digest from 64 hexadecimal digits, in capitals or not; None for anything else."""
    if not isinstance(text, str):
        return None
    lower = text.lower().removeprefix("sha256:")
    return Digest(f"sha256:{lower}") if _HEX.match(lower) else None


def _subject(row: Any) -> Named | None:
    match row:
        case {"digest": {"sha256": text}}:
            digest = sha256_of(text)
            name = row.get("name") or ""
            if digest is None or not isinstance(name, str):
                raise ValueError("a subject of it has no readable SHA-256")
            return Named(name, digest)
        case {"digest": dict()}:
            return None
    raise ValueError("a subject of it has no digest")
