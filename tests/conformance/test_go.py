"""A second implementation on every case: the Go authors' note and tree, and ours around them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from guiderail.service.audit_pack import export
from guiderail.store import tables
from tests.conformance.go_program import build
from tests.conformance.suite import CASES, StoredCase, stored_cases
from tests.service.depot import Depot
from tests.shared import made_once

SUMDB = "golang.org/x/mod/sumdb"
OURS = "go"


Verdicts = Mapping[str, Mapping[str, Any]]
"""Case -> whether it is accepted, and why not."""

AskGo = Callable[[Path], Verdicts]


@pytest.fixture(scope="module")
def ask_go(tmp_path_factory: pytest.TempPathFactory) -> AskGo:
    """What the program says about the cases below a directory."""
    place = made_once(tmp_path_factory, "conformance-go", build)

    def ask(cases: Path) -> Verdicts:
        command = [place / "conformance", cases]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
        found: Verdicts = json.loads(done.stdout)
        return found

    return ask


@pytest.fixture(scope="module")
def verdicts(ask_go: AskGo) -> Verdicts:
    return ask_go(CASES)


STORED = stored_cases()


def test_the_program_looks_at_every_case(verdicts: Verdicts) -> None:
    assert sorted(verdicts) == [case.name for case in STORED]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in STORED])
def test_go_says_the_same_or_differs_as_the_case_explains(
    case: StoredCase, verdicts: Verdicts
) -> None:
    verdict = verdicts[case.name]
    assert verdict["accept"] == case.accepted_by(SUMDB, OURS), verdict["reason"]
    if not verdict["accept"]:
        assert verdict["reason"]


def test_each_difference_is_a_real_one() -> None:
    """A note about a difference that is none would hide that the suite had changed."""
    for case in STORED:
        for name, other in case.others.items():
            assert other["accept"] != case.expected["accept"], (case.name, name)
            assert other["because"]


def test_go_verifies_what_the_product_itself_wrote(
    live_depot: Depot, tmp_path: Path, ask_go: AskGo
) -> None:
    """A real audit pack, and the permit of the release that is live; and neither once changed."""
    place = live_depot.acting()
    key = place.keyring.note_key.to_text()
    with place.store.read() as snapshot:
        row = snapshot.execute(select(tables.permit)).mappings().one()
    question = {
        "environment": row["environment"],
        "digest": row["release_digest"],
        "now": row["issued_at"],
        "restoring": False,
        "revoked": [],
    }
    for name in ("honest", "changed"):
        folder = tmp_path / "audit-pack" / name
        assert export(place, folder / "pack")["problems"] == []
        write_question(folder, "audit-pack", {"key": key})
        folder = tmp_path / "permit" / name
        folder.mkdir(parents=True)
        (folder / "permit.dsse.json").write_bytes(row["envelope"])
        (folder / "permit.tlog-proof").write_text(row["proof"], "utf-8")
        (folder / "public.json").write_bytes(place.keyring.trusted.to_json())
        write_question(folder, "permit", question)
    swap_two_lines(tmp_path / "audit-pack" / "changed" / "pack" / "entries.jsonl")
    swap_two_lines(tmp_path / "permit" / "changed" / "permit.tlog-proof")
    assert {name: verdict["accept"] for name, verdict in ask_go(tmp_path).items()} == {
        "audit-pack/honest": True,
        "audit-pack/changed": False,
        "permit/honest": True,
        "permit/changed": False,
    }


def write_question(folder: Path, kind: str, question: Mapping[str, Any]) -> None:
    (folder / "case.json").write_text(json.dumps({"kind": kind, "question": question}), "utf-8")


def swap_two_lines(path: Path) -> None:
    lines = path.read_bytes().split(b"\n")
    lines[3], lines[4] = lines[4], lines[3]
    path.write_bytes(b"\n".join(lines))
