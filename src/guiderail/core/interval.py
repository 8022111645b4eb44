"""A measured value with the interval that its data support."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """Point estimate and bounds, `low <= value <= high`, all finite, in the unit of the fact.

    Raises ValueError where that does not hold: an interval that is not one is unknown.
    """

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        # The chained comparison is also False for NaN; infinities are caught by the bounds.
        if not (float("-inf") < self.low <= self.value <= self.high < float("inf")):
            raise ValueError(f"not an interval: {self.low} <= {self.value} <= {self.high}")
