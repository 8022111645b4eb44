"""An audit pack convinces somebody who trusts nobody, and whatever is done to it is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from guiderail.service.audit_pack import export
from tests.service.audit_packs import Answer, bare_verifier, verify
from tests.service.depot import Depot, copy_depot

CHECKS = {
    "files", "signature", "checkpoint", "tree", "numbering", "details", "keys", "sample", "index",
    "releases", "dossiers", "evidence", "policies", "decisions", "reviews", "permits", "rollouts",
    "proofs",
}  # fmt: skip


@pytest.fixture(scope="module")
def office(two_template: Depot, tmp_path_factory: pytest.TempPathFactory) -> Depot:
    """A workspace with a release that people approved, a green one, and one taken back."""
    depot = copy_depot(two_template, tmp_path_factory.mktemp("office"))
    depot.submit(depot.releases.yellow)
    return depot


@pytest.fixture(scope="module")
def pack(office: Depot) -> Path:
    directory = office.root / "pack"
    export(office.acting(), directory)
    return directory


@pytest.fixture(scope="module")
def check(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Answer]:
    command = bare_verifier(tmp_path_factory.mktemp("libraries"))
    return lambda *arguments: verify(command, *arguments)


def key_of(depot: Depot) -> str:
    keys = json.loads((depot.home / "keys" / "public.json").read_bytes())
    return str(keys["checkpoint"][0])


def test_a_pack_verifies_without_the_product(
    office: Depot, pack: Path, check: Callable[..., Answer]
) -> None:
    answer = check(pack, "--key", key_of(office), "--json")
    assert answer.failed == {}
    assert (answer.code, answer.err, answer.json["key"]) == (0, "", "given")
    looked_at = {one["id"]: one["looked_at"] for one in answer.json["checks"]}
    assert looked_at.keys() == CHECKS
    assert all(looked_at.values()), looked_at


def test_only_the_key_inside_is_said_to_prove_no_author(
    pack: Path, check: Callable[..., Answer]
) -> None:
    answer = check(pack)
    assert answer.code == 0
    assert "CONSISTENT, BUT NOT PROVED TO BE GENUINE" in answer.out
    assert "not who made it" in answer.out
