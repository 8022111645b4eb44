"""Whatever is done to an audit pack is found, by whom with which keys ever."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from guiderail.service import audit
from guiderail_verify import audit as verifier
from guiderail_verify.audit_files import read_manifest
from guiderail_verify.audit_pack import AuditPack
from guiderail_verify.audit_tables import TABLES
from guiderail_verify.canonical import canonical_json
from guiderail_verify.checks import run
from guiderail_verify.errors import VerifyError
from tests.service.audit_packs import (
    Verify,
    contents,
    key_of,
    reseal,
    rewrite,
    rewrite_history,
)
from tests.service.depot import Depot, copy_depot, open_depot
from tests.service.parcels import Releases

SAID_BY_THE_OPERATOR = ("README.txt", "index.html", "reconciliation.csv")
"""What the ledger does not prove: only the signed manifest covers it."""


# --- What somebody without the keys can do ------------------------------------------------------


def failing(folder: Path, *ids: str) -> set[str]:
    """Which of these checks do not pass; `unusable` where it is no pack any more."""
    try:
        pack = AuditPack(folder, read_manifest(folder))
    except VerifyError:
        return {"unusable"}
    made = [
        run(one, "", "", partial(look, pack)) for one, _, _, look in verifier.CHECKS if one in ids
    ]
    assert {one.id for one in made} == set(ids), "there is such a check"
    return {one.id for one in made if not one.ok}


def flip(path: Path, place: int, bit: int = 1) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= bit
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["manifest.json", "manifest.dsse.json"])
@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.slow), 41])
def test_a_flipped_bit_in_what_names_and_signs_the_files_is_found(
    every: int, name: str, pack: Path
) -> None:
    """No byte is harmless: both files are canonical JSON and a signature covers the manifest."""
    data = (pack / name).read_bytes()
    for place in sorted({*range(0, len(data), every), len(data) - 1}):
        flip(pack / name, place)
        assert failing(pack, "files", "signature"), (name, place)
        (pack / name).write_bytes(data)
    assert not failing(pack, "files", "signature")


@pytest.mark.parametrize("every", [pytest.param(64, marks=pytest.mark.slow), None])
def test_a_flipped_bit_in_any_other_file_is_found(every: int | None, pack: Path) -> None:
    """No byte is harmless: the manifest has the SHA-256 of each of these files."""
    for path, data in contents(pack).items():
        if path.startswith("manifest"):
            continue
        step = every or max(1, len(data))
        for place in sorted({len(data) // 2, len(data) - 1, *range(0, len(data), step)}):
            flip(pack / path, place, 128)
            assert failing(pack, "files"), (path, place)
            (pack / path).write_bytes(data)
    assert not failing(pack, "files")


def test_a_removed_added_linked_or_cut_file_is_found(pack: Path, check: Verify) -> None:
    for path, data in contents(pack).items():
        checks = ("files", "signature") if path.startswith("manifest") else ("files",)
        (pack / path).unlink()
        assert failing(pack, *checks), path
        for content in (data[:-1], b"", data + b"\n"):
            (pack / path).write_bytes(content)
            assert failing(pack, *checks), path
        (pack / path).write_bytes(data)
    (pack / "cases" / "more.json").write_bytes(b"{}")
    assert check(pack).failed["files"] == ["cases/more.json is not in the manifest"]
    (pack / "cases" / "more.json").unlink()
    (pack / "people.json").rename(pack.parent / "people.json")
    (pack / "people.json").symlink_to(pack.parent / "people.json")
    assert "files" in check(pack).failed


# --- What an operator with all keys can do ------------------------------------------------------


ANSWERS_FOR = {
    "checkpoint.txt": ("checkpoint",),
    "keys.json": ("checkpoint", "keys"),
    "key-chain.jsonl": ("keys",),
    "entries.jsonl": ("tree",),
    "disclosed.jsonl": ("details",),
    "index.csv": ("index",),
    "people.json": ("people",),
    "people-keys.json": ("people",),
    "assessment-results.oscal.json": ("documents",),
    "tables/*": ("tables",),
    "registers/*": ("registers",),
    "packs/*": ("policies",),
    "evidence/*": ("evidence", "policies"),
    "cases/*/release.json": ("releases",),
    "cases/*/case.json": ("reviews", "permits", "rollouts"),
    "cases/*/dossiers/*": ("dossiers",),
    "cases/*/permits/*": ("permits",),
    "cases/*/proofs/*": ("proofs",),
    "cases/*/card.*": ("documents",),
    "cases/*/bom.cdx.json": ("documents",),
}
"""Pattern of a path -> the checks that find what an operator with all keys changes in it."""


def test_signing_the_manifest_again_hides_no_changed_byte(office: Depot, pack: Path) -> None:
    keyring = office.acting().keyring
    for path, data in contents(pack).items():
        if path.startswith("manifest") or path in SAID_BY_THE_OPERATOR:
            continue
        checks = next(ids for known, ids in ANSWERS_FOR.items() if fnmatch(path, known))
        for place in {0, len(data) // 3, len(data) - 1}:
            flip(pack / path, place)
            reseal(pack, keyring)
            assert failing(pack, *checks), (path, place)
            (pack / path).write_bytes(data)


def tables_and_documents() -> list[str]:
    named = [one.path for one in TABLES]
    return [
        *named,
        "assessment-results.oscal.json",
        *(f"cases/case-0001/{one}" for one in ("card.md", "card.html", "bom.cdx.json")),
    ]


@pytest.mark.parametrize("path", tables_and_documents())
def test_a_row_too_many_or_too_few_is_found(path: str, office: Depot, pack: Path) -> None:
    """Of every table and document, though the operator signs again."""
    lines = (pack / path).read_text("utf-8").splitlines(keepends=True)
    (check,) = next(ids for known, ids in ANSWERS_FOR.items() if fnmatch(path, known))
    assert not failing(pack, check)
    for changed in (lines[:-1], [*lines, lines[-1]], [*lines[:1], *lines]):
        (pack / path).write_text("".join(changed), "utf-8")
        reseal(pack, office.acting().keyring)
        assert failing(pack, check) == {check}, changed[:2]
    (pack / path).unlink()
    reseal(pack, office.acting().keyring)
    assert failing(pack, check) == {check}


def test_tables_and_documents_may_be_left_out_as_a_whole(
    office: Depot, pack: Path, check: Verify
) -> None:
    shutil.rmtree(pack / "tables")
    for path in contents(pack):
        if path.endswith((".cdx.json", ".oscal.json", "card.md", "card.html")):
            (pack / path).unlink()
    reseal(pack, office.acting().keyring)
    answer = check(pack, "--key", key_of(office))
    assert answer.failed == {}
    notes = {one["id"]: one["note"] for one in answer.json["checks"]}
    assert notes["tables"] == "the pack holds no tables"
    assert notes["documents"].startswith("the pack holds no cards")


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


def rename_person(pack: Path) -> None:
    """The operator says that a submitter is somebody who did not work on it."""
    people = json.loads((pack / "people.json").read_bytes())
    rewrite(pack / "people.json", {name: "remo" for name, one in people.items() if one == "nora"})


def hide_keys(pack: Path) -> None:
    (pack / "people-keys.json").write_bytes(b"{}")


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
        (rename_person, {"people"}),
        (hide_keys, {"people"}),
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
