"""Who and what an event speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["app", "model", "pipeline"]


@dataclass(frozen=True, slots=True)
class Subject:
    """A workload's release (kind app, model or pipeline), a policy, a person, a log."""

    kind: str
    name: str
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts. impersonated_by: the operating-system user behind `--as` in a demo."""

    person: str
    roles: tuple[str, ...] = ()
    impersonated_by: str | None = None
