"""A workspace with people for the tests, and the ways in which a test acts in it."""

from __future__ import annotations

import http.client
import json
import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from guiderail.attest.keys import read_kept, read_trusted
from guiderail.ledger.verify import verify
from guiderail.review import cases
from guiderail.review.cases import Case
from guiderail.review.dossier import Dossier
from guiderail.review.states import State
from guiderail.service.deploy import deploy
from guiderail.service.rehearse import rehearse
from guiderail.service.review import confirm_use, give_review
from guiderail.service.set_up import create
from guiderail.service.status import list_workloads, show_case, stop_gateway
from guiderail.service.submit import Submitted, submit
from guiderail.service.traffic import target
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from tests.service import parcels
from tests.service.parcels import WORKLOAD, Releases

# Two people hold each role that a small release needs, so that one of them can be unfit.
_ROLES = {
    "nora": ["data-scientist"],
    "emil": ["ml-platform-engineer"],
    "edda": ["ml-platform-engineer", "release-manager"],
    "rita": ["risk-officer"],
    "ruben": ["risk-officer"],
    "gina": ["ml-governance-analyst"],
    "gustav": ["ml-governance-analyst"],
    "dora": ["data-steward"],
    "cleo": ["compliance"],
    "fay": ["fair-lending"],
    "remo": ["release-manager"],
    "xenia": ["domain-expert"],
    "fritz": ["finance-owner"],
    "sven": ["security"],
    "adam": ["administrator", "ml-platform-engineer"],
    "lapsed": ["ml-platform-engineer"],
    "boss": ["ml-governance-analyst"],
}
SUBMITTER = "nora"
REASON = "Looked at it."


def people() -> str:
    """people.yaml: all but `lapsed` are trained for a year; `boss` is the submitter's manager."""
    today = datetime.now(UTC).date()
    rows: list[dict[str, Any]] = []
    for person, roles in _ROLES.items():
        until = today - timedelta(days=1) if person == "lapsed" else today + timedelta(days=365)
        rows.append(
            {
                "id": person,
                "name": person.title(),
                "roles": roles,
                "competence": [
                    {"role": role, "kinds": ["model"], "until": until.isoformat()}
                    for role in roles
                    if role not in ("data-scientist", "administrator")
                ],
                "git_emails": [f"{person}@example.org"],
                **({"manager": "boss"} if person == SUBMITTER else {}),
            }
        )
    return yaml.safe_dump({"people": rows}, sort_keys=False)


def features() -> str:
    until = datetime.now(UTC).date() + timedelta(days=365)
    names = (*parcels.INPUTS, parcels.APPROVED)
    rows = [
        {
            "name": name,
            "type": "number",
            "owner": "depot",
            "approved_by": "dora",
            "until": until.isoformat(),
        }
        for name in names
    ]
    return yaml.safe_dump({"features": rows}, sort_keys=False)


