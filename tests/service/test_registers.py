"""A decision always rests on registers that the ledger recorded."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from guiderail.core.errors import ConflictError
from guiderail.service import registers
from guiderail.service.registers import transaction
from guiderail.service.status import list_cases
from guiderail.service.withdraw import withdraw
from guiderail.store import tables
from tests.service.depot import Depot, write_people

SERVICES = Path(registers.__file__).parent
WITHOUT_A_DECISION = {
    "registers.py": "it records them",
    "set_up.py": "it records them with the first events",
    "permits.py": "storing the proof of a permit that was issued",
    "sealing.py": "storing what witnesses answered about a checkpoint",
    "timestamps.py": "storing what an authority answered about a checkpoint",
    "erase.py": "carrying out an erasure again after a restore, which nobody decides",
    "key_changes.py": "what the keys sign rests on no register",
    "key_compromise.py": "signing again what was decided before",
    "permit_states.py": "signing what was taken back before",
}


def recorded(depot: Depot, name: str = "people") -> list[dict[str, Any]]:
    """The recorded versions of a register, oldest first."""
    workspace = depot.acting()
    with workspace.store.read() as snapshot:
        rows = snapshot.execute(
            tables.register_version.select().order_by(tables.register_version.c.id)
        ).mappings()
        return [
            json.loads(workspace.blobs.read(row["digest"])) for row in rows
            if row["register"] == name
        ]  # fmt: skip


def test_a_changed_register_is_recorded_in_front_of_what_rests_on_it(new_depot: Depot) -> None:
    case = new_depot.submit(new_depot.releases.first).case
    before = len(new_depot.event_types())
    write_people(new_depot, {"emil": {"roles": ["ml-platform-engineer", "security"]}})
    withdraw(new_depot.acting(), case.id)
    assert new_depot.event_types()[before:] == ["register.changed", "case.withdrawn"]
    first, last = recorded(new_depot)[0], recorded(new_depot)[-1]
    changed = [one for one in last["people"] if one not in first["people"]]
    assert [one["roles"] for one in changed] == [["ml-platform-engineer", "security"]]


def test_nothing_is_recorded_twice_and_nothing_by_reading(new_depot: Depot) -> None:
    before = new_depot.event_types()
    assert before.count("register.changed") == 4
    path = new_depot.home / "people.yaml"
    path.write_text("# Looked at today.\n" + path.read_text("utf-8"), "utf-8")
    write_people(new_depot, {"emil": {"name": "Emil"}})
    with transaction(new_depot.acting()):
        pass
    write_people(new_depot, {"emil": {"roles": []}})
    list_cases(new_depot.acting())
    assert new_depot.event_types() == before


def test_who_stands_for_which_user_is_recorded_without_saying_it(new_depot: Depot) -> None:
    """Whoever maps their own user to a reviewer for an afternoon leaves two entries."""
    write_people(new_depot, {"emil": {"os_users": ["mallory"]}})
    with transaction(new_depot.acting()):
        pass
    write_people(new_depot, {"emil": {"os_users": []}})
    with transaction(new_depot.acting()):
        pass
    first, mapped, back = recorded(new_depot)
    assert first == back
    changed = [one for one in mapped["people"] if one not in first["people"]]
    assert len(changed) == 1
    for version in (first, mapped):
        text = json.dumps(version)
        assert not any(word in text for word in ("emil", "Emil", "mallory", "example.org"))


def test_a_register_that_is_edited_meanwhile_stops_the_command(new_depot: Depot) -> None:
    workspace = new_depot.acting()
    write_people(new_depot, {"emil": {"roles": ["security"]}})
    assert workspace.register.person("emil").roles == ("security",)
    write_people(new_depot, {"emil": {"roles": ["risk-officer"]}})
    before = new_depot.event_types()
    with pytest.raises(ConflictError) as conflict, transaction(workspace):
        pytest.fail("a use case began with a register that is gone")
    assert conflict.value.code == "register/edited"
    assert new_depot.event_types() == before


def test_a_change_that_comes_to_nothing_records_nothing(new_depot: Depot) -> None:
    write_people(new_depot, {"emil": {"roles": ["security"]}})
    before = new_depot.event_types()
    with pytest.raises(RuntimeError), transaction(new_depot.acting()):
        raise RuntimeError("refused")
    assert new_depot.event_types() == before


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ceilings", "ceilings:\n  - {workload: a, per_month: 9.5, currency: EUR, "
         "approved_by: fritz, until: 2027-01-01}\n"),
        ("columns", "columns:\n  - {name: bp_nr, class: personal, kind: number}\n"),
        ("features", "features: []\n"),
    ],
)  # fmt: skip
def test_every_register_is_recorded(name: str, content: str, new_depot: Depot) -> None:
    (new_depot.home / f"{name}.yaml").write_text(content, "utf-8")
    with transaction(new_depot.acting()):
        pass
    versions = recorded(new_depot, name)
    assert len(versions) == 2
    assert versions[0] != versions[1]
    assert "fritz" not in json.dumps(versions)


def test_every_use_case_begins_by_recording_the_registers() -> None:
    """A bare transaction of the store would let a decision rest on what nobody recorded."""
    bare: set[str] = set()
    for path in SERVICES.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("store.transaction"):
                bare.add(path.name)
    assert bare == WITHOUT_A_DECISION.keys()
