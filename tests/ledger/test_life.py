"""Appending, sealing, exporting, backing up, restoring and tampering in any order."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import create_engine, make_url, text

from guiderail.service.set_up import create
from tests.postgres import server

from .life import LedgerLife

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("life")
    people = "people:\n  - {id: ann, name: Ann, roles: [], os_users: [ann]}\n"
    create(root, demo=True, people=people, features="features: []\n").store.close()
    return root / ".guiderail"


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    with server() as address:
        yield address


@pytest.mark.parametrize(
    ("examples", "steps"),
    [(12, 14), pytest.param(40, 30, marks=pytest.mark.slow)],
    ids=["a few lives", "many lives"],
)
def test_a_ledger_holds_whatever_happens_to_it(template: Path, examples: int, steps: int) -> None:
    class Life(LedgerLife):
        pass

    Life.template = template
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, suppress_health_check=QUIET
        ),
    )


def test_a_ledger_holds_on_postgresql_too(template: Path, postgresql: str) -> None:
    address = make_url(postgresql)
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    numbers = itertools.count()

    class Life(LedgerLife):
        def open(self) -> None:
            if self.database is None:
                name = f"life_{next(numbers)}"
                with engine.connect() as connection:
                    connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                    connection.execute(text(f"CREATE DATABASE {name}"))
                self.database = address.set(database=name).render_as_string(hide_password=False)
            super().open()

    Life.template = template
    run_state_machine_as_test(
        Life,
        settings=settings(max_examples=3, stateful_step_count=10, suppress_health_check=QUIET),
    )
    engine.dispose()
