"""Who and what an event speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["app", "model", "pipeline"]


@dataclass(frozen=True, slots=True)
class Subject:
    """A workload's release (kind app, model or pipeline) or another governed thing (policy, person)."""

    kind: str
    name: str
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts. `impersonated_by` names the real person behind `--as` in a demo workspace."""

    person: str
    roles: tuple[str, ...] = ()
    impersonated_by: str | None = None
