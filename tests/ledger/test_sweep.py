"""The sweep finds nothing new and hides nothing: a report is the same without it."""

from __future__ import annotations

import importlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guiderail.core.subject import Actor, Subject
from guiderail.ledger import sweep_all
from guiderail.ledger.events import Event, Evidence
from guiderail.ledger.verify import Report
from guiderail.store.database import Store
from guiderail_verify.canonical import canonical_json
from guiderail_verify.tree import leaf_hash

from .conftest import DIGEST, NOW, Workspace, open_workspace
from .test_verify import damage

verifying = importlib.import_module("guiderail.ledger.verify")
ENTRIES = 22
Damage = Callable[[sqlite3.Connection], None]


@pytest.fixture(scope="module", autouse=True)
def _short_stretches() -> Iterator[None]:
    """Stretches of four entries, so that a small log has several."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verifying, "LEVEL", 2)
        yield


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Checkpoints within stretches and between, a clock that goes back, text with escapes."""
    workspace = open_workspace(tmp_path_factory.mktemp("sound"))
    for number in range(ENTRIES):
        about = Subject("model", ("credit", "churn", 'a "quoted" näme')[number % 3], DIGEST)
        given = {"case": f"case-{number}", "version": ("1", "zwei \x07", "three")[number % 3]}
        proof = (Evidence("tests", "https://in-toto.io/test", DIGEST),) * (number % 3)
        workspace.append(
            Event("case.submitted", about, Actor("ann"), NOW, given, "done", DIGEST, proof)
            if number % 4
            else None
        )
        if number in (4, 7, 13, 19):
            workspace.seal()
    yield workspace
    workspace.store.close()


