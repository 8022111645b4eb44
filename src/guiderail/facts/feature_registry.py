"""`features.yaml`: which features are approved for models, by whom and until when."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from guiderail.core.errors import InputError
from guiderail.facts.standing import ApprovedFeature
from guiderail.manifest.strict_yaml import load_file


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    type: str
    owner: str
    approved_by: str
    until: date


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    features: tuple[_Row, ...]


def load_features(path: Path) -> dict[str, ApprovedFeature]:
    """Approved features by name; empty when there is no registry, so that nothing is approved.

    An approval holds to the end of its last day (UTC). Raises InputError for a file that is not
    right, with its place.
    """
    if not path.exists():
        return {}
    document = load_file(path)
    try:
        rows = _File.model_validate(document.data).features
    except ValidationError as error:
        first = error.errors()[0]
        where = tuple(first["loc"])[:2]
        raise InputError(
            f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}",
            code="features/invalid",
            advice="Each feature has name, type, owner, approved_by and until (YYYY-MM-DD).",
            place=document.place(where if len(where) == 2 else ()),
        ) from error
    return {
        row.name: ApprovedFeature(
            row.name, row.type, row.approved_by, datetime.combine(row.until, time.max, tzinfo=UTC)
        )
        for row in rows
    }
