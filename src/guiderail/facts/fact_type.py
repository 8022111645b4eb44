"""The type of a fact: what values it may take and in which direction they get riskier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ValueType = Literal["bool", "integer", "number", "interval", "enum", "set", "text"]
RiskDirection = Literal["up", "down", "none"]
CanChange = Literal["evidence", "design", "no"]


@dataclass(frozen=True, slots=True)
class FactType:
    """One row of the fact catalogue.

    name: dotted, for example `performance.change`. An `interval` also answers to `name.low` and
        `name.high`; the bare name is the point estimate.
    type: `set` is a set of texts; only its membership can be asked.
    unit: "%", "days", "rows", "" ...
    source: where it comes from, in words.
    how: how it is measured, or that it is declared.
    risk_direction: `up` when larger (for bool: true; for enum: later in `values`) is riskier,
        `down` when smaller is, `none` when the order says nothing.
    can_change: what could make it lighter: `evidence` (measure or approve), `design` (another
        model, another use), `no`.
    values: the members of an enum, safest first where there is a direction.
    says: a phrase for sentences, such as "the change of the primary metric".
    part_of: the fact whose things this one counts some of: where there are none, this is 0 too.
    """

    name: str
    type: ValueType
    unit: str
    source: str
    how: str
    risk_direction: RiskDirection
    can_change: CanChange
    says: str
    values: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("app", "model", "pipeline")
    part_of: str = ""
