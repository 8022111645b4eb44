"""A full disk: the change is refused in plain words, nothing of it is kept, and later it works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text

from guiderail.attest.keys import Keyring
from guiderail.core.errors import InputError
from guiderail.ledger.append import append
from guiderail.ledger.seal import seal
from guiderail.ledger.verify import verify
from guiderail.store.database import Store
from guiderail.store.tables import log_entry, outbox
from tests.ledger.conftest import NOW, postgresql, submitted, url

__all__ = ["postgresql", "url"]

ROOT = Path(__file__).parents[2]


def counts(store: Store) -> tuple[int, int]:
    with store.read() as snapshot:
        events = snapshot.execute(select(func.count()).select_from(log_entry)).scalar_one()
        rows = snapshot.execute(select(func.count()).select_from(outbox)).scalar_one()
    return int(events), int(rows)


def change(store: Store, size: int = 0) -> None:
    with store.transaction() as tx:
        tx.execute(insert(outbox), {"topic": "t", "body": "b" * size, "created_at": "x"})
        append(tx, submitted())


def refused(store: Store, size: int = 0) -> InputError:
    with pytest.raises(InputError) as caught:
        change(store, size)
    return caught.value


def test_a_process_whose_files_may_not_grow_loses_nothing_that_it_acknowledged(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-m", "tests.store.filler", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    before, _, after = done.stdout.partition("room\n")
    told = before.split("\n")
    numbers = [int(line) for line in told if line.isdigit()]
    assert len(numbers) > 1
    assert [line for line in told if line.startswith("refused")] == [
        "refused store/cannot-write"
    ] * 3  # fmt: skip
    numbers += [int(line) for line in after.split()]
    assert numbers == list(range(len(numbers)))
    keyring = Keyring.open(tmp_path)
    with Store.open(tmp_path) as store:
        assert counts(store) == (len(numbers), len(numbers))
        assert seal(store, keyring, NOW).size == len(numbers)
        assert verify(store, keyring.trusted).problems == ()


def test_a_database_that_may_not_grow_refuses_in_plain_words(tmp_path: Path) -> None:
    keyring = Keyring.open(tmp_path)
    with Store.open(tmp_path) as store:
        change(store)
        with store.transaction() as tx:
            pages = int(tx.execute(text("PRAGMA page_count")).scalar_one())
            tx.execute(text(f"PRAGMA max_page_count = {pages + 2}"))
        before = counts(store)
        error = refused(store, size=100_000)
        assert error.code == "store/cannot-write"
        assert error.what == (
            "Nothing was changed: the database cannot be written (database or disk is full)."
        )
        assert error.advice == "Make room on its disk, then repeat the command."
        assert counts(store) == before
        with store.transaction() as tx:
            tx.execute(text("PRAGMA max_page_count = 1073741823"))
        change(store, size=100_000)
        seal(store, keyring, NOW)
        assert verify(store, keyring.trusted).problems == ()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_postgresql_says_the_same(url: str) -> None:
    """The server's own error, raised by a trigger: a full disk cannot be had for the asking."""
    with Store.open_url(url) as store:
        change(store)
        with store.transaction() as tx:
            tx.execute(
                text(
                    "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                    "RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$"
                )
            )
            tx.execute(
                text(
                    "CREATE TRIGGER full_disk BEFORE INSERT ON log_entry "
                    "EXECUTE FUNCTION full_disk()"
                )
            )
        assert refused(store).code == "store/cannot-write"
        assert counts(store) == (1, 1)
        with store.transaction() as tx:
            tx.execute(text("DROP TRIGGER full_disk ON log_entry"))
        change(store)
        assert counts(store) == (2, 2)
