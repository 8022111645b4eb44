"""A pack from which people were erased and old entries removed verifies, and says what is gone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from guiderail.service.audit_pack import export
from guiderail.service.erase import erase
from guiderail.service.prune import prune
from guiderail.store.scrub import scrub
from guiderail_verify.__main__ import main
from guiderail_verify.canonical import canonical_json
from tests.service.audit_packs import reseal
from tests.service.depot import Depot, copy_depot, write_people
from tests.service.test_audit_pack import key_of

ERASED = ("nora", "emil", "edda", "gina")


@pytest.fixture(scope="module")
def office(two_template: Depot, tmp_path_factory: pytest.TempPathFactory) -> Depot:
    """The submitter and reviewers are erased; the rehearsal is removed four years later."""
    depot = copy_depot(two_template, tmp_path_factory.mktemp("office"))
    write_people(depot, {"nora": {"manager": None}})
    for person in ERASED:
        erase(depot.acting("dora"), person, "A request.")
        erase(depot.acting("cleo"), person, "A request.")
    later = depot.acting("dora")
    now = later.clock()
    done = prune(replace(later, clock=lambda: now.replace(year=now.year + 4, day=1)))
    assert done["classes"] == {"exercises": 1}
    return depot


@pytest.fixture
def pack(office: Depot, tmp_path: Path) -> Path:
    directory = tmp_path / "pack"
    assert export(office.acting("cleo"), directory)["problems"] == []
    return directory


def failed(pack: Path, office: Depot, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    main([str(pack), "--key", key_of(office), "--json"])
    checks = json.loads(capsys.readouterr().out)["checks"]
    return {one["id"]: one["failures"] for one in checks if not one["ok"]}


def change(pack: Path, name: str, alter: Callable[[dict[str, Any]], bool]) -> None:
    """Alter the first line that `alter` accepts."""
    lines = (pack / name).read_bytes().splitlines()
    for number, line in enumerate(lines):
        content = json.loads(line)
        if alter(content):
            lines[number] = canonical_json(content)
            break
    else:
        raise AssertionError(f"no line of {name} was altered")
    (pack / name).write_bytes(b"".join(line + b"\n" for line in lines))


def test_the_pack_verifies_and_never_says_all(
    office: Depot, pack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failed(pack, office, capsys) == {}
    assert main([str(pack), "--key", key_of(office)]) == 0
    out = capsys.readouterr().out
    assert "1 were removed when their time was over" in out
    assert "Not everything is there to be verified" in out
    assert "VERIFIED with the key that you gave, as far as it is still there." in out
    names = "".join(path.read_text(errors="replace") for path in pack.rglob("*.json*"))
    assert not [person for person in ERASED if f'"{person}"' in names]


def test_an_erasure_that_is_named_falsely_is_found(
    office: Depot, pack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def alter(line: dict[str, Any]) -> bool:
        if "erased" not in line.get("words", {}):
            return False
        line["words"]["erased"] += 1
        return True

    change(pack, "disclosed.jsonl", alter)
    reseal(pack, office.acting("cleo").keyring)
    assert "does not say that their author was erased" in failed(pack, office, capsys)["gone"][0]


def test_words_left_out_of_a_pack_are_found(
    office: Depot, pack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(pack, "disclosed.jsonl", lambda line: line.pop("words", None) is not None)
    reseal(pack, office.acting("cleo").keyring)
    assert "is not in the pack" in failed(pack, office, capsys)["details"][0]


def test_an_entry_left_out_as_if_its_time_was_over_is_found(
    office: Depot, pack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from guiderail_verify.tree import leaf_hash

    lines = (pack / "entries.jsonl").read_bytes().splitlines()
    pruning = next(n for n, line in enumerate(lines) if b'"records.pruned"' in line)
    hidden = next(n for n, line in enumerate(lines) if b'"review.given"' in line)
    leaf = leaf_hash(lines[hidden]).hex()
    lines[hidden] = canonical_json({"leaf": leaf, "removed": pruning, "seq": hidden})
    (pack / "entries.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    told = (pack / "disclosed.jsonl").read_bytes().splitlines()
    kept = [line for line in told if json.loads(line)["seq"] != hidden]
    (pack / "disclosed.jsonl").write_bytes(b"".join(line + b"\n" for line in kept))
    reseal(pack, office.acting("cleo").keyring)
    found = failed(pack, office, capsys)
    assert "does not say that its time was over" in found["gone"][0]
    assert "tree" not in found


def test_a_dossier_that_is_neither_the_old_nor_the_left_one_is_found(
    office: Depot, pack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = next(pack.glob("cases/*/dossiers/*/answers.json"))
    path.write_bytes(path.read_bytes().replace(b'"contributors":["', b'"contributors":["x'))
    reseal(pack, office.acting("cleo").keyring)
    assert "dossiers" in failed(pack, office, capsys)


def test_the_master_key_lost_leaves_a_pack_that_says_so(
    two_template: Depot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    depot = copy_depot(two_template, tmp_path / "depot")
    scrub(depot.acting().store)
    (depot.home / "vault" / "master.key").unlink()
    with pytest.raises(Exception, match="is not in the pack"):
        export(depot.acting(), tmp_path / "pack")
