"""How long records are kept: classes as data, shipped or in the workspace's `retention.yaml`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from guiderail.core.errors import InputError
from guiderail.ledger.events import EventName
from guiderail.manifest.strict_yaml import load_file

FILE: Final = "retention.yaml"
SHIPPED: Final = Path(__file__).with_name(FILE)
FOR_EVER: Final[frozenset[str]] = frozenset(
    (
        "workspace.created", "key.created", "key.rotated", "key.retired", "key.compromised",
        "policy.proposed", "policy.reviewed",
        "policy.withdrawn", "policy.activated", "erasure.requested", "person.erased",
        "records.pruned", "hold.placed", "hold.released", "vault.rekeyed",
        "register.changed", "key.rotated", "key.retired", "key.compromised", "witness.added",
        "witness.removed", "witness.required", "signer.added", "signer.removed",
    )
)  # fmt: skip
"""Events without which the rest cannot be verified any more. No class may name them."""

_KEEP = re.compile(r"(\d{1,4}) (days|years)\Z")


class Source(BaseModel):
    """verified: a person read the text of the law and the figure stands there."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    what: str
    verified: bool


class RetentionClass(BaseModel):
    """Record types that are kept equally long. keep: `10 years` or `90 days`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$")]
    keep: Annotated[str, Field(pattern=r"^[1-9]\d{0,3} (days|years)$")]
    because: str
    sources: tuple[Source, ...]
    events: tuple[EventName, ...]
    tables: tuple[Literal["outbox"], ...] = ()

    def kept_since(self, at: datetime) -> datetime:
        """What happened before this moment has expired at `at`."""
        found = _KEEP.match(self.keep)
        if found is None:
            raise ValueError(f"{self.keep!r} is no period")
        count = int(found[1])
        if found[2] == "days":
            return at - timedelta(days=count)
        day = 28 if (at.month, at.day) == (2, 29) else at.day
        return at.replace(year=at.year - count, day=day)


class Retention(BaseModel):
    """All classes. verified_on: when somebody last looked at the sources."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    retention: Literal[1]
    verified_on: date
    classes: tuple[RetentionClass, ...]

    def of_event(self, name: str) -> RetentionClass | None:
        """None: kept for ever."""
        return next((one for one in self.classes if name in one.events), None)


@dataclass(frozen=True, slots=True)
class Loaded:
    retention: Retention
    path: Path


def load_retention(home: Path) -> Loaded:
    """The workspace's own classes, else those that are shipped.

    Raises InputError with `file:line:col` for what is no such file, an event in two classes, and
    an event that is kept for ever.
    """
    own = home / FILE
    path = own if own.exists() else SHIPPED
    document = load_file(path)
    try:
        retention = Retention.model_validate(document.data)
    except ValidationError as error:
        first = error.errors()[0]
        where = tuple(first["loc"])
        raise InputError(
            f"{'.'.join(str(part) for part in where)}: {first['msg']}",
            code="retention/invalid",
            advice="Each class has id, keep (`10 years` or `90 days`), because, sources, events.",
            place=document.place(where),
        ) from error
    named: set[str] = set()
    for number, one in enumerate(retention.classes):
        for event in one.events:
            if event in named or event in FOR_EVER:
                why = "stands in two classes" if event in named else "is kept for ever"
                raise InputError(
                    f"{event} {why}",
                    code="retention/event",
                    advice="Name each event once; keys, policies, erasures, removals and holds "
                    "never.",
                    place=document.place(("classes", number)),
                )
            named.add(event)
    return Loaded(retention, path)
