"""A workspace with a ledger, and one short way to add events to it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from guiderail.attest.keys import Keyring
from guiderail.core.digest import sha256_digest
from guiderail.core.subject import Actor, Subject
from guiderail.ledger.append import Appended, append
from guiderail.ledger.events import Event
from guiderail.ledger.seal import seal
from guiderail.ledger.verify import Report, verify
from guiderail.store.database import DATABASE_FILE, Store
from tests.postgres import server

NOW = datetime(2026, 11, 23, 9, 30, 0, 123456, tzinfo=UTC)
DIGEST = sha256_digest(b"release")


def submitted(name: str = "credit", case: str = "case-1", at: datetime = NOW) -> Event:
    return Event("case.submitted", Subject("model", name, DIGEST), Actor("ann"), at, {"case": case})


@dataclass(slots=True)
class Workspace:
    home: Path
    store: Store
    keyring: Keyring
    now: datetime = field(default=NOW)

    def append(self, event: Event | None = None) -> Appended:
        self.now += timedelta(seconds=1)
        with self.store.transaction() as tx:
            return append(tx, event or submitted(at=self.now))

    def fill(self, count: int) -> None:
        for number in range(count):
            self.append(submitted(f"model-{number % 3}", f"case-{number}", self.now))

    def seal(self) -> int:
        return seal(self.store, self.keyring, self.now).size

    def verify(self, held: str | None = None, kept: str | None = None) -> Report:
        return verify(self.store, self.keyring.trusted, held=held, kept=kept)

    def codes(self, held: str | None = None, kept: str | None = None) -> set[str]:
        return {problem.code for problem in self.verify(held, kept).problems}

    @property
    def database(self) -> Path:
        return self.home / DATABASE_FILE


def open_workspace(home: Path) -> Workspace:
    return Workspace(home, Store.open(home), Keyring.open(home))


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    workspace = open_workspace(tmp_path)
    yield workspace
    workspace.store.close()


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    with server() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database, once of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'guiderail.db'}"
        return
    address = make_url(request.getfixturevalue("postgresql"))
    name = f"guiderail_{uuid.uuid4().hex[:12]}"
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield address.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()