def both(workspace: Workspace) -> tuple[Report, Report]:
    """The report with the sweep and the one without."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verifying, "end_of_sweep", lambda *_: 0)
        plain = workspace.verify()
    return workspace.verify(), plain


def test_a_sound_log_is_swept_and_has_the_same_report(
    sound: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept, plain = both(sound)
    assert swept == plain
    assert swept.ok
    assert swept.notices
    seen: list[int] = []
    monkeypatch.setattr(verifying, "stored_entries", _noting(verifying.stored_entries, seen))
    assert sound.verify() == plain
    assert seen[-1] == 20, "only the unsealed end is read entry by entry for its tree"


def _noting(read: Callable[..., Any], seen: list[int]) -> Callable[..., Any]:
    def noted(snapshot: object, start: int, end: int | None = None) -> Any:
        seen.append(start)
        return read(snapshot, start, end)

    return noted


def test_several_processes_give_the_same_report(
    sound: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_all, "usable_processors", lambda: 2)
    monkeypatch.setattr(sweep_all, "FEW", 0)
    assert sound.verify() == both(sound)[1]


def test_processes_that_end_at_once_change_nothing(
    sound: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """They are told another database, which they cannot open."""
    monkeypatch.setattr(sweep_all, "usable_processors", lambda: 2)
    monkeypatch.setattr(sweep_all, "FEW", 0)
    address = property(lambda _: f"sqlite:///{tmp_path}/no/such/folder.db")
    monkeypatch.setattr(type(sound.store), "address", address)
    assert sound.verify() == both(sound)[1]


# --- Damage -------------------------------------------------------------------------------------

SEQS = st.integers(0, ENTRIES - 1)
VALUES = st.one_of(
    st.none(),
    st.integers(-3, 2**40),
    st.sampled_from(["", "x", "model", "credit", "case.submitted", "key.created", "case-3"]),
    st.binary(max_size=33),
)
COLUMNS = (
    ("log_entry", "seq", ("body", "leaf_hash", "seq")),
    ("log_index", "seq", ("type", "subject_kind", "subject_name", "subject_no", "case_id", "seq")),
    ("vault_salt", "seq", ("salt", "value", "field", "seq")),
    ("vault_words", "seq", ("key_id", "sealed", "seq")),
    ("log_node", "position", ("hash", "level", "position")),
    ("log_checkpoint", "size", ("note", "size")),
    ("subject_counter", "next_no", ("next_no", "name")),
    ("log_head", "id", ("size",)),
)


@st.composite
def set_a_column(draw: st.DrawFn) -> Damage:
    table, key, columns = draw(st.sampled_from(COLUMNS))
    column, seq, value = draw(st.sampled_from(columns)), draw(SEQS), draw(VALUES)
    statement = f"UPDATE {table} SET {column} = ? WHERE {key} = ?"  # noqa: S608 - names from above
    return lambda raw: _try(raw, statement, value, seq)


@st.composite
def delete_a_row(draw: st.DrawFn) -> Damage:
    table, key, _ = draw(st.sampled_from(COLUMNS))
    seq = draw(SEQS)
    statement = f"DELETE FROM {table} WHERE {key} = ?"  # noqa: S608 - names from above
    return lambda raw: _try(raw, statement, seq)


@st.composite
def add_a_node(draw: st.DrawFn) -> Damage:
    row = draw(st.integers(-1, 6)), draw(st.integers(-2, 30)), draw(st.binary(max_size=33))
    return lambda raw: _try(raw, "INSERT INTO log_node VALUES (?, ?, ?)", *row)


@st.composite
def change_a_byte(draw: st.DrawFn) -> Damage:
    """Of an entry or of its details; sometimes with the leaf hash that belongs to it."""
    seq, place, byte = draw(SEQS), draw(st.integers(0, 600)), draw(st.integers(0, 255))
    rehash = draw(st.booleans())
    table, column = draw(st.sampled_from((("log_entry", "body"), ("vault_salt", "value"))))

    find = f"SELECT {column} FROM {table} WHERE seq = ?"  # noqa: S608 - names from above
    change = f"UPDATE {table} SET {column} = ? WHERE seq = ?"  # noqa: S608 - names from above

    def apply(raw: sqlite3.Connection) -> None:
        for (old,) in raw.execute(find, (seq,)).fetchall():
            if not isinstance(old, bytes) or not old:
                continue
            new = bytearray(old)
            new[place % len(new)] = byte
            _try(raw, change, bytes(new), seq)
            if rehash and table == "log_entry":
                leaf = leaf_hash(bytes(new))
                _try(raw, "UPDATE log_entry SET leaf_hash = ? WHERE seq = ?", leaf, seq)

    return apply


FIELDS = {
    "v": [2, "1", 1.0],
    "seq": [-1, 3, "3", 2**53, True],
    "at": ["2026-02-30T00:00:00.000000Z", "2026-11-23T09:30:60.000000Z", "2026-11-23", None,
           "2025-01-01T00:00:00.000000Z"],
    "type": ["key.created", "no.event", None],
    "subject": [{}, {"kind": "model", "name": "credit", "digest": None, "more": 1},
                {"kind": "model", "name": "credit", "digest": 3},
                {"kind": "model", "name": "credit", "digest": "x"}],
    "subject_no": [0, 1, 99, None, 10**15],
    "actor": ["", None, "p-é"],
    "outcome": [None, 3, "x"],
    "policy": ["x", 3, None],
    "evidence": [None, [], [{}], [{"name": "a", "predicateType": "b", "sha256": "c"}]],
    "payload": [{}, {"alg": "hmac-sha256", "value": "0" * 64}, {"alg": "x", "value": "0" * 64}],
    "more": [1],
}  # fmt: skip


@st.composite
def rewrite_a_field(draw: st.DrawFn) -> Damage:
    """As somebody who knows the format: the leaf hash follows."""
    seq, name = draw(SEQS), draw(st.sampled_from(sorted(FIELDS)))
    value: Any = draw(st.sampled_from(FIELDS[name]))
    canonical = draw(st.booleans())

    def apply(raw: sqlite3.Connection) -> None:
        found = raw.execute("SELECT body FROM log_entry WHERE seq = ?", (seq,)).fetchone()
        try:
            changed = json.loads(found[0]) | {name: value}
        except (TypeError, ValueError):
            return
        exact = canonical and not isinstance(value, float) and value != 2**53
        body = canonical_json(changed) if exact else json.dumps(changed).encode()
        _try(raw, "UPDATE log_entry SET body = ?, leaf_hash = ? WHERE seq = ?", body,
             leaf_hash(body), seq)  # fmt: skip

    return apply


def _try(raw: sqlite3.Connection, statement: str, *values: object) -> None:
    try:
        raw.execute(statement, values)
    except (sqlite3.IntegrityError, OverflowError):
        return  # the database holds a rule that this damage breaks


DAMAGES = st.one_of(
    set_a_column(), delete_a_row(), add_a_node(), change_a_byte(), rewrite_a_field()
)


@pytest.fixture(scope="module")
def damaged(sound: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """The same keys and a database that every example sets back before it damages it."""
    home = tmp_path_factory.mktemp("damaged")
    with Store.open(home) as store:
        yield Workspace(home, store, sound.keyring)


@settings(max_examples=60)
@given(st.lists(DAMAGES, min_size=1, max_size=3))
def test_after_any_damage_the_report_is_the_one_without_the_sweep(
    sound: Workspace, damaged: Workspace, damages: list[Damage]
) -> None:
    with sqlite3.connect(sound.database) as here, sqlite3.connect(damaged.database) as there:
        here.backup(there)
    damage(damaged, *damages)
    swept, plain = both(damaged)
    assert swept == plain
