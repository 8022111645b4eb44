"""An audit pack convinces somebody who trusts nobody, and whatever is done to it is found."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from guiderail.core.errors import GuiderailError, IntegrityError
from guiderail.service import audit
from guiderail.service.audit_pack import export
from guiderail.service.policy_change import decide_change, propose
from guiderail.service.roll_back import roll_back
from guiderail.service.withdraw import withdraw
from guiderail_verify.__main__ import main
from guiderail_verify.canonical import canonical_json
from tests.service.audit_packs import (
    Answer,
    bare_verifier,
    reseal,
    rewrite,
    rewrite_history,
    verify,
)
from tests.service.depot import WORKLOAD, Depot, copy_depot, open_depot
from tests.service.own_pack import remember_proofs, write_own_pack
from tests.service.parcels import Releases

CHECKS = {
    "files", "signature", "checkpoint", "tree", "numbering", "details", "gone", "keys", "sample",
    "index", "releases", "dossiers", "evidence", "vouched", "policies", "decisions", "reviews", "registers",
    "approvals", "authority", "permits", "rollouts", "proofs",
}  # fmt: skip
SAID_BY_THE_OPERATOR = ("README.txt", "index.html", "people.json")
"""What the ledger does not prove: only the signed manifest covers it."""

Verify = Callable[..., Answer]


@pytest.fixture(scope="module")
def office(two_template: Depot, tmp_path_factory: pytest.TempPathFactory) -> Depot:
    """A workspace with a release that people approved, a green one, and one that waits."""
    depot = copy_depot(two_template, tmp_path_factory.mktemp("office"))
    depot.submit(depot.releases.yellow)
    return depot


@pytest.fixture(scope="module")
def written(office: Depot) -> Path:
    directory = office.root / "pack"
    export(office.acting(), directory)
    return directory


@pytest.fixture
def pack(written: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return shutil.copytree(written, tmp_path / "pack")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Verify:
    """The verifier in a Python that does not have the product."""
    command = bare_verifier(tmp_path_factory.mktemp("libraries"))
    return lambda *arguments: verify(command, *arguments)


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Verify:
    """The verifier in this process."""

    def run(*arguments: str | Path) -> Answer:
        capsys.readouterr()
        code = main([*map(str, arguments), "--json"])
        return Answer(code, *capsys.readouterr())

    return run


def key_of(depot: Depot) -> str:
    keys = json.loads((depot.home / "keys" / "public.json").read_bytes())
    return str(keys["checkpoint"][0])


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_pack_verifies_without_the_product(office: Depot, written: Path, bare: Verify) -> None:
    answer = bare(written, "--key", key_of(office), "--json")
    assert answer.failed == {}
    assert (answer.code, answer.err, answer.json["key"]) == (0, "", "given")
    looked_at = {one["id"]: one["looked_at"] for one in answer.json["checks"]}
    assert looked_at.keys() == CHECKS
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


# --- What somebody without the keys can do ------------------------------------------------------


def test_a_flipped_bit_in_any_file_is_found(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path, data in contents(pack).items():
        every = 13 if path.startswith(("manifest.dsse", "checkpoint", "keys")) else len(data)
        for place in {0, len(data) // 2, len(data) - 1, *range(0, len(data), every)}:
            flipped = bytearray(data)
            flipped[place] ^= 1
            (pack / path).write_bytes(flipped)
            assert main([str(pack)]) in (1, 4), (path, place)
        (pack / path).write_bytes(data)
        capsys.readouterr()
    assert main([str(pack)]) == 0


def test_a_removed_added_linked_or_cut_file_is_found(pack: Path, check: Verify) -> None:
    for path, data in contents(pack).items():
        (pack / path).unlink()
        assert check(pack).code in (1, 4), path
        (pack / path).write_bytes(data[:-1])
        assert check(pack).code in (1, 4), path
        (pack / path).write_bytes(b"")
        assert check(pack).code in (1, 4), path
        (pack / path).write_bytes(data)
    (pack / "cases" / "more.json").write_bytes(b"{}")
    assert check(pack).failed["files"] == ["cases/more.json is not in the manifest"]
    (pack / "cases" / "more.json").unlink()
    (pack / "people.json").rename(pack.parent / "people.json")
    (pack / "people.json").symlink_to(pack.parent / "people.json")
    assert "files" in check(pack).failed


# --- What an operator with all keys can do ------------------------------------------------------


def test_signing_the_manifest_again_hides_no_changed_byte(
    office: Depot, pack: Path, check: Verify
) -> None:
    keyring = office.acting().keyring
    for path, data in contents(pack).items():
        if path.startswith("manifest") or path in SAID_BY_THE_OPERATOR:
            continue
        for place in {0, len(data) // 3, len(data) // 2, len(data) - 1}:
            flipped = bytearray(data)
            flipped[place] ^= 1
            (pack / path).write_bytes(flipped)
            reseal(pack, keyring)
            answer = check(pack)
            assert answer.code == 1, (path, place)
            assert "files" not in answer.failed, "the manifest is right about the changed file"
        (pack / path).write_bytes(data)


def lines_of(pack: Path) -> list[bytes]:
    return (pack / "entries.jsonl").read_bytes().splitlines(keepends=True)


def delete_entry(pack: Path) -> None:
    lines = lines_of(pack)
    (pack / "entries.jsonl").write_bytes(b"".join(lines[:8] + lines[9:]))


def cut_entries(pack: Path) -> None:
    (pack / "entries.jsonl").write_bytes(b"".join(lines_of(pack)[:-1]))


def swap_entries(pack: Path) -> None:
    lines = lines_of(pack)
    lines[7], lines[8] = lines[8], lines[7]
    (pack / "entries.jsonl").write_bytes(b"".join(lines))


def leave_out_details(pack: Path) -> None:
    rows = (pack / "disclosed.jsonl").read_bytes().splitlines(keepends=True)
    kept = [row for row in rows if b'"verdict"' not in row]
    assert len(kept) < len(rows)
    (pack / "disclosed.jsonl").write_bytes(b"".join(kept))


def edit_fact(pack: Path) -> None:
    path = next(pack.glob("cases/case-0003/dossiers/*/facts.json"))
    facts = json.loads(path.read_bytes())
    name, fact = next(iter(facts.items()))
    rewrite(path, {name: {**fact, "value": {"unknown": "was not measured"}}})


def edit_release(pack: Path) -> None:
    path = pack / "cases" / "case-0001" / "release.json"
    manifest = json.loads(path.read_bytes())["manifest"]
    rewrite(path, {"manifest": {**manifest, "version": "v9"}})


def edit_review(pack: Path) -> None:
    path = pack / "cases" / "case-0001" / "case.json"
    reviews = json.loads(path.read_bytes())["reviews"]
    rewrite(path, {"reviews": [{**reviews[0], "reason": "Read all of it."}, *reviews[1:]]})


def remove_review(pack: Path) -> None:
    rewrite(pack / "cases" / "case-0001" / "case.json", {"reviews": []})


def take_back_permit(pack: Path) -> None:
    path = pack / "cases" / "case-0001" / "case.json"
    permits = json.loads(path.read_bytes())["permits"]
    rewrite(path, {"permits": [{**permits[0], "revoked": True}]})


def swap_permits(pack: Path) -> None:
    one, two = (next(pack.glob(f"cases/case-000{n}/permits/*.dsse.json")) for n in (1, 2))
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


def edit_rollout(pack: Path) -> None:
    path = pack / "cases" / "case-0002" / "case.json"
    rollouts = json.loads(path.read_bytes())["rollouts"]
    rewrite(path, {"rollouts": [{**rollouts[0], "from": None}]})


def swap_proofs(pack: Path) -> None:
    proofs = pack / "cases" / "case-0002" / "proofs"
    one, two = sorted(proofs.iterdir())[:2]
    first = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(first)


def replace_policy(pack: Path) -> None:
    path = next((pack / "packs").iterdir())
    rewrite(path, {"tracks": []})


def replace_document(pack: Path) -> None:
    for path in (pack / "evidence").iterdir():
        path.write_bytes(path.read_bytes() + b" ")


def edit_register(pack: Path) -> None:
    for path in (pack / "registers").iterdir():
        content = json.loads(path.read_bytes())
        if content["register"] == "people":
            rewrite(path, {"people": content["people"][1:]})


def edit_index(pack: Path) -> None:
    path = pack / "index.csv"
    path.write_text(path.read_text("utf-8").replace("yellow", "green"), "utf-8")


def drop_case(pack: Path) -> None:
    shutil.rmtree(pack / "cases" / "case-0003")


@pytest.mark.parametrize(
    ("change", "found_by"),
    [
        (delete_entry, {"tree", "numbering"}),
        (cut_entries, {"tree"}),
        (swap_entries, {"tree", "numbering"}),
        (leave_out_details, {"details"}),
        (edit_fact, {"dossiers"}),
        (edit_release, {"releases"}),
        (edit_review, {"reviews"}),
        (remove_review, {"reviews"}),
        (take_back_permit, {"permits"}),
        (swap_permits, {"permits"}),
        (edit_rollout, {"rollouts"}),
        (swap_proofs, {"proofs"}),
        (replace_policy, {"policies", "decisions"}),
        (replace_document, {"evidence"}),
        (edit_register, {"registers"}),
        (edit_index, {"index"}),
        (drop_case, {"sample"}),
    ],
)
def test_a_change_is_found_though_the_operator_signs_again(
    change: Callable[[Path], None], found_by: set[str], office: Depot, pack: Path, check: Verify
) -> None:
    change(pack)
    reseal(pack, office.acting().keyring)
    answer = check(pack, "--key", key_of(office))
    assert answer.code == 1
    assert found_by <= answer.failed.keys()
    assert all(answer.failed[name] for name in found_by)


def test_a_lie_in_the_decision_is_found_though_every_hash_supports_it(
    office: Depot, pack: Path, check: Verify
) -> None:
    """The operator records green for a yellow release and rewrites the ledger to fit."""
    case = pack / "cases" / "case-0003" / "dossiers"
    (folder,) = case.iterdir()
    decision = json.loads((folder / "decision.json").read_bytes())
    decision["track"]["value"], decision["outcome"] = "green", "go"
    (folder / "decision.json").write_bytes(canonical_json(decision))
    parts = {
        part: json.loads((folder / f"{part}.json").read_bytes()) for part in ("facts", "answers")
    }
    lied: dict[str, str] = {}

    def change(entry: dict[str, Any], details: dict[str, Any]) -> None:
        if details.get("case") == "case-0003":
            dossier = {
                **parts,
                "release": entry["subject"]["digest"],
                "pack": entry["policy"],
                "decision": "sha256:" + hashlib.sha256(canonical_json(decision)).hexdigest(),
            }
            lied["dossier"] = "sha256:" + hashlib.sha256(canonical_json(dossier)).hexdigest()
            details |= {"dossier": lied["dossier"], "track": "green"}

    rewrite_history(pack, office.acting().keyring, change)
    folder.rename(case / lied["dossier"].removeprefix("sha256:"))
    reseal(pack, office.acting().keyring)
    failed = check(pack, "--key", key_of(office)).failed
    assert not {"tree", "details", "dossiers", "policies", "keys"} & failed.keys()
    assert any("the facts give the track yellow, not green" in one for one in failed["decisions"])


def test_a_permit_without_its_approvals_is_found_though_every_hash_supports_it(
    office: Depot, pack: Path, check: Verify
) -> None:
    """The operator records a refusal where the ledger, rewritten to fit, has the permit anyway."""

    def change(entry: dict[str, Any], details: dict[str, Any]) -> None:
        if entry["type"] == "review.given":
            entry["outcome"] = details["verdict"] = "request-changes"

    record = pack / "cases" / "case-0001" / "case.json"
    reviews = json.loads(record.read_bytes())["reviews"]
    changed = [{**review, "verdict": "request-changes"} for review in reviews]
    rewrite(record, {"reviews": changed})
    rewrite_history(pack, office.acting().keyring, change)
    failed = check(pack, "--key", key_of(office)).failed
    assert not {"tree", "details", "dossiers", "decisions"} & failed.keys()
    for review in reviews:
        missing = f"has no approval by {review['role']}"
        assert any(one.endswith(missing) for one in failed["reviews"])
    assert any("nobody accepted the gate" in one for one in failed["reviews"])


def record_people(
    pack: Path, depot: Depot, change: Callable[[dict[str, Any]], None], person: str
) -> None:
    """The operator records another register of people from the beginning, and all hashes fit."""
    behind = {who: name for name, who in json.loads((pack / "people.json").read_bytes()).items()}
    lied: dict[str, str] = {}
    for path in list((pack / "registers").iterdir()):
        content = json.loads(path.read_bytes())
        if content["register"] == "people":
            row = next(one for one in content["people"] if one["person"] == behind[person])
            change(row)
            data = canonical_json(content)
            digest = hashlib.sha256(data).hexdigest()
            lied[path.stem] = digest
            (pack / "registers" / f"{digest}.json").write_bytes(data)
            path.unlink()

    def fit(entry: dict[str, Any], details: dict[str, Any]) -> None:
        if entry["type"] == "register.changed" and details["register"] == "people":
            digest = lied[details["digest"].removeprefix("sha256:")]
            entry["subject"]["digest"] = details["digest"] = f"sha256:{digest}"
            entry["evidence"][0]["sha256"] = digest

    rewrite_history(pack, depot.acting().keyring, fit)


def without_role(row: dict[str, Any]) -> None:
    row["roles"] = []


def without_training(row: dict[str, Any]) -> None:
    row["competence"] = []


def trained_for_apps(row: dict[str, Any]) -> None:
    row["competence"] = [{**one, "kinds": ["app"]} for one in row["competence"]]


def lapsed(row: dict[str, Any]) -> None:
    row["competence"] = [{**one, "until": "2020-01-01"} for one in row["competence"]]


def administrator(row: dict[str, Any]) -> None:
    row["roles"] = [*row["roles"], "administrator"]


@pytest.mark.parametrize(
    ("change", "sentence", "without_permit"),
    [
        (without_role, "emil did not have the role ml-platform-engineer that day", True),
        (without_training, "emil had no training in date as ml-platform-engineer", True),
        (trained_for_apps, "emil had no training in date as ml-platform-engineer", True),
        (lapsed, "emil had no training in date as ml-platform-engineer", True),
        (administrator, "emil was an administrator that day", False),
    ],
)
def test_an_approval_by_somebody_who_might_not_is_found(
    change: Callable[[dict[str, Any]], None],
    sentence: str,
    without_permit: bool,
    office: Depot,
    pack: Path,
    check: Verify,
) -> None:
    """The reviewer of the first release had the right; the same approval without it is found."""
    record_people(pack, office, change, "emil")
    failed = check(pack, "--key", key_of(office)).failed
    assert not {"tree", "details", "registers", "reviews"} & failed.keys()
    assert any(sentence in one for one in failed["authority"])
    assert ("approvals" in failed) is without_permit


def test_an_approval_without_a_recorded_register_is_not_passed(
    office: Depot, pack: Path, check: Verify
) -> None:
    def hide(entry: dict[str, Any], details: dict[str, Any]) -> None:
        if entry["type"] == "register.changed":
            entry["type"] = "key.created"

    rewrite_history(pack, office.acting().keyring, hide)
    failed = check(pack, "--key", key_of(office)).failed
    assert any("no register of people was recorded before" in one for one in failed["authority"])


def test_a_reviewer_whom_the_decision_leaves_out_is_found(
    office: Depot, pack: Path, check: Verify
) -> None:
    """The operator leaves a role out of the recorded decision, and every hash supports it."""
    case = pack / "cases" / "case-0003" / "dossiers"
    (folder,) = case.iterdir()
    decision = json.loads((folder / "decision.json").read_bytes())
    role = decision["reviewers"].pop()["role"]
    (folder / "decision.json").write_bytes(canonical_json(decision))
    parts = {
        part: json.loads((folder / f"{part}.json").read_bytes()) for part in ("facts", "answers")
    }
    lied: list[str] = []

    def change(entry: dict[str, Any], details: dict[str, Any]) -> None:
        if details.get("case") == "case-0003":
            dossier = {
                **parts,
                "release": entry["subject"]["digest"],
                "pack": entry["policy"],
                "decision": "sha256:" + hashlib.sha256(canonical_json(decision)).hexdigest(),
            }
            lied.append(hashlib.sha256(canonical_json(dossier)).hexdigest())
            details["dossier"] = f"sha256:{lied[0]}"

    rewrite_history(pack, office.acting().keyring, change)
    folder.rename(case / lied[0])
    reseal(pack, office.acting().keyring)
    failed = check(pack, "--key", key_of(office)).failed
    assert not {"tree", "dossiers"} & failed.keys()
    assert any(f"the facts ask for a review by {role}" in one for one in failed["approvals"])


def test_rewritten_history_is_found_by_an_older_checkpoint_and_only_by_it(
    office: Depot, pack: Path, tmp_path: Path, check: Verify
) -> None:
    older = tmp_path / "older.txt"
    older.write_text(audit.checkpoint(office.acting())["checkpoint"], "utf-8")
    assert check(pack, "--key", key_of(office), "--checkpoint", older).failed == {}

    def change(entry: dict[str, Any], details: dict[str, Any]) -> None:
        if entry["type"] == "workspace.created":
            entry["at"] = "2020-01-01T00:00:00.000000Z"

    rewrite_history(pack, office.acting().keyring, change)
    assert "tree" not in check(pack, "--key", key_of(office)).failed
    answer = check(pack, "--key", key_of(office), "--checkpoint", older)
    assert "history was rewritten" in answer.failed["older"][0]


def test_a_checkpoint_of_more_entries_shows_that_the_end_is_gone(
    office: Depot, written: Path, tmp_path: Path, check: Verify
) -> None:
    later = copy_depot(office, tmp_path / "later")
    later.submit(later.releases.red)
    newer = tmp_path / "newer.txt"
    newer.write_text(audit.checkpoint(later.acting())["checkpoint"], "utf-8")
    answer = check(written, "--key", key_of(office), "--checkpoint", newer)
    assert "entries at the end were removed" in answer.failed["older"][0]


def test_another_key_than_the_one_given_is_found(
    parcel_releases: Releases, written: Path, tmp_path: Path, bare: Verify
) -> None:
    stranger = open_depot(tmp_path / "stranger", parcel_releases)
    answer = bare(written, "--key", key_of(stranger), "--json")
    assert answer.code == 1
    assert answer.failed["checkpoint"] == ["No trusted key signed the checkpoint."]


def test_keys_that_the_ledger_never_recorded_are_found(
    parcel_releases: Releases, pack: Path, tmp_path: Path, check: Verify
) -> None:
    """Somebody signs the same entries with keys of their own and lays those keys into the pack."""
    keyring = open_depot(tmp_path / "stranger", parcel_releases).acting().keyring
    (pack / "keys.json").write_bytes(keyring.trusted.to_json())
    rewrite_history(pack, keyring, lambda entry, details: None)
    failed = check(pack).failed
    assert not {"tree", "checkpoint", "signature"} & failed.keys()
    assert failed["keys"] == ["keys.json is not the version at the end of key-chain.jsonl"]
    chain = (keyring.folder / "chain.jsonl").read_bytes()
    (pack / "key-chain.jsonl").write_bytes(chain)
    rewrite_history(pack, keyring, lambda entry, details: None)
    failed = check(pack).failed
    assert not {"files", "tree", "checkpoint", "signature"} & failed.keys()
    assert len(failed["keys"]) == 3


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
    assert len(list((tmp_path / "pack" / "packs").iterdir())) == 2


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
