"""`ceilings.yaml`: what a workload may cost in a month, approved by whom and until when."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from guiderail.core.errors import InputError
from guiderail.facts.standing import ApprovedCeiling
from guiderail.manifest.strict_yaml import load_file


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    workload: str
    per_month: Annotated[float, Field(gt=0, le=1e15, allow_inf_nan=False)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    approved_by: str
    until: date


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    ceilings: tuple[_Row, ...]


def load_ceilings(path: Path) -> dict[str, ApprovedCeiling]:
    """Approved ceilings by workload; empty when there is no such file, so that nothing is approved.

    An approval holds to the end of its last day (UTC). Raises InputError for a file that is not
    right, with its place; a workload that stands there twice is not right.
    """
    if not path.exists():
        return {}
    document = load_file(path)
    try:
        rows = _File.model_validate(document.data).ceilings
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(
            f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}",
            code="ceilings/invalid",
            advice="Each ceiling has workload, per_month, currency (as in EUR), approved_by and "
            "until (YYYY-MM-DD).",
            place=document.place(tuple(first["loc"])[:2]),
        ) from error
    found: dict[str, ApprovedCeiling] = {}
    for number, row in enumerate(rows):
        if row.workload in found:
            raise InputError(
                f"{row.workload} has two ceilings",
                code="ceilings/repeated",
                advice="Keep the one that the finance owner approved last.",
                place=document.place(("ceilings", number)),
            )
        last = datetime.combine(row.until, time.max, tzinfo=UTC)
        found[row.workload] = ApprovedCeiling(row.per_month, row.currency, row.approved_by, last)
    return found
