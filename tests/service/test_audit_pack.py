"""An audit pack convinces somebody who trusts nobody, and whatever is done to it is found."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from guiderail.core.errors import GuiderailError, IntegrityError
from guiderail.service.audit_pack import export
from guiderail.service.policy_change import decide_change, propose
from guiderail.service.roll_back import roll_back
from guiderail.service.withdraw import withdraw
from tests.service.audit_packs import (
    Verify,
    contents,
    key_of,
    reseal,
    rewrite,
)
from tests.service.depot import WORKLOAD, Depot, copy_depot
from tests.service.own_pack import remember_proofs, write_own_pack

CHECKS = {
    "files", "signature", "checkpoint", "tree", "numbering", "details", "gone", "keys", "sample",
    "index", "releases", "dossiers", "evidence", "vouched", "policies", "decisions", "reviews",
    "registers", "people", "approvals", "authority", "permits", "rollouts", "tables", "documents",
    "before", "proofs",
}  # fmt: skip


def test_a_pack_verifies_without_the_product(office: Depot, written: Path, bare: Verify) -> None:
    answer = bare(written, "--key", key_of(office), "--json")
    assert answer.failed == {}
    assert (answer.code, answer.err, answer.json["key"]) == (0, "", "given")
    looked_at = {one["id"]: one["looked_at"] for one in answer.json["checks"]}
    assert looked_at.keys() == CHECKS
    assert looked_at.pop("before") == 0, "the pack is about the time from the beginning on"
    assert looked_at.pop("vouched") == 0, "nobody outside vouched for a fact"
    assert all(looked_at.values()), looked_at
    events = office.event_types()
    decisions = events.count("case.submitted") + events.count("case.decided")
    assert (looked_at["tree"], looked_at["decisions"]) == (len(events), decisions)


def test_only_the_key_inside_is_said_to_prove_no_author(written: Path, bare: Verify) -> None:
    answer = bare(written)
    assert answer.code == 0
    assert "CONSISTENT, BUT NOT PROVED TO BE GENUINE" in answer.out
    assert "not who made it" in answer.out


def test_the_key_may_be_a_file(office: Depot, written: Path, check: Verify) -> None:
    assert check(written, "--key", office.home / "keys" / "public.json").json["key"] == "given"


def test_the_same_ledger_gives_the_same_bytes(office: Depot, written: Path, tmp_path: Path) -> None:
    elsewhere = copy_depot(office, tmp_path / "elsewhere")
    elsewhere.clock.days = 3
    export(elsewhere.acting("adam"), tmp_path / "again")
    assert contents(tmp_path / "again") == contents(written)


def test_the_index_has_every_case(written: Path) -> None:
    rows = list(csv.DictReader((written / "index.csv").read_text("utf-8").splitlines()))
    told = [(row["case"], row["version"], row["track"], row["outcome"]) for row in rows]
    assert told == [
        ("case-0001", "v1", "yellow", "permitted"),
        ("case-0002", "v2", "green", "permitted"),
        ("case-0003", "v3", "yellow", "open"),
    ]


def test_the_page_stands_alone(written: Path) -> None:
    page = (written / "index.html").read_text("utf-8")
    assert "<script" not in page
    assert not re.search(r"(?:src|href)=|@import|url\(", page)
    assert "prefers-color-scheme: dark" in page
    for path, data in contents(written).items():
        if not path.startswith(("manifest", "index.html")):
            assert hashlib.sha256(data).hexdigest() in page


def test_what_somebody_wrote_is_text_on_the_page(office: Depot, tmp_path: Path) -> None:
    seed = "<script>alert('x')</script>\N{RIGHT-TO-LEFT OVERRIDE}"
    export(office.acting(), tmp_path / "pack", sample=1, seed=seed)
    page = (tmp_path / "pack" / "index.html").read_text("utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert" in page


# --- The scope and the sample -------------------------------------------------------------------


def test_a_sample_is_drawn_by_the_seed(office: Depot, tmp_path: Path, check: Verify) -> None:
    drawn: set[str] = set()
    for seed in ("one", "two", "three", "four"):
        document = export(office.acting(), tmp_path / seed, sample=1, seed=seed)
        assert (len(document["cases"]), document["scope"]) == (1, 3)
        assert check(tmp_path / seed, "--key", key_of(office)).failed == {}
        drawn.update(document["cases"])
    assert len(drawn) == 1, "one place goes to the first stratum, green"
    two = export(office.acting(), tmp_path / "2", sample=2, seed="one")["cases"]
    assert "case-0002" in two
    assert len(export(office.acting(), tmp_path / "9", sample=9, seed="one")["cases"]) == 3


@pytest.mark.parametrize(
    "manifest",
    [
        {"sample": {"count": 1, "seed": "one"}},
        {"scope": {"workload": None, "since": "2999-01-01", "until": None}},
        {"scope": {"workload": "another", "since": None, "until": None}},
    ],
)
def test_another_scope_or_sample_than_was_written_is_found(
    manifest: dict[str, Any], office: Depot, pack: Path, check: Verify
) -> None:
    rewrite(pack / "manifest.json", manifest)
    reseal(pack, office.acting().keyring)
    assert {"sample", "index"} <= check(pack).failed.keys()


def test_a_period_without_cases_verifies(office: Depot, tmp_path: Path, check: Verify) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    document = export(office.acting(), tmp_path / "pack", since=tomorrow)
    assert document["cases"] == []
    assert check(tmp_path / "pack").failed == {}


def test_a_workload_and_a_day_bound_the_scope(office: Depot, tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    days = {"since": today - timedelta(days=1), "until": today}
    document = export(office.acting(), tmp_path / "pack", workload=WORKLOAD, **days)
    assert document["scope"] == 3


# --- Bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"format":"x"}', b"\xff", b"[" * 9999])
def test_what_is_no_pack_is_unusable(content: bytes, tmp_path: Path, check: Verify) -> None:
    (tmp_path / "manifest.json").write_bytes(content)
    answer = check(tmp_path)
    assert (answer.code, answer.out) == (4, "")
    assert "cannot be checked" in answer.err


def test_a_path_out_of_the_pack_is_never_followed(pack: Path, check: Verify) -> None:
    rewrite(pack / "manifest.json", {"files": {"../people.json": "0" * 64}})
    assert check(pack).code == 4


def test_unusable_arguments(written: Path, tmp_path: Path, bare: Verify) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("not a checkpoint\n", "utf-8")
    for arguments in (
        [tmp_path / "empty"],
        [tmp_path / "nowhere"],
        [tmp_path / "text"],
        [written, "--key", "nonsense"],
        [written, "--key", tmp_path / "text"],
        [written, "--checkpoint", tmp_path / "text"],
        [written, "--checkpoint", tmp_path / "nowhere"],
        [written, "--nonsense"],
        [],
    ):
        answer = bare(*arguments)
        assert (answer.code, answer.out) == (4, ""), arguments
        assert answer.err.strip(), arguments


def test_a_directory_in_use_is_left_alone(office: Depot, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", "utf-8")
    for target in (tmp_path, tmp_path / "notes.txt", tmp_path / "notes.txt" / "below"):
        with pytest.raises(GuiderailError) as refusal:
            export(office.acting(), target)
        assert refusal.value.code == "audit/directory"
    assert contents(tmp_path) == {"notes.txt": b"mine"}


def test_an_empty_directory_may_be_named(office: Depot, written: Path, tmp_path: Path) -> None:
    export(office.acting(), tmp_path)
    assert contents(tmp_path) == contents(written)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"sample": 3}, "audit/seed"),
        ({"seed": "x"}, "audit/seed"),
        ({"workload": "nobody-knows"}, "audit/workload"),
        ({"since": date(2026, 2, 1), "until": date(2026, 1, 1)}, "audit/period"),
    ],
)
def test_options_that_make_no_sense(
    options: dict[str, Any], code: str, office: Depot, tmp_path: Path
) -> None:
    with pytest.raises(GuiderailError) as refusal:
        export(office.acting(), tmp_path / "pack", **options)
    assert refusal.value.code == code
    assert contents(tmp_path) == {}


def test_decisions_under_two_policies_are_each_computed_with_their_own(
    live_depot: Depot, tmp_path: Path, check: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember_proofs(monkeypatch)
    today = live_depot.clock().date().isoformat()
    ours = write_own_pack(tmp_path / "ours", today)
    change = propose(live_depot.acting(), str(ours), reason="Removed features surprised us")
    for role in change.open_roles:
        person = next(name for name in ("gina", "emil", "rita") if role in roles(live_depot, name))
        decide_change(live_depot.acting(person), change.id, "approve", role=role)
    live_depot.submit(live_depot.releases.green)
    export(live_depot.acting(), tmp_path / "pack")
    assert check(tmp_path / "pack", "--key", key_of(live_depot)).failed == {}
    assert len(list((tmp_path / "pack" / "packs").iterdir())) == 4, "three shipped packs and ours"
    changes = (tmp_path / "pack" / "tables" / "policy-changes.csv").read_text("utf-8").splitlines()
    assert {row.rsplit(",", 1)[-1] for row in changes[1:]} & {"added", "changed"}


def test_going_back_and_taking_back_are_in_the_pack(
    two_versions: Depot, tmp_path: Path, check: Verify
) -> None:
    roll_back(two_versions.acting(), WORKLOAD)
    permitted = two_versions.submit(two_versions.releases.green).case
    withdraw(two_versions.acting(), permitted.id)
    export(two_versions.acting(), tmp_path / "pack")
    answer = check(tmp_path / "pack", "--key", key_of(two_versions))
    assert answer.failed == {}
    rows = csv.DictReader((tmp_path / "pack" / "index.csv").read_text("utf-8").splitlines())
    assert [row["outcome"] for row in rows] == ["permitted", "rolled-back", "withdrawn"]
    record = json.loads((tmp_path / "pack" / "cases" / "case-0002" / "case.json").read_bytes())
    assert [one["kind"] for one in record["rollouts"]] == ["deploy", "rollback"]
    record = json.loads((tmp_path / "pack" / "cases" / permitted.id / "case.json").read_bytes())
    assert [one["revoked"] for one in record["permits"]] == [True]


def roles(depot: Depot, person: str) -> tuple[str, ...]:
    return tuple(depot.acting(person).person.roles)


@pytest.mark.tampers
def test_the_operator_is_told_what_an_auditor_will_find(live_depot: Depot, tmp_path: Path) -> None:
    """Somebody changed a review in the database; the ledger says what was really decided."""
    assert export(live_depot.acting(), tmp_path / "before")["problems"] == []
    with closing(sqlite3.connect(live_depot.home / "guiderail.db")) as database:
        database.execute("UPDATE review SET reason = 'Never looked.'")
        database.commit()
    problems = export(live_depot.acting(), tmp_path / "after")["problems"]
    assert problems
    assert all(problem.startswith("reviews: case-0001: review") for problem in problems)


@pytest.mark.tampers
def test_what_is_not_stored_any_more_cannot_be_exported(live_depot: Depot, tmp_path: Path) -> None:
    shutil.rmtree(live_depot.home / "blobs")
    with pytest.raises(IntegrityError):
        export(live_depot.acting(), tmp_path / "pack")
    assert not (tmp_path / "pack").exists()
