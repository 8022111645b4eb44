"""A small workspace with a finished case, made without training anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import insert

from guiderail.core.digest import Digest, sha256_digest
from guiderail.core.subject import Actor, Subject
from guiderail.core.time import to_text
from guiderail.review import cases
from guiderail.review.cases import Case
from guiderail.review.dossier import Dossier
from guiderail.review.required import Review
from guiderail.review.states import State
from guiderail.service.journal import record
from guiderail.service.set_up import create
from guiderail.service.workspace import Workspace
from guiderail.store import tables

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECRET = "Her cousin works in the branch, so I looked twice"
DIGEST = sha256_digest(b"release")
PACK = sha256_digest(b"pack")

_PEOPLE: dict[str, list[str]] = {
    "nora": ["data-scientist"],
    "gina": ["ml-governance-analyst"],
    "dora": ["data-steward"],
    "cleo": ["compliance"],
    "adam": ["administrator", "data-steward"],
    "boss": [],
}


@dataclass
class Clock:
    now: datetime = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@dataclass
class Office:
    folder: Path
    clock: Clock

    @property
    def home(self) -> Path:
        return self.folder / ".guiderail"

    def acting(self, person: str = "dora") -> Workspace:
        """A workspace opened anew, as each command does."""
        return Workspace(self.home, True, person, self.clock)


def people(manager_of_nora: str | None = "boss") -> str:
    rows: list[dict[str, Any]] = [
        {"id": id_, "name": id_.title(), "roles": roles, "git_emails": [f"{id_}@example.org"]}
        for id_, roles in _PEOPLE.items()
    ]
    rows[0]["manager"] = manager_of_nora
    return "# Written by hand.\n" + yaml.safe_dump({"people": rows}, sort_keys=False)


def open_office(folder: Path, *, state: State = State.WITHDRAWN) -> Office:
    """nora submitted case-0001 and answered in it, gina reviewed it; then it came to `state`."""
    folder.mkdir(parents=True, exist_ok=True)
    clock = Clock()
    create(folder, demo=True, people=people(), features="features: []\n", clock=clock)
    office = Office(folder, clock)
    add_case(office, 1, state)
    return office


def add_case(office: Office, number: int, state: State, workload: str = "credit") -> str:
    now = office.clock()
    dossier = Dossier(
        DIGEST,
        {
            "use.reversible": {
                "value": True, "source": f"answered by nora in case-{number:04d} on 2026-03-02",
                "known_by": "declared", "detail": {},
            }
        },
        {"use.reversible": {"value": True, "person": "nora", "case": f"case-{number:04d}"}},
        ("email:stranger@example.org", "nora"),
        PACK,
        {"outcome": "review", "number": number},
    )  # fmt: skip
    case = Case(
        f"case-{number:04d}", workload, "model", DIGEST, Digest(dossier.digest), state, "nora",
        "yellow", "low", "credit", now, now,
    )  # fmt: skip
    subject = Subject("model", workload, DIGEST)
    review = Review(
        case.id, dossier.digest, "gina", "ml-governance-analyst", "approve", SECRET,
        ("Only for amounts that gina named",), (), now,
    )  # fmt: skip
    store = office.acting().store
    with store.transaction() as tx:
        if number == 1:
            tx.execute(insert(tables.workload).values(
                name=workload, kind="model", created_at=to_text(now)))  # fmt: skip
        cases.open_case(tx, case, number, dossier)
        cases.put_answers(tx, case.id, {"use.reversible": True}, "nora", now)
        cases.add_review(tx, review)
        told = {"case": case.id, "version": "v1", "dossier": dossier.digest}
        record(
            tx, "case.submitted", subject, Actor("nora"), now,
            {**told, "tier": "low", "track": "yellow"}, outcome="in-review", policy=PACK,
            notify=["gina"],
        )  # fmt: skip
        record(
            tx, "review.given", subject, Actor("gina"), now,
            {"case": case.id, "dossier": dossier.digest, "role": review.role,
             "verdict": "approve", "reason": SECRET, "conditions": list(review.conditions),
             "accepted_gates": [], "findings": []},
            outcome="approve",
        )  # fmt: skip
    store.close()
    return case.id
