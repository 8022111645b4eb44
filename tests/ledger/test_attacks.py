"""What somebody does who can write the database and has not got the keys, on both databases."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.engine import Connection

from guiderail.attest.keys import KEPT_FILE, Keyring, read_kept
from guiderail.core.errors import IntegrityError
from guiderail.ledger.append import append
from guiderail.ledger.seal import latest_note, seal
from guiderail.ledger.verify import verify
from guiderail.store.database import Store
from guiderail.store.tables import log_entry, log_head, log_index, outbox
from guiderail_verify.canonical import parse_object
from guiderail_verify.note import Checkpoint, NoteKey, compose, signature_line
from guiderail_verify.tree import completed_by, leaf_hash, node_hash, root_at

from .conftest import NOW, submitted

ENTRIES = 12
KILLED = Path(__file__).with_name("killed.py")


@dataclass(frozen=True)
class Log:
    url: str
    home: Path
    store: Store
    keyring: Keyring

    def fill(self, count: int) -> None:
        for number in range(count):
            with self.store.transaction() as tx:
                append(tx, submitted(f"model-{number % 3}", f"case-{number}"))

    def codes(self, *, held: str | None = None, kept: bool = True) -> set[str]:
        """Codes of the problems; kept: compared with the checkpoint beside the keys."""
        beside = read_kept(self.home) if kept else None
        report = verify(self.store, self.keyring.trusted, held=held, kept=beside)
        return {problem.code for problem in report.problems}

    def note(self) -> str:
        with self.store.read() as snapshot:
            note = latest_note(snapshot)
        assert note is not None
        return note

    def tamper(self, change: Callable[[Connection], object]) -> None:
        """Change the tables as their operator can: the triggers are off meanwhile."""
        engine = create_engine(self.url)
        with engine.begin() as connection:
            back = _triggers_off(connection)
            change(connection)
            for statement in back:
                connection.execute(text(statement))
        engine.dispose()


def _triggers_off(connection: Connection) -> list[str]:
    """Statements that put them back."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(
            text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        ).all()
        for name, _ in rows:
            connection.execute(text(f"DROP TRIGGER {name}"))
        return [sql for _, sql in rows]
    tables = ("log_entry", "log_checkpoint")
    for table in tables:
        connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
    return [f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in tables]


@pytest.fixture
def log(url: str, tmp_path: Path) -> Iterator[Log]:
    with Store.open_url(url) as store:
        log = Log(url, tmp_path, store, Keyring.open(tmp_path))
        log.fill(7)
        seal(store, log.keyring, NOW)
        log.fill(ENTRIES - 7)
        seal(store, log.keyring, NOW)
        assert log.codes() == set()
        yield log


def bodies(connection: Connection) -> list[bytes]:
    rows = connection.execute(select(log_entry.c.body).order_by(log_entry.c.seq))
    return [bytes(body) for (body,) in rows]


def put(connection: Connection, seq: int, body: bytes) -> None:
    """An entry with the leaf hash that fits it."""
    connection.execute(
        log_entry.update()
        .where(log_entry.c.seq == seq)
        .values(body=body, leaf_hash=leaf_hash(body))
    )


def edit(connection: Connection) -> None:
    put(connection, 3, bodies(connection)[3].replace(b'"done"', b'"gone"'))


def swap(connection: Connection) -> None:
    listed = bodies(connection)
    put(connection, 4, listed[7])
    put(connection, 7, listed[4])


def delete(connection: Connection) -> None:
    for table in ("vault_salt", "log_index", "log_entry"):
        connection.execute(text(f"DELETE FROM {table} WHERE seq = 5"))  # noqa: S608


def cut(connection: Connection) -> None:
    """The end goes, with everything that counts it: the shorter log is perfect in itself."""
    for statement in (
        "DELETE FROM vault_salt WHERE seq >= 7",
        "DELETE FROM log_index WHERE seq >= 7",
        "DELETE FROM log_entry WHERE seq >= 7",
        "DELETE FROM log_node WHERE ((position + 1) << level) > 7",
        "DELETE FROM log_checkpoint WHERE size > 7",
        "UPDATE log_head SET size = 7",
        "DELETE FROM subject_counter",
        "INSERT INTO subject_counter (kind, name, next_no) SELECT subject_kind, subject_name, "
        "max(subject_no) + 1 FROM log_index GROUP BY subject_kind, subject_name",
    ):
        connection.execute(text(statement))


def statement(sql: str) -> Callable[[Connection], object]:
    return lambda connection: connection.execute(text(sql))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(edit, {"ledger/other-root", "ledger/node-changed"}, id="edited"),
        pytest.param(swap, {"ledger/moved", "ledger/other-root"}, id="swapped"),
        pytest.param(
            delete,
            {"ledger/gap", "ledger/head-differs", "ledger/other-root"},
            id="deleted",
        ),
        pytest.param(cut, {"ledger/truncated"}, id="cut off"),
        pytest.param(
            statement("UPDATE log_index SET subject_name = 'other' WHERE seq = 2"),
            {"ledger/index-differs"},
            id="index altered",
        ),
        pytest.param(
            statement("UPDATE log_head SET size = 11"), {"ledger/head-differs"}, id="head wrong"
        ),
        pytest.param(
            statement("DELETE FROM log_head"), {"ledger/head-differs"}, id="head missing"
        ),
    ],
)  # fmt: skip
def test_what_is_changed_behind_the_product_is_named(
    log: Log, change: Callable[[Connection], object], expected: set[str]
) -> None:
    log.tamper(change)
    assert expected <= log.codes()


