"""A workspace with a ledger, its backups, and what somebody who holds its keys can do to it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guiderail.attest.keys import KEPT_FILE
from guiderail.core.digest import sha256_digest
from guiderail.core.subject import Subject
from guiderail.ledger.append import append
from guiderail.ledger.events import Event
from guiderail.service.set_up import create
from guiderail.service.workspace import FOLDER, Workspace, operating_system_user
from tests.shared import made_once

START = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)

_PEOPLE = """\
people:
  - {{id: ann, name: Ann, roles: [ml-platform-engineer], os_users: ["{user}"]}}
"""


@dataclass(slots=True)
class Clock:
    """The clock of the platform and of its witnesses."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> int:
        return int(self.now.timestamp())

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass(frozen=True, slots=True)
class Platform:
    """Those who run a workspace, with everything in it: database and keys."""

    root: Path
    clock: Clock
    workspace: Workspace

    def append(self, *teams: str) -> None:
        """An event for each name, in transactions of their own; nothing is sealed."""
        for team in teams:
            self.clock.later(seconds=1)
            event = Event(
                "team.acknowledged",
                Subject("model", "credit", sha256_digest(b"release")),
                self.workspace.actor,
                self.clock(),
                {"team": team},
            )
            with self.workspace.store.transaction() as tx:
                append(tx, event)

    def backup(self, place: Path) -> Platform:
        """A copy of the database and the keys as they are now."""
        self.workspace.store.close()
        shutil.copytree(self.root, place)
        self.workspace.__dict__.pop("store", None)
        fresh = replace(self.workspace, home=place / FOLDER)
        return Platform(place, self.clock, fresh)

    def forget_kept_checkpoint(self) -> None:
        """Whoever holds the keys holds the file beside them."""
        (self.workspace.home / "keys" / KEPT_FILE).unlink()


def platform_template(factory: pytest.TempPathFactory) -> Path:
    """A platform with a few entries, made once and closed: `copied` gives copies of it."""

    def make(root: Path) -> None:
        platform = new_platform(root)
        platform.append("team-1", "team-2", "team-3")
        platform.workspace.store.close()

    return made_once(factory, "outside", make)


def copied(template: Path, root: Path) -> Platform:
    shutil.copytree(template, root)
    clock = Clock()
    clock.later(minutes=1)
    return Platform(root, clock, Workspace(root / FOLDER, False, None, clock))


def new_platform(root: Path) -> Platform:
    clock = Clock()
    people = _PEOPLE.format(user=operating_system_user())
    workspace = create(root, demo=False, people=people, features="features: []\n", clock=clock)
    return Platform(root, clock, workspace)