class Shifted:
    """The present moment, moved by whole days: tests move it forward and never back."""

    def __init__(self) -> None:
        self.days = 0

    def __call__(self) -> datetime:
        return datetime.now(UTC) + timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class Depot:
    """A demo workspace that one test owns, and the releases to send through it."""

    root: Path
    releases: Releases
    clock: Shifted

    @property
    def home(self) -> Path:
        return self.root / ".guiderail"

    def acting(self, person: str = SUBMITTER) -> Workspace:
        """The workspace, opened anew by somebody."""
        return Workspace(self.home, True, person, self.clock)

    def submit(self, directory: Path, person: str = SUBMITTER) -> Submitted:
        return submit(directory, self.acting(person))

    def case(self, case_id: str) -> Case:
        with self.acting().store.read() as snapshot:
            return cases.load(snapshot, case_id)

    def dossier(self, case_id: str) -> Dossier:
        with self.acting().store.read() as snapshot:
            return cases.load_dossier(snapshot, cases.load(snapshot, case_id).dossier_digest)

    def approve(self, case_id: str, person: str, role: str | None = None, **more: Any) -> Case:
        more.setdefault("reason", REASON)
        return give_review(self.acting(person), case_id, "approve", role=role, **more).case

    def confirm(self, case_id: str, person: str = "rita") -> Case:
        return confirm_use(self.acting(person), case_id).case

    def approve_all(self, case_id: str) -> Case:
        """Every role that is waited for decides, each through the first person who may."""
        while waited := show_case(self.acting(), case_id).waiting:
            self.approve(case_id, waited[0].people[0], waited[0].role)
        return self.case(case_id)

    def make_live(self, directory: Path) -> str:
        """From the submission to all of the traffic, whatever that takes; gives the case."""
        case = self.submit(directory).case
        if case.state is not State.PERMITTED and not self.profile_confirmed(case.id):
            case = self.confirm(case.id)
        if case.state is State.IN_REVIEW:
            self.approve_all(case.id)
        deploy(self.acting(), case.id)
        return case.id

    def profile_confirmed(self, case_id: str) -> bool:
        return bool(self.dossier(case_id).facts["use.confirmed"]["value"])

    def rehearse(self, directory: Path) -> None:
        rehearse(self.acting(), WORKLOAD, directory)

    def event_types(self) -> list[str]:
        """The types of all events, oldest first."""
        with self.acting().store.read() as snapshot:
            rows = snapshot.execute(
                tables.log_index.select().order_by(tables.log_index.c.seq)
            ).mappings()
            return [row["type"] for row in rows]

    def problems(self) -> list[str]:
        """What does not hold in the ledger."""
        keys, kept = read_trusted(self.home), read_kept(self.home)
        report = verify(self.acting().store, keys, kept=kept)
        return [problem.sentence for problem in report.problems]

    def served(self) -> dict[str, int]:
        """Digest -> percent of traffic that the gateway gives it now."""
        row = target(self.acting()).observed(WORKLOAD)
        return {arm.digest: arm.share for arm in row.arms} if row else {}

    def served_versions(self) -> list[str | None]:
        """The versions in production by the store, one for each workload."""
        return [line.production_version for line in list_workloads(self.acting())]

    def ask(self, unit: str = "parcel-1", *, without: str = "") -> tuple[int, str | None]:
        """Status and release digest of one answer of the gateway.

        without: an input to leave out of the question.
        """
        port = target(self.acting()).gateway_status().port
        assert port is not None, "the gateway does not run"
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            headers = {"Content-Type": "application/json", "X-Unit-Id": unit}
            inputs = {name: x for name, x in parcels.SAMPLE.items() if name != without}
            body = json.dumps({"inputs": inputs})
            connection.request("POST", f"/{WORKLOAD}/predict", body, headers)
            response = connection.getresponse()
            response.read()
            return response.status, response.headers.get("X-Guiderail-Release")

    def stop(self) -> None:
        stop_gateway(self.acting())


def open_depot(root: Path, releases: Releases) -> Depot:
    """A new workspace with people and nothing else."""
    root.mkdir(parents=True, exist_ok=True)
    clock = Shifted()
    create(root, demo=True, people=people(), features=features(), clock=clock).store.close()
    (root / ".guiderail" / "cache").mkdir(exist_ok=True)
    return Depot(root, releases, clock)


def copy_depot(depot: Depot, root: Path) -> Depot:
    """A copy that shares only the release directories and the cache of what was measured."""
    shutil.copytree(depot.home, root / ".guiderail", ignore=shutil.ignore_patterns("cache"))
    (root / ".guiderail" / "cache").symlink_to(depot.home.resolve() / "cache")
    return replace(depot, root=root, clock=Shifted())


def write_people(depot: Depot, changes: dict[str, dict[str, Any]]) -> None:
    """Change entries of people.yaml, by person id."""
    path = depot.home / "people.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    for row in content["people"]:
        row.update(changes.get(row["id"], {}))
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def roles_of(waiting: Sequence[Any]) -> set[str]:
    return {item.role for item in waiting}