@pytest.mark.parametrize(
    ("change", "beside", "error"),
    [
        (edit, True, "do not give the root that was signed"),
        (edit, False, "do not give the root that was signed"),
        (cut, True, "12 entries were signed and only 8 are there"),
    ],
)
def test_a_changed_log_is_not_signed_again(
    log: Log, change: Callable[[Connection], object], beside: bool, error: str
) -> None:
    """A new signature over a rewritten log would be the operator's own word against itself.

    beside: whether the checkpoint beside the keys is still there.
    """
    if not beside:
        (log.home / "keys" / KEPT_FILE).unlink()

    def rebuild(connection: Connection) -> None:
        change(connection)
        nodes = tree(bodies(connection))
        for (level, position), hash_ in nodes.items():
            connection.execute(
                text("UPDATE log_node SET hash = :h WHERE level = :l AND position = :p"),
                {"h": hash_, "l": level, "p": position},
            )

    log.tamper(rebuild)
    log.fill(1)
    with pytest.raises(IntegrityError) as caught:
        seal(log.store, log.keyring, NOW)
    assert caught.value.code == "ledger/not-sealable"
    assert error in caught.value.what


def tree(listed: list[bytes]) -> dict[tuple[int, int], bytes]:
    nodes: dict[tuple[int, int], bytes] = {}
    for seq, body in enumerate(listed):
        nodes[0, seq] = leaf_hash(body)
        for level, position in completed_by(seq):
            left, right = nodes[level - 1, 2 * position], nodes[level - 1, 2 * position + 1]
            nodes[level, position] = node_hash(left, right)
    return nodes


def test_a_log_that_was_rewritten_and_signed_with_another_key_is_named(log: Log) -> None:
    """Everything is rebuilt as the product would, only the key is not the one that is pinned."""
    mine = Ed25519PrivateKey.generate()
    key = NoteKey(log.keyring.origin, mine.public_key().public_bytes_raw())

    def rewrite(connection: Connection) -> None:
        edit(connection)
        nodes = tree(bodies(connection))
        connection.execute(text("DELETE FROM log_node"))
        connection.execute(text("DELETE FROM log_checkpoint"))
        for (level, position), hash_ in nodes.items():
            if level:
                connection.execute(
                    text("INSERT INTO log_node (level, position, hash) VALUES (:l, :p, :h)"),
                    {"l": level, "p": position, "h": hash_},
                )
        root = root_at(ENTRIES, lambda level, position: nodes[level, position])
        checkpoint = Checkpoint(log.keyring.origin, ENTRIES, root).to_text()
        note = compose(checkpoint, [signature_line(key, mine.sign(checkpoint.encode()))])
        connection.execute(
            text("INSERT INTO log_checkpoint (size, note, sealed_at) VALUES (:s, :n, 'x')"),
            {"s": ENTRIES, "n": note},
        )

    held = log.note()
    log.tamper(rewrite)
    assert "ledger/bad-checkpoint" in log.codes(kept=False)
    assert {"ledger/bad-checkpoint", "ledger/other-root"} <= log.codes()
    assert "ledger/other-root" in log.codes(held=held, kept=False)
    with pytest.raises(IntegrityError):
        seal(log.store, log.keyring, NOW)


def test_what_goes_back_to_an_earlier_state_is_shown_by_what_was_kept_elsewhere(log: Log) -> None:
    """And honestly not without it: an earlier state is a perfect log."""
    held = log.note()
    log.tamper(cut)
    assert log.codes(kept=False) == set()
    assert log.codes() == {"ledger/truncated"}
    assert log.codes(held=held, kept=False) == {"ledger/truncated"}


def test_no_entry_can_be_appended_without_a_head(log: Log) -> None:
    log.tamper(statement("DELETE FROM log_head"))
    with pytest.raises(IntegrityError, match="head row"):
        log.fill(1)
    with log.store.read() as snapshot:
        assert snapshot.execute(select(func.count()).select_from(log_entry)).scalar_one() == ENTRIES


def test_a_head_that_is_behind_overwrites_nothing(log: Log) -> None:
    log.tamper(statement("UPDATE log_head SET size = 5"))
    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        log.fill(1)
    log.tamper(statement("UPDATE log_head SET size = 12"))
    assert log.codes() == set()


@pytest.mark.parametrize(
    "rounds", [30, pytest.param(150, marks=pytest.mark.slow)], ids=["thirty", "many"]
)
def test_writers_that_are_killed_lose_nothing_and_leave_nothing_half(
    url: str, tmp_path: Path, rounds: int
) -> None:
    command = [sys.executable, "-m", "tests.ledger.killed", url, str(tmp_path), str(rounds)]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    acknowledged = [int(line) for line in done.stdout.split()]
    assert len(acknowledged) >= rounds
    assert len(set(acknowledged)) == len(acknowledged)
    keyring = Keyring.open(tmp_path)
    with Store.open_url(url) as store:
        seal(store, keyring, NOW)
        report = verify(store, keyring.trusted, kept=read_kept(tmp_path))
        assert report.problems == ()
        with store.read() as snapshot:
            size = snapshot.execute(select(log_head.c.size)).scalar_one()
            listed = snapshot.execute(select(log_entry.c.seq, log_entry.c.body)).all()
            rows = snapshot.execute(select(func.count()).select_from(outbox)).scalar_one()
            index = snapshot.execute(select(func.count()).select_from(log_index)).scalar_one()
    there = {seq for seq, _ in listed}
    assert set(acknowledged) <= there
    # A transaction may be durable before its writer can say so; at most one for each that died.
    assert len(there) - len(acknowledged) <= rounds
    assert len(there) == rows == index == size == report.size
    assert all(parse_object(bytes(body))["seq"] == seq for seq, body in listed)
