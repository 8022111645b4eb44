"""What plans have in common: YAML files that say how much of something there is, and its price."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from guiderail.core.errors import InputError
from guiderail.manifest.strict_yaml import load_file
from guiderail.measure.monthly_cost import Range

Amount = Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class PlanPart(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class AmountRange(PlanPart):
    """low, expected and high, or one number for all three."""

    low: Amount
    expected: Amount
    high: Amount

    @model_validator(mode="before")
    @classmethod
    def _from_one_number(cls, data: Any) -> Any:
        if isinstance(data, int | float) and not isinstance(data, bool):
            return {"low": data, "expected": data, "high": data}
        return data

    @model_validator(mode="after")
    def _ascends(self) -> AmountRange:
        if not self.low <= self.expected <= self.high:
            raise ValueError("low, expected and high must not descend")
        return self

    def range(self) -> Range:
        return Range(self.low, self.expected, self.high)


Plan = TypeVar("Plan", bound=PlanPart)


def load_plan(path: Path, kind: type[Plan], advice: str) -> Plan:
    """Raises InputError with the place of the first thing in the file that is not right."""
    document = load_file(path)
    try:
        return kind.model_validate(document.data)
    except ValidationError as error:
        first = error.errors()[0]
        named = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise InputError(
            f"{named}: {said}" if named else said,
            code="plan/invalid",
            advice=advice,
            place=document.place(tuple(first["loc"])),
        ) from error
